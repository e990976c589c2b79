//! An engine at work in a process of its own, watched from outside.
//!
//! Invariant: it does not outlive its [`Running`], nor this process when a signal ends that.

use crate::{
    error::{Error, system},
    usage::{Usage, usage},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// Longest wait for an engine that is to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Lines of a log that are shown when an engine fails.
const LINES_SHOWN: usize = 15;

/// Process id of the engine at work, of which there is one at most; 0 without.
static AT_WORK: AtomicU32 = AtomicU32::new(0);

/// Kills the engine at work: a process that a signal ends drops nothing.
pub(crate) fn kill_at_work() {
    signal(AT_WORK.load(Ordering::Acquire), Signal::KILL);
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended already.
        kill_process(pid, signal).ok();
    }
}

/// A running engine; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    log: PathBuf,
    /// When it was started.
    pub(crate) started: Instant,
}

impl Running {
    /// Starts `command`; what it says goes to a log in `directory`.
    pub(crate) fn start(name: &str, mut command: Command, directory: &Path) -> Result<Self, Error> {
        let log = directory.join(format!("{name}.log"));
        let file = File::create(&log).map_err(system(format!("write {}", log.display())))?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file);
        let started = Instant::now();
        let child = command.spawn().map_err(system(format!("start {name}")))?;
        AT_WORK.store(child.id(), Ordering::Release);
        Ok(Self { name: name.to_owned(), child, log, started })
    }

    /// What it took so far.
    pub(crate) fn usage(&self) -> Result<Usage, Error> {
        usage(self.child.id())
    }

    /// An error when it has ended.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match self.child.try_wait().map_err(system(format!("look at {}", self.name)))? {
            Some(status) => Err(self.ended(status.to_string())),
            None => Ok(()),
        }
    }

    fn ended(&self, status: String) -> Error {
        Error::Ended { name: self.name.clone(), status, said: self.said() }
    }

    /// It was waited for long enough.
    pub(crate) fn slow(&self, waited: Duration) -> Error {
        Error::Slow { name: self.name.clone(), seconds: waited.as_secs(), said: self.said() }
    }

    fn said(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
    }

    /// Waits for the line that a rung says when it is done. It goes on then until its standard input ends.
    pub(crate) fn line(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        let stdout = self.child.stdout.take();
        let read = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line)).transpose();
        read.map_err(system(format!("hear {}", self.name)))?;
        if line.is_empty() {
            let status = self.child.wait().map_err(system(format!("wait for {}", self.name)))?;
            return Err(self.ended(status.to_string()));
        }
        Ok(line)
    }

    /// Ends it in order, or after half a minute in any way.
    pub(crate) fn stop(mut self) -> Result<(), Error> {
        drop(self.child.stdin.take());
        signal(self.child.id(), Signal::TERM);
        let until = Instant::now() + STOPS_WITHIN;
        while Instant::now() < until {
            if self.child.try_wait().map_err(system(format!("stop {}", self.name)))?.is_some() {
                break;
            }
            std::thread::park_timeout(LOOK_INTERVAL);
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        AT_WORK.store(0, Ordering::Release);
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
