//! A stack of a test's own, for faults that would disturb the others.

use crate::stack::Stack;
use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// A running stack on free ports; stopped and removed when dropped.
#[derive(Debug)]
pub struct OwnStack {
    binary: PathBuf,
    directory: TempDir,
}

impl OwnStack {
    /// Starts a stack with the binary under test; `None`, said on standard error, where the others are skipped too.
    ///
    /// # Errors
    /// It does not start.
    pub fn start() -> anyhow::Result<Option<Self>> {
        let Some(shared) = Stack::from_environment() else { return Ok(None) };
        Self::start_with(shared.binary).map(Some)
    }

    /// Starts a stack with a `gistmill`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_with(binary: PathBuf) -> anyhow::Result<Self> {
        Self::start_as(binary, &[])
    }

    /// Starts a secured stack with the binary under test; `None`, said on standard error, where the others are skipped.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_secured() -> anyhow::Result<Option<Self>> {
        let Some(shared) = Stack::from_environment() else { return Ok(None) };
        Self::start_secured_with(shared.binary).map(Some)
    }

    /// Starts a secured stack with a `gistmill`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_secured_with(binary: PathBuf) -> anyhow::Result<Self> {
        Self::start_as(binary, &["--secure"])
    }

    fn start_as(binary: PathBuf, more: &[&str]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("could not make a directory")?;
        // Postgres runs as a user of its own there.
        std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let own = Self { binary, directory };
        own.stack(&[&["up", "--free-ports", "--native"], more].concat())?;
        Ok(own)
    }

    /// Where everything of it lies.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("stack")
    }

    fn stack(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run(arguments).map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = self.output(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gistmill stack {arguments:?} ended with {}: {said}", output.status);
        Ok(output)
    }

    fn output(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let data: &Path = &self.data();
        Command::new(&self.binary)
            .arg("stack")
            .args(arguments)
            .arg("--data-dir")
            .arg(data)
            .env_remove("TEST_GISTMILL_BINARY")
            .output()
            .context("could not run gistmill")
    }

    /// Its addresses.
    ///
    /// # Errors
    /// It does not tell them.
    pub fn addresses(&self) -> anyhow::Result<Stack> {
        let mut told: BTreeMap<String, String> = serde_json::from_str(&self.stack(&["env", "--json"])?)?;
        let mut value =
            |name: &str| told.remove(name).with_context(|| format!("stack env does not tell {name}"));
        Ok(Stack {
            brokers: value("GISTMILL_KAFKA__BROKERS")?,
            registry_url: value("GISTMILL_REGISTRY__URL")?,
            postgres_url: value("GISTMILL_POSTGRES__URL")?,
            owner_url: value("GISTMILL_POSTGRES__OWNER_URL")?,
            binary: self.binary.clone(),
            log_in: told.into_iter().collect(),
        })
    }

    /// The process of one of its parts: `kafka`, `registry` or `postgres`.
    ///
    /// # Errors
    /// It does not run.
    pub fn pid(&self, part: &str) -> anyhow::Result<Pid> {
        // It tells by its exit code that another part is not well.
        let told = self.output(&["status", "--json"])?.stdout;
        let status: serde_json::Value = serde_json::from_slice(&told).context("could not read the status")?;
        let parts = status["parts"].as_array().context("status has parts")?;
        let found = parts.iter().find(|found| found["part"] == part).and_then(|found| found["pid"].as_i64());
        found
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
            .with_context(|| format!("{part} has no pid"))
    }

    /// Kills a part with SIGKILL.
    ///
    /// # Errors
    /// It is gone already.
    pub fn kill(pid: Pid) -> anyhow::Result<()> {
        kill_process(pid, Signal::KILL).context("could not kill a part of the stack")
    }

    /// Starts again what was killed.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.stack(&["up"]).map(|_| ())
    }

    /// [`OwnStack::restart`]; what it said while it did.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart_aloud(&self) -> anyhow::Result<String> {
        self.run(&["up"]).map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Drop for OwnStack {
    fn drop(&mut self) {
        for arguments in [&["down"][..], &["reset", "--yes"]] {
            if let Err(error) = self.stack(arguments) {
                eprintln!("{error:#}");
            }
        }
    }
}
