//! `gistmill group lane`: how far the lanes of a group have come, and one that ran ahead is set back.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use state::AuditChange;
use telegram_export_source::{ControlSource, Group};
use topology::Map;
use window_builder::{LaneClock, LaneClocks};

use super::{Name, write_control};
use crate::{commands::audit, exit::Exit, printing::when, settings::Settings};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the lanes of a group: clock, newest promise, and which are ahead of this machine's clock
    #[command(after_help = "\
Examples:
  gistmill group lane ls --tenant acme --group team
  gistmill group lane ls --tenant acme --group team --json | jq '.lanes[] | select(.is_ahead)'

Ended imports are left out. The list is read from the log of the group, as window_builder reads it.")]
    Ls {
        #[command(flatten)]
        group: Name,
        /// Print JSON: times in ms since the epoch, null where nothing was told yet
        #[arg(long)]
        json: bool,
    },
    /// Set a lane back that ran ahead, by a wrong promise or a source's wrong clock; without --yes only show it
    #[command(after_help = "\
Examples:
  gistmill group lane set-back --tenant acme --group team --to 2026-03-01T00:00:00Z
  gistmill group lane set-back --tenant acme --group team --to 2026-03-01T00:00:00Z --yes

Messages after that time are not late any more, and what came late since then gets a revision. Digests that were made
stay; the next messages of their windows make newer versions. The record that does it stays in the group's log.")]
    SetBack {
        #[command(flatten)]
        group: Name,
        /// Lane: live, or the id of an import
        #[arg(long, default_value = schemas::LIVE_LANE)]
        lane: String,
        /// Time that the lane has really come to, such as 2026-03-01T00:00:00Z
        #[arg(long, value_name = "TIME")]
        to: Timestamp,
        /// Do it
        #[arg(long)]
        yes: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: Command, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        Command::Ls { group, json } => list(&lanes(&group, settings)?, json, out),
        Command::SetBack { group, lane, to, yes, json } => {
            let lane = ahead(lanes(&group, settings)?, &lane, to.as_millisecond())?;
            if yes {
                let (group, now) =
                    (Group::new(&group.tenant, &group.group)?, Timestamp::now().as_millisecond());
                let back = (lane.lane.as_str(), to.as_millisecond());
                let source = ControlSource::set_back(&group, back, &now.to_string(), now);
                write_control(source, settings)?;
                let (before, after) =
                    (json!({ "clock": lane.clock }), json!({ "clock": to.as_millisecond() }));
                let change = AuditChange {
                    tenant_id: group.tenant_id(),
                    actor: &settings.operator(),
                    action: "group lane set-back",
                    subject: &format!("{}, lane {}", group.group_id(), lane.lane),
                    before: Some(&before),
                    after: Some(&after),
                };
                audit::record_of(settings, &change)?;
            }
            tell(&lane, to.as_millisecond(), (yes, json), out)
        }
    }
}

fn lanes(name: &Name, settings: &Settings) -> anyhow::Result<Vec<LaneClock>> {
    let group = Group::new(&name.tenant, &name.group)?;
    let key = format!("{}/{}", group.tenant_id(), group.group_id());
    let mut clocks = LaneClocks::default();
    operate::group_log(&settings.config()?, &Map::embedded()?, &key, &mut |record| clocks.take(record))?;
    Ok(clocks.lanes())
}

fn list(lanes: &[LaneClock], json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let now = Timestamp::now().as_millisecond();
    let is_ahead = |lane: &LaneClock| lane.clock.is_some_and(|clock| clock > now);
    if json {
        let mut listed = Vec::new();
        for lane in lanes {
            let mut value = serde_json::to_value(lane)?;
            value["is_ahead"] = is_ahead(lane).into();
            listed.push(value);
        }
        writeln!(out, "{}", serde_json::json!({ "lanes": listed }))?;
        return Ok(Exit::Done);
    }
    if lanes.is_empty() {
        writeln!(out, "no lane is open: nothing was ingested yet, or all imports have ended")?;
    }
    for lane in lanes {
        let mark = if is_ahead(lane) { "  AHEAD of this machine's clock" } else { "" };
        writeln!(out, "{}{mark}", lane.lane)?;
        writeln!(out, "  clock           {}", shown(lane.clock))?;
        writeln!(out, "  complete until  {}", shown(lane.complete_until))?;
        writeln!(out, "  newest message  {}", shown(lane.newest_message))?;
        if lane.set_back_to.is_some() {
            writeln!(out, "  set back to     {}", shown(lane.set_back_to))?;
        }
    }
    Ok(Exit::Done)
}

