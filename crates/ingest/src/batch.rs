//! Cuts a stream of messages into records.
//!
//! Invariant: where a record ends depends on the messages and on where the batch begins, on nothing else.

use crate::{draft::Draft, group::Group};
use schemas::{Command, END_OF_LANE, GroupMessageIngested, Message};

/// Messages of a record: enough to make its frame cheap, few enough for a reader to hold many.
const RECORD_MESSAGES_MAX: usize = 50;
/// Weight of a record in bytes, but for one that is a single large message.
const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Messages of a batch, which is one transaction.
const BATCH_MESSAGES_MAX: usize = 1000;
/// Weight of a batch in bytes.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What the records of a source have in common.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Whose messages they are.
    pub group: Group,
    /// The lane that they go into.
    pub lane: String,
    /// The source's identity, from which trace ids follow.
    pub identity: String,
}

impl Origin {
    fn record(&self, at: &str, observed_at: i64) -> GroupMessageIngested {
        GroupMessageIngested {
            tenant_id: self.group.tenant_id().to_owned(),
            group_id: self.group.group_id().to_owned(),
            lane: self.lane.clone(),
            observed_at,
            ingest_trace_id: GroupMessageIngested::trace(&self.identity, at),
            ..GroupMessageIngested::default()
        }
    }
}

/// Records that are committed together.
#[derive(Debug, Default)]
pub struct Batch {
    records: Vec<GroupMessageIngested>,
    /// Messages of the record that is still open.
    open: Vec<Message>,
    /// Topics of it.
    topics: Vec<i64>,
    /// Position of the first of these.
    open_at: u64,
    open_bytes: usize,
    observed_at: i64,
    messages: usize,
    bytes: usize,
}

impl Batch {
    /// True when another message should go into another transaction.
    pub fn is_full(&self) -> bool {
        self.messages >= BATCH_MESSAGES_MAX
            || self.bytes >= BATCH_BYTES_MAX
            || self.records.len() >= RECORD_MESSAGES_MAX
    }

    /// Takes a message at position `at` of its source, whose clock is `observed_at` after it.
    pub fn message(&mut self, origin: &Origin, (at, observed_at): (u64, i64), draft: Draft) {
        let bytes = draft.bytes();
        if self.open.len() == RECORD_MESSAGES_MAX || self.open_bytes + bytes > RECORD_BYTES_MAX {
            self.close(origin);
        }
        self.begin(at, observed_at);
        self.open.push(draft.finish());
        self.open_bytes += bytes;
        self.messages += 1;
        self.bytes += bytes;
    }

    /// Takes the creation of a topic, placed as [`Batch::message`] is.
    pub fn topic(&mut self, origin: &Origin, (at, observed_at): (u64, i64), id: i64) {
        if self.topics.len() == RECORD_MESSAGES_MAX {
            self.close(origin);
        }
        self.begin(at, observed_at);
        self.topics.push(id);
    }

    /// Appends `complete_until`; `at` names it among the records of its source.
    pub fn control(&mut self, origin: &Origin, at: &str, observed_at: i64, until: i64) {
        self.close(origin);
        let control = origin.record(at, observed_at);
        self.records.push(GroupMessageIngested { complete_until: Some(until), ..control });
    }

    /// Appends a command at position `at`: a record of its own, so that it has a place in the log after what came before it.
    pub fn command(&mut self, origin: &Origin, (at, observed_at): (u64, i64), command: Command) {
        self.close(origin);
        let record = origin.record(&format!("command:{at}"), observed_at);
        self.records.push(GroupMessageIngested { command: Some(command), ..record });
    }

    /// Appends the end of the lane.
    pub fn end(&mut self, origin: &Origin, observed_at: i64) {
        self.control(origin, "end", observed_at, END_OF_LANE);
    }

    /// The records.
    pub fn finish(mut self, origin: &Origin) -> Vec<GroupMessageIngested> {
        self.close(origin);
        self.records
    }

    /// Something of the open record is at position `at`.
    fn begin(&mut self, at: u64, observed_at: i64) {
        if self.is_empty() {
            self.open_at = at;
        }
        self.observed_at = observed_at;
    }

    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.topics.is_empty()
    }

    fn close(&mut self, origin: &Origin) {
        if self.is_empty() {
            return;
        }
        let record = origin.record(&self.open_at.to_string(), self.observed_at);
        let (messages, topics) = (std::mem::take(&mut self.open), std::mem::take(&mut self.topics));
        self.records.push(GroupMessageIngested { messages, topics, ..record });
        self.open_bytes = 0;
    }
}
