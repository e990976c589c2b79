//! Cuts a stream of items into records.
//!
//! Invariant: where a record ends depends on the items and on where the batch begins, on nothing else.

use crate::{MESSAGES, draft::Item, options::Group};
use processor::Emission;
use schemas::{END_OF_LANE, GroupMessageIngested, Message};

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
pub(crate) struct Origin {
    pub(crate) group: Group,
    pub(crate) lane: String,
    /// The source's identity, from which trace ids follow.
    pub(crate) identity: String,
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
pub(crate) struct Batch {
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
    pub(crate) fn is_full(&self) -> bool {
        self.messages >= BATCH_MESSAGES_MAX
            || self.bytes >= BATCH_BYTES_MAX
            || self.records.len() >= RECORD_MESSAGES_MAX
    }

    /// Takes the item at position `at`; `observed_at` is the source's clock after it.
    pub(crate) fn push(&mut self, origin: &Origin, at: u64, observed_at: i64, item: Item) {
        match item {
            Item::Skipped(_) | Item::Damaged(_) => {}
            Item::CompleteUntil(until) => self.control(origin, &at.to_string(), observed_at, until),
            Item::Topic(id) => {
                if self.topics.len() == RECORD_MESSAGES_MAX {
                    self.close(origin);
                }
                self.begin(at, observed_at);
                self.topics.push(id);
            }
            Item::Message(draft) => {
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
        }
    }

    /// Appends `complete_until`; `at` names it among the records of its source.
    pub(crate) fn control(&mut self, origin: &Origin, at: &str, observed_at: i64, until: i64) {
        self.close(origin);
        let control = origin.record(at, observed_at);
        self.records.push(GroupMessageIngested { complete_until: Some(until), ..control });
    }

    /// Appends the end of the lane.
    pub(crate) fn end(&mut self, origin: &Origin, observed_at: i64) {
        self.control(origin, "end", observed_at, END_OF_LANE);
    }

    /// The records.
    pub(crate) fn finish(mut self, origin: &Origin) -> Vec<GroupMessageIngested> {
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

/// Addresses records to the port.
pub(crate) fn emit(records: impl IntoIterator<Item = GroupMessageIngested>) -> Vec<Emission> {
    records.into_iter().map(|record| MESSAGES.emit(record)).collect()
}
