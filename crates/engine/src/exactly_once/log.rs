//! The log as the engine needs it: what a broker does for an exactly-once loop, and how it can fail.
//!
//! Invariant: everything the engine knows of Kafka is in this file, so that the simulator can stand in for it.

use super::guard::Rejected;
use crate::mutation::{self, Mutation};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc, time::Duration};

/// Most bytes for the two lengths of a header.
const HEADER_BYTES: usize = 10;

/// A record as it lies in the client's memory.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    /// Partition of the input.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Broker's append time in ms.
    pub timestamp_ms: i64,
    /// Key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Value; none for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers.
    pub headers: &'a dyn Headers,
}

/// Headers, all read only when a record is dead-lettered.
pub trait Headers {
    /// Names and values, in their order.
    fn to_vec(&self) -> Vec<(String, Option<Vec<u8>>)>;
    /// The last one: name and value.
    fn last(&self) -> Option<(&[u8], Option<&[u8]>)>;
}

impl std::fmt::Debug for dyn Headers + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Headers")
    }
}

impl Headers for Vec<(String, Option<Vec<u8>>)> {
    fn to_vec(&self) -> Vec<(String, Option<Vec<u8>>)> {
        self.clone()
    }

    fn last(&self) -> Option<(&[u8], Option<&[u8]>)> {
        self.as_slice().last().map(|(name, value)| (name.as_bytes(), value.as_deref()))
    }
}

/// A record that outlives the poll it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Partition of the input.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Broker's append time in ms.
    pub timestamp_ms: i64,
    /// Key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Value; none for a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers, in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl RecordView<'_> {
    /// A copy of it.
    pub fn detach(self) -> OwnedRecord {
        OwnedRecord {
            partition: self.partition,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.map(<[u8]>::to_vec),
            value: self.value.map(<[u8]>::to_vec),
            headers: self.headers.to_vec(),
        }
    }
}

impl OwnedRecord {
    /// It as it lies here.
    pub fn view(&self) -> RecordView<'_> {
        RecordView {
            partition: self.partition,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &self.headers,
        }
    }
}

/// A record to be produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutRecord {
    /// Physical topic.
    pub topic: Arc<str>,
    /// `None`: the partitioner decides by key.
    pub partition: Option<i32>,
    /// Key.
    pub key: Vec<u8>,
    /// `None`: a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers, in their order.
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

impl OutRecord {
    /// Bytes that it brings to the broker, but for the frame: what the limits of client and topic are about.
    pub fn bytes(&self) -> usize {
        let header = |(name, value): &(&'static str, Vec<u8>)| name.len() + value.len() + HEADER_BYTES;
        let headers: usize = self.headers.iter().map(header).sum();
        self.key.len() + self.value.as_ref().map_or(0, Vec::len) + headers
    }
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled {
    /// Records, which the visitor has seen.
    Read,
    /// Partitions offered; nothing is read from them until [`Log::assign`].
    Assigned(Vec<i32>),
    /// Partitions asked back; they are ours until [`Log::unassign`].
    Revoked(Vec<i32>),
    /// Partitions that somebody else may already have.
    Lost(Vec<i32>),
    /// Nothing within the wait.
    Idle,
    /// The group has given this member's name away: nothing more comes until [`Log::rejoin`].
    Expelled(String),
    /// The log cannot be read on: the message says what to do.
    Broken(String),
}

/// How a transactional call failed, as what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TxnError {
    /// Abort the transaction and read again from the committed offsets.
    #[error("transaction must be aborted: {0}")]
    Abort(String),
    /// The outcome is unknown or the producer is broken: a new producer, then as above.
    #[error("producer must be rebuilt: {0}")]
    Rebuild(String),
    /// Another producer with our transactional id has begun.
    #[error("producer was fenced: {0}")]
    Fenced(String),
    /// Nothing helps.
    #[error("{0}")]
    Fatal(String),
}

/// Which topic a restore reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// The snapshots of a Fold.
    Snapshots,
    /// What it reads.
    Input,
}

