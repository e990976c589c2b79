//! A source's loop: records and the position after them in one transaction, in the one process that holds the source.
//!
//! Invariant: whoever begins to lead has fenced whoever led before, and reads the position after that.

mod hold;
mod position;

use super::{
    Shared, Wait,
    binding::{self, BindError},
    status::UnitStatus,
    supervisor::Failure,
};
use crate::{
    kafka::{TransactionalProducer, settings},
    source::{Position, Source, SourceBatch, SourceError},
};
use engine::{
    cloud_events, dead_letter,
    log::{OutRecord, TxnError},
    shapes::outlet::{Bound, chain},
};
use hold::Hold;
use position::part_key;
use processor::{AnyRecord, Emission};
use schemas::{DigestDlq, EncodeError};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::warn;

const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// First and longest wait of a source that was fenced although it is the one that the group chose.
const FENCED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
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

/// Why a source does not lead any more.
enum Led {
    To(SourceEnd),
    /// The group has chosen another process.
    Lost,
    /// Somebody has taken the transactional id over.
    Fenced(String),
}

/// What a batch has moved.
enum Moved {
    Whole(Position),
    Parts(BTreeMap<String, Position>),
}

struct SourceLoop<'a, S: Source> {
    shared: &'a Shared,
    status: &'a UnitStatus,
    source: &'a mut S,
    hold: &'a Hold,
    /// Those that it uses, with the partitions that they have in the map.
    topics: &'a [(String, i32)],
    ports: &'a BTreeMap<&'static str, Bound>,
    producer: TransactionalProducer,
    positions: Arc<str>,
    identity: &'a str,
    position: Option<Position>,
    parts: BTreeMap<String, Position>,
    has_committed: bool,
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
    let topics = shared.topics_of(S::NAME)?;
    let ports = binding::patiently(&wait, || {
        shared
            .topics_fit(&topics)
            .and_then(|()| shared.database_is_ready())
            .and_then(|()| binding::ports(shared, S::NAME, &specs))
    })?;
    let Some(ports) = ports else { return Ok(SourceEnd::Stopped) };
    let positions: Arc<str> = positions_topic::<S>(shared)?.into();
    let identity = source.identity();
    let hold = Hold::start(shared, (S::NAME, &identity), &positions)?;
    let mut fenced_wait = FENCED.0;
    while hold.wait(shared, &wait)? {
        let Some(producer) = binding::patiently(&wait, || start_producer::<S>(shared, &identity))? else {
            break;
        };
        let mut source_loop = SourceLoop {
            shared,
            status,
            source: &mut *source,
            hold: &hold,
            topics: &topics,
            ports: &ports,
            producer,
            positions: Arc::clone(&positions),
            identity: &identity,
            position: None,
            parts: BTreeMap::new(),
            has_committed: false,
            failures: 0,
        };
        let led = source_loop.lead(committed);
        shared.leading.ended(S::NAME);
        source_loop.source.leave();
        match led? {
            Led::To(end) => return Ok(end),
            Led::Lost => {}
            Led::Fenced(why) => {
                if source_loop.has_committed {
                    fenced_wait = FENCED.0;
                }
                status.waiting(&format!("another producer has taken {identity} over: {why}"));
                shared.stop.wait(fenced_wait);
                fenced_wait = (fenced_wait * 2).min(FENCED.1);
            }
        }
    }
    Ok(SourceEnd::Stopped)
}

fn positions_topic<S: Source>(shared: &Shared) -> Result<String, Failure> {
    let entry = shared.map.connector(S::NAME).map_err(|error| Failure::Lasting(error.to_string()))?;
    let named = entry.positions.as_deref();
    let topic =
        named.ok_or_else(|| Failure::Lasting(format!("{} has no positions topic in the map", S::NAME)))?;
    Ok(shared.config.prefix.topic(topic))
}

