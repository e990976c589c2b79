//! What a benchmark found: the runs of each engine, the targets, and what they were measured with.
//!
//! Invariant: an engine whose output was wrong, or that is missing, has no figure.

use crate::{
    figures::Table,
    fingerprint::Fingerprint,
    machine::{Busyness, Machine},
    statistics::Spread,
};
use serde::Serialize;

const MIB: f64 = 1024.0 * 1024.0;

/// What one run of an engine took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Run {
    /// Processor time of the engine's processes.
    pub cpu_seconds: f64,
    /// Processor time of the broker meanwhile; none where there is no broker.
    pub broker_cpu_seconds: Option<f64>,
    /// From the start of the process to its last output.
    pub wall_seconds: f64,
    /// Greatest resident memory; none where it would be that of the whole program.
    pub peak_bytes: Option<u64>,
}

/// Whether the output of an engine was what it has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was, in every run; what was compared.
    Right(String),
    /// It was not, in at least one run; how it differs.
    Wrong(String),
    /// It could not be built or was left out; why.
    Missing(String),
}

/// An engine on one job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Which engine.
    pub name: String,
    /// Records that it read in a run.
    pub records: u64,
    /// Whether its output was right.
    pub verdict: Verdict,
    /// Its runs, in order.
    pub runs: Vec<Run>,
}

impl Line {
    /// A line without runs.
    pub fn new(name: impl Into<String>, records: u64) -> Self {
        let verdict = Verdict::Missing("it was not run".to_owned());
        Self { name: name.into(), records, verdict, runs: Vec::new() }
    }

    /// Adds a run whose output was right, or says how it was wrong; a wrong run makes the whole line wrong.
    pub fn add(&mut self, run: Run, compared: Result<String, String>) {
        self.runs.push(run);
        match (compared, &self.verdict) {
            (_, Verdict::Wrong(_)) => {}
            (Ok(what), _) => self.verdict = Verdict::Right(what),
            (Err(why), _) => self.verdict = Verdict::Wrong(why),
        }
    }

    /// Something of every run, of an engine whose output was right.
    pub fn spread(&self, of: impl Fn(&Run) -> Option<f64>) -> Option<Spread> {
        let values: Option<Vec<f64>> = self.runs.iter().map(of).collect();
        matches!(self.verdict, Verdict::Right(_)).then(|| Spread::of(values?)).flatten()
    }

    /// Records per second of the engine's processor time.
    pub fn speed(&self) -> Option<Spread> {
        let records = self.records as f64;
        self.spread(|run| Some(run.cpu_seconds).filter(|seconds| *seconds > 0.0).map(|cpu| records / cpu))
    }

    /// Median of the greatest resident memory, in MiB.
    pub fn peak_mib(&self) -> Option<Spread> {
        self.spread(|run| run.peak_bytes.map(|bytes| bytes as f64 / MIB))
    }
}

/// Records per processor second that a longer job adds to a shorter one: without start and warm-up.
pub(crate) fn marginal(short: &Line, long: &Line) -> Option<f64> {
    let cpu = |line: &Line| line.spread(|run| Some(run.cpu_seconds)).map(|spread| spread.median);
    let seconds = cpu(long)? - cpu(short)?;
    let records = long.records.checked_sub(short.records)?;
    (seconds > 0.0 && records > 0).then(|| records as f64 / seconds)
}

/// A bound that was set before, and what was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// What it is about.
    pub what: String,
    /// The bound, in words.
    pub bound: String,
    /// What was found; `None` where nothing could be.
    pub found: Option<f64>,
    /// Unit of it.
    pub unit: &'static str,
    /// Whether the bound was kept; `None` where nothing was found.
    pub is_met: Option<bool>,
    /// Which of the pipeline's promises it is about: a name of `promises.rs`.
    pub promise: &'static str,
}

impl Target {
    /// A target that is met by `least` or more.
    pub fn at_least(what: impl Into<String>, least: f64, unit: &'static str, found: Option<f64>) -> Self {
        let is_met = found.map(|found| found >= least);
        Self { what: what.into(), bound: format!("≥ {least} {unit}"), found, unit, is_met, promise: "" }
    }

