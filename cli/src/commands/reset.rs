//! `gistmill reset`: where a processor, a sink or a source goes on.

use std::io::Write;

use anyhow::bail;
use clap::Args;
use operate::{Move, Place, ResetKind, ResetOptions, ResetPlan};
use topology::Map;

use super::{asking, audit};
use crate::{exit::Exit, settings::Settings};

/// Set where a stopped processor, sink or source goes on
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Processor or connector
    name: String,
    /// beginning, end, an offset (with --partition), -N (N offsets before the end), or a time
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    to: Place,
    /// One partition only
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// One input of a sink only
    #[arg(long)]
    topic: Option<String>,
    /// Which position of a source: what it reads. Default: the outbox
    #[arg(long)]
    identity: Option<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Print JSON; nothing is asked, so it needs --yes to do anything
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill reset topic --to 2026-03-01T00:00:00Z          shows before → after, and asks
  gistmill reset synthesis --to -20 --partition 2 --yes
  gistmill reset postgres_sink --to beginning --topic digest.blocked.v1 --yes
  gistmill reset postgres_outbox_source --to beginning    publish the whole outbox again

The unit must not be running. Going back reads records again: what follows from them is emitted once more, with the
same ids. Going forward leaves records out for good.";

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    let options = ResetOptions {
        name: arguments.name,
        to: arguments.to,
        topic: arguments.topic,
        partition: arguments.partition,
        identity: arguments.identity,
    };
    let plan = operate::plan_reset(&config, &map, &options)?;
    if !arguments.json {
        show(&plan, out)?;
    }
    let is_wanted = arguments.yes || (!arguments.json && asking::is_wanted()?);
    if is_wanted {
        operate::reset(&config, &map, &plan)?;
        audit::record_operation(settings, ("reset", &options.name), &plan)?;
    }
    if arguments.json {
        let mut value = serde_json::to_value(&plan)?;
        value["done"] = serde_json::Value::from(is_wanted);
        writeln!(out, "{value}")?;
    }
    if !is_wanted {
        bail!("nothing was changed; --yes does it");
    }
    if !arguments.json {
        writeln!(out, "done")?;
    }
    Ok(Exit::Done)
}

fn show(plan: &ResetPlan, out: &mut dyn Write) -> anyhow::Result<()> {
    match plan {
        ResetPlan::Position { name, identity, before } => {
            writeln!(out, "{name} forgets its position in {identity}: {before}")?;
            writeln!(
                out,
                "It reads from the start again, and emits all of it again with the same ids, by which readers tell \
                 repeats."
            )?;
        }
        ResetPlan::Offsets { name, kind, moves } => {
            for step in moves {
                let before = step.before.map_or_else(|| "none".to_owned(), |offset| offset.to_string());
                writeln!(out, "{}/{}  {before} → {}", step.topic, step.partition, step.after)?;
            }
            for line in meaning(name, *kind, moves) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

/// What it comes to, in words.
fn meaning(name: &str, kind: ResetKind, moves: &[Move]) -> Vec<String> {
    let back: i64 = moves.iter().map(|step| (step.before.unwrap_or(step.after) - step.after).max(0)).sum();
    let ahead: i64 = moves.iter().map(|step| (step.after - step.before.unwrap_or(step.after)).max(0)).sum();
    let mut lines = Vec::new();
    if back > 0 {
        let effect = match kind {
            ResetKind::Sink => {
                "rows that are there stay as they are, missing ones are written, and what the sink \
                                reports for new rows goes out"
            }
            ResetKind::Processor | ResetKind::Fold => {
                "what follows from them is emitted again, with the same ids, and everything after it works again"
            }
        };
        lines.push(format!("{name} reads {back} offsets again: {effect}."));
    }
    if ahead > 0 {
        lines.push(format!(
            "{name} leaves {ahead} offsets out: what would follow from them never comes to be."
        ));
    }
    if back == 0 && ahead == 0 {
        lines.push("No known offset moves.".to_owned());
    }
    if kind == ResetKind::Fold && back > 0 {
        lines.push(
            "Its snapshots above the new offset are ignored: the state is built anew from the input before it, \
             which takes as long as reading that."
                .to_owned(),
        );
    }
    if kind == ResetKind::Fold && ahead > 0 {
        lines.push("What is left out still enters its state, without output.".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(before: Option<i64>, after: i64) -> Move {
        Move { topic: "t.v1".to_owned(), partition: 0, before, after }
    }

    #[test]
    fn both_directions_are_told() {
        let lines = meaning("topic", ResetKind::Processor, &[step(Some(10), 4), step(Some(3), 5)]);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("topic reads 6 offsets again: what follows from them is emitted again"));
        assert_eq!(lines[1], "topic leaves 2 offsets out: what would follow from them never comes to be.");
        assert_eq!(meaning("topic", ResetKind::Sink, &[step(None, 4)]), ["No known offset moves."]);
    }

    #[test]
    fn a_folds_snapshots_are_mentioned() {
        let lines = meaning("window_builder", ResetKind::Fold, &[step(Some(10), 0)]);
        assert!(lines[1].starts_with("Its snapshots above the new offset are ignored"), "{lines:?}");
    }

    #[test]
    fn before_and_after_are_shown() {
        let plan = ResetPlan::Offsets {
            name: "topic".to_owned(),
            kind: ResetKind::Processor,
            moves: vec![step(None, 4), step(Some(9), 4)],
        };
        let mut out = Vec::new();
        show(&plan, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("t.v1/0  none → 4\nt.v1/0  9 → 4\n"), "{text}");
    }
}
