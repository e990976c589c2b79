//! Counts of a window by name, for people who wonder what a digest saw.
//!
//! Invariant: counts are of the whole window, also of what is left out of the context later.

use schemas::{ContextMessage, Message};
use std::collections::{BTreeMap, BTreeSet};

/// Counts that only the messages as read can tell. When their number is not what the window announced, both are
/// there: `messages` and `messages_expected`.
pub(crate) fn of_source(read: &[Message], expected: i32) -> BTreeMap<String, i64> {
    let count = |holds: fn(&Message) -> bool| read.iter().filter(|message| holds(message)).count() as i64;
    let mut stats = BTreeMap::from([
        ("messages".to_owned(), read.len() as i64),
        ("edited".to_owned(), count(|message| message.revision > 0)),
    ]);
    if read.len() as i64 != i64::from(expected) {
        stats.insert("messages_expected".to_owned(), i64::from(expected));
    }
    stats
}

/// Counts of the messages as prepared.
pub(crate) fn add_of_context(stats: &mut BTreeMap<String, i64>, messages: &[ContextMessage]) {
    let count = |holds: fn(&ContextMessage) -> bool| messages.iter().filter(|m| holds(m)).count() as i64;
    let authors: BTreeSet<&str> = messages.iter().map(|message| message.author_id.as_str()).collect();
    let known_authors = authors.iter().filter(|author| !author.is_empty()).count() as i64;
    let reactions = messages.iter().map(|message| i64::from(message.reactions)).sum();
    let links = messages.iter().map(|message| message.links.len() as i64).sum();
    let named = [
        ("bots", count(|message| message.is_bot)),
        ("duplicates", count(|message| message.duplicate_of.is_some())),
        ("forwarded", count(|message| message.forwarded)),
        ("links", links),
        ("media", count(|message| message.media_kind.is_some())),
        ("participants", known_authors),
        ("questions", count(|message| text::is_question(&message.text))),
        ("reactions", reactions),
        ("replies", count(|message| message.reply_to.is_some())),
    ];
    stats.extend(named.map(|(name, count)| (name.to_owned(), count)));
}
