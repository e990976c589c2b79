//! Kafka Streams on the common job, built by Maven.
//!
//! Invariant: what it needs to be fast is done for it, before anything is measured.

use super::{PeerJob, run};
use crate::error::Error;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const POM: &str = "kafka_streams/pom.xml";
const JAR: &str = "kafka_streams.jar";
const MAIN: &str = "gistmill.bench.WindowPeer";
/// Threads of Kafka Streams: one a core of the machines that figures are of.
const THREADS: &str = "2";
/// Heap and collector: chosen for their memory, that of a small service. Runs on a noisy machine did not tell their processor
/// time from that of other collectors.
const JVM: [&str; 2] = ["-Xmx512m", "-XX:+UseSerialGC"];
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

    /// A process of it on a job, with what an earlier one has learned, if there was one.
    pub(crate) fn command(&self, store: Store, job: &PeerJob<'_>) -> Result<Command, Error> {
        let cache = cache(store, job.directory);
        let learned =
            if cache.is_file() { vec![format!("-XX:AOTCache={}", cache.display())] } else { Vec::new() };
        self.started_with(&learned, store, job)
    }

    /// A process that learns: when it ends, the JVM keeps the classes that it has loaded and how its methods were used
    /// (JEP 483, 515), which takes a quarter or more off the processor time of a later one. A JVM before 25 learns nothing.
    pub(crate) fn learning(&self, store: Store, job: &PeerJob<'_>) -> Result<Command, Error> {
        let cache = cache(store, job.directory);
        let learns = [
            "-XX:+IgnoreUnrecognizedVMOptions".to_owned(),
            format!("-XX:AOTCacheOutput={}", cache.display()),
        ];
        self.started_with(&learns, store, job)
    }

    fn started_with(&self, options: &[String], store: Store, job: &PeerJob<'_>) -> Result<Command, Error> {
        let schema = job.schema()?;
        let state = job.directory.join(job.application);
        let path = [self.target.join(JAR), self.target.join("lib/*")].map(|path| path.display().to_string());
        let mut command = Command::new(job.java);
        command.args(JVM).args(options).arg("-cp").arg(path.join(":")).arg(MAIN);
        command.args(["--brokers", job.brokers, "--input", &job.loaded.topic, "--output", job.output]);
        command.args(["--application", job.application, "--store", store.name(), "--threads", THREADS]);
        command.arg("--state-dir").arg(state).arg("--schema").arg(schema);
        Ok(command)
    }
}

fn cache(store: Store, directory: &Path) -> PathBuf {
    directory.join(format!("{}.aot", store.name()))
}

/// The version of a JVM, in its own words.
pub(crate) fn java_version(java: &Path) -> (String, String) {
    let said = run(Command::new(java).arg("-version"), "install a JDK").unwrap_or_default();
    ("JVM".to_owned(), said.lines().next().unwrap_or("unknown").replace('"', ""))
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
        let pom = include_str!("../../peers/kafka_streams/pom.xml");
        assert!(property(pom, "kafka.version").starts_with("4.3."));
        assert_eq!(property(pom, "no.such"), "unknown");
    }

    #[test]
    fn without_its_pom_it_says_what_is_missing() {
        let directory = tempfile::tempdir().expect("a directory");
        let why = KafkaStreams::build(directory.path()).expect_err("there is no pom");
        assert!(why.contains("pom.xml"), "{why}");
    }
}
