//! Other engines on the common job, built from pinned lists below `peers/`.
//!
//! Invariant: one that cannot be built is missing, and never slower.

mod kafka_streams;
mod quix_streams;

use crate::{
    error::{Error, system},
    testbed::Loaded,
};
pub(crate) use kafka_streams::{KafkaStreams, Store, java_version};
pub(crate) use quix_streams::{QUIX_STREAMS, QuixStreams};
use schemas::{GroupMessageIngested, Record as _};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Lines of what a tool says that are kept.
const LINES_KEPT: usize = 4;

/// The peers, each built or missing with the reason.
pub(crate) struct Peers {
    pub(crate) streams: Result<KafkaStreams, String>,
    pub(crate) quix: Result<QuixStreams, String>,
}

impl Peers {
    /// Builds them, unless they are left out.
    pub(crate) fn build(folder: &Path, are_wanted: bool) -> Self {
        if !are_wanted {
            let left_out = || "it was left out".to_owned();
            return Self { streams: Err(left_out()), quix: Err(left_out()) };
        }
        Self { streams: KafkaStreams::build(folder), quix: QuixStreams::build(folder) }
    }

    /// What they consist of, and the version of each.
    pub(crate) fn versions(&self, java: &Path) -> Vec<(String, String)> {
        let mut versions = Vec::new();
        if let Ok(streams) = &self.streams {
            versions.extend(streams.versions.iter().cloned());
            versions.push(java_version(java));
        }
        versions.extend(self.quix.iter().flat_map(|quix| quix.versions.iter().cloned()));
        versions
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

impl PeerJob<'_> {
    /// A file with the schema of the job's records.
    fn schema(&self) -> Result<PathBuf, Error> {
        let schema = self.directory.join("group.message.ingested.avsc");
        std::fs::write(&schema, GroupMessageIngested::AVSC).map_err(system("write a schema"))?;
        Ok(schema)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_missing_says_how_to_get_it() {
        let why = run(&mut Command::new("gistmill-no-such-tool"), "install it").expect_err("no such tool");
        assert!(
            why.starts_with("could not run gistmill-no-such-tool") && why.ends_with("install it"),
            "{why}"
        );
    }

    #[test]
    fn peers_that_are_left_out_are_missing() {
        let peers = Peers::build(Path::new("/nonexistent"), false);
        assert_eq!(peers.streams.err().as_deref(), Some("it was left out"));
        assert_eq!(peers.quix.err().as_deref(), Some("it was left out"));
    }
}
