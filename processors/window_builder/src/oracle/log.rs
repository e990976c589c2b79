//! The log of a group and how it is read as of an offset.
//!
//! Invariant: the rule is the store's, but for a message whose time of sending changes: it counts in each window that it
//! had a state in.

use processor::Event;
use schemas::{GroupMessageIngested, Message};
use std::collections::BTreeMap;

/// One message state in the log of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedMessage {
    /// Offset of its record.
    pub offset: i64,
    /// The state.
    pub message: Message,
}

impl LoggedMessage {
    /// The message states of a record.
    pub fn of(event: &Event<GroupMessageIngested>) -> impl Iterator<Item = Self> {
        let offset = event.source.offset;
        event.value.messages.iter().cloned().map(move |message| Self { offset, message })
    }
}

/// An as-of read: the newest state of each id, by (deleted, revision), among those with `start_ms <= sent_at < end_ms`
/// and an offset up to `offset`; reports of one revision add up, deleted messages are left out.
pub fn as_of(log: &[LoggedMessage], start_ms: i64, end_ms: i64, offset: i64) -> Vec<Message> {
    let mut newest: BTreeMap<i64, Message> = BTreeMap::new();
    let inside = |logged: &&LoggedMessage| (start_ms..end_ms).contains(&logged.message.sent_at);
    let rank = |message: &Message| {
        let gone = message.is_deletion();
        (gone, if gone { 0 } else { message.revision })
    };
    for logged in log.iter().filter(|logged| logged.offset <= offset).filter(inside) {
        let mut message = logged.message.clone();
        let known = newest.entry(message.id).or_insert_with(|| message.clone());
        if rank(&message) == rank(known) {
            message.recall(known);
        }
        if rank(&message) >= rank(known) {
            *known = message;
        }
    }
    newest.into_values().filter(|message| !message.is_deletion()).collect()
}
