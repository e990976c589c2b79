//! A whole pipeline of the benchmark: topics, and tables where they are wanted, under a prefix of its own.
//!
//! Invariant: no two runs share a name, so that none finds what another has left.

use crate::{
    clients,
    database::Database,
    error::{Error, system},
    running::Running,
    testbed::Testbed,
};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use topology::{ConnectorShape, Map, Prefix};

/// Longest wait for units to have their partitions.
const SETTLES_WITHIN: Duration = Duration::from_mins(2);
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// Sources that a command drives; they are no units of their own.
const DRIVEN: [&str; 2] = ["telegram_export_source", "digest_request_source"];

/// Names under a prefix, and a directory for what its processes write.
pub(crate) struct Pipeline<'a> {
    pub(crate) bed: &'a Testbed,
    program: &'a Path,
    pub(crate) prefix: Prefix,
    pub(crate) directory: PathBuf,
}

impl<'a> Pipeline<'a> {
    /// Makes the topics.
    pub(crate) fn start(bed: &'a Testbed, program: &'a Path) -> Result<Self, Error> {
        let prefix = bed.apply()?;
        let directory = bed.directory().join(prefix.as_str());
        std::fs::create_dir(&directory).map_err(system("make a directory for a pipeline"))?;
        Ok(Self { bed, program, prefix, directory })
    }

    /// Makes the topics and the tables.
    pub(crate) fn with_tables(bed: &'a Testbed, program: &'a Path) -> Result<Self, Error> {
        let own = Self::start(bed, program)?;
        own.to_its_end(&["migrate"])?;
        Ok(own)
    }

    /// The program with its settings for this pipeline.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bed.command(self.program, &self.prefix, arguments);
        command.env("GISTMILL_LOCK_DIR", &self.directory);
        command.env("GISTMILL_FILES__DIRECTORY", self.directory.join("files"));
        command
    }

    /// Runs a command that ends by itself.
    fn to_its_end(&self, arguments: &[&str]) -> Result<(), Error> {
        let what = arguments.join(" ");
        let output = self.command(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(system(format!("start gistmill {what}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Error::Command { what, status: output.status.to_string(), said })
    }

    /// Starts a command that is watched.
    pub(crate) fn spawn(&self, name: &str, arguments: &[&str]) -> Result<Running, Error> {
        Running::start(name, self.command(arguments), &self.directory)
    }

    /// Starts a unit in a process of its own.
    pub(crate) fn unit(&self, name: &str) -> Result<Running, Error> {
        self.spawn(name, &["run", name])
    }

    /// Physical name of a topic.
    pub(crate) fn topic(&self, logical: &str) -> String {
        self.prefix.topic(logical)
    }

    /// Waits until units that read topics have their partitions.
    pub(crate) fn settle(&self, readers: &[String], running: &mut [Running]) -> Result<(), Error> {
        let consumer = clients::consumer(&self.bed.addresses.kafka, "bench")?;
        let mut waiting: Vec<String> = readers.iter().map(|name| self.prefix.group(name)).collect();
        let began = Instant::now();
        loop {
            waiting.retain(|group| !clients::has_settled(&consumer, group));
            if waiting.is_empty() {
                return Ok(());
            }
            for process in &mut *running {
                process.check()?;
            }
            if began.elapsed() > SETTLES_WITHIN {
                return Err(Error::Unsettled {
                    units: waiting.join(", "),
                    seconds: began.elapsed().as_secs(),
                });
            }
            std::thread::park_timeout(LOOK_INTERVAL);
        }
    }

    /// Deletes its topics and drops its tables, so that the next run finds a stack as this one did.
    pub(crate) fn delete(self) -> Result<(), Error> {
        let schema = self.prefix.postgres_schema();
        let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        Database::connect(self.bed, &self.prefix)?.execute(drop)?;
        self.bed.delete(&self.prefix)
    }
}

/// Units of every pipeline: those that run without anything being set up for them, in the order of the map.
pub(crate) fn units() -> Result<Vec<String>, Error> {
    let map = Map::embedded()?;
    let processors = topology::processors_in_order(&map).into_iter().map(|it| it.name.clone());
    let connectors = map.connectors().filter(|it| !it.optional && !DRIVEN.contains(&it.name.as_str()));
    Ok(processors.chain(connectors.map(|it| it.name.clone())).collect())
}

/// Those among them that read topics.
pub(crate) fn readers() -> Result<Vec<String>, Error> {
    let map = Map::embedded()?;
    let is_source = |name: &str| map.connector(name).is_ok_and(|it| it.shape == ConnectorShape::Source);
    Ok(units()?.into_iter().filter(|name| !is_source(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_that_run_without_being_set_up() {
        let (units, readers) = (units().expect("the map"), readers().expect("the map"));
        assert_eq!(units.first().map(String::as_str), Some("command_router"), "{units:?}");
        for name in ["window_builder", "writer", "postgres_sink", "file_sink", "postgres_outbox_source"] {
            assert!(units.iter().any(|unit| unit == name), "{name} is not in {units:?}");
        }
        for name in ["telegram_sink", "qdrant_sink", "telegram_export_source"] {
            assert!(!units.iter().any(|unit| unit == name), "{name} is in {units:?}");
        }
        assert_eq!(readers.len() + 1, units.len());
    }
}
