//! A Source: outside → topic. Its position is written in the same transaction as its records.

use processor::{Emission, PortSpec};
use std::{future::Future, time::Duration};
use topology::Prefix;

/// Where a source stands, in its own terms (JSON); a function of what it has read, never of a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(pub String);

/// The group of processes that read the same thing, of which one does.
pub fn group(prefix: &Prefix, name: &str, identity: &str) -> String {
    prefix.group(&format!("{name}-{identity}"))
}

/// Something outside that can be re-read from a position.
pub trait Source: Send + 'static {
    /// Binary, crate and metric label.
    const NAME: &'static str;

    /// The ports it may emit to.
    fn ports(&self) -> Vec<PortSpec>;

    /// What is read, as a stable name: key of its position record, and part of its group and its transactional id. Of
    /// all processes that read the same thing one does, and the others stand by.
    fn identity(&self) -> String;

    /// What follows `position` (`None`: from the start). Called again with the position of the last committed
    /// batch, which after a failure may be an earlier one.
    fn next(
        &mut self,
        position: Option<&Position>,
    ) -> impl Future<Output = Result<SourceBatch, SourceError>> + Send;

    /// What the batch that was committed last has passed over, by reason: counted as drops. Default: nothing.
    fn passed_over(&mut self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// What a source has to give.
#[derive(Debug)]
pub enum SourceBatch {
    /// Records and the position after them; they are committed together.
    Records {
        /// Records for the ports, in order. May be empty: then only the position moves.
        emissions: Vec<Emission>,
        /// Position after them.
        position: Position,
    },
    /// Nothing now; ask again after this long.
    Idle(Duration),
    /// Nothing ever again.
    End,
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The outside is away; the runtime asks again with back-off.
    #[error("could not read the source")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It will not get better: the message says what to do.
    #[error("{0}")]
    Fatal(String),
}
