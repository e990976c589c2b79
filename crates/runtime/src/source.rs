//! A Source: outside → topic. Its position is written in the same transaction as its records.

use processor::{Emission, PortSpec};
use std::{collections::BTreeMap, future::Future, time::Duration};
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

    /// Where the parts of a source stand that gives [`SourceBatch::Parts`], by their names: told before the first batch and
    /// again after a transaction that failed, since when all that was given and not committed is to be given anew. Default:
    /// it has no parts.
    fn resume(&mut self, parts: &BTreeMap<String, Position>) {
        let _ = parts;
    }

    /// This process reads no more: another one may from now on. Default: nothing is open.
    fn leave(&mut self) {}

    /// How the sessions are that it reads by; asked after each batch. Default: it has none.
    fn sessions(&mut self) -> Option<Sessions> {
        None
    }

    /// What the batch that was committed last has passed over, by reason: counted as drops. Default: nothing.
    fn passed_over(&mut self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// How the sessions of a source are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Those that read.
    pub reading: usize,
    /// Those that wait for the outside.
    pub held: usize,
    /// Those that are over for good.
    pub over: usize,
    /// Seconds that they were asked to wait since the last time, by what they had asked for.
    pub flood_seconds: BTreeMap<&'static str, u64>,
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
    /// Records of a source that reads many things, each of which stands somewhere for itself; they are committed together.
    Parts {
        /// Records for the ports, in order. May be empty: then only the positions move.
        emissions: Vec<Emission>,
        /// Where those parts stand after them that have moved. A part's name follows the source's identity and a slash.
        positions: BTreeMap<String, Position>,
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