fn shown(ms: Option<i64>) -> String {
    ms.map_or_else(|| "-".to_owned(), when)
}

/// The lane, if it is ahead of that time.
fn ahead(lanes: Vec<LaneClock>, name: &str, to_ms: i64) -> anyhow::Result<LaneClock> {
    let names: Vec<String> = lanes.iter().map(|lane| lane.lane.clone()).collect();
    let lane = lanes.into_iter().find(|lane| lane.lane == name);
    let lane = lane.with_context(|| match names.as_slice() {
        [] => format!("could not set lane {name} back: no lane of this group is open"),
        names => format!("could not set lane {name} back: it is not open; these are: {}", names.join(", ")),
    })?;
    if lane.clock.is_none_or(|clock| clock <= to_ms) {
        let (clock, to) = (shown(lane.clock), when(to_ms));
        bail!("could not set lane {name} back to {to}: its clock is at {clock}; give an earlier time");
    }
    Ok(lane)
}

fn tell(
    lane: &LaneClock,
    to_ms: i64,
    (is_done, json): (bool, bool),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    if json {
        let value =
            serde_json::json!({ "lane": lane.lane, "before": lane.clock, "after": to_ms, "done": is_done });
        writeln!(out, "{value}")?;
    } else {
        writeln!(out, "lane {}  {} → {}", lane.lane, shown(lane.clock), when(to_ms))?;
    }
    if !is_done {
        bail!("nothing was changed; --yes does it");
    }
    if !json {
        writeln!(out, "done: window_builder takes it in order with the messages of the group")?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(clock: Option<i64>) -> LaneClock {
        LaneClock {
            lane: "live".to_owned(),
            clock,
            complete_until: clock,
            newest_message: None,
            set_back_to: Some(5),
        }
    }

    fn text(run: impl FnOnce(&mut Vec<u8>) -> anyhow::Result<Exit>) -> (String, Option<String>) {
        let mut out = Vec::new();
        let error = run(&mut out).err().map(|error| format!("{error:#}"));
        (String::from_utf8(out).unwrap(), error)
    }

    #[test]
    fn lanes_ahead_are_marked() {
        let far = 9_000_000_000_000;
        let (shown, _) = text(|out| list(&[live(Some(far)), live(None)], false, out));
        assert!(
            shown.starts_with(
                "live  AHEAD of this machine's clock\n  clock           2255-03-14T16:00:00.000Z\n"
            ),
            "{shown}"
        );
        assert!(shown.ends_with("live\n  clock           -\n  complete until  -\n  newest message  -\n  set back to     1970-01-01T00:00:00.005Z\n"), "{shown}");
        let (shown, _) = text(|out| list(&[live(Some(far)), live(Some(1))], true, out));
        let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            (&value["lanes"][0]["clock"], &value["lanes"][0]["is_ahead"]),
            (&far.into(), &true.into())
        );
        assert_eq!(value["lanes"][1]["is_ahead"], false);
    }

    #[test]
    fn only_a_lane_that_is_ahead_of_the_time_is_set_back() {
        let refused = |lanes, name: &str, to_ms| ahead(lanes, name, to_ms).unwrap_err().to_string();
        assert_eq!(
            refused(Vec::new(), "live", 5),
            "could not set lane live back: no lane of this group is open"
        );
        assert_eq!(
            refused(vec![live(None)], "july", 5),
            "could not set lane july back: it is not open; these are: live"
        );
        assert!(refused(vec![live(Some(5))], "live", 5).contains("its clock is at 1970-01-01T00:00:00.005Z"));
        assert_eq!(ahead(vec![live(Some(6))], "live", 5).unwrap(), live(Some(6)));
    }

    #[test]
    fn without_yes_it_is_shown_and_not_done() {
        let (shown, error) = text(|out| tell(&live(Some(6)), 5, (false, false), out));
        assert_eq!(shown, "lane live  1970-01-01T00:00:00.006Z → 1970-01-01T00:00:00.005Z\n");
        assert_eq!(error.as_deref(), Some("nothing was changed; --yes does it"));
        let (shown, error) = text(|out| tell(&live(Some(6)), 5, (true, true), out));
        assert_eq!(
            (shown.as_str(), error),
            ("{\"after\":5,\"before\":6,\"done\":true,\"lane\":\"live\"}\n", None)
        );
    }
}
