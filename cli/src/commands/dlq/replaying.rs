//! `gistmill dlq replay`: inputs written to their topics again.

use std::{io::Write, time::Instant};

use anyhow::bail;
use clap::{Args, value_parser};
use indicatif::ProgressBar;
use operate::{LetterPlace, ReplayOptions, ReplayPlan, ReplayTold};
use serde_json::{Value, json};
use state::{AuditChange, LetterState};
use topology::Map;

use super::{selecting::Selecting, settling::named};
use crate::{
    commands::audit,
    exit::Exit,
    printing::{printable, reading_bar, show_progress},
    settings::Settings,
};

pub(super) const AFTER_HELP: &str = "\
Examples:
  gistmill dlq replay --fingerprint 6f1ed002ab5d5000            shows what would be written
  gistmill dlq replay --fingerprint 6f1ed002ab5d5000 --yes
  gistmill dlq replay --fingerprint 6f1ed002ab5d5000 --rekey --rate 500 --yes
  gistmill dlq replay 2:17 --parked --yes

Key, value and headers are those of the input, byte for byte; headers that begin with replay_ are set besides. One of them,
replay_for, names the group that gave it up: the topic's other groups drop it. What every reader refused is for all of them.
Mend the cause first: what would fail again is left as it is, and what has failed as often as --attempts says is parked.
Killed, the same command goes on where it was; of two at once the second is refused.";

/// Which inputs, and how they are written.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
pub(super) struct Replay {
    /// Where their letters lie, as `ls` prints it
    #[arg(value_name = "PARTITION:OFFSET")]
    places: Vec<LetterPlace>,
    #[command(flatten)]
    selecting: Selecting,
    /// Parked ones, too
    #[arg(long)]
    parked: bool,
    /// Put records with a wrong key or in a wrong partition where they belong
    #[arg(long)]
    rekey: bool,
    /// Most records a second
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Times that an input may be written again before it is parked
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(i32).range(1..))]
    attempts: i32,
    /// Forget a replay of other letters that was interrupted
    #[arg(long)]
    abandon: bool,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    fn options(&self, actor: String) -> anyhow::Result<ReplayOptions> {
        let parked = self.parked.then_some(LetterState::Parked);
        Ok(ReplayOptions {
            selection: named(self.selecting.selection(&self.places)?)?,
            states: [LetterState::Open].into_iter().chain(parked).collect(),
            rekey: self.rekey,
            attempts_max: self.attempts,
            rate: self.rate,
            abandon: self.abandon,
            actor,
        })
    }
}

pub(super) fn run(arguments: &Replay, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    let options = arguments.options(settings.operator())?;
    let bar = reading_bar();
    if !arguments.yes {
        let plan = operate::plan_replay(&config, &map, &options, &mut |done, total| {
            show_progress(&bar, done, total);
        });
        bar.finish_and_clear();
        show(&plan?, (arguments.json, None), out)?;
        bail!("nothing was written; --yes does it");
    }
    let began = Instant::now();
    let mut on_record = Ok(());
    let replayed = operate::replay(&config, &map, &options, &mut |told| {
        if let ReplayTold::Planned(plan) = &told {
            on_record = put_on_record(settings, ("dlq replay", &options), plan);
        }
        progress(&bar, &told);
    });
    bar.finish_and_clear();
    let plan = replayed?;
    on_record?;
    put_on_record(settings, ("dlq replay done", &options), &plan)?;
    show(&plan, (arguments.json, Some(began.elapsed().as_secs_f64())), out)?;
    Ok(Exit::Done)
}

fn progress(bar: &ProgressBar, told: &ReplayTold<'_>) {
    match told {
        ReplayTold::Planned(_) => bar.reset(),
        ReplayTold::Looking(done, total) | ReplayTold::Written(done, total) => {
            show_progress(bar, *done, *total);
        }
    }
}

fn put_on_record(
    settings: &Settings,
    (action, options): (&str, &ReplayOptions),
    plan: &ReplayPlan,
) -> anyhow::Result<()> {
    let selection = &options.selection;
    let after = json!({
        "run": plan.run.id, "which": selection, "rekey": options.rekey, "inputs": plan.inputs,
        "parked": plan.parked, "goes_on": plan.is_resumed,
    });
    let change = AuditChange {
        tenant_id: selection.tenant.as_deref().unwrap_or_default(),
        actor: &options.actor,
        action,
        subject: selection.fingerprint.as_deref().unwrap_or("dead letters"),
        before: None,
        after: Some(&after),
    };
    audit::record_of(settings, &change)
}

