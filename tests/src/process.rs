//! A child process that never outlives its test.

use crate::patience::eventually;
use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// A running `gistmill`; killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its standard error appended to `<name>.log` in `directory`.
    ///
    /// # Errors
    /// The log cannot be opened or the command cannot be started.
    pub fn spawn(name: &str, mut command: Command, directory: &Path) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).context("could not open a log")?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn();
        Ok(Self { name: name.to_owned(), child: child.context("could not start gistmill")?, log })
    }

    /// Its name in logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it, and its predecessors of the same name, wrote to standard error.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        let bytes = std::fs::read(&self.log).context("could not read a log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("could not name a process")?;
        kill_process(pid, signal).with_context(|| format!("could not signal {}", self.name))
    }

    /// Kills it with SIGKILL and waits until it is gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().with_context(|| format!("could not kill {}", self.name))?;
        self.child.wait().map(|_| ()).context("could not wait for a killed process")
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It does not within `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> anyhow::Result<ExitStatus> {
        let what = format!("{} ends", self.name);
        eventually(&what, deadline, || self.child.try_wait().context("could not wait for a process"))
    }

    /// True until it has ended.
    ///
    /// # Errors
    /// The system refuses to tell.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait().context("could not look at a process")?.is_none())
    }

    /// Stops it with SIGTERM; it has to end in order.
    ///
    /// # Errors
    /// It does not end within `deadline`, or ends with a failure.
    pub fn stop(mut self, deadline: Duration) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let status = self.wait(deadline)?;
        ensure!(status.success(), "{} ended with {status} after SIGTERM", self.name);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
