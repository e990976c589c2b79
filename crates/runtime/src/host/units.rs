//! Units of a process: each has its name to itself, and a thread.

use super::{
    Host, HostError, Shared, Unit,
    error::start_error,
    lock::{InstanceLock, Note},
    sink_unit,
    source_unit::{self, SourceEnd},
    status::UnitStatus,
    supervisor::{BACK_OFF, Failure, supervise},
};
use crate::{sink::Sink, source::Source};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::warn;

/// Time between two attempts at a lock.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

impl Host {
    /// Adds a [`Sink`], made once the broker tells its cluster's id.
    pub fn sink<S: Sink>(&mut self, make: impl Fn(String) -> S + Send + 'static) -> Result<(), HostError> {
        self.unit(S::NAME, 0, move |shared, status| sink_unit::run(shared, status, &make))
    }

    /// Adds a [`Source`] that runs for ever.
    pub fn source<S: Source>(&mut self, source: S) -> Result<(), HostError> {
        let mut source = source;
        self.unit(S::NAME, 0, move |shared, status| {
            source_unit::run(shared, status, &mut source, &mut |_| {}).map(drop)
        })
    }

    /// Runs a source on this thread until it ends or the process is asked to stop; `committed` hears of every
    /// committed position.
    pub fn drive<S: Source>(
        &mut self,
        source: &mut S,
        committed: &mut dyn FnMut(usize),
    ) -> Result<SourceEnd, HostError> {
        let status = UnitStatus::new(S::NAME.to_owned());
        let driven = source_unit::run(&self.shared, &status, source, committed);
        status.tell_letters();
        // A command ends soon after.
        self.shared.trail.flush();
        driven.map_err(|failure| HostError::Unit { unit: S::NAME.to_owned(), why: failure.to_string() })
    }

    /// Adds as many pairs of consumer and producer as the configuration says.
    pub(super) fn pairs(
        &mut self,
        name: &'static str,
        run: impl Fn(&Shared, usize, &Arc<UnitStatus>) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Result<(), HostError> {
        let run = Arc::new(run);
        for slot in 0..self.shared.config.kafka.pairs {
            let run = Arc::clone(&run);
            self.unit(name, slot, move |shared, status| run(shared, slot, status))?;
        }
        Ok(())
    }

    fn unit(
        &mut self,
        name: &'static str,
        slot: usize,
        mut run: impl FnMut(&Shared, &Arc<UnitStatus>) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), HostError> {
        if slot == 0 {
            self.lock(name)?;
        }
        let status = UnitStatus::new(if slot == 0 { name.to_owned() } else { format!("{name}-{slot}") });
        let (shared, unit_status) = (Arc::clone(&self.shared), Arc::clone(&status));
        let thread = std::thread::Builder::new()
            .name(status.name.chars().take(15).collect())
            .spawn(move || {
                let ended = supervise(&shared.stop, &unit_status, BACK_OFF, || run(&shared, &unit_status));
                unit_status.tell_letters();
                ended
            })
            .map_err(start_error("start a thread"))?;
        self.units.push(Unit { status, thread });
        Ok(())
    }

    /// Takes the instance's name for a unit, which a predecessor that is ending may still have.
    fn lock(&mut self, name: &str) -> Result<(), HostError> {
        let config = &self.shared.config;
        let directory: PathBuf = config.lock_dir.clone().unwrap_or_else(std::env::temp_dir);
        let scope = format!("{}\n{}", config.kafka.brokers, config.prefix.as_str());
        let (until, mut is_said) = (self.locks_until, false);
        let mut is_patient = || {
            if !std::mem::replace(&mut is_said, true) {
                warn!(
                    unit = name,
                    instance = config.instance,
                    "waiting for another process of this name to end"
                );
            }
            std::thread::park_timeout(LOCK_INTERVAL);
            Instant::now() < until
        };
        let mut lock = InstanceLock::take(&directory, &scope, (name, &config.instance), &mut is_patient)?;
        let files = &config.files.directory;
        let note = Note {
            brokers: config.kafka.brokers.clone(),
            prefix: config.prefix.as_str().to_owned(),
            files: std::path::absolute(files).unwrap_or_else(|_| files.clone()),
        };
        if let Err(error) = lock.tell(&note) {
            // Only `gistmill doctor` asks for it.
            warn!(unit = name, %error, "could not write where digests go into the lock file");
        }
        self.locks.push(lock);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn host(lock_dir: &tempfile::TempDir) -> Host {
        let config = Config { lock_dir: Some(lock_dir.path().to_owned()), ..Config::default() };
        Host::new(config, 2).expect("a process")
    }

    #[test]
    fn the_end_of_a_unit_is_not_its_neighbours_end() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let mut host = host(&directory);
        let (told, heard) = crossbeam_channel::unbounded();
        host.unit("failing", 0, |_, _| Err(Failure::Lasting("no input".to_owned()))).expect("added");
        let work = move |shared: &Shared, status: &Arc<UnitStatus>| {
            status.ready();
            while !shared.stop.is_asked() {
                shared.stop.wait(LOCK_INTERVAL);
            }
            told.send("ended in order").map_err(|error| Failure::from(error.to_string()))
        };
        host.unit("working", 0, work).expect("added");
        let why = loop {
            if let Some(why) = host.failure() {
                break why.to_string();
            }
            std::thread::park_timeout(Duration::from_millis(1));
        };
        assert_eq!(why, "failing stopped: no input");
        assert!(!host.is_ready() && heard.is_empty());
        host.stop().ask();
        let ended = host.run().map_err(|error| error.to_string());
        assert_eq!(ended, Err(why));
        assert_eq!(heard.try_recv(), Ok("ended in order"));
    }

    #[test]
    fn a_process_ends_by_itself_when_no_unit_is_left() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let mut host = host(&directory);
        host.unit("first", 0, |_, _| Err(Failure::Lasting("no input".to_owned()))).expect("added");
        host.unit("second", 0, |_, _| Err(Failure::Lasting("no table".to_owned()))).expect("added");
        let ended = host.run().map_err(|error| error.to_string());
        assert_eq!(ended, Err("first stopped: no input".to_owned()));
    }
}