/// What would be done, or what was done in so many seconds.
fn show(plan: &ReplayPlan, (json, seconds): (bool, Option<f64>), out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        let mut object = serde_json::to_value(plan)?;
        object["done"] = Value::from(seconds.is_some());
        object["seconds"] = json!(seconds);
        return Ok(writeln!(out, "{object}")?);
    }
    for line in lines(plan, seconds) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn lines(plan: &ReplayPlan, seconds: Option<f64>) -> Vec<String> {
    let mut lines = Vec::new();
    let (are, parked) = if seconds.is_some() { ("written", "parked") } else { ("to write", "to park") };
    if plan.is_resumed {
        lines.push(format!(
            "goes on with run {}, which had written {} inputs",
            plan.run.id, plan.run.replayed
        ));
    }
    let took = seconds.map_or_else(String::new, |seconds| format!(" in {seconds:.1} s"));
    lines.push(format!("{} inputs {are} again{took}", plan.inputs));
    lines.extend(plan.by_unit.iter().map(|(what, count)| format!("  {count} to {}", printable(what))));
    if plan.rekeyed > 0 {
        lines
            .push(format!("  {} of them under the key and in the partition where they belong", plan.rekeyed));
    }
    if plan.parked > 0 {
        lines.push(format!("{} inputs {parked}: they were written again too often", plan.parked));
    }
    for (reason, count) in &plan.unfit {
        let advice = match *reason {
            "wrong_key" | "wrong_partition" => "; --rekey puts them where they belong",
            _ => "",
        };
        lines.push(format!("{count} inputs are left: they would fail again with {reason}{advice}"));
    }
    lines.extend(
        plan.gone.iter().map(|(what, count)| format!("{count} inputs are left: {}", printable(what))),
    );
    lines
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use operate::{LetterSelection, ReplayRun};
    use std::collections::BTreeMap;

    use super::*;
    use crate::line::Line;

    fn plan() -> ReplayPlan {
        ReplayPlan {
            run: ReplayRun {
                id: "abc".to_owned(),
                selection: LetterSelection::default(),
                states: vec!["open".to_owned()],
                rekey: false,
                attempts_max: 3,
                ends: BTreeMap::new(),
                next: BTreeMap::new(),
                replayed: 2_000,
                last: Vec::new(),
                is_done: false,
            },
            is_resumed: true,
            inputs: 40,
            rekeyed: 3,
            by_unit: BTreeMap::from([("t.v1 for topic".to_owned(), 40)]),
            parked: 1,
            unfit: BTreeMap::from([("wrong_key", 5), ("wrong_magic", 6)]),
            gone: BTreeMap::from([("topic old.v1 is not in the map".to_owned(), 7)]),
        }
    }

    #[test]
    fn what_would_be_done_is_told_and_what_is_left() {
        let text = lines(&plan(), None).join("\n");
        for part in [
            "goes on with run abc, which had written 2000 inputs\n40 inputs to write again\n  40 to t.v1 for topic\n",
            "1 inputs to park",
            "5 inputs are left: they would fail again with wrong_key; --rekey puts them where they belong\n",
            "6 inputs are left: they would fail again with wrong_magic\n",
            "7 inputs are left: topic old.v1 is not in the map",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(lines(&plan(), Some(2.0))[1].ends_with("written again in 2.0 s"));
    }

    #[test]
    fn it_is_said_which_letters_and_how_often_is_more_than_never() {
        let parsed = |words: &[&str]| Line::<Replay>::try_parse_from(["replay"].iter().chain(words));
        assert!(parsed(&["--rate", "0"]).is_err() && parsed(&["--attempts", "0"]).is_err());
        let all = parsed(&["--yes"]).unwrap().arguments;
        assert!(all.options("ops".to_owned()).unwrap_err().to_string().starts_with("say which letters"));
        let options = parsed(&["2:17", "--parked"]).unwrap().arguments.options("ops".to_owned()).unwrap();
        assert_eq!((options.states.len(), options.attempts_max, options.rate), (2, 3, None));
    }
}
