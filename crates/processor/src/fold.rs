//! A Fold: keyed state that is a function of the input log, and is restored from it.

use crate::{Event, Outcome, PortSpec, Reject};
use std::fmt;

/// Keyed state with one step per input. There is no tick: time enters only through the log.
pub trait Fold: Send + Sync + 'static {
    /// Binary, crate, metric label and consumer group.
    const NAME: &'static str;
    /// Version of the state's encoding; a snapshot of another version is ignored and the state rebuilt from input.
    const STATE_VERSION: u32;
    /// What it reads.
    type In: schemas::Record;
    /// State of one key (the record's key: tenant and group).
    type State: FoldState;

    /// The ports it may emit to.
    fn ports(&self) -> Vec<PortSpec>;

    /// Folds one input into the state of its key. On `Err` the state is as it was before.
    fn step(&self, state: &mut Self::State, event: &Event<Self::In>) -> Result<Outcome, Reject>;
}

/// State of one key, made of named parts so that a snapshot writes only the parts that changed.
pub trait FoldState: Default + Send {
    /// Hands out the parts changed since the last call: name and encoded value, `None` for one that is gone.
    fn drain_changes(&mut self, write: &mut dyn FnMut(&str, Option<Vec<u8>>));

    /// Puts back one part as `drain_changes` gave it.
    fn restore(&mut self, part: &str, value: &[u8]) -> Result<(), StateError>;
}

/// A part of a snapshot could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError(pub String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not restore state: {}", self.0)
    }
}

impl std::error::Error for StateError {}
