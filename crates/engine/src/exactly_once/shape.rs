//! What the engine asks of a processor of any shape, type erased.

use super::log::{OutRecord, Reader, RecordView};
use crate::{dead_letter::FailureKind, wire_check::is_the_producers};

/// What becomes of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// These records, in order; none for a Fold that only remembered.
    Emit(Vec<OutRecord>),
    /// Nothing, for this reason.
    Drop(&'static str),
    /// Nothing: the input fails the wire check for this reason, and the topic's owner dead-letters it.
    LeftToOwner(FailureKind),
    /// This dead letter.
    DeadLetter(Box<OutRecord>, FailureKind),
}

impl Fate {
    /// The kind of failure, where the guard counts it as one.
    pub fn rejection(&self) -> Option<FailureKind> {
        match self {
            Self::LeftToOwner(kind) | Self::DeadLetter(_, kind) => {
                (!is_the_producers(kind.reason)).then_some(*kind)
            }
            Self::Emit(_) | Self::Drop(_) => None,
        }
    }

    /// Bytes of the records that it makes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Emit(records) => records.iter().map(OutRecord::bytes).sum(),
            Self::DeadLetter(record, _) => record.bytes(),
            Self::Drop(_) | Self::LeftToOwner(_) => 0,
        }
    }

    /// Name for metrics: fate and reason.
    pub fn label(&self) -> (&'static str, &'static str) {
        match self {
            Self::Emit(_) => ("emit", ""),
            Self::Drop(reason) => ("drop", reason),
            Self::LeftToOwner(_) => ("drop", "rejected_by_owner"),
            Self::DeadLetter(_, kind) => ("reject", kind.reason),
        }
    }
}

/// Answer of a shape to a record.
#[derive(Debug)]
pub enum Accepted {
    /// Decided at once.
    Done(Fate),
    /// Decided later; see [`Shape::completed`].
    Pending,
    /// Something outside is away: the record is to be offered again.
    Stalled(String),
}

/// Whether a restore had to read input besides the snapshot, so that a new one is worth writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed(pub bool);

/// A processor of any shape.
pub trait Shape {
    /// True when it holds state that must be restored and snapshotted.
    fn is_stateful(&self) -> bool {
        false
    }

    /// Offers a record.
    fn accept(&mut self, record: &RecordView<'_>) -> Accepted;

    /// A record decided since it was accepted as pending: partition, offset, fate.
    fn completed(&mut self) -> Option<(i32, i64, Fate)> {
        None
    }

    /// Records accepted as pending and not yet completed.
    fn in_flight(&self) -> usize {
        0
    }

    /// What a record accepted as pending waits for, where that is known.
    fn waits_for(&self, _partition: i32, _offset: i64) -> Option<String> {
        None
    }

    /// Whether what that waits for has failed, and is tried again: nobody has to wait to hear of it.
    fn is_failing(&self, _partition: i32, _offset: i64) -> bool {
        false
    }

    /// Forgets state and pending work of partitions that are given up or read again.
    fn forget(&mut self, _partitions: &[i32]) {}

    /// Rebuilds the state of a partition as of the committed offset.
    fn restore(
        &mut self,
        _partition: i32,
        _committed: i64,
        _reader: &mut dyn Reader,
    ) -> Result<Replayed, String> {
        Ok(Replayed(false))
    }

    /// Appends the state changed since the last snapshot, and last the marker that names `next_offset`.
    fn snapshot(&mut self, _partition: i32, _next_offset: i64, _out: &mut Vec<OutRecord>) {}

    /// Takes the marker on the log back: until the next one the snapshot there is no state of any offset, and a restore
    /// reads the input instead. `None` for a shape without state.
    fn void_snapshot(&self, _partition: i32) -> Option<OutRecord> {
        None
    }
}
