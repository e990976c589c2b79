//! `gistmill dlq drain`: a way past the guard for inputs that have stopped a unit.

use std::io::Write;

use anyhow::bail;
use clap::{Args, builder::NonEmptyStringValueParser};
use operate::{DrainOptions, DrainPlan};
use schemas::Fingerprint;
use serde_json::json;
use topology::Map;

use crate::{commands::audit, exit::Exit, settings::Settings};

pub(super) const AFTER_HELP: &str = "\
Examples:
  gistmill dlq drain window_builder --partition 2 --fingerprint 6f1ed002ab5d5000 --until 1325
  gistmill dlq drain window_builder --partition 2 --fingerprint 6f1ed002ab5d5000 --until 1325 \\
    --reason 'a producer under test' --yes

When the guard has stopped a unit, its last words name the fingerprint and the first places. The unit must not be running. Started
again it makes a dead letter of each such input before the offset; whatever else it rejects counts for the guard as ever. The
topic's other readers have guards of their own, and fingerprints of their own: what stopped one may have stopped another.";

/// A way past the guard.
#[derive(Debug, Args)]
pub(super) struct Drain {
    /// Processor or sink that was stopped
    unit: String,
    /// Its input, where it has several
    #[arg(long)]
    topic: Option<String>,
    /// Partition
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// The kind of failure, as the unit's last words name it
    #[arg(long)]
    fingerprint: Fingerprint,
    /// The first offset that is not to be let through
    #[arg(long, value_name = "OFFSET")]
    until: i64,
    /// Why; it is kept in the audit log
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    reason: Option<String>,
    /// Do it
    #[arg(long, requires = "reason")]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Drain, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    let options = DrainOptions {
        unit: arguments.unit.clone(),
        topic: arguments.topic.clone(),
        partition: arguments.partition,
        fingerprint: arguments.fingerprint,
        until: arguments.until,
    };
    let plan = operate::plan_drain(&config, &map, &options)?;
    if arguments.yes {
        operate::drain(&config, &map, &options, &plan)?;
        let after = json!({ "order": plan, "reason": arguments.reason });
        audit::record_operation(settings, ("dlq drain", &plan.unit), &after)?;
    }
    if arguments.json {
        let mut object = serde_json::to_value(&plan)?;
        object["done"] = arguments.yes.into();
        writeln!(out, "{object}")?;
    } else {
        for line in lines(&plan) {
            writeln!(out, "{line}")?;
        }
    }
    if !arguments.yes {
        bail!("nothing was ordered; --yes with a --reason does it");
    }
    Ok(Exit::Done)
}

fn lines(plan: &DrainPlan) -> Vec<String> {
    let DrainPlan { unit, topic, partition, fingerprint, from, until, records, let_through, .. } = plan;
    let mut lines = vec![format!(
        "{unit} goes on at {topic}/{partition}:{from}; before {until} lie {records} records, of which {let_through} are of \
         kind {fingerprint}: they become dead letters, and do not count for the guard"
    )];
    if *let_through == 0 {
        lines.push(format!(
            "None of them fails the wire check in this way. What {unit} itself refuses it alone can tell: go on only if its \
             last words name this fingerprint."
        ));
    }
    let others = plan
        .others
        .iter()
        .map(|(kind, count)| format!("  {count} are of kind {kind}, and count for the guard"));
    lines.extend(others);
    lines
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use std::collections::BTreeMap;

    use super::*;
    use crate::line::Line;

    #[test]
    fn an_order_needs_a_reason_and_a_look_none() {
        let parsed = |words: &[&str]| {
            let given = ["drain", "topic", "--fingerprint", "00000000000000ff", "--until", "9"];
            Line::<Drain>::try_parse_from(given.iter().chain(words)).map(|line| line.arguments)
        };
        assert!(parsed(&["--yes"]).is_err() && parsed(&["--yes", "--reason", ""]).is_err());
        assert!(parsed(&["--yes", "--reason", "a test"]).is_ok());
        assert_eq!(parsed(&[]).unwrap().until, 9);
    }

    #[test]
    fn what_is_let_through_is_told_and_what_is_not() {
        let plan = DrainPlan {
            unit: "topic".to_owned(),
            topic: "t.v1".to_owned(),
            partition: 2,
            fingerprint: "00000000000000ff".to_owned(),
            from: 7,
            until: 332,
            records: 325,
            let_through: 320,
            others: BTreeMap::from([("0000000000000001 wrong_magic".to_owned(), 5)]),
        };
        let told = lines(&plan);
        assert!(
            told[0].starts_with("topic goes on at t.v1/2:7; before 332 lie 325 records, of which 320 are")
        );
        assert_eq!(told[1], "  5 are of kind 0000000000000001 wrong_magic, and count for the guard");
        let none = lines(&DrainPlan { let_through: 0, ..plan });
        assert!(none[1].starts_with("None of them fails the wire check"), "{none:?}");
    }
}
