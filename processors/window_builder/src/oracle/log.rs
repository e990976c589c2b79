//! The log of a group and how it is read as of an offset.
//!
//! Invariant: the rule is the store's; a window's counts are compared with it.

use processor::Event;
use schemas::GroupMessageIngested;
use std::collections::BTreeMap;

/// One message state in the log of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedMessage {
    /// Offset of its record.
    pub offset: i64,
    /// Message id.
    pub id: i64,
    /// Edit time.
    pub revision: i64,
    /// True for a deletion.
    pub deleted: bool,
    /// Original send time in ms.
    pub sent_at: i64,
    /// Author id.
    pub author: Option<String>,
}

impl LoggedMessage {
    /// The message states of a record.
    pub fn of(event: &Event<GroupMessageIngested>) -> impl Iterator<Item = Self> {
        event.value.messages.iter().map(|message| Self {
            offset: event.source.offset,
            id: message.id,
            revision: message.revision,
            deleted: message.kind == "deleted",
            sent_at: message.sent_at,
            author: message.author.as_ref().map(|author| author.id.clone()),
        })
    }
}

/// An as-of read: the newest state of each id, by (deleted, revision, place in the log), among those with
/// `start_ms <= sent_at < end_ms` and an offset up to `offset`; deleted ones left out.
pub fn as_of(log: &[LoggedMessage], start_ms: i64, end_ms: i64, offset: i64) -> Vec<&LoggedMessage> {
    let mut newest: BTreeMap<i64, &LoggedMessage> = BTreeMap::new();
    let visible = log.iter().filter(|m| m.offset <= offset && (start_ms..end_ms).contains(&m.sent_at));
    for message in visible {
        let known = newest.entry(message.id).or_insert(message);
        if (message.deleted, message.revision) >= (known.deleted, known.revision) {
            *known = message;
        }
    }
    newest.into_values().filter(|message| !message.deleted).collect()
}
