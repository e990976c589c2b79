//! What the questions and answers of this crate speak of.

use serde::Serialize;
use std::fmt;

/// A partition of a physical topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TopicPartition {
    /// Physical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its records become visible, its offsets valid.
    Commit,
    /// Readers of committed records never see it.
    Abort,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
        })
    }
}

/// A transaction that is open in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Where.
    #[serde(flatten)]
    pub at: TopicPartition,
    /// Who writes it.
    pub producer_id: i64,
    /// Epoch of the producer's last record here.
    pub producer_epoch: i16,
    /// Epoch of the coordinator that wrote the producer's last marker here; -1 when there is none.
    pub coordinator_epoch: i32,
    /// Offset of its first record here.
    pub start_offset: i64,
    /// When the producer's last record here was appended, in ms.
    pub last_ms: i64,
}

/// A producer that a partition remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) at: TopicPartition,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    pub(crate) coordinator_epoch: i32,
    pub(crate) last_ms: i64,
    /// First offset of its open transaction.
    pub(crate) open_from: Option<i64>,
}

impl Producer {
    /// Its open transaction.
    pub(crate) fn open(&self) -> Option<Open> {
        Some(Open {
            at: self.at.clone(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            coordinator_epoch: self.coordinator_epoch,
            start_offset: self.open_from?,
            last_ms: self.last_ms,
        })
    }
}
