//! Other engines on the common job, built from pinned lists below `peers/`.
//!
//! Invariant: one that cannot be built is missing, and never slower.

use crate::{error::Error, error::system, testbed::Loaded};
use schemas::{GroupMessageIngested, Record as _};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const POM: &str = "kafka_streams/pom.xml";
const JAR: &str = "kafka_streams.jar";
const MAIN: &str = "gistmill.bench.WindowPeer";
/// Threads of Kafka Streams: one a core of the machines that figures are of.
const THREADS: &str = "2";
/// Heap and collector: chosen for their memory, that of a small service. One run each on a noisy machine did not tell their
/// processor time from that of other collectors.
const JVM: [&str; 2] = ["-Xmx512m", "-XX:+UseSerialGC"];
/// Lines of what Maven says that are kept.
const LINES_KEPT: usize = 4;

/// Where Kafka Streams keeps its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    InMemory,
    RocksDb,
}

impl Store {
    pub(crate) const ALL: [Self; 2] = [Self::InMemory, Self::RocksDb];

    fn name(self) -> &'static str {
        match self {
            Self::InMemory => "in_memory",
            Self::RocksDb => "rocksdb",
        }
    }

    /// The engine's name in results.
    pub(crate) fn title(self) -> String {
        format!("kafka_streams, {}", self.name())
    }
}

/// Kafka Streams, built.
#[derive(Debug)]
pub(crate) struct KafkaStreams {
    target: PathBuf,
    /// What it consists of, and the version of each.
    pub(crate) versions: Vec<(String, String)>,
}

impl KafkaStreams {
    /// Builds it with Maven; an error that says why it is missing.
    pub(crate) fn build(folder: &Path) -> Result<Self, String> {
        let pom = folder.join("peers").join(POM);
        let text = std::fs::read_to_string(&pom).map_err(|error| format!("{}: {error}", pom.display()))?;
        let mut maven = Command::new("mvn");
        maven.args(["--batch-mode", "--quiet", "--file"]).arg(&pom).arg("package");
        run(&mut maven, "install Maven and a JDK of version 17 or later: `apt-get install maven`")?;
        let versions = [("Kafka Streams", "kafka.version"), ("Apache Avro for Java", "avro.version")];
        let versions = versions.map(|(what, name)| (what.to_owned(), property(&text, name))).into();
        Ok(Self { target: pom.with_file_name("target"), versions })
    }

    /// A process of it on a job.
    pub(crate) fn command(&self, store: Store, job: &PeerJob<'_>) -> Result<Command, Error> {
        let schema = job.directory.join("group.message.ingested.avsc");
        std::fs::write(&schema, GroupMessageIngested::AVSC).map_err(system("write a schema"))?;
        let state = job.directory.join(job.application);
        let path = [self.target.join(JAR), self.target.join("lib/*")].map(|path| path.display().to_string());
        let mut command = Command::new(job.java);
        command.args(JVM).arg("-cp").arg(path.join(":")).arg(MAIN);
        command.args(["--brokers", job.brokers, "--input", &job.loaded.topic, "--output", job.output]);
        command.args(["--application", job.application, "--store", store.name(), "--threads", THREADS]);
        command.arg("--state-dir").arg(state).arg("--schema").arg(schema);
        Ok(command)
    }
}

/// What a peer is told.
#[derive(Debug)]
pub(crate) struct PeerJob<'a> {
    pub(crate) brokers: &'a str,
    pub(crate) loaded: &'a Loaded,
    pub(crate) output: &'a str,
    /// Its consumer group too.
    pub(crate) application: &'a str,
    pub(crate) directory: &'a Path,
    pub(crate) java: &'a Path,
}

/// The version of a JVM, in its own words.
pub(crate) fn java_version(java: &Path) -> (String, String) {
    let said = run(Command::new(java).arg("-version"), "install a JDK").unwrap_or_default();
    ("JVM".to_owned(), said.lines().next().unwrap_or("unknown").replace('"', ""))
}

/// Runs a tool to its end; what it said, or why not, with what to do.
fn run(command: &mut Command, advice: &str) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("could not run {program}: {error}; {advice}"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if output.status.success() {
        return Ok(said.into_owned());
    }
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(LINES_KEPT).collect();
    Err(format!("{program} ended with {}: {}", output.status, lines.join(" ")))
}

/// The text of a property of a pom.
fn property(pom: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let value = pom.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
    value.map_or_else(|| "unknown".to_owned(), |(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_pom() {
        let pom = include_str!("../peers/kafka_streams/pom.xml");
        assert!(property(pom, "kafka.version").starts_with("4.3."));
        assert_eq!(property(pom, "no.such"), "unknown");
    }

    #[test]
    fn a_peer_that_cannot_be_built_says_why() {
        let directory = tempfile::tempdir().expect("a directory");
        let why = KafkaStreams::build(directory.path()).expect_err("there is no pom");
        assert!(why.contains("pom.xml"), "{why}");
        let why = run(&mut Command::new("gistmill-no-such-tool"), "install it").expect_err("no such tool");
        assert!(
            why.starts_with("could not run gistmill-no-such-tool") && why.ends_with("install it"),
            "{why}"
        );
    }
}
