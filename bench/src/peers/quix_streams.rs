//! Quix Streams on the common job, in a virtualenv of pinned packages.
//!
//! Invariant: the environment is named by its list of packages, and is there whole or not at all.

use super::{PeerJob, run};
use crate::error::Error;
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The engine's name in results.
pub(crate) const QUIX_STREAMS: &str = "quix_streams";
const LIST: &str = "quix_streams/requirements.txt";
const PROGRAM: &str = "window_peer.py";
const ADVICE: &str = "install Python 3.10 or later with its module venv: `apt-get install python3-venv`";
/// Hex digits of an environment's name.
const NAME_DIGITS: usize = 12;

/// Quix Streams, installed.
#[derive(Debug)]
pub(crate) struct QuixStreams {
    python: PathBuf,
    program: PathBuf,
    /// What it consists of, and the version of each.
    pub(crate) versions: Vec<(String, String)>,
}

impl QuixStreams {
    /// Installs it where that was not done yet; an error that says why it is missing.
    pub(crate) fn build(folder: &Path) -> Result<Self, String> {
        let list = folder.join("peers").join(LIST);
        let text = std::fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
        let name = crate::fingerprint::hex(Sha256::new_with_prefix(&text));
        let name: String = name.chars().take(NAME_DIGITS).collect();
        let home = stack::cache_home().join("gistmill");
        let environment = home.join(format!("quix_streams-{name}"));
        if !environment.is_dir() {
            install(&home, &list, &environment)?;
        }
        let python = run(
            Command::new(environment.join("bin/python")).arg("--version"),
            "delete the environment: the next run makes it anew",
        )?;
        let versions = vec![
            ("Quix Streams".to_owned(), version(&text, "quixstreams")),
            ("Python".to_owned(), python.trim().trim_start_matches("Python ").to_owned()),
        ];
        let program = list.with_file_name(PROGRAM);
        Ok(Self { python: environment.join("bin/python"), program, versions })
    }

    /// A process of it on a job.
    pub(crate) fn command(&self, job: &PeerJob<'_>) -> Result<Command, Error> {
        let mut command = Command::new(&self.python);
        command.arg(&self.program);
        command.args(["--brokers", job.brokers, "--input", &job.loaded.topic, "--output", job.output]);
        command.args(["--application", job.application]);
        command
            .arg("--state-dir")
            .arg(job.directory.join(job.application))
            .arg("--schema")
            .arg(job.schema()?);
        Ok(command)
    }
}

/// Makes the environment aside and moves it: half of one is never found by its name. Scripts of an environment name its
/// path, and are not used; the interpreter does not.
fn install(home: &Path, list: &Path, environment: &Path) -> Result<(), String> {
    std::fs::create_dir_all(home).map_err(|error| format!("{}: {error}", home.display()))?;
    let aside = tempfile::Builder::new().prefix(".quix_streams-").tempdir_in(home);
    let aside = aside.map_err(|error| format!("{}: {error}", home.display()))?;
    let made = aside.path().join("environment");
    run(Command::new("python3").args(["-m", "venv"]).arg(&made), ADVICE)?;
    let mut pip = Command::new(made.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(list);
    run(&mut pip, ADVICE)?;
    match std::fs::rename(&made, environment) {
        // Another run may have been faster.
        Err(_) if environment.is_dir() => Ok(()),
        moved => moved.map_err(|error| format!("{}: {error}", environment.display())),
    }
}

/// The pinned version of a package.
fn version(list: &str, package: &str) -> String {
    let pinned = list.lines().filter_map(|line| line.split_once("=="));
    let found = pinned.into_iter().find(|(name, _)| *name == package);
    found.map_or_else(|| "unknown".to_owned(), |(_, version)| version.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned() {
        let list = include_str!("../../peers/quix_streams/requirements.txt");
        assert!(version(list, "quixstreams").starts_with("3."));
        assert_eq!(version(list, "no-such"), "unknown");
        let loose: Vec<_> =
            list.lines().filter(|line| !line.contains("==") && !line.starts_with('#')).collect();
        assert_eq!(loose, Vec::<&str>::new());
    }

    #[test]
    fn without_its_list_it_says_what_is_missing() {
        let directory = tempfile::tempdir().expect("a directory");
        let why = QuixStreams::build(directory.path()).expect_err("there is no list");
        assert!(why.contains("requirements.txt"), "{why}");
    }
}