/// Takes the records of a restore; an error ends it.
pub type RestoreHandler<'a> = &'a mut dyn FnMut(&RecordView<'_>) -> Result<(), String>;

/// Reads committed records outside the subscription, to restore state.
pub trait Reader {
    /// Hands every committed record of a partition from `from` (`None`: the beginning) up to but not including
    /// `until` (`None`: all that is on the log now, which fails while a transaction is open on it: see [`settled`]).
    fn read(
        &mut self,
        what: Restored,
        partition: i32,
        range: (Option<i64>, Option<i64>),
        visit: RestoreHandler<'_>,
    ) -> Result<(), String>;
}

/// Fails while what is committed of a log ends at `end`, before the offset `until` that was read up to before.
///
/// # Errors
/// The log has lost records, or its leader does not tell yet of those that it has: never the end.
pub fn reaches(place: &str, end: i64, until: Option<i64>) -> Result<(), String> {
    match until {
        Some(until) if end < until && !mutation::is(Mutation::EarlyEnd) => Err(format!(
            "{place} ends at offset {end}, and was read up to {until} before: its leader has lost records or is behind; \
             if they do not come back, `gistmill reset` makes a new start"
        )),
        _ => Ok(()),
    }
}

/// Fails while a transaction is open on a log that ends at `high` and is stable up to `stable`.
///
/// # Errors
/// Whoever stops there and writes on would come between two parts of what that transaction, once it is seen, has written.
pub fn settled(place: &str, stable: i64, high: i64) -> Result<(), String> {
    if stable >= high || mutation::is(Mutation::UnsettledSnapshot) {
        return Ok(());
    }
    Err(format!(
        "a transaction is open on {place} at offset {stable} of {high}: waiting for its end; `gistmill txn ls` shows one \
         that hangs"
    ))
}

/// Takes the records of a poll; whether it takes another, if there is one at hand.
pub type Take<'a> = &'a mut dyn FnMut(&RecordView<'_>) -> ControlFlow<()>;

/// A broker, for one consumer and one transactional producer.
pub trait Log: Reader {
    /// Waits for a record, which `take` sees while it lies in the client's memory, or for news of partitions. After the
    /// first record it hands over what has been fetched already, for as long as `take` goes on, and waits for nothing.
    fn poll(&mut self, wait: Duration, take: Take<'_>) -> Polled;
    /// Reads the given partitions on from the given offsets, besides those assigned before.
    fn assign(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), String>;
    /// Gives partitions up.
    fn unassign(&mut self, partitions: &[i32]) -> Result<(), String>;
    /// Reads partitions on from the given offsets.
    fn seek(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), String>;
    /// Reads nothing of partitions for now.
    fn pause(&mut self, partitions: &[i32]) -> Result<(), String>;
    /// Reads paused partitions on.
    fn resume(&mut self, partitions: &[i32]) -> Result<(), String>;
    /// Joins the group anew; nothing is assigned until the group says so.
    fn rejoin(&mut self) -> Result<(), String>;
    /// Committed offsets once no transaction is pending on them; `None` for a partition without one.
    fn committed(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, Option<i64>>, String>;
    /// Whether an operator has ordered, beside the offset read last, that this input may pass the guard.
    fn lets_through(&self, _rejected: &Rejected) -> bool {
        false
    }

    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), TxnError>;
    /// Produces within the transaction; delivery is asked for by [`Log::commit`].
    fn produce(&mut self, record: OutRecord) -> Result<(), TxnError>;
    /// Adds the offsets to the transaction and commits it.
    fn commit(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), TxnError>;
    /// Aborts the transaction.
    fn abort(&mut self) -> Result<(), TxnError>;
    /// Destroys the producer and begins a new one under the same id, which fences and aborts what was open.
    fn rebuild(&mut self) -> Result<(), TxnError>;
}
