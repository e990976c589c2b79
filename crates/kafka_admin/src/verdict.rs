//! What a hanging transaction was decided to, as a value and in words: a proof, or the doubt that forbids one.

use crate::{Outcome, TopicPartition};
use serde::Serialize;
use std::fmt;

/// Why the outcome is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "proof")]
pub enum Proof {
    /// Another partition of the transaction has its marker.
    Marker {
        /// What it says.
        outcome: Outcome,
        /// Where it lies.
        at: TopicPartition,
        /// At which offset.
        offset: i64,
        /// What the coordinator's log says, where that differs.
        log: Option<Outcome>,
    },
    /// The coordinator's log holds the decision.
    Log {
        /// What it says.
        outcome: Outcome,
        /// Who asked for it.
        transactional_id: String,
        /// Partition of `__transaction_state`.
        partition: i32,
        /// Offset in it.
        offset: i64,
    },
    /// The coordinator's log is whole and holds no decision: it was never committed.
    NeverDecided,
}

/// Why it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "doubt")]
pub enum Doubt {
    /// Some partitions have one marker, some the other.
    Torn {
        /// A partition that has COMMIT.
        commit: TopicPartition,
        /// A partition that has ABORT.
        abort: TopicPartition,
    },
    /// More than one decision of the producer may be meant, and they differ.
    Mixed,
    /// A COMMIT is stamped before its first record and has no marker here: a clock was set back or is off, or the record
    /// came too late and belongs to no transaction.
    Clocks,
    /// The coordinator's log has been compacted since.
    Forgotten,
}

/// A proof, or the doubt that forbids one.
pub type Verdict = Result<Proof, Doubt>;

impl Proof {
    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Marker { outcome, .. } | Self::Log { outcome, .. } => *outcome,
            Self::NeverDecided => Outcome::Abort,
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marker { outcome, at, offset, log } => {
                write!(f, "{at} has its {outcome} at offset {offset}")?;
                log.map_or(Ok(()), |log| write!(f, ", although the coordinator decided {log}"))
            }
            Self::Log { outcome, transactional_id, partition, offset } => write!(
                f,
                "the coordinator decided {outcome} for {transactional_id}: __transaction_state/{partition}, offset {offset}"
            ),
            Self::NeverDecided => f.write_str("no coordinator ever decided to commit it: its log is whole"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Torn { commit, abort } => {
                write!(f, "{commit} has its COMMIT, {abort} its ABORT: the transaction is torn already")
            }
            Self::Mixed => f.write_str("it may be the rest of several transactions that were decided differently"),
            Self::Clocks => f.write_str(
                "the coordinator decided COMMIT before its first record was appended, by the clocks: one was set back or \
                 is off, or the record came too late and belongs to no transaction",
            ),
            Self::Forgotten => f.write_str("the coordinator's log has been compacted since, and no partition has its marker"),
        }
    }
}
