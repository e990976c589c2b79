//! What is known of the messages of a window.
//!
//! Invariant: a part that is known once stays known for that revision; whom a message answers and its topic, for all.

use schemas::{Home, Known, Message};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// What is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content {
    /// Message id.
    pub id: i64,
    /// Edit time.
    pub revision: i64,
    /// Which parts are known, as [`Known::bits`].
    pub known: u8,
    /// The author is known.
    pub is_signed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    deleted: bool,
    revision: i64,
    known: Known,
    is_signed: bool,
    answers: i64,
}

/// The messages of a window, by id.
#[derive(Debug, Default)]
pub(super) struct Contents(BTreeMap<i64, Seen>);

impl Contents {
    /// Those that are not deleted.
    pub(super) fn current(&self) -> Vec<Content> {
        let current = self.0.iter().filter(|(_, seen)| !seen.deleted);
        let content = |(id, seen): (&i64, &Seen)| Content {
            id: *id,
            revision: seen.revision,
            known: seen.known.bits(),
            is_signed: seen.is_signed,
        };
        current.map(content).collect()
    }

    /// Takes a message state in; true when it told something new.
    pub(super) fn enter(&mut self, message: &Message, home: Home, topics: &BTreeSet<i64>) -> bool {
        let deleted = message.is_deletion();
        let new = Seen {
            deleted,
            revision: if deleted { 0 } else { message.revision },
            known: message.known().settled(home),
            is_signed: !deleted && message.author.is_some(),
            answers: message.reply_to.unwrap_or_default(),
        };
        let Some(&old) = self.0.get(&message.id) else {
            self.0.insert(message.id, new);
            return true;
        };
        let rank = |seen: &Seen| (seen.deleted, seen.revision);
        let mut seen = match rank(&new).cmp(&rank(&old)) {
            Ordering::Greater => new,
            Ordering::Less => old,
            Ordering::Equal => {
                Seen { known: old.known | new.known, is_signed: old.is_signed || new.is_signed, ..new }
            }
        };
        // Where a message belongs is the same in all its states.
        let (later, earlier) = if new.revision >= old.revision { (new, old) } else { (old, new) };
        let replies = [later, earlier].into_iter().filter(|seen| seen.known.has(Known::REPLY));
        seen.answers = replies.map(|seen| seen.answers).next().unwrap_or_default();
        seen.known = seen.known.without(Known::PLACE) | ((old.known | new.known) & Known::REPLY);
        if old.known.has(Known::TOPIC) {
            seen.known |= Known::TOPIC;
        } else if new.known.has(Known::TOPIC) {
            seen = placed(seen, topics);
        }
        self.0.insert(message.id, seen);
        !old.deleted && Seen { answers: old.answers, ..seen } != old
    }

    /// Places the messages that answer one of `placed`; their ids.
    pub(super) fn place_answers(&mut self, found: &BTreeSet<i64>, topics: &BTreeSet<i64>) -> Vec<i64> {
        let mut ids = Vec::new();
        for (id, seen) in &mut self.0 {
            if is_open(*seen) && found.contains(&seen.answers) {
                *seen = placed(*seen, topics);
                ids.push(*id);
            }
        }
        ids
    }
}

fn is_open(seen: Seen) -> bool {
    seen.known.has(Known::REPLY) && !seen.known.has(Known::TOPIC)
}

fn placed(seen: Seen, topics: &BTreeSet<i64>) -> Seen {
    let in_topic_itself = is_open(seen) && topics.contains(&seen.answers);
    let known = if in_topic_itself { seen.known.without(Known::REPLY) } else { seen.known };
    Seen { known: known | Known::TOPIC, ..seen }
}
