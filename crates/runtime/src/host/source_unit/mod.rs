//! A source's loop: records and the position after them in one transaction.
//!
//! Invariant: the position read at start is the newest committed one, also when a predecessor has just died.

use super::{
    Shared, Wait,
    binding::{self, BindError},
    status::UnitStatus,
    supervisor::Failure,
};
use crate::{
    cloud_events,
    engine::log::{OutRecord, TxnError},
    kafka::{TransactionalProducer, read_range, settings},
    shapes::outlet::{Bound, chain},
    source::{Position, Source, SourceBatch, SourceError},
};
use processor::Emission;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::warn;

const OFFSETS_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Transactions that may fail in a row before the source gives up.
const FAILURES_MAX: u32 = 5;

/// How a source's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceEnd {
    /// It has nothing more to give.
    Finished,
    /// The process was asked to stop.
    Stopped,
}

struct SourceLoop<'a, S: Source> {
    shared: &'a Shared,
    status: &'a UnitStatus,
    source: &'a mut S,
    ports: BTreeMap<&'static str, Bound>,
    producer: TransactionalProducer,
    positions: Arc<str>,
    identity: String,
    position: Option<Position>,
    failures: u32,
}

/// Runs a source to its end; `committed` hears how many records each transaction had.
pub(super) fn run<S: Source>(
    shared: &Shared,
    status: &Arc<UnitStatus>,
    source: &mut S,
    committed: &mut dyn FnMut(usize),
) -> Result<SourceEnd, Failure> {
    let wait = Wait { stop: &shared.stop, status };
    let specs = source.ports();
    let ports = binding::patiently(&wait, || {
        shared
            .topics_exist(S::NAME)
            .and_then(|()| shared.database_is_ready())
            .and_then(|()| binding::ports(shared, S::NAME, &specs))
    })?;
    let Some(ports) = ports else { return Ok(SourceEnd::Stopped) };
    let entry = shared.map.connector(S::NAME).map_err(|error| error.to_string())?;
    let positions =
        entry.positions.as_deref().ok_or_else(|| format!("{} has no positions topic in the map", S::NAME))?;
    let positions: Arc<str> = shared.config.prefix.topic(positions).into();
    let identity = source.identity();
    let id = shared.config.prefix.transactional_id(&format!("{}-{identity}", S::NAME));
    let start = || {
        let settings = settings::producer(&shared.config.kafka, &id);
        TransactionalProducer::start(settings, shared.standing.clone()).map_err(|error| match error {
            TxnError::Fatal(why) => BindError::Fatal(why),
            other => BindError::Wait(other.to_string()),
        })
    };
    let Some(producer) = binding::patiently(&wait, start)? else { return Ok(SourceEnd::Stopped) };
    let mut source_loop = SourceLoop {
        shared,
        status,
        source,
        ports,
        producer,
        positions,
        identity,
        position: None,
        failures: 0,
    };
    while let Err(why) = source_loop.read_position() {
        if shared.stop.is_asked() {
            return Ok(SourceEnd::Stopped);
        }
        wait.for_a_while(&why);
    }
    status.ready();
    source_loop.run(committed)
}