    /// A target that is met by `most` or less.
    pub fn at_most(what: impl Into<String>, most: f64, unit: &'static str, found: Option<f64>) -> Self {
        let is_met = found.map(|found| found <= most);
        Self { what: what.into(), bound: format!("≤ {most} {unit}"), found, unit, is_met, promise: "" }
    }

    /// Says which promise it is about.
    #[must_use]
    pub fn of(self, promise: &'static str) -> Self {
        Self { promise, ..self }
    }

    /// `met`, `missed` or `not measured`.
    pub fn verdict(&self) -> &'static str {
        match self.is_met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not measured",
        }
    }
}

/// The result of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Its name, as that of the command.
    pub bench: &'static str,
    /// What it was asked with.
    pub command: String,
    /// Day of the run, UTC.
    pub day: String,
    /// Commit of the clone that it was run in.
    pub commit: String,
    /// `release` or `debug`.
    pub profile: &'static str,
    /// The machine.
    pub machine: Machine,
    /// How busy it was.
    pub busyness: Busyness,
    /// What took part, and its version.
    pub versions: Vec<(String, String)>,
    /// The records.
    pub inputs: Vec<Fingerprint>,
    /// The engines.
    pub lines: Vec<Line>,
    /// Figures beside theirs: latencies, and what each process took.
    pub tables: Vec<Table>,
    /// What the speed of each is compared with, if it is there: name, and how it is told.
    pub base: Option<Base>,
    /// Bounds.
    pub targets: Vec<Target>,
    /// What has to be known to read the figures.
    pub notes: Vec<String>,
}

/// The engine that others are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Its name.
    pub name: String,
    /// Title of the column.
    pub title: &'static str,
}

impl Report {
    /// The share of the base's speed on the same job that a line has, in percent.
    pub fn share(&self, line: &Line) -> Option<f64> {
        let base = self.base.as_ref()?;
        let beside =
            self.lines.iter().find(|other| other.name == base.name && other.records == line.records)?;
        Some(line.speed()?.median * 100.0 / beside.speed()?.median)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn run(cpu_seconds: f64) -> Run {
        Run { cpu_seconds, broker_cpu_seconds: Some(1.0), wall_seconds: 2.0, peak_bytes: Some(3 << 20) }
    }

    pub(crate) fn line(name: &str, records: u64, cpu: &[f64]) -> Line {
        let mut line = Line::new(name, records);
        for seconds in cpu {
            line.add(run(*seconds), Ok("9 rows".to_owned()));
        }
        line
    }

    #[test]
    fn a_wrong_run_takes_all_figures_away() {
        let mut tried = line("a", 1_000, &[1.0, 2.0, 4.0]);
        assert_eq!(tried.speed(), Some(Spread { median: 500.0, min: 250.0, max: 1_000.0 }));
        tried.add(run(0.1), Err("1 rows are missing".to_owned()));
        assert_eq!(tried.speed(), None);
        tried.add(run(1.0), Ok("9 rows".to_owned()));
        assert_eq!(tried.verdict, Verdict::Wrong("1 rows are missing".to_owned()));
        assert_eq!(Line::new("b", 1).speed(), None);
    }

    #[test]
    fn what_a_longer_job_adds_is_told_apart_from_the_start() {
        let (short, long) = (line("a", 1_000, &[3.0]), line("a", 4_000, &[4.5]));
        assert_eq!(marginal(&short, &long), Some(2_000.0));
        assert_eq!(marginal(&long, &short), None);
    }

    #[test]
    fn a_target_is_met_missed_or_not_measured() {
        let told = |found| Target::at_least("a", 4.0, "×", found).verdict();
        assert_eq!([told(Some(4.0)), told(Some(3.9)), told(None)], ["met", "missed", "not measured"]);
        assert_eq!(Target::at_most("a", 25.0, "%", Some(25.1)).verdict(), "missed");
    }
}
