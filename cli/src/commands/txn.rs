//! `gistmill txn`: transactions that hang, and how to end them.

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use operate::{Finished, HangingTransaction, Outcome, Transactions};
use topology::Map;

use super::audit;
use crate::{exit::Exit, printing::age, settings::Settings};

/// Find transactions that hang, and end them
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill txn ls
  gistmill txn finish                shows how each would end, and why
  gistmill txn finish --yes

A transaction hangs when a partition holds it open and no coordinator will end it: a broker killed at the wrong moment
drops what was still to be written. Readers of committed records then wait at that offset for ever.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the pipeline's transactions that hang, what each blocks and how it has to end
    #[command(after_help = "\
Examples:
  gistmill txn ls
  gistmill txn ls --json | jq '.hanging[] | select(.outcome == null)'")]
    Ls {
        /// Those that do not hang, too
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End those that hang as they were decided; without --yes only show it
    #[command(after_help = "\
Examples:
  gistmill txn finish
  gistmill txn finish --yes
  gistmill txn finish --producer-id 1007 --as abort --yes    one that nothing proves: you decide

The outcome is taken from partitions of the transaction that have their marker, else from the coordinators' log. What
neither proves is left as it is, and both choices are told. Exit code 1: something still hangs.")]
    Finish {
        /// Do it
        #[arg(long)]
        yes: bool,
        /// Those of this producer only
        #[arg(long, value_name = "ID")]
        producer_id: Option<i64>,
        /// End those that nothing proves like this
        #[arg(long = "as", value_name = "OUTCOME", requires = "producer_id")]
        outcome: Option<Chosen>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Chosen {
    Commit,
    Abort,
}

impl From<Chosen> for Outcome {
    fn from(chosen: Chosen) -> Self {
        match chosen {
            Chosen::Commit => Self::Commit,
            Chosen::Abort => Self::Abort,
        }
    }
}

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    let mut found = operate::transactions(&config, &map)?;
    match &arguments.command {
        Command::Ls { all, json } => {
            list(&found, *all, *json, out)?;
            Ok(Exit::Done)
        }
        Command::Finish { yes, producer_id, outcome, json } => {
            found.hanging.retain(|it| producer_id.is_none_or(|id| it.producer_id == id));
            let outcome = (*outcome).map(Outcome::from);
            let wanted = chosen(&found.hanging, outcome);
            if !*json {
                show(&found.hanging, outcome, out)?;
            }
            let finished = if *yes { operate::finish_transactions(&config, &wanted)? } else { Vec::new() };
            if !finished.is_empty() {
                audit::record_operation(settings, ("txn finish", "transactions"), &finished)?;
            }
            if *json {
                let value = serde_json::json!({ "hanging": found.hanging, "finished": finished });
                writeln!(out, "{value}")?;
            } else {
                finished.iter().try_for_each(|it| told(it, out))?;
            }
            verdict(&found.hanging, &finished, *yes)
        }
    }
}

/// What is to be ended, and how: proof before the operator's choice.
fn chosen(hanging: &[HangingTransaction], choice: Option<Outcome>) -> Vec<(HangingTransaction, Outcome)> {
    hanging.iter().filter_map(|it| Some((it.clone(), it.outcome.or(choice)?))).collect()
}

fn verdict(hanging: &[HangingTransaction], finished: &[Finished], is_wanted: bool) -> anyhow::Result<Exit> {
    let ended = finished.iter().filter(|it| it.failure.is_none()).count();
    if ended == hanging.len() {
        return Ok(Exit::Done);
    }
    if !is_wanted && hanging.iter().any(|it| it.outcome.is_some()) {
        bail!("nothing was changed; --yes ends those that are proven");
    }
    if !is_wanted {
        bail!("nothing was changed: nothing is proven, and with --as you decide");
    }
    bail!("{} of {} still hang", hanging.len() - ended, hanging.len())
}

fn list(found: &Transactions, all: bool, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(found)?)?);
    }
    show(&found.hanging, None, out)?;
    for it in found.running.iter().filter(|_| all) {
        let (open, id) = (&it.open, &it.transactional_id);
        writeln!(
            out,
            "{} from offset {}: {id}, producer {}, goes on",
            open.at, open.start_offset, open.producer_id
        )?;
    }
    for unseen in &found.unseen {
        writeln!(out, "{} could not be looked at: {}", unseen.at, unseen.why)?;
    }
    Ok(())
}

fn show(hanging: &[HangingTransaction], choice: Option<Outcome>, out: &mut dyn Write) -> anyhow::Result<()> {
    if hanging.is_empty() {
        return Ok(writeln!(out, "no transaction hangs")?);
    }
    for it in hanging {
        let since = it.age_seconds.map_or_else(|| "?".to_owned(), age);
        writeln!(
            out,
            "{}/{} from offset {}, {since}: producer {}, epoch {} ({})",
            it.topic,
            it.partition,
            it.start_offset,
            it.producer_id,
            it.producer_epoch,
            it.transactional_id.as_deref().unwrap_or("of no known transactional id")
        )?;
        writeln!(out, "    {}", it.effects())?;
        match (it.outcome, choice) {
            (Some(outcome), _) => writeln!(out, "    ends with {outcome}: {}", it.because)?,
            (None, Some(choice)) => writeln!(out, "    ends with {choice}, as you say: {}", it.because)?,
            (None, None) => {
                writeln!(out, "    not proven: {}", it.because)?;
                let [commit, abort] = it.choices();
                let order = |outcome| {
                    format!("gistmill txn finish --producer-id {} --as {outcome} --yes", it.producer_id)
                };
                writeln!(out, "    {commit}: {}", order("commit"))?;
                writeln!(out, "    {abort}: {}", order("abort"))?;
            }
        }
    }
    Ok(())
}

