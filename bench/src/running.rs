//! An engine at work in a process of its own, watched from outside.
//!
//! Invariant: it does not outlive its [`Running`], nor this process when a signal ends that.

use crate::{
    error::{Error, system},
    usage::{Life, Usage, life, usage},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Longest wait for an engine that is to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Lines of a log that are shown when an engine fails.
const LINES_SHOWN: usize = 15;

/// Process ids of the engines at work.
static AT_WORK: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn at_work<T>(change: impl FnOnce(&mut BTreeSet<u32>) -> T) -> T {
    change(&mut AT_WORK.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Kills the engines at work: a process that a signal ends drops nothing.
pub(crate) fn kill_at_work() {
    for pid in at_work(|pids| pids.clone()) {
        signal(pid, Signal::KILL);
    }
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
        at_work(|pids| pids.insert(child.id()));
        Ok(Self { name: name.to_owned(), child, log, started })
    }

    /// Asks it to end, without waiting for that.
    pub(crate) fn ask_to_stop(&self) {
        signal(self.child.id(), Signal::TERM);
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
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

    /// Waits for one that ends by itself: what it took, and what it said on its standard output, which is little.
    pub(crate) fn finish(mut self, patience: Duration) -> Result<(Usage, String), Error> {
        drop(self.child.stdin.take());
        let mut taken = Usage { cpu_seconds: 0.0, peak_bytes: 0 };
        // One that has ended is there until it is waited for, with its time and without its memory.
        while self.started.elapsed() < patience {
            let (is_over, now) = life(self.child.id())?;
            taken = Usage { peak_bytes: taken.peak_bytes.max(now.peak_bytes), ..now };
            if is_over == Life::Over {
                return self.ended_well(taken);
            }
            std::thread::park_timeout(LOOK_INTERVAL);
        }
        Err(self.slow(patience))
    }

    fn ended_well(mut self, taken: Usage) -> Result<(Usage, String), Error> {
        let status = self.child.wait().map_err(system(format!("wait for {}", self.name)))?;
        if !status.success() {
            return Err(self.ended(status.to_string()));
        }
        let mut said = String::new();
        let read = self.child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut said)).transpose();
        read.map_err(system(format!("hear {}", self.name)))?;
        Ok((taken, said))
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
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        at_work(|pids| pids.remove(&self.child.id()));
    }
}
