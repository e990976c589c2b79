//! What runs, where and how large.

use std::path::PathBuf;

use serde::Serialize;

use crate::Error;
use crate::layout::{DataDir, Mode};
use crate::part::Part;
use crate::probe::{self, Peers};
use crate::process::Identity;
use crate::secure::Secure;

/// The state of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It runs and answers.
    Healthy,
    /// It runs and does not answer: starting, stopping or stuck.
    Unhealthy,
    /// It does not run.
    Stopped,
}

/// One part of the stack as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct PartStatus {
    /// Which part.
    pub part: Part,
    /// Its process; `None` when stopped or in a container.
    pub pid: Option<u32>,
    /// The port of 127.0.0.1 for its clients.
    pub port: u16,
    /// Whether it runs and answers.
    pub health: Health,
    /// Resident memory of the process and its children, shared pages once.
    pub rss_bytes: Option<u64>,
    /// Seconds since its process started.
    pub uptime_seconds: Option<u64>,
}

/// The whole stack as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The data directory, absolute.
    pub data_dir: PathBuf,
    /// Processes or containers.
    pub mode: Mode,
    /// The parts, in the order of [`Part::ALL`].
    pub parts: Vec<PartStatus>,
    /// Bytes on disk of data and logs.
    pub data_bytes: u64,
}

impl Status {
    /// Whether every part is healthy.
    pub fn all_healthy(&self) -> bool {
        self.parts.iter().all(|part| part.health == Health::Healthy)
    }

    /// Whether no part runs.
    pub fn all_stopped(&self) -> bool {
        self.parts.iter().all(|part| part.health == Health::Stopped)
    }
}

/// `None` when nothing was ever started in the directory.
pub(crate) fn of(directory: &DataDir) -> Result<Option<Status>, Error> {
    let Some(state) = directory.state()? else { return Ok(None) };
    let (ports, secure) = (state.ports()?, Secure::open(directory)?);
    let peers = Peers { ports, secure: secure.as_ref() };
    let parts = state.parts().iter().map(|part| part_status(directory, state.mode, *part, peers));
    Ok(Some(Status {
        data_dir: directory.root().to_owned(),
        mode: state.mode,
        parts: parts.collect::<Result<_, _>>()?,
        data_bytes: directory.disk_bytes()?,
    }))
}

fn part_status(directory: &DataDir, mode: Mode, part: Part, peers: Peers<'_>) -> Result<PartStatus, Error> {
    let process = directory.running(part)?;
    let runs = process.is_some() || mode == Mode::Compose;
    let health = match runs && probe::is_healthy(part, peers) {
        true => Health::Healthy,
        false if process.is_some() => Health::Unhealthy,
        false => Health::Stopped,
    };
    Ok(PartStatus {
        part,
        pid: process.as_ref().map(|process| process.pid),
        port: peers.ports.of(part),
        health,
        rss_bytes: process.as_ref().and_then(Identity::memory_bytes),
        uptime_seconds: process.as_ref().and_then(Identity::uptime_seconds),
    })
}
