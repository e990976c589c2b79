//! The rows that an engine writes, read as they are committed.

use crate::{clients, error::Error, oracle::Row, running::Running, testbed::Loaded};
use rdkafka::consumer::BaseConsumer;
use schemas::{Decoder, GroupWindowReady, Record, SchemaSource, SchemaSourceError};
use serde::Deserialize;
use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

/// The shipped unit of the common job.
pub(crate) const OURS: &str = "window_builder";
/// The topic of its rows.
pub(crate) const READY: &str = "group.window.ready.v1";
/// Longest wait for an engine that still writes, or reads on.
const PATIENCE: Duration = Duration::from_mins(10);
/// An engine that has read everything and writes nothing for so long has written what it has.
const SILENCE: Duration = Duration::from_secs(5);
/// Rows that are too many come within this.
const AFTERMATH: Duration = Duration::from_secs(1);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The schema that values of the benchmark are written with, whatever id the registry gave it.
#[derive(Debug)]
pub(crate) struct Shipped<R>(PhantomData<fn() -> R>);

impl<R: Record> Shipped<R> {
    /// A decoder of values with that schema.
    pub(crate) fn decoder() -> Decoder<R> {
        Decoder::new(Arc::new(Self(PhantomData)))
    }
}

impl<R: Record> SchemaSource for Shipped<R> {
    fn schema_by_id(&self, _: u32) -> Result<Arc<str>, SchemaSourceError> {
        Ok(R::AVSC.into())
    }
}

impl From<&GroupWindowReady> for Row {
    fn from(ready: &GroupWindowReady) -> Self {
        Self {
            key: ready.key(),
            start_ms: ready.window_start,
            end_ms: ready.window_end,
            revision: ready.revision,
            messages: ready.message_count,
            participants: ready.participant_count,
            as_of: Some((ready.source_partition, ready.source_offset)),
        }
    }
}

/// A row as a peer writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeerRow {
    key: String,
    window_start: i64,
    window_end: i64,
    message_count: i32,
    participant_count: i32,
}

impl From<PeerRow> for Row {
    fn from(row: PeerRow) -> Self {
        Self {
            key: row.key,
            start_ms: row.window_start,
            end_ms: row.window_end,
            revision: 1,
            messages: row.message_count,
            participants: row.participant_count,
            as_of: None,
        }
    }
}

/// How an engine writes its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `group.window.ready` in Avro.
    Avro,
    /// JSON.
    Json,
}

/// When an engine was done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    /// From its start to the last row.
    pub(crate) wall: Duration,
    /// From the first row to the last.
    pub(crate) between: Duration,
}

/// Reads an engine's output topic from the start on.
pub(crate) struct Watcher<'a> {
    output: BaseConsumer,
    group: BaseConsumer,
    loaded: &'a Loaded,
    values: Vec<Vec<u8>>,
}

impl<'a> Watcher<'a> {
    /// Watches a topic, and how far a consumer group has come in the job's.
    pub(crate) fn new(brokers: &str, topic: &str, group: &str, loaded: &'a Loaded) -> Result<Self, Error> {
        let output = clients::consumer(brokers, "bench")?;
        clients::assign(&output, topic)?;
        Ok(Self { output, group: clients::consumer(brokers, group)?, loaded, values: Vec::new() })
    }

    /// Waits until the engine has written so many rows and committed that it has read everything, which makes its state
    /// durable; or until it has read everything and writes no more.
    pub(crate) fn until_done(&mut self, engine: &mut Running, rows: usize) -> Result<Done, Error> {
        let (mut last_row, mut looked) = (Instant::now(), Instant::now());
        let mut first_row = None;
        while engine.started.elapsed() < PATIENCE {
            let values = &mut self.values;
            if clients::poll(&self.output, &mut |value| values.push(value.to_vec()))? {
                last_row = Instant::now();
                first_row.get_or_insert(last_row);
                continue;
            }
            engine.check()?;
            // Asking takes time of the broker: not before it is likely to be so.
            let is_likely = self.values.len() >= rows || last_row.elapsed() >= SILENCE;
            if is_likely && looked.elapsed() >= LOOK_INTERVAL {
                looked = Instant::now();
                if self.has_read_all() {
                    let between = first_row.map_or(Duration::ZERO, |first_row| last_row - first_row);
                    return Ok(Done { wall: last_row - engine.started, between });
                }
            }
        }
        Err(engine.slow(PATIENCE))
    }

    fn has_read_all(&self) -> bool {
        clients::committed(&self.group, &self.loaded.topic).is_some_and(|found| found == self.loaded.ends)
    }

    /// All that was written, what comes late and should not too.
    pub(crate) fn values(mut self) -> Result<Vec<Vec<u8>>, Error> {
        let until = Instant::now() + AFTERMATH;
        while Instant::now() < until {
            clients::poll(&self.output, &mut |value| self.values.push(value.to_vec()))?;
        }
        Ok(self.values)
    }

    /// The rows among them, sorted.
    pub(crate) fn rows(self, form: Form) -> Result<Vec<Row>, Error> {
        let values = self.values()?;
        let mut decoder = Shipped::<GroupWindowReady>::decoder();
        let mut row = |value: &Vec<u8>| match form {
            Form::Avro => Ok(Row::from(&decoder.decode(Some(value))?)),
            Form::Json => parsed(value),
        };
        let mut rows = values.iter().map(&mut row).collect::<Result<Vec<_>, Error>>()?;
        rows.sort_unstable();
        Ok(rows)
    }
}

fn parsed(value: &[u8]) -> Result<Row, Error> {
    let row: Result<PeerRow, _> = serde_json::from_slice(value);
    row.map(Row::from).map_err(|source| Error::Json { what: "a row of a peer".to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_row_is_read_and_another_form_is_none() {
        let json = br#"{"key":"bench/chat1","window_start":0,"window_end":3600000,"message_count":2,"participant_count":1}"#;
        let row = parsed(json).expect("a row");
        assert_eq!((row.key.as_str(), row.messages, row.revision, row.as_of), ("bench/chat1", 2, 1, None));
        assert!(parsed(b"{}").is_err());
    }
}
