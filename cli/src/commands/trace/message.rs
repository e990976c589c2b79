//! `gistmill trace MESSAGE`: the windows that a message fell into, their digests and deliveries, and the way of each.

use std::io::Write;

use anyhow::{Context, bail};
use operate::Trace;
use runtime::{Config, Host};
use serde::Serialize;
use state::{LedgerLine, MessageWindow, SaidState};
use topology::Map;

use super::super::known;
use crate::{
    exit::Exit,
    printing::{columns, fitted, printable, when},
};

/// Windows whose events are shown, the shortest first.
const FOLLOWED: usize = 6;

/// All that is known.
#[derive(Debug, Serialize)]
struct Told {
    tenant_id: String,
    group_id: String,
    message_id: i64,
    states: Vec<SaidState>,
    windows: Vec<Followed>,
}

/// A window and the events of its newest version, where the topics still have them.
#[derive(Debug, Serialize)]
struct Followed {
    #[serde(flatten)]
    window: MessageWindow,
    trace: Option<Trace>,
}

pub(super) fn run(
    config: &Config,
    ((tenant, group), id): ((String, String), i64),
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let host = Host::new(config.clone(), 1)?;
    let store = host.store()?;
    let found = host.block_on(async {
        store.ready().await.context("could not look for a message")?;
        match store.message_way((&tenant, &group), id).await? {
            Some(found) => Ok(found),
            None => match known::unknown(&store, &tenant, Some(&group)).await? {
                Some(unknown) => bail!("{unknown}"),
                None => bail!(
                    "group {} of tenant {tenant} has no message {id}: `gistmill search --json` shows ids; one that came just \
                     now may be on its way (`gistmill lag`), an older one past its retention",
                    printable(&group)
                ),
            },
        }
    })?;
    let (states, windows) = found;
    let ids: Vec<&str> = windows.iter().take(FOLLOWED).map(|window| &*window.window_id).collect();
    let of = (tenant, group);
    let mut traces = if ids.is_empty() {
        Vec::new()
    } else {
        operate::traces(config, &Map::embedded()?, Some(&of), &ids)?
    };
    let mut of_window = |window: &MessageWindow| {
        let at = traces.iter().position(|trace| trace.window_id == window.window_id)?;
        Some(traces.remove(at))
    };
    let windows = windows.into_iter().map(|window| Followed { trace: of_window(&window), window }).collect();
    let told = Told { tenant_id: of.0, group_id: of.1, message_id: id, states, windows };
    if json {
        writeln!(out, "{}", serde_json::to_string(&told)?)?;
    } else {
        print(&told, columns(), out)?;
    }
    Ok(Exit::Done)
}

fn print(told: &Told, columns: Option<usize>, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "message {} of {}/{}", told.message_id, told.tenant_id, printable(&told.group_id))?;
    for state in &told.states {
        let SaidState { kind, revision, sent_at, source_partition, source_offset } = state;
        let sent = when(*sent_at);
        writeln!(
            out,
            "  {kind:<8} revision {revision}  sent {sent}  offset {source_partition}/{source_offset}"
        )?;
    }
    if told.windows.is_empty() {
        return writeln!(
            out,
            "no window around it is closed yet, or none is kept; see `gistmill lag --windows`"
        );
    }
    for Followed { window, trace } in &told.windows {
        writeln!(out)?;
        writeln!(out, "{}", fitted(&head(window), columns))?;
        for line in &window.deliveries {
            writeln!(out, "{}", fitted(&delivery(line), columns))?;
        }
        match trace {
            Some(trace) => super::print_steps(trace, columns, out)?,
            None => writeln!(
                out,
                "  its events are no longer in the topics, or not shown: `gistmill trace {}`",
                window.window_id
            )?,
        }
    }
    Ok(())
}

fn head(window: &MessageWindow) -> String {
    let size = if window.size_hours == 0 { "asked".to_owned() } else { format!("{} h", window.size_hours) };
    let outcome = match (&window.digest_id, &window.reason) {
        (Some(digest), _) if window.withdrawn => format!("digest {digest}, withdrawn"),
        (Some(digest), _) if window.cites => format!("digest {digest}, which cites the message"),
        (Some(digest), _) => format!("digest {digest}, which does not cite it"),
        (None, Some(reason)) => format!("blocked: {reason}"),
        (None, None) => "nothing yet".to_owned(),
    };
    format!(
        "window {} ({size} from {}) v{}: {outcome}",
        window.window_id,
        when(window.window_start),
        window.version
    )
}

fn delivery(line: &LedgerLine) -> String {
    let to = if line.chat.is_empty() {
        line.channel.clone()
    } else {
        format!("{} {}", line.channel, printable(&line.chat))
    };
    format!("  {to}  v{} part {}  {} {}", line.version, line.part, line.status, when(line.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_with_its_windows_and_how_they_ended() {
        let window = |size_hours, digest_id: Option<&str>| MessageWindow {
            window_id: "w".to_owned(),
            size_hours,
            window_start: 0,
            window_end: 86_400_000,
            version: "2.0".to_owned(),
            digest_id: digest_id.map(str::to_owned),
            reason: digest_id.is_none().then(|| "too_small".to_owned()),
            withdrawn: false,
            cites: digest_id.is_some(),
            deliveries: vec![LedgerLine {
                channel: "file".to_owned(),
                chat: String::new(),
                version: "2.0".to_owned(),
                part: 1,
                status: "sent".to_owned(),
                at: 1_000,
            }],
        };
        let state = SaidState {
            revision: 0,
            kind: "new".to_owned(),
            sent_at: 5,
            source_partition: 1,
            source_offset: 42,
        };
        let mut told = Told {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            message_id: 7,
            states: vec![state],
            windows: vec![
                Followed { window: window(24, Some("d")), trace: None },
                Followed { window: window(0, None), trace: None },
            ],
        };
        let shown = |told: &Told| {
            let mut out = Vec::new();
            print(told, None, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let expected = "\
message 7 of acme/qa
  new      revision 0  sent 1970-01-01T00:00:00.005Z  offset 1/42

window w (24 h from 1970-01-01T00:00:00.000Z) v2.0: digest d, which cites the message
  file  v2.0 part 1  sent 1970-01-01T00:00:01.000Z
  its events are no longer in the topics, or not shown: `gistmill trace w`

window w (asked from 1970-01-01T00:00:00.000Z) v2.0: blocked: too_small
  file  v2.0 part 1  sent 1970-01-01T00:00:01.000Z
  its events are no longer in the topics, or not shown: `gistmill trace w`
";
        assert_eq!(shown(&told), expected);
        told.windows.clear();
        assert!(shown(&told).ends_with("see `gistmill lag --windows`\n"));
    }
}
