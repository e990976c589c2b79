//! An input with its place in the log, and the three fates it can have: emit, drop, reject.

use crate::Emission;
use std::sync::Arc;

/// Where a record lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePosition {
    /// Logical topic.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Time in ms at which the broker appended it: for undecodable input, and to tell a clock that ran far ahead.
    pub append_time_ms: i64,
}

/// A decoded input and its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<T> {
    /// The record.
    pub value: T,
    /// Where it was read.
    pub source: SourcePosition,
}

/// Why an input leaves no trace but a count; the reason is a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropReason(pub &'static str);

/// What becomes of an input that could be processed.
#[derive(Debug)]
pub enum Outcome {
    /// Records for the ports, in order. Empty for a Fold that only remembered.
    Emit(Vec<Emission>),
    /// Nothing, on purpose.
    Drop(DropReason),
}

impl Outcome {
    /// An outcome that emits nothing and drops nothing: the input became state.
    pub fn absorbed() -> Self {
        Self::Emit(Vec::new())
    }

    /// Drops the input for `reason`.
    pub fn drop(reason: &'static str) -> Self {
        Self::Drop(DropReason(reason))
    }
}

/// An input that will never be processed by this version: it goes to the dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Why, as a metric label.
    pub reason: &'static str,
    /// What exactly, for the operator; never message text.
    pub detail: String,
}

impl Reject {
    /// A rejection for `reason` with an explanation.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
