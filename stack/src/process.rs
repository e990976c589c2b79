//! Processes that outlive the command: started in a session of their own, known by process id *and* start time.
//!
//! Invariant: a signal goes only to the very process that was recorded. The process is pinned by a pidfd before its
//! start time is compared, so a recycled id is never hit, not even in a race.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::at;
use crate::host::Account;

/// A log longer than this is set aside as `<name>.log.1` when its part starts.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One process for good: the id, its start time in clock ticks since boot, and which boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    start_ticks: u64,
    boot_id: String,
}

impl Identity {
    /// The identity of a running process; `None` when there is none of that id.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        Some(Self { pid, start_ticks: stat.start_ticks, boot_id: boot_id()? })
    }

    /// Whether the process still runs. One that has exited but was not waited for counts as gone.
    pub(crate) fn is_alive(&self) -> bool {
        let same = |stat: Stat| stat.start_ticks == self.start_ticks && !stat.exited;
        boot_id().as_ref() == Some(&self.boot_id) && Stat::read(self.pid).is_some_and(same)
    }

    /// Signals the process if it is still the one recorded; true when the signal was sent.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let pinned = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let Some(handle) = pinned.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
            return false;
        };
        self.is_alive() && pidfd_send_signal(handle, signal).is_ok()
    }

    /// Waits until the process is gone; false when the bound passes first.
    pub(crate) fn wait_gone(&self, bound: Duration) -> bool {
        let started = Instant::now();
        while self.is_alive() {
            if started.elapsed() > bound {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// Seconds since the process started.
    pub(crate) fn uptime_seconds(&self) -> Option<u64> {
        let text = fs::read_to_string("/proc/uptime").ok()?;
        let since_boot = text.split('.').next()?.parse::<u64>().ok()?;
        // USER_HZ, the unit of /proc/PID/stat, is 100 on every architecture that Kafka and Postgres run on.
        Some(since_boot.saturating_sub(self.start_ticks / 100))
    }

    /// Resident memory of the process and its descendants in bytes; what they share is counted once.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        let parents: Vec<(u32, u32)> = all().filter_map(|pid| Some((pid, Stat::read(pid)?.parent))).collect();
        let mut family = vec![self.pid];
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| pid));
            next += 1;
        }
        let memory: Vec<Memory> = family.into_iter().filter_map(Memory::read).collect();
        let private: u64 = memory.iter().map(|one| one.private).sum();
        Some(private + memory.iter().map(|one| one.shared).max()?)
    }
}

/// Every process id there is now.
pub(crate) fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn boot_id() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    exited: bool,
    parent: u32,
    start_ticks: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name, in parentheses, may itself hold spaces and parentheses: fields count from the last one.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self {
            exited: match *fields.first()? {
                // The first thread of a killed process shows as exited while others still hold its ports.
                "Z" => fields.get(17)?.parse::<u32>().ok()? <= 1,
                state => state == "X",
            },
            parent: fields.get(1)?.parse().ok()?,
            start_ticks: fields.get(19)?.parse().ok()?,
        })
    }
}

/// Resident bytes of one process.
struct Memory {
    private: u64,
    shared: u64,
}

impl Memory {
    fn read(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
        };
        Some(Self { private: field("RssAnon:")?, shared: field("RssFile:")? + field("RssShmem:")? })
    }
}

/// A program to be started detached from this one.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// The whole environment besides `PATH`: nothing of the caller's leaks into the part.
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) directory: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) account: Option<Account>,
}

impl Launch {
    /// Starts the program in a new session (`setsid` and `setpriv` replace themselves, so the id stays) with its
    /// output appended to the log. Returns where in the log that output begins.
    pub(crate) fn spawn(self) -> Result<(Identity, u64), Error> {
        let log = open_log(&self.log)?;
        let log_from = log.metadata().map_err(at("read", &self.log))?.len();
        let errors = log.try_clone().map_err(at("open", &self.log))?;
        let mut command = Command::new("setsid");
        if let Some(account) = &self.account {
            command.args(account.setpriv());
        }
        command.arg(&self.program).args(&self.arguments).env_clear().current_dir(&self.directory);
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.environment).stdin(Stdio::null()).stdout(log).stderr(errors);
        let failed = |source| Error::Spawn { program: self.program.display().to_string(), source };
        let mut child = command.spawn().map_err(failed)?;
        let identity = Identity::of(child.id());
        // Reaps the child should the caller live longer than it.
        thread::spawn(move || child.wait());
        identity.map(|identity| (identity, log_from)).ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }
}

fn open_log(path: &Path) -> Result<File, Error> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LOG_BYTES_MAX) {
        fs::rename(path, path.with_extension("log.1")).map_err(at("rename", path))?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(at("open", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_past_a_hostile_name() {
        let stat = |state, threads| {
            format!("42 (a) b (c)) {state} 7 42 42 0 -1 0 0 0 0 0 3 4 0 0 20 0 {threads} 0 12345 0 0")
        };
        let exited = |state, threads| Stat::parse(&stat(state, threads)).unwrap().exited;
        assert_eq!(Stat::parse(&stat('S', 1)), Some(Stat { exited: false, parent: 7, start_ticks: 12_345 }));
        assert!(exited('Z', 1) && !exited('Z', 9) && !exited('S', 9));
        assert_eq!(Stat::parse("42 (x) Z 7"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn this_process_is_alive_and_has_a_size() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert!(me.memory_bytes().unwrap() > 100_000);
        assert!(me.uptime_seconds().is_some());
    }

    #[test]
    fn a_recycled_id_is_neither_alive_nor_signalled() {
        let me = Identity::of(std::process::id()).unwrap();
        let other_start = Identity { start_ticks: me.start_ticks + 1, ..me.clone() };
        let other_boot = Identity { boot_id: "another".to_owned(), ..me };
        for recycled in [other_start, other_boot] {
            assert!(!recycled.is_alive());
            assert!(!recycled.signal(Signal::KILL), "a test that got here was not killed");
        }
    }

    #[test]
    fn a_detached_process_leads_its_own_session_and_is_stopped_by_identity() {
        let directory = tempfile::tempdir().unwrap();
        let launch = Launch {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), "echo started; exec sleep 60".into()],
            environment: vec![],
            directory: directory.path().to_owned(),
            log: directory.path().join("sh.log"),
            account: None,
        };
        let (identity, _) = launch.spawn().unwrap();
        assert!(identity.is_alive());
        assert!(identity.signal(Signal::KILL));
        assert!(identity.wait_gone(Duration::from_secs(5)));
        assert!(!identity.signal(Signal::KILL));
    }
}
