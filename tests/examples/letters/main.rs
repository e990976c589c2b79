//! Shows that dead letters of one kind come back exactly once, though their replay is killed, and how fast they do.
//!
//! `letters [GOOD [POISON [MANY]]]`: 100,000 good records with 5,000 poisoned ones of three kinds among them, and 200,000 letters
//! for the measurement, unless told otherwise; on the stack that the environment names. `tests/letters` runs it on one of its own.

mod show;

use anyhow::{Context, ensure};
use serde_json::Value;
use show::Show;
use std::{
    collections::BTreeMap,
    io::{Write, stdout},
    time::{Duration, Instant},
};
use tests::{PATIENCE, Pipeline, Process, end_children_on_signals, settle_within};

const REST: Duration = Duration::from_mins(20);

/// Kinds of poison, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Poison {
    /// Its schema is registered later: that is the fix.
    UnknownSchema,
    WrongMagic,
    WrongPartition,
}

impl Poison {
    pub(crate) fn of(number: usize) -> Self {
        match number % 5 {
            0..=1 => Self::UnknownSchema,
            2..=3 => Self::WrongMagic,
            _ => Self::WrongPartition,
        }
    }

    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::UnknownSchema => "unknown_schema",
            Self::WrongMagic => "wrong_magic",
            Self::WrongPartition => "wrong_partition",
        }
    }
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let number = |place, default| {
        std::env::args()
            .nth(place)
            .map_or(Ok(default), |text| text.parse::<usize>())
            .context("a number of records")
    };
    let (good, poisoned, many) = (number(1, 100_000)?, number(2, 5_000)?, number(3, 200_000)?);
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {text}", began.elapsed().as_secs_f64());
    let pipeline = Pipeline::start("letters")?.context("there is no stack")?;
    let show = Show::new(&pipeline)?;
    let counts = show.produce(good, poisoned)?;
    say(&format!("{good} good records are produced, and {poisoned} that nobody can read among them"))?;
    let units = ["window_builder", "postgres_sink", "command_router"];
    let others: Vec<&str> = show.others(&units);
    let running: Vec<Process> =
        units.iter().map(|unit| pipeline.unit(unit, &[])).collect::<anyhow::Result<_>>()?;
    settle_within(&pipeline, &others, REST)?;
    say("the pipeline has read them")?;

    let kinds = show.kinds()?;
    let found: BTreeMap<&str, u64> =
        kinds.iter().map(|(reason, (_, count))| (reason.as_str(), *count)).collect();
    let wanted: BTreeMap<&str, u64> = counts.iter().map(|(kind, count)| (kind.reason(), *count)).collect();
    ensure!(found == wanted, "kinds are {found:?}, not {wanted:?}");
    say(&format!("gistmill dlq stat: {found:?}"))?;
    ensure!(show.messages()? == good as i64, "{} messages", show.messages()?);

    show.fix()?;
    let fingerprint = kinds[Poison::UnknownSchema.reason()].0.as_str();
    let written = show.replay_killed(fingerprint)?;
    let of_kind = counts[&Poison::UnknownSchema];
    ensure!(written > 0 && written < of_kind, "{written} of {of_kind} were written when it was killed");
    say(&format!("the schema is registered; a replay was killed when {written} of {of_kind} were written"))?;
    let done: Value = serde_json::from_str(&pipeline.gistmill(&[
        "dlq",
        "replay",
        "--fingerprint",
        fingerprint,
        "--yes",
        "--json",
    ])?)?;
    ensure!(done["is_resumed"] == true, "{done}");
    say(&format!("the same command went on: {} more", done["inputs"]))?;
    settle_within(&pipeline, &others, REST)?;
    show.came_back_once(of_kind)?;
    ensure!(show.messages()? == good as i64 + of_kind as i64, "{} messages", show.messages()?);
    let mut left = show.kinds()?;
    ensure!(left.remove(Poison::UnknownSchema.reason()).is_none(), "letters of that kind are still open");
    let left: BTreeMap<&str, u64> =
        left.iter().map(|(reason, (_, count))| (reason.as_str(), *count)).collect();
    ensure!(
        wanted.iter().filter(|(reason, _)| **reason != "unknown_schema").eq(left.iter()),
        "left are {left:?}"
    );
    say(&format!("{of_kind} came back exactly once, each was read once; the others stay: {left:?}"))?;
    for unit in running {
        unit.stop(PATIENCE)?;
    }
    show.measure(many, &say)?;
    pipeline.finish()
}
