//! The stack as processes of this machine: started in parallel, awaited, stopped in reverse order.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::Error;
use crate::host;
use crate::layout::{DataDir, Mode, State};
use crate::logs::tail;
use crate::part::{Part, PortChoice, PortRequest, Ports, plan};
use crate::probe::Peers;
use crate::process::{Identity, Launch};
use crate::progress::{Reporter, join};
use crate::secure::Secure;
use crate::software::{self, Software};
use crate::tool::HEARTBEAT;
use crate::{kafka, postgres, probe, qdrant, registry, transactions};

/// Bound of a part's start. Generous: a cold machine that builds at the same time is slow, and a dead process is
/// noticed at once.
const HEALTHY_WITHIN: Duration = Duration::from_mins(2);
/// Bound of a part's orderly stop; the first one writes the class data archive.
const GONE_WITHIN: Duration = Duration::from_mins(1);
/// Bound of waiting for the ports of a part that was killed.
const PORTS_FREE_WITHIN: Duration = Duration::from_secs(3);
/// How many lines of a log an error carries.
const TAIL_LINES: usize = 20;

/// What a caller wants of a start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) ports: PortChoice,
    /// Qdrant too; a stack that has it once keeps it.
    pub(crate) qdrant: bool,
}

/// What the starting of one stack needs at hand.
struct Start<'a> {
    directory: &'a DataDir,
    state: State,
    peers: Peers<'a>,
    software: Software,
    reporter: &'a Reporter,
}

/// Starts what does not run and waits until everything is healthy. The caller holds the directory's lock.
pub(crate) fn up(
    directory: &DataDir,
    wanted: Wanted,
    secure: Option<&Secure>,
    reporter: &Reporter,
) -> Result<Ports, Error> {
    let remembered = directory.state()?;
    let qdrant = wanted.qdrant || remembered.as_ref().is_some_and(|state| state.qdrant);
    let parts = Part::of_stack(qdrant);
    let mut missing = Vec::new();
    for part in parts {
        if directory.running(*part)?.is_none() {
            missing.push(*part);
        }
    }
    let request = PortRequest {
        choice: wanted.ports,
        remembered: remembered.as_ref().map(|state| state.base_port),
        running: missing.len() < parts.len(),
        seed: std::process::id(),
    };
    let ports = plan(request, probe::is_free)?;
    let peers = Peers { ports, secure };
    if missing.is_empty() && parts.iter().all(|part| probe::is_healthy(*part, peers)) {
        registry::enforce_compatibility(peers)?;
        // Whoever started it may have been interrupted before this.
        transactions::mend(peers, reporter);
        reporter.say("stack", "runs already");
        return Ok(ports);
    }
    refuse_taken_ports(ports, &missing, patience(directory, &missing)?)?;
    directory.make_subdirectories()?;
    let postgres_outside = match remembered {
        Some(state) => state.postgres_outside,
        None => postgres::outside_home(directory),
    };
    let state = State { mode: Mode::Native, base_port: ports.base(), postgres_outside, qdrant };
    directory.write_state(&state)?;
    let software = software::ensure(qdrant, reporter)?;
    Start { directory, state, peers, software, reporter }.run()?;
    Ok(ports)
}

/// A part that did not stop in order may hold its ports for a moment longer.
fn patience(directory: &DataDir, missing: &[Part]) -> Result<Duration, Error> {
    for part in missing {
        if directory.recorded(*part)?.is_some() {
            return Ok(PORTS_FREE_WITHIN);
        }
    }
    Ok(Duration::ZERO)
}

