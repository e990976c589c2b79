//! The messages of a window: the newest state of each id, in about two bytes a message when packed.
//!
//! Invariant: one entry per id; a deletion outranks every edit, then the higher revision wins. The packed bytes
//! depend on the set of entries only, not on the order in which they came.

use crate::codec::{Reader, Writer};
use std::{borrow::Cow, collections::BTreeMap};

/// Newest state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) revision: i64,
    /// Number of the author in the group, 0 when unknown.
    pub(crate) author: u32,
    pub(crate) deleted: bool,
}

/// What a window's revision tells of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Messages that are not deleted.
    pub(crate) messages: usize,
    /// Their distinct known authors.
    pub(crate) participants: usize,
    /// Hash over the (id, revision) of those messages.
    pub(crate) digest: u128,
}

/// Entries by id. Those that come in order of id are appended; the few others wait in a map of their own.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    sorted: Vec<Entry>,
    strays: BTreeMap<i64, Entry>,
}

const DELETED: u64 = 1;
const EDITED: u64 = 2;
const SAME_AUTHOR: u64 = 4;
const FLAG_BITS: u32 = 3;

impl Entries {
    /// Takes a message state in; true when the set of (id, revision) that are not deleted, or of ids, has changed.
    pub(crate) fn apply(&mut self, new: Entry) -> bool {
        let new = if new.deleted { Entry { revision: 0, author: 0, ..new } } else { new };
        if self.sorted.last().is_none_or(|last| last.id < new.id) {
            self.sorted.push(new);
            return true;
        }
        let known = match self.sorted.binary_search_by_key(&new.id, |entry| entry.id) {
            Ok(index) => Some(&mut self.sorted[index]),
            Err(_) => self.strays.get_mut(&new.id),
        };
        match known {
            Some(known) => supersede(known, new),
            None => self.strays.insert(new.id, new).is_none(),
        }
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
        let (mut id, mut author) = (0_i64, 0);
        for entry in ordered.iter() {
            let same_author = entry.author == author;
            let flags = u64::from(entry.deleted) * DELETED
                + u64::from(entry.revision != 0) * EDITED
                + u64::from(same_author) * SAME_AUTHOR;
            let delta = entry.id.wrapping_sub(id) as u64;
            writer.put_wide(u128::from(delta) << FLAG_BITS | u128::from(flags));
            if entry.revision != 0 {
                writer.put_signed(entry.revision.wrapping_sub(base_ms));
            }
            if !same_author {
                writer.put(u64::from(entry.author));
            }
            (id, author) = (entry.id, entry.author);
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub(crate) fn decode(reader: &mut Reader<'_>, base_ms: i64) -> Option<Self> {
        let count = reader.take()?;
        let mut entries = Self::default();
        let (mut id, mut author) = (0_i64, 0);
        for _ in 0..count {
            let head = reader.take_wide()?;
            let flags = head as u64 & ((1 << FLAG_BITS) - 1);
            id = id.wrapping_add(u64::try_from(head >> FLAG_BITS).ok()? as i64);
            let revision = if flags & EDITED != 0 { reader.take_signed()?.wrapping_add(base_ms) } else { 0 };
            author = if flags & SAME_AUTHOR != 0 { author } else { reader.take_u32()? };
            entries.sorted.push(Entry { id, revision, author, deleted: flags & DELETED != 0 });
        }
        entries.sorted.is_sorted_by(|a, b| a.id < b.id).then_some(entries)
    }
}

/// A state of a message that is already known; an equal revision may still tell another author.
fn supersede(known: &mut Entry, new: Entry) -> bool {
    if known.deleted || (!new.deleted && new.revision < known.revision) {
        return false;
    }
    let changed = new.deleted || new.revision > known.revision;
    *known = new;
    changed
}

/// Finaliser of `SplitMix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = Entry> {
        (prop_oneof![0_i64..12, any::<i64>()], 0_i64..4, 0_u32..3, any::<bool>())
            .prop_map(|(id, revision, author, deleted)| Entry { id, revision, author, deleted })
    }

    fn filled(states: &[Entry]) -> Entries {
        let mut entries = Entries::default();
        for state in states {
            entries.apply(*state);
        }
        entries
    }

    fn bytes(entries: &Entries) -> Vec<u8> {
        let mut writer = Writer::default();
        entries.encode(&mut writer, 2);
        writer.finish()
    }

    proptest! {
        #[test]
        fn newest_state_of_each_id_is_kept_and_comes_back(states in prop::collection::vec(entry(), 0..40)) {
            let entries = filled(&states);
            let mut expected: BTreeMap<i64, (bool, i64)> = BTreeMap::new();
            for state in &states {
                let rank = if state.deleted { (true, 0) } else { (false, state.revision) };
                expected.entry(state.id).and_modify(|known| *known = rank.max(*known)).or_insert(rank);
            }
            let kept: BTreeMap<_, _> =
                entries.ordered().iter().map(|entry| (entry.id, (entry.deleted, entry.revision))).collect();
            prop_assert_eq!(kept, expected);
            let written = bytes(&entries);
            let mut reader = Reader(&written);
            let read = Entries::decode(&mut reader, 2).expect("own bytes");
            prop_assert!(reader.is_empty());
            prop_assert_eq!(read.ordered(), entries.ordered());
        }

        #[test]
        fn summary_and_bytes_do_not_depend_on_order(
            states in prop::collection::vec(entry(), 0..40),
            seed: u64,
        ) {
            let states: Vec<_> = states.into_iter().map(|state| Entry { author: 1, ..state }).collect();
            let mut other = states.clone();
            other.sort_by_key(|state| mix(seed ^ state.id as u64 ^ (state.revision as u64) << 40));
            let (first, second) = (filled(&states), filled(&other));
            prop_assert_eq!(first.summary(), second.summary());
            prop_assert_eq!(bytes(&first), bytes(&second));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Entries::decode(&mut Reader(&bytes), 0);
        }
    }

    #[test]
    fn deleted_messages_and_their_authors_do_not_count() {
        let state = |id, author, deleted| Entry { id, revision: 0, author, deleted };
        let entries =
            filled(&[state(1, 1, false), state(2, 2, false), state(3, 0, false), state(2, 0, true)]);
        let summary = entries.summary();
        assert_eq!((summary.messages, summary.participants), (3 - 1, 1));
        assert_eq!(summary.digest, filled(&[state(1, 9, false), state(3, 9, false)]).summary().digest);
        assert_ne!(summary.digest, filled(&[state(1, 9, false)]).summary().digest);
    }

    #[test]
    fn message_of_a_busy_window_packs_into_two_bytes() {
        let states: Vec<_> = (0..10_000)
            .map(|n| Entry { id: 1_000_000 + n, revision: 0, author: 1 + n as u32 / 2 % 50, deleted: false })
            .collect();
        assert!(bytes(&filled(&states)).len() <= 20_000);
    }
}
