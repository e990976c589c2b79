//! A Sink: topic → outside, with its offset kept where its rows are.

use processor::{AnyRecord, SourcePosition};
use schemas::{DecodeError, Decoder, DigestDlq, Record, SchemaSource};
use state::{BatchBounds, ClaimedPartition, SinkPartition};
use std::{fmt, future::Future, sync::Arc};

/// A partition as the broker names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    /// Physical topic (with prefix).
    pub topic: Arc<str>,
    /// Logical topic.
    pub logical: Arc<str>,
    /// Partition.
    pub partition: i32,
}

impl PartitionId {
    /// The partition as state knows it, for the sink called `sink`.
    pub fn of_sink(&self, sink: &str) -> SinkPartition {
        SinkPartition {
            consumer_group: sink.to_owned(),
            topic: self.logical.to_string(),
            physical_topic: self.topic.to_string(),
            partition: self.partition,
        }
    }
}

/// Reads the records of one input, type erased: see [`Decoder::read`].
pub type AnyDecoder = Box<dyn FnMut(Option<&[u8]>, i64) -> Result<Box<dyn AnyRecord>, DecodeError> + Send>;

/// An input of a sink: its name in the map and the type it carries.
#[derive(Clone, Copy)]
pub struct InputSpec {
    /// Name in the map.
    pub name: &'static str,
    /// Versioned type name.
    pub record_type: &'static str,
    /// Makes a decoder.
    pub decoder: fn(Arc<dyn SchemaSource>) -> AnyDecoder,
}

impl fmt::Debug for InputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputSpec")
            .field("name", &self.name)
            .field("record_type", &self.record_type)
            .finish_non_exhaustive()
    }
}

impl InputSpec {
    /// The input called `name`, of type `R`.
    pub const fn of<R: Record>(name: &'static str) -> Self {
        Self { name, record_type: R::TYPE, decoder: decoder::<R> }
    }
}

fn decoder<R: Record>(source: Arc<dyn SchemaSource>) -> AnyDecoder {
    let mut decoder = Decoder::<R>::new(source);
    Box::new(move |value, appended_at_ms| {
        decoder.read(value, appended_at_ms).map(|record| Box::new(record) as Box<dyn AnyRecord>)
    })
}

/// A sink's right to write a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Raised by every claim; a write under an older one touches nothing.
    pub epoch: i64,
    /// Where to read from: one past the last offset written.
    pub next_offset: i64,
}

impl From<ClaimedPartition> for Claim {
    fn from(claimed: ClaimedPartition) -> Self {
        Self { epoch: claimed.epoch, next_offset: claimed.next_offset }
    }
}

/// One record of a batch.
#[derive(Debug)]
pub enum SinkRecord {
    /// A decoded record.
    Decoded {
        /// Name of the input.
        input: &'static str,
        /// Where it was read.
        source: SourcePosition,
        /// The record; downcast by `input`.
        record: Box<dyn AnyRecord>,
    },
    /// Input that this sink has to dead-letter: goes to the outbox in the same transaction.
    DeadLetter(Box<DigestDlq>),
}

/// Records of one partition, in order, to be written in one transaction with their offset.
#[derive(Debug)]
pub struct SinkBatch {
    /// Partition they come from.
    pub partition: PartitionId,
    /// The right to write it; `next_offset` is where the batch begins.
    pub claim: Claim,
    /// Records, in order. May be empty when only dropped input or markers were passed.
    pub records: Vec<SinkRecord>,
    /// One past the last offset of the batch.
    pub next_offset: i64,
}

impl SinkBatch {
    /// The bounds of the batch as state knows them, for the sink called `sink`.
    pub fn bounds(&self, sink: &str) -> BatchBounds {
        BatchBounds {
            partition: self.partition.of_sink(sink),
            claim: ClaimedPartition { epoch: self.claim.epoch, next_offset: self.claim.next_offset },
            end_offset: self.next_offset,
        }
    }
}

/// Why a sink could not write.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The outside is away or busy; the batch is tried again with back-off while polling goes on.
    #[error("could not write {what}")]
    Transient {
        /// What was attempted.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another holder has claimed the partition: drop it.
    #[error("partition was claimed by another instance")]
    Fenced,
    /// One record can never be written: it becomes a dead letter and the rest is tried again.
    #[error("record at offset {offset} was refused: {detail}")]
    Poison {
        /// Offset of the record.
        offset: i64,
        /// Why, as a metric label.
        reason: &'static str,
        /// What exactly.
        detail: String,
    },
    /// It will not get better: the message says what to do.
    #[error("{0}")]
    Fatal(String),
}

impl SinkError {
    /// The fate of a batch after `error` in writing `what`: what may get better by itself never ends the process.
    pub fn of_state(what: &'static str, error: state::Error) -> Self {
        match error {
            state::Error::Fenced => Self::Fenced,
            error if error.is_transient() => Self::Transient { what, source: Box::new(error) },
            error => Self::Fatal(format!("could not write {what}: {}", error.describe())),
        }
    }
}

/// Writes records outside, idempotently or in a transaction with their offset. A sink never produces to Kafka:
/// what it has to say goes to the outbox in the same transaction.
pub trait Sink: Send + Sync + 'static {
    /// Binary, crate, metric label and consumer group.
    const NAME: &'static str;
    /// The channel it delivers to, for the delivery metrics; none for one that only keeps.
    const CHANNEL: Option<&'static str> = None;

    /// Whether it only plans deliveries, which end later: it tells of them by [`Sink::delivered`].
    const DELIVERS_LATER: bool = false;

    /// The inputs it reads.
    fn inputs(&self) -> Vec<InputSpec>;

    /// Takes a partition over on assignment: raises its epoch and tells where to start.
    fn claim(&self, partition: &PartitionId) -> impl Future<Output = Result<Claim, SinkError>> + Send;

    /// The peer that it leaves alone for a while where that fails again and again, and whether it does now; none for a sink
    /// that leaves nobody alone. Asked after each batch.
    fn breaker(&self) -> Option<(&'static str, bool)> {
        None
    }

    /// Seconds that digests have waited since their records were appended, of deliveries that have ended since this was last
    /// asked. Asked again and again of a sink that [`Sink::DELIVERS_LATER`].
    fn delivered(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Writes a batch and its offset, or nothing.
    fn write(&self, batch: &SinkBatch) -> impl Future<Output = Result<(), SinkError>> + Send;
}