fn start_producer<S: Source>(shared: &Shared, identity: &str) -> Result<TransactionalProducer, BindError> {
    let id = shared.config.prefix.transactional_id(&format!("{}-{identity}", S::NAME));
    let settings = settings::producer(&shared.config.kafka, &id);
    TransactionalProducer::start(settings, shared.standing.clone()).map_err(|error| match error {
        TxnError::Fatal(why) => BindError::Fatal(why),
        other => BindError::Wait(other.to_string()),
    })
}

impl<S: Source> SourceLoop<'_, S> {
    fn lead(&mut self, committed: &mut dyn FnMut(usize)) -> Result<Led, Failure> {
        self.take_position();
        self.source.resume(&self.parts);
        let mut wait = RETRY.0;
        while self.goes_on() {
            self.status.turned();
            self.shared.still_fits(self.topics)?;
            let Some(batch) = self.next() else { continue };
            if let Some(sessions) = self.source.sessions() {
                self.shared.metrics.sessions(S::NAME, &sessions);
            }
            match batch {
                Ok(SourceBatch::Records { emissions, position }) => {
                    wait = RETRY.0;
                    let moved = Moved::Whole(position);
                    if let Some(led) = self.give(&emissions, moved, committed)? {
                        return Ok(led);
                    }
                }
                Ok(SourceBatch::Parts { emissions, positions }) => {
                    wait = RETRY.0;
                    let moved = Moved::Parts(positions);
                    if let Some(led) = self.give(&emissions, moved, committed)? {
                        return Ok(led);
                    }
                }
                Ok(SourceBatch::Idle(wait)) => {
                    self.status.working();
                    self.shared.stop.wait(wait);
                }
                Ok(SourceBatch::End) => return Ok(Led::To(SourceEnd::Finished)),
                Err(SourceError::Fatal(why)) => return Err(why.into()),
                Err(error @ SourceError::Transient(_)) => {
                    self.status.waiting(&chain(&error));
                    self.shared.stop.wait(wait);
                    wait = (wait * 2).min(RETRY.1);
                }
            }
        }
        Ok(if self.shared.stop.is_asked() { Led::To(SourceEnd::Stopped) } else { Led::Lost })
    }

    /// Commits a batch; how leading ended, where it did.
    fn give(
        &mut self,
        emissions: &[Emission],
        moved: Moved,
        committed: &mut dyn FnMut(usize),
    ) -> Result<Option<Led>, Failure> {
        let started = Instant::now();
        match self.transact(emissions, &moved) {
            Ok(()) => {
                (self.failures, self.has_committed) = (0, true);
                match moved {
                    Moved::Whole(position) => self.position = Some(position),
                    Moved::Parts(positions) => self.parts.extend(positions),
                }
                self.shared.leading.stands_at(S::NAME, self.position.as_ref());
                self.shared.metrics.published(S::NAME, emissions, started.elapsed());
                self.shared.trail.published(S::NAME, emissions, started.elapsed());
                self.status.published(S::NAME, emissions);
                for (reason, count) in self.source.passed_over() {
                    self.shared.metrics.fates(S::NAME, ("drop", reason), count);
                }
                self.status.working();
                committed(emissions.len());
            }
            Err(TxnError::Fenced(why)) => return Ok(Some(Led::Fenced(why))),
            Err(error) => {
                self.recover(error)?;
                self.source.resume(&self.parts);
            }
        }
        Ok(None)
    }

    fn goes_on(&self) -> bool {
        !self.shared.stop.is_asked() && self.hold.is_held()
    }

    /// The next batch; `None` when the process is asked to stop or is not the one any more meanwhile.
    fn next(&mut self) -> Option<Result<SourceBatch, SourceError>> {
        let stop = self.shared.stop.clone();
        let (source, position, hold) = (&mut *self.source, self.position.as_ref(), self.hold);
        self.shared.tasks.block_on(async {
            tokio::select! {
                biased;
                () = stop.asked() => None,
                () = hold.lost() => None,
                batch = source.next(position) => Some(batch),
            }
        })
    }

    fn transact(&self, emissions: &[Emission], moved: &Moved) -> Result<(), TxnError> {
        self.producer.begin()?;
        for emission in emissions {
            self.producer.produce(&self.record(emission)?)?;
            self.shared.metrics.emitted(emission.record.as_ref(), Duration::ZERO);
        }
        match moved {
            Moved::Whole(position) => self.write_position(self.identity.to_owned(), position)?,
            Moved::Parts(positions) => {
                for (part, position) in positions {
                    self.write_position(part_key(self.identity, part), position)?;
                }
            }
        }
        self.producer.commit()
    }

    fn write_position(&self, key: String, position: &Position) -> Result<(), TxnError> {
        self.producer.produce(&OutRecord {
            topic: Arc::clone(&self.positions),
            partition: Some(0),
            key: key.into_bytes(),
            value: Some(position.0.clone().into_bytes()),
            headers: Vec::new(),
        })
    }

    fn record(&self, emission: &Emission) -> Result<OutRecord, TxnError> {
        let fatal = |why: String| TxnError::Fatal(why);
        let record = emission.record.as_ref();
        let bound = self
            .ports
            .get(emission.port)
            .ok_or_else(|| fatal(format!("port {} of {} is not in the map", emission.port, S::NAME)))?;
        let finished = |record: &dyn AnyRecord| {
            let mut value = Vec::new();
            bound.encoder.encode(record, &mut value)?;
            Ok(bound.keyed(record.key().into_bytes(), value, cloud_events::headers(S::NAME, record)))
        };
        let unencodable = |error: EncodeError| fatal(chain(&error));
        let out = finished(record).map_err(unencodable)?;
        if out.bytes() <= bound.record_bytes_max {
            return Ok(out);
        }
        match record.as_any().downcast_ref::<DigestDlq>() {
            // A sink has it fit what the limit was then.
            Some(letter) => {
                dead_letter::fitted(letter.clone(), bound.record_bytes_max, |letter| finished(letter))
                    .map(|(_, out)| out)
                    .map_err(unencodable)
            }
            None => Err(fatal(format!(
                "could not write {} of {}: {} bytes, and {} takes {}; raise max_message_bytes of the topic in the map and \
                 message.max.bytes of producers",
                record.type_name(),
                record.key(),
                out.bytes(),
                bound.topic,
                bound.record_bytes_max
            ))),
        }
    }

    /// Mends the producer and takes the position from the log again: the failed commit may have succeeded.
    fn recover(&mut self, error: TxnError) -> Result<(), Failure> {
        self.failures += 1;
        self.shared.metrics.recovering(S::NAME);
        warn!(source = S::NAME, %error, "transaction failed");
        match error {
            TxnError::Fatal(why) => return Err(why.into()),
            _ if self.failures > FAILURES_MAX => {
                return Err(format!("{} transactions failed in a row: {error}", self.failures).into());
            }
            TxnError::Abort(_) if self.producer.abort().is_ok() => return Ok(()),
            TxnError::Abort(_) | TxnError::Rebuild(_) | TxnError::Fenced(_) => {}
        }
        while self.goes_on()
            && let Err(error) = self.producer.rebuild()
        {
            if let TxnError::Fatal(why) = error {
                return Err(why.into());
            }
            Wait { stop: &self.shared.stop, status: self.status }.for_a_while(&error.to_string());
        }
        self.take_position();
        Ok(())
    }

    /// Reads the position from the log, unless the source is given up meanwhile.
    fn take_position(&mut self) {
        while self.goes_on() {
            match position::newest(self.shared, self.status, (&self.positions, self.identity)) {
                Ok(found) => {
                    (self.position, self.parts) = (found.whole, found.parts);
                    self.shared.leading.stands_at(S::NAME, self.position.as_ref());
                    return self.status.ready();
                }
                Err(why) => Wait { stop: &self.shared.stop, status: self.status }.for_a_while(&why),
            }
        }
    }
}
