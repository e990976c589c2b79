//! The messages of a window: the newest state of each id, in about two and a half bytes a message when packed.
//!
//! Invariant: one entry per id; a deletion outranks every edit, then the higher revision wins; at an equal revision what
//! is known adds up, and where a message belongs adds up over all. The packed bytes depend on the set of entries only, not on the order in which they came.

use crate::{
    codec::{Reader, Writer},
    topics::Topics,
};
use schemas::Known;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// Newest state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) revision: i64,
    /// Number of the author in the group, 0 when unknown.
    pub(crate) author: u32,
    pub(crate) deleted: bool,
    /// Which of its parts are known, of those that a source may leave out.
    pub(crate) known: Known,
    /// The author is known by name only, which displaces nobody; told of a report, not kept.
    pub(crate) is_by_name: bool,
    /// Message that it answers; kept while its topic is not known, which may come from there.
    pub(crate) answers: i64,
}

impl Entry {
    /// The message that its topic would be known from.
    fn unplaced(&self) -> Option<i64> {
        let is_open = self.known.has(Known::REPLY) && !self.known.has(Known::TOPIC);
        is_open.then_some(self.answers)
    }

    /// Its topic is known now. To answer the message that created a topic answers nobody.
    fn place(&mut self, topics: &Topics) {
        if self.unplaced().is_some_and(|to| topics.is_topic(to)) {
            self.known = self.known.without(Known::REPLY);
        }
        self.known |= Known::TOPIC;
    }
}

/// What a window's revision tells of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Messages that are not deleted.
    pub(crate) messages: usize,
    /// Their distinct known authors.
    pub(crate) participants: usize,
    /// Hash over id, revision and what is known of those messages.
    pub(crate) digest: u128,
}

/// Entries by id. Those that come in order of id are appended; the few others wait in a map of their own.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    sorted: Vec<Entry>,
    strays: BTreeMap<i64, Entry>,
    /// At least from the least to the greatest message that an entry without a topic answers.
    answered: Option<RangeInclusive<i64>>,
}

const DELETED: u64 = 1;
const EDITED: u64 = 2;
const SAME_AUTHOR: u64 = 4;
/// As much is known of it as of the one before.
const SAME_KNOWN: u64 = 8;
const FLAG_BITS: u32 = 4;
/// What is known of the message before the first: what is known of most.
const MOST: Known = Known::NAME.with(Known::TEXT);

impl Entries {
    /// Takes a message state in; true when something is known that was not: an id, a revision, a deletion, or a part of
    /// a message. Another value of a known part is no news.
    pub(crate) fn apply(&mut self, mut new: Entry, topics: &Topics) -> bool {
        let is_by_name = std::mem::take(&mut new.is_by_name);
        let gone = Entry { revision: 0, author: 0, known: Known::NOTHING, ..new };
        let new = if new.deleted { gone } else { new };
        if let Some(to) = new.unplaced() {
            self.answered = Some(widened(self.answered.take(), to));
        }
        if self.sorted.last().is_none_or(|last| last.id < new.id) {
            self.sorted.push(new);
            return true;
        }
        let known = match self.sorted.binary_search_by_key(&new.id, |entry| entry.id) {
            Ok(index) => Some(&mut self.sorted[index]),
            Err(_) => self.strays.get_mut(&new.id),
        };
        match known {
            Some(known) => supersede(known, new, is_by_name, topics),
            None => self.strays.insert(new.id, new).is_none(),
        }
    }

    /// At least from the least to the greatest message that an entry without a topic answers.
    pub(crate) fn answered(&self) -> Option<RangeInclusive<i64>> {
        self.answered.clone()
    }

    /// Exactly that: a function of the entries alone.
    pub(crate) fn answered_now(&self) -> Option<RangeInclusive<i64>> {
        let answered = self.sorted.iter().chain(self.strays.values()).filter_map(Entry::unplaced);
        answered.fold(None, |range, to| Some(widened(range, to)))
    }

    /// Places the entries that answer one of `found`, whose topic is known now; their ids.
    pub(crate) fn place_answers(&mut self, found: &BTreeSet<i64>, topics: &Topics) -> Vec<i64> {
        let mut placed = Vec::new();
        for entry in self.sorted.iter_mut().chain(self.strays.values_mut()) {
            if entry.unplaced().is_some_and(|to| found.contains(&to)) {
                entry.place(topics);
                placed.push(entry.id);
            }
        }
        placed
    }

