//! Batches of a sink: when each is written, and what happens to one that cannot be.

use super::{RETRY, SinkLoop, list};
use crate::{
    host::{letters::Letter, supervisor::Failure},
    sink::{Sink, SinkError, SinkRecord},
};
use engine::{chain, dead_letter::Cause, guard::Rejected};
use processor::AnyRecord;
use rdkafka::consumer::Consumer;
use schemas::{DigestDlq, DigestReadyForDelivery, Fingerprint};
use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tracing::warn;

impl<S: Sink> SinkLoop<'_, S> {
    /// Pauses a partition until its next attempt.
    pub(super) fn hold(&mut self, key: &(Arc<str>, i32)) -> Result<(), Failure> {
        let Some(buffer) = self.buffers.get_mut(key) else { return Ok(()) };
        let wait = buffer.retry.map_or(RETRY.0, |(_, wait)| (wait * 2).min(RETRY.1));
        let first = buffer.retry.is_none();
        buffer.retry = Some((Instant::now() + wait, wait));
        if first {
            self.consumer.pause(&list(key)).map_err(|error| format!("could not pause: {error}"))?;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self, idle: bool) -> Result<(), Failure> {
        let keys: Vec<_> = self.buffers.keys().cloned().collect();
        for key in keys {
            let Some(buffer) = self.buffers.get_mut(&key) else { continue };
            if let Some((at, _)) = buffer.retry {
                if Instant::now() < at {
                    continue;
                }
                self.decide(&key)?;
            }
            let Some(buffer) = self.buffers.get(&key) else { continue };
            if buffer.is_due(idle) && !self.write(&key)? {
                continue;
            }
            self.release(&key)?;
        }
        Ok(())
    }

    /// Resumes a partition that was held and is not any more.
    fn release(&mut self, key: &(Arc<str>, i32)) -> Result<(), Failure> {
        let Some(buffer) = self.buffers.get_mut(key) else { return Ok(()) };
        if buffer.retry.is_some() && buffer.undecided.is_empty() && buffer.since.is_none() {
            buffer.retry = None;
            self.consumer.resume(&list(key)).map_err(|error| format!("could not resume: {error}"))?;
        }
        Ok(())
    }

    /// Tells of deliveries that have ended without a batch.
    pub(super) fn tell_deliveries(&self) {
        if let Some(channel) = S::CHANNEL.filter(|_| S::DELIVERS_LATER) {
            for seconds in self.sink.delivered() {
                self.shared.metrics.delivered(channel, seconds);
            }
            if let Some(breaker) = self.sink.breaker() {
                self.shared.metrics.breaker(S::NAME, breaker);
            }
        }
    }

    /// Writes a buffer's batch; false when it has to be tried again.
    fn write(&mut self, key: &(Arc<str>, i32)) -> Result<bool, Failure> {
        loop {
            match self.write_once(key)? {
                Written::Done => return Ok(true),
                Written::Later => return Ok(false),
                Written::Buried => {}
            }
        }
    }

    fn write_once(&mut self, key: &(Arc<str>, i32)) -> Result<Written, Failure> {
        let Some(buffer) = self.buffers.get_mut(key) else { return Ok(Written::Done) };
        let (count, started) = (buffer.batch.records.len(), Instant::now());
        let written = self.shared.tasks.block_on(self.sink.write(&buffer.batch));
        if let Some(breaker) = self.sink.breaker() {
            self.shared.metrics.breaker(S::NAME, breaker);
        }
        match written {
            Ok(()) => {
                if let Some(channel) = S::CHANNEL.filter(|_| !S::DELIVERS_LATER) {
                    let waited = |record: &SinkRecord| waited(record, channel);
                    buffer.batch.records.iter().filter_map(waited).for_each(|seconds| {
                        self.shared.metrics.delivered(channel, seconds);
                    });
                }
                let took = buffer.since.map_or(started.elapsed(), |since| since.elapsed());
                for (record, held) in buffer.batch.records.iter().zip(&buffer.held) {
                    if let Some(record) = concern(record, S::CHANNEL) {
                        self.shared.trail.written(S::NAME, &held.raw.view(), record, took);
                    }
                }
                for letter in buffer.batch.records.iter().filter_map(letter) {
                    let kind = (letter.error_class.as_str(), Fingerprint::of_letter(letter));
                    self.shared.metrics.buried(S::NAME, &letter.topic, kind);
                    self.status.buried(Letter::of_record(letter));
                }
                buffer.written();
                self.shared.metrics.committed(S::NAME, count, started.elapsed());
                self.status.working();
                Ok(Written::Done)
            }
            Err(SinkError::Transient { what, source }) => {
                let error = SinkError::Transient { what, source };
                self.status.waiting(&chain(&error));
                self.shared.metrics.recovering(S::NAME);
                self.hold(key)?;
                Ok(Written::Later)
            }
            Err(SinkError::Fenced) => {
                warn!(
                    sink = S::NAME,
                    topic = &*key.0,
                    partition = key.1,
                    "claimed by another instance, giving it up"
                );
                self.buffers.remove(key);
                self.fenced.insert(key.clone(), Instant::now());
                self.consumer.pause(&list(key)).map_err(|error| format!("could not pause: {error}"))?;
                Ok(Written::Done)
            }
            Err(SinkError::Poison { offset, reason, detail }) => {
                let cause = Cause::new(reason, detail);
                let input = buffer.bury(offset, &cause, &self.inputs)?;
                self.shared.metrics.fate(S::NAME, ("reject", reason));
                // Nothing of the batch is written yet, so that stopping here is safe.
                let kind = cause.kind(&self.inputs[input].origin);
                let rejected = Rejected { partition: key.1, offset, kind };
                if !buffer.orders.cover(&rejected) {
                    self.inputs[input].observe(Some(rejected))?;
                }
                Ok(Written::Buried)
            }
            Err(SinkError::Fatal(why)) => Err(why.into()),
        }
    }
}

/// What came of an attempt to write a batch.
enum Written {
    Done,
    /// To be tried again.
    Later,
    /// One record became a dead letter: the rest is to be written now.
    Buried,
}

fn letter(record: &SinkRecord) -> Option<&DigestDlq> {
    if let SinkRecord::DeadLetter(letter) = record { Some(letter) } else { None }
}

/// The record, unless it is a digest for other channels than the sink's.
fn concern<'a>(record: &'a SinkRecord, channel: Option<&str>) -> Option<&'a dyn AnyRecord> {
    let SinkRecord::Decoded { record, .. } = record else { return None };
    let ready = record.as_any().downcast_ref::<DigestReadyForDelivery>();
    let is_other =
        |(channel, ready): (&str, &DigestReadyForDelivery)| !ready.channels.iter().any(|it| it == channel);
    (!channel.zip(ready).is_some_and(is_other)).then_some(record.as_ref())
}

/// Seconds since a digest to deliver to a channel was appended.
#[expect(clippy::disallowed_methods, reason = "a metric tells how long people waited; no record holds it")]
fn waited(record: &SinkRecord, channel: &str) -> Option<f64> {
    let SinkRecord::Decoded { source, record, .. } = record else { return None };
    let ready = record.as_any().downcast_ref::<DigestReadyForDelivery>()?;
    ready.channels.iter().find(|wanted| *wanted == channel)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(now.as_secs_f64() - source.append_time_ms as f64 / 1000.0)
}