impl<S: Source> SourceLoop<'_, S> {
    fn run(&mut self, committed: &mut dyn FnMut(usize)) -> Result<SourceEnd, Failure> {
        let mut wait = RETRY.0;
        while !self.shared.stop.is_asked() {
            self.status.turned();
            let Some(batch) = self.next() else { break };
            match batch {
                Ok(SourceBatch::Records { emissions, position }) => {
                    wait = RETRY.0;
                    let started = Instant::now();
                    match self.transact(&emissions, &position) {
                        Ok(()) => {
                            self.failures = 0;
                            self.position = Some(position);
                            self.shared.metrics.committed(S::NAME, emissions.len(), started.elapsed());
                            self.status.working();
                            committed(emissions.len());
                        }
                        Err(error) => self.recover(error)?,
                    }
                }
                Ok(SourceBatch::Idle(wait)) => {
                    self.status.working();
                    self.shared.stop.wait(wait);
                }
                Ok(SourceBatch::End) => return Ok(SourceEnd::Finished),
                Err(SourceError::Fatal(why)) => return Err(why.into()),
                Err(error @ SourceError::Transient(_)) => {
                    self.status.waiting(&chain(&error));
                    self.shared.stop.wait(wait);
                    wait = (wait * 2).min(RETRY.1);
                }
            }
        }
        Ok(SourceEnd::Stopped)
    }

    /// The next batch; `None` when the process is asked to stop meanwhile.
    fn next(&mut self) -> Option<Result<SourceBatch, SourceError>> {
        let stop = self.shared.stop.clone();
        let (source, position) = (&mut *self.source, self.position.as_ref());
        self.shared.tasks.block_on(async {
            tokio::select! {
                biased;
                () = stop.asked() => None,
                batch = source.next(position) => Some(batch),
            }
        })
    }

    fn transact(&self, emissions: &[Emission], position: &Position) -> Result<(), TxnError> {
        self.producer.begin()?;
        for emission in emissions {
            self.producer.produce(&self.record(emission)?)?;
            self.shared.metrics.emitted(emission.record.as_ref(), Duration::ZERO);
        }
        self.producer.produce(&OutRecord {
            topic: Arc::clone(&self.positions),
            partition: Some(0),
            key: self.identity.clone().into_bytes(),
            value: Some(position.0.clone().into_bytes()),
            headers: Vec::new(),
        })?;
        self.producer.commit()
    }

    fn record(&self, emission: &Emission) -> Result<OutRecord, TxnError> {
        let fatal = |why: String| TxnError::Fatal(why);
        let record = emission.record.as_ref();
        let bound = self
            .ports
            .get(emission.port)
            .ok_or_else(|| fatal(format!("port {} of {} is not in the map", emission.port, S::NAME)))?;
        let mut value = Vec::new();
        bound.encoder.encode(record, &mut value).map_err(|error| fatal(chain(&error)))?;
        Ok(OutRecord {
            topic: Arc::clone(&bound.topic),
            partition: None,
            key: record.key().into_bytes(),
            value: Some(value),
            headers: cloud_events::headers(S::NAME, record),
        })
    }

    /// Mends the producer and takes the position from the log again: the failed commit may have succeeded.
    fn recover(&mut self, error: TxnError) -> Result<(), String> {
        self.failures += 1;
        self.shared.metrics.recovering(S::NAME);
        warn!(source = S::NAME, %error, "transaction failed");
        match error {
            TxnError::Fatal(why) => return Err(why),
            TxnError::Fenced(why) => {
                return Err(format!("another process reads the same source ({}): {why}", self.identity));
            }
            TxnError::Abort(_) | TxnError::Rebuild(_) if self.failures > FAILURES_MAX => {
                return Err(format!("{} transactions failed in a row: {error}", self.failures));
            }
            TxnError::Abort(_) | TxnError::Rebuild(_) if self.shared.stop.is_asked() => return Ok(()),
            TxnError::Abort(_) if self.producer.abort().is_ok() => return Ok(()),
            TxnError::Abort(_) | TxnError::Rebuild(_) => {}
        }
        while let Err(error) = self.producer.rebuild() {
            if let TxnError::Fatal(why) | TxnError::Fenced(why) = error {
                return Err(why);
            }
            if self.shared.stop.is_asked() {
                return Ok(());
            }
            Wait { stop: &self.shared.stop, status: self.status }.for_a_while(&error.to_string());
        }
        while let Err(why) = self.read_position() {
            if self.shared.stop.is_asked() {
                return Ok(());
            }
            Wait { stop: &self.shared.stop, status: self.status }.for_a_while(&why);
        }
        Ok(())
    }

    /// Reads the newest committed position: past the *high* watermark as of now, waiting for transactions of others to
    /// end. Stopping at the last stable offset would resume from an older one.
    fn read_position(&mut self) -> Result<(), String> {
        let kafka = &self.shared.config.kafka;
        let committed = settings::reader(kafka, "read_committed");
        let high = watermark(&settings::reader(kafka, "read_uncommitted"), &self.positions)?;
        while watermark(&committed, &self.positions)? < high {
            if self.shared.stop.is_asked() {
                return Err("stopped while waiting for transactions of other sources to end".to_owned());
            }
            Wait { stop: &self.shared.stop, status: self.status }
                .for_a_while("open transactions of other sources; `gistmill txn ls` shows one that hangs");
        }
        let mut found = None;
        read_range(&committed, (&self.positions, 0), (None, Some(high)), &mut |record| {
            if record.key == Some(self.identity.as_bytes()) {
                found = record.value.map(|value| Position(String::from_utf8_lossy(value).into_owned()));
            }
            Ok(())
        })?;
        self.position = found;
        Ok(())
    }
}

/// End of the positions partition as the settings' isolation level sees it.
fn watermark(settings: &rdkafka::ClientConfig, topic: &str) -> Result<i64, String> {
    let consumer: BaseConsumer =
        settings.create().map_err(|error| format!("could not create reader: {error}"))?;
    let (_, high) = consumer
        .fetch_watermarks(topic, 0, OFFSETS_TIMEOUT)
        .map_err(|error| format!("could not read the end of {topic}: {error}"))?;
    Ok(high)
}
