//! What all benchmarks have around them: the machine is looked at before and after, and results are written or refused.

use crate::{
    error::Error,
    figures::Table,
    fingerprint::Fingerprint,
    machine::{Before, Machine},
    report::{Base, Line, Report, Target},
    results,
    table::markdown,
    testbed::Say,
};
use stack::Progress;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// What a benchmark is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Runs of each engine, taken in turns.
    pub runs: usize,
    /// Messages of a job; several are several jobs, the shortest first.
    pub records: Vec<u64>,
    /// Size of a file that is imported, in bytes.
    pub bytes: u64,
    /// How long units are left alone, in seconds.
    pub idle_seconds: u64,
    /// Whether other engines take part.
    pub with_peers: bool,
    /// Whether the results are put into `RESULTS.md`.
    pub write: bool,
    /// Whether they are even where the machine was busy.
    pub anyway: bool,
    /// Folder of `peers` and `RESULTS.md`.
    pub folder: PathBuf,
    /// The `gistmill` that is measured.
    pub program: PathBuf,
    /// How it was asked, for the results.
    pub command: String,
}

/// A benchmark under way.
pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    bench: &'static str,
    before: Before,
    started: Instant,
    say: Say<'a>,
}

/// What a benchmark found, without what is known of it before.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) versions: Vec<(String, String)>,
    pub(crate) inputs: Vec<Fingerprint>,
    pub(crate) lines: Vec<Line>,
    pub(crate) tables: Vec<Table>,
    pub(crate) base: Option<Base>,
    pub(crate) targets: Vec<Target>,
    pub(crate) notes: Vec<String>,
}

const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

impl<'a> Session<'a> {
    /// Begins, unless results are to be written that would be refused: that is said before the time is spent.
    pub(crate) fn begin(bench: &'static str, options: &'a Options, say: Say<'a>) -> Result<Self, Error> {
        let before = Before::look()?;
        if options.write {
            if cfg!(debug_assertions) {
                return Err(Error::DebugBuild);
            }
            if !options.folder.is_dir() {
                return Err(Error::NoFolder(options.folder.clone()));
            }
            if !options.anyway {
                before.is_quiet()?;
            }
        }
        Ok(Self { options, bench, before, started: Instant::now(), say })
    }

    /// Says what is being done.
    pub(crate) fn say(&mut self, message: impl Into<String>) {
        let progress =
            Progress { subject: self.bench, message: message.into(), elapsed: self.started.elapsed() };
        (self.say)(progress);
    }

    /// Where others may say it.
    pub(crate) fn teller(&mut self) -> Say<'_> {
        self.say
    }

    /// Makes the report, and puts it into the page where that was asked for.
    pub(crate) fn finish(mut self, findings: Findings) -> Result<Report, Error> {
        let mut versions = vec![("gistmill".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
        versions.extend(findings.versions);
        let report = Report {
            bench: self.bench,
            command: self.options.command.clone(),
            day: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            commit: commit(&self.options.folder),
            profile: PROFILE,
            machine: Machine::look()?,
            busyness: self.before.until_now()?,
            versions,
            inputs: findings.inputs,
            lines: findings.lines,
            tables: findings.tables,
            base: findings.base,
            targets: findings.targets,
            notes: findings.notes,
        };
        if self.options.write {
            let page = self.options.folder.join("RESULTS.md");
            results::write(&page, self.bench, &markdown(&report))?;
            self.say(format!("written to {}", page.display()));
        }
        Ok(report)
    }
}

/// The commit of a clone, and whether its files differ from it: all but the results, of which each run writes its own.
fn commit(folder: &Path) -> String {
    let folder = if folder.is_dir() { folder } else { Path::new(".") };
    let git = |arguments: &[&str]| {
        let said = Command::new("git").arg("-C").arg(folder).args(arguments).output();
        let said = said.ok().filter(|output| output.status.success()).map(|output| output.stdout);
        said.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    let differs = ["status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude)RESULTS.md"];
    match (git(&["rev-parse", "--short", "HEAD"]), git(&differs)) {
        (Some(commit), Some(differing)) if differing.is_empty() => commit,
        (Some(commit), _) => format!("{commit}-dirty"),
        (None, _) => "unknown".to_owned(),
    }
}

/// What every benchmark with a broker is a matter of.
pub(crate) fn kafka_versions() -> Vec<(String, String)> {
    let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
    vec![
        ("Apache Kafka".to_owned(), stack::kafka_version().to_owned()),
        ("librdkafka".to_owned(), librdkafka),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_clone_differs_from_its_commit_by_more_than_results() {
        let clone = tempfile::tempdir().expect("a directory");
        let folder = clone.path().join("bench");
        fs::create_dir(&folder).expect("a folder");
        let git = |arguments: &[&str]| {
            let known = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
            let done = Command::new("git").arg("-C").arg(clone.path()).args(known).args(arguments).output();
            assert!(done.expect("git").status.success(), "{arguments:?}");
        };
        let write = |path: &Path, text: &str| fs::write(path, text).expect("written");
        git(&["init", "--quiet"]);
        assert_eq!(commit(&folder), "unknown");
        let (results, code) = (folder.join("RESULTS.md"), clone.path().join("code.rs"));
        write(&results, "none");
        write(&code, "1");
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message", "one"]);
        let clean = commit(&folder);
        write(&results, "some");
        assert_eq!(commit(&folder), clean);
        write(&code, "2");
        assert_eq!(commit(&folder), format!("{clean}-dirty"));
    }

    fn options(write: bool, anyway: bool) -> Options {
        Options {
            runs: 1,
            records: vec![1],
            bytes: 1,
            idle_seconds: 1,
            with_peers: false,
            write,
            anyway,
            folder: PathBuf::from("/nonexistent"),
            program: PathBuf::from("gistmill"),
            command: "gistmill bench codec".to_owned(),
        }
    }

    #[test]
    fn results_of_a_debug_build_are_not_written() {
        let begun = Session::begin("codec", &options(true, true), &mut |_| ()).map(|_| ());
        if cfg!(debug_assertions) {
            assert!(matches!(begun, Err(Error::DebugBuild)), "{begun:?}");
        } else {
            assert!(matches!(begun, Err(Error::NoFolder(_))), "{begun:?}");
        }
        assert!(Session::begin("codec", &options(false, false), &mut |_| ()).is_ok());
    }
}