fn told(finished: &Finished, out: &mut dyn Write) -> std::io::Result<()> {
    let Finished { at, producer_id, outcome, failure } = finished;
    match failure {
        None => writeln!(out, "{at}: {outcome} written for producer {producer_id}"),
        Some(why) => writeln!(out, "{at}: {outcome} not written for producer {producer_id}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_admin::{Hanging, Open, Proof, TopicPartition};
    use operate::Blocked;
    use std::collections::BTreeSet;

    fn hanging(producer_id: i64, outcome: Option<Outcome>) -> HangingTransaction {
        let open = Open {
            at: TopicPartition::new("t.v1", 2),
            producer_id,
            producer_epoch: 3,
            coordinator_epoch: 1,
            start_offset: 41,
            last_ms: 900,
        };
        HangingTransaction {
            topic: open.at.topic.clone(),
            partition: open.at.partition,
            start_offset: open.start_offset,
            producer_id,
            producer_epoch: open.producer_epoch,
            transactional_id: Some("segmenter-0-0".to_owned()),
            age_seconds: Some(190.0),
            blocks: vec![Blocked { unit: "emotion".to_owned(), effect: "reads no further" }],
            outcome,
            because: if outcome.is_some() { "it says so" } else { "nothing says so" }.to_owned(),
            hanging: Hanging {
                open,
                transactional_id: None,
                since_ms: None,
                groups: BTreeSet::new(),
                marker_epoch: 3,
                marker_coordinator_epoch: 2,
                verdict: Ok(Proof::NeverDecided),
            },
        }
    }

    fn shown(hanging: &[HangingTransaction], choice: Option<Outcome>) -> String {
        let mut out = Vec::new();
        show(hanging, choice, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn proof_goes_before_choice_and_what_has_neither_is_left() {
        let all = [hanging(1, Some(Outcome::Commit)), hanging(2, None)];
        let outcomes =
            |choice| chosen(&all, choice).into_iter().map(|(it, outcome)| (it.producer_id, outcome));
        assert_eq!(outcomes(None).collect::<Vec<_>>(), [(1, Outcome::Commit)]);
        let decided = outcomes(Some(Outcome::Abort)).collect::<Vec<_>>();
        assert_eq!(decided, [(1, Outcome::Commit), (2, Outcome::Abort)]);
    }

    #[test]
    fn a_proof_is_one_line_and_a_doubt_names_both_orders() {
        let expected = "\
t.v1/2 from offset 41, 3 min: producer 1, epoch 3 (segmenter-0-0)
    emotion reads no further
    ends with COMMIT: it says so
";
        assert_eq!(shown(&[hanging(1, Some(Outcome::Commit))], None), expected);
        let text = shown(&[hanging(2, None)], None);
        assert!(text.contains("    not proven: nothing says so\n    COMMIT makes"), "{text}");
        assert!(
            text.contains("gistmill txn finish --producer-id 2 --as commit --yes\n    ABORT hides"),
            "{text}"
        );
        assert!(shown(&[hanging(2, None)], Some(Outcome::Abort)).contains("ends with ABORT, as you say"));
        assert_eq!(shown(&[], None), "no transaction hangs\n");
    }

    #[test]
    fn what_still_hangs_is_a_failure() {
        let all = [hanging(1, Some(Outcome::Commit)), hanging(2, None)];
        let finished = |failure: Option<&str>| Finished {
            at: TopicPartition::new("t.v1", 2),
            producer_id: 1,
            outcome: Outcome::Commit,
            failure: failure.map(str::to_owned),
        };
        let said = |hanging: &[_], finished: &[Finished], is_wanted| {
            verdict(hanging, finished, is_wanted).map_err(|error| error.to_string())
        };
        assert_eq!(said(&[], &[], false), Ok(Exit::Done));
        assert_eq!(said(&all[..1], &[finished(None)], true), Ok(Exit::Done));
        let proven = "nothing was changed; --yes ends those that are proven";
        assert_eq!(said(&all, &[], false), Err(proven.to_owned()));
        let decide = "nothing was changed: nothing is proven, and with --as you decide";
        assert_eq!(said(&all[1..], &[], false), Err(decide.to_owned()));
        assert_eq!(said(&all, &[finished(None)], true), Err("1 of 2 still hang".to_owned()));
        assert_eq!(said(&all[..1], &[finished(Some("no"))], true), Err("1 of 1 still hang".to_owned()));
    }
}