    /// All entries by id.
    pub(crate) fn ordered(&self) -> Cow<'_, [Entry]> {
        if self.strays.is_empty() {
            return Cow::Borrowed(&self.sorted);
        }
        let mut all: Vec<Entry> = self.sorted.iter().chain(self.strays.values()).copied().collect();
        all.sort_by_key(|entry| entry.id);
        Cow::Owned(all)
    }

    /// Counts and hash of the messages that are not deleted.
    pub(crate) fn summary(&self) -> Summary {
        let (mut messages, mut authors) = (0, Vec::new());
        let (mut low, mut high) = (0_u64, 0x9e37_79b9_7f4a_7c15_u64);
        for entry in self.ordered().iter().filter(|entry| !entry.deleted) {
            messages += 1;
            if entry.author != 0 && authors.last() != Some(&entry.author) {
                authors.push(entry.author);
            }
            low = mix(low ^ entry.id as u64);
            low = mix(low ^ entry.revision as u64);
            low = mix(low ^ (u64::from(entry.author != 0) << u8::BITS | u64::from(entry.known.bits())));
            high = mix(high.rotate_left(23) ^ low);
        }
        authors.sort_unstable();
        authors.dedup();
        let digest = u128::from(high) << 64 | u128::from(low);
        Summary { messages, participants: authors.len(), digest }
    }

    /// Writes the entries; `base_ms` is close to the revisions of edited messages.
    pub(crate) fn encode(&self, writer: &mut Writer, base_ms: i64) {
        let ordered = self.ordered();
        writer.put(ordered.len() as u64);
        let (mut id, mut author, mut known) = (0_i64, 0, MOST);
        for entry in ordered.iter() {
            let same_author = entry.author == author;
            let same_known = entry.known == known;
            let flags = u64::from(entry.deleted) * DELETED
                + u64::from(entry.revision != 0) * EDITED
                + u64::from(same_author) * SAME_AUTHOR
                + u64::from(same_known) * SAME_KNOWN;
            let delta = entry.id.wrapping_sub(id) as u64;
            writer.put_wide(u128::from(delta) << FLAG_BITS | u128::from(flags));
            if entry.revision != 0 {
                writer.put_signed(entry.revision.wrapping_sub(base_ms));
            }
            if !same_author {
                writer.put(u64::from(entry.author));
            }
            if !same_known {
                writer.put_bytes([entry.known.bits()]);
            }
            if let Some(to) = entry.unplaced() {
                writer.put_signed(entry.id.wrapping_sub(to));
            }
            (id, author, known) = (entry.id, entry.author, entry.known);
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub(crate) fn decode(reader: &mut Reader<'_>, base_ms: i64) -> Option<Self> {
        let count = reader.take()?;
        let mut entries = Self::default();
        let (mut id, mut author, mut known) = (0_i64, 0, MOST);
        for _ in 0..count {
            let head = reader.take_wide()?;
            let flags = head as u64 & ((1 << FLAG_BITS) - 1);
            id = id.wrapping_add(u64::try_from(head >> FLAG_BITS).ok()? as i64);
            let revision = if flags & EDITED != 0 { reader.take_signed()?.wrapping_add(base_ms) } else { 0 };
            author = if flags & SAME_AUTHOR != 0 { author } else { reader.take_u32()? };
            if flags & SAME_KNOWN == 0 {
                known = Known::from_bits(u8::from_le_bytes(reader.take_bytes()?));
            }
            let deleted = flags & DELETED != 0;
            let mut entry = Entry { id, revision, author, deleted, known, is_by_name: false, answers: 0 };
            if entry.unplaced().is_some() {
                entry.answers = id.wrapping_sub(reader.take_signed()?);
                entries.answered = Some(widened(entries.answered.take(), entry.answers));
            }
            entries.sorted.push(entry);
        }
        entries.sorted.is_sorted_by(|a, b| a.id < b.id).then_some(entries)
    }
}

fn widened(range: Option<RangeInclusive<i64>>, to: i64) -> RangeInclusive<i64> {
    range.map_or(to..=to, |range| to.min(*range.start())..=to.max(*range.end()))
}

/// A state of a message that is already known. Whom it answers and its topic are the message's, whatever the revision:
/// an edit changes neither, and a deleted message leads where it led.
fn supersede(known: &mut Entry, new: Entry, is_by_name: bool, topics: &Topics) -> bool {
    let before = *known;
    let (told, new_told) = (before.known.without(Known::PLACE), new.known.without(Known::PLACE));
    if !before.deleted && (new.deleted || new.revision > before.revision) {
        *known = Entry { known: new_told, ..new };
    } else if !before.deleted && new.revision == before.revision {
        let is_kept = new.author == 0 || is_by_name && before.author != 0;
        known.author = if is_kept { before.author } else { new.author };
        known.known = told | new_told;
    } else {
        known.known = told;
    }
    let has_reply = before.known.has(Known::REPLY);
    let is_told = new.known.has(Known::REPLY) && (new.revision >= before.revision || !has_reply);
    known.answers = if is_told { new.answers } else { before.answers };
    if has_reply || is_told {
        known.known |= Known::REPLY;
    }
    if before.known.has(Known::TOPIC) {
        known.known |= Known::TOPIC;
    } else if new.known.has(Known::TOPIC) {
        known.place(topics);
    }
    let told = |entry: &Entry| (entry.deleted, entry.revision, entry.known, entry.author != 0);
    !before.deleted && told(known) != told(&before)
}

/// Finaliser of `SplitMix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