fn refuse_taken_ports(ports: Ports, missing: &[Part], patience: Duration) -> Result<(), Error> {
    let began = Instant::now();
    for (port, what) in missing.iter().flat_map(|part| ports.listeners(*part)) {
        while !probe::is_free(port) {
            if began.elapsed() >= patience {
                return Err(Error::PortTaken { port, what });
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

impl Start<'_> {
    /// Kafka and Qdrant beside Postgres; the registry needs Postgres.
    fn run(&self) -> Result<(), Error> {
        thread::scope(|scope| {
            let kafka = scope
                .spawn(|| self.start(Part::Kafka).map(|()| transactions::mend(self.peers, self.reporter)));
            let qdrant = self.state.qdrant.then(|| scope.spawn(|| self.start(Part::Qdrant)));
            let others = self.start(Part::Postgres).and_then(|()| self.start(Part::Registry));
            join(kafka).and(others).and(qdrant.map_or(Ok(()), join))
        })?;
        registry::enforce_compatibility(self.peers)
    }

    fn start(&self, part: Part) -> Result<(), Error> {
        if let Some(identity) = self.directory.running(part)? {
            match self.await_healthy(part, &identity, 0) {
                // It was about to end, for instance killed a moment ago: start another.
                Err(Error::Exited { .. }) => self.await_ports(part)?,
                other => return other,
            }
        }
        let launch = self.prepare(part)?;
        self.reporter.say(part.name(), format!("starting on port {} …", self.peers.ports.of(part)));
        let (identity, log_from) = launch.spawn()?;
        self.directory.record(part, &identity)?;
        self.await_healthy(part, &identity, log_from)
    }

    fn await_ports(&self, part: Part) -> Result<(), Error> {
        refuse_taken_ports(self.peers.ports, &[part], PORTS_FREE_WITHIN)
    }

    fn prepare(&self, part: Part) -> Result<Launch, Error> {
        let Self { directory, state, peers, software, reporter } = self;
        match part {
            Part::Kafka => {
                kafka::prepare(directory, *peers, software, reporter)?;
                Ok(kafka::launch(directory, software))
            }
            Part::Registry => Ok(registry::launch(directory, *peers, software)),
            Part::Postgres => {
                postgres::prepare(directory, state, peers.secure, software, reporter)?;
                Ok(postgres::launch(directory, state, peers.ports, software))
            }
            Part::Qdrant => qdrant::launch(directory, peers.ports, software),
        }
    }

    /// An error carries what the log has from the given offset on.
    fn await_healthy(&self, part: Part, identity: &Identity, log_from: u64) -> Result<(), Error> {
        let began = Instant::now();
        let mut said = began;
        while !probe::is_healthy(part, self.peers) {
            let log = self.directory.log(part);
            if !identity.is_alive() {
                let tail = tail(&log, log_from, TAIL_LINES);
                return Err(Error::Exited { part, log, tail });
            }
            if began.elapsed() > HEALTHY_WITHIN {
                let tail = tail(&log, log_from, TAIL_LINES);
                return Err(Error::Unhealthy { part, seconds: HEALTHY_WITHIN.as_secs(), log, tail });
            }
            if said.elapsed() >= HEARTBEAT {
                self.reporter.say(part.name(), "still starting …");
                said = Instant::now();
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.reporter.say(part.name(), "is healthy");
        Ok(())
    }
}

/// Stops what runs; true when anything did. The caller holds the directory's lock.
pub(crate) fn down(directory: &DataDir, reporter: &Reporter) -> Result<bool, Error> {
    let clients = stop(directory, &[Part::Registry, Part::Kafka, Part::Qdrant], reporter)?;
    let servers = stop(directory, &[Part::Postgres], reporter)?;
    Ok(clients || servers)
}

/// Asks the parts to stop, all at once, and waits for each; kills those that do not.
fn stop(directory: &DataDir, parts: &[Part], reporter: &Reporter) -> Result<bool, Error> {
    let mut asked = Vec::new();
    for part in parts {
        if let Some(identity) = directory.running(*part)? {
            reporter.say(part.name(), "stopping …");
            identity.signal(stop_signal(*part));
            asked.push((*part, identity));
        }
    }
    for (part, identity) in &asked {
        await_gone(*part, identity, reporter)?;
        directory.forget(*part)?;
        reporter.say(part.name(), "is stopped");
    }
    Ok(!asked.is_empty())
}

/// Postgres takes SIGTERM as "when every client has left", SIGINT as "now, in order".
fn stop_signal(part: Part) -> Signal {
    if part == Part::Postgres { Signal::INT } else { Signal::TERM }
}

fn await_gone(part: Part, identity: &Identity, reporter: &Reporter) -> Result<(), Error> {
    if identity.wait_gone(GONE_WITHIN) {
        return Ok(());
    }
    reporter.say(part.name(), format!("does not stop within {} s, killing it", GONE_WITHIN.as_secs()));
    identity.signal(Signal::KILL);
    let gone = identity.wait_gone(Duration::from_secs(10));
    if gone { Ok(()) } else { Err(Error::Unstoppable { part, pid: identity.pid }) }
}

/// How a new stack is to run: compose where it can be used, unless the caller wants processes.
pub(crate) fn choose_mode(native: bool) -> Mode {
    if !native && host::docker_answers() { Mode::Compose } else { Mode::Native }
}
