//! Pages of a history, and what one message becomes.

use super::Heap;
use ingest::telegram::{self, Message, Told};
use std::collections::BTreeSet;

/// What a message becomes.
pub(super) enum Piece {
    Message(Box<ingest::Draft>),
    Topic(i64),
}

/// What a message becomes; none for one that is passed over, which is counted.
pub(super) fn draft_of(message: Message, heap: &mut Heap) -> Option<Piece> {
    if heap.own_bot.is_some() && message.from.as_ref().map(|from| from.id) == heap.own_bot {
        heap.skip("own_post");
        return None;
    }
    match telegram::told(message) {
        Told::Message(draft) => return Some(Piece::Message(draft)),
        Told::Topic(id) => return Some(Piece::Topic(id)),
        Told::Command(_) => heap.skip("command"),
        Told::Migrated(_) => heap.skip("service"),
        Told::Skipped(reason) => heap.skip(reason),
    }
    None
}

/// The part of a page that follows a message, oldest first.
pub(super) struct Page {
    pub(super) messages: Vec<Message>,
    pub(super) last: i64,
    pub(super) is_last: bool,
}

impl Page {
    pub(super) fn of(messages: Vec<Message>, last: i64, until: i64) -> Self {
        let newest = messages.iter().map(|message| message.message_id).max().unwrap_or(0);
        let mut seen = BTreeSet::new();
        let mut messages: Vec<Message> = messages
            .into_iter()
            .filter(|message| message.message_id > last && message.message_id <= until)
            .filter(|message| seen.insert(message.message_id))
            .collect();
        messages.sort_by_key(|message| message.message_id);
        let is_last = newest >= until || messages.is_empty();
        let last = messages.last().map_or(last, |message| message.message_id);
        Self { messages, last, is_last }
    }
}
