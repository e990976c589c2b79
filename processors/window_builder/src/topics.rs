//! The forum topics of a group, and which messages are known to belong to one.
//!
//! Invariant: both only grow, so that what was placed once stays placed. A bit for each message, in words of 64 ids.

use crate::codec::{Reader, Writer};
use std::collections::{BTreeMap, BTreeSet};

/// Words in one part of a snapshot, at most: a part is written again only when it grows.
const PART_WORDS: i64 = 1 << 10;
/// Bits of a word.
const WORD_BITS: i64 = 64;

/// What is known of a group's topics.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    created: BTreeSet<i64>,
    /// Messages with a topic: bit `id % 64` of word `id / 64`.
    placed: BTreeMap<i64, u64>,
    /// Topics were added since the last snapshot.
    is_changed: bool,
    /// Parts with messages that were added.
    changed: BTreeSet<i64>,
}

impl Topics {
    /// Adds a topic by the message that created it; true when it was not known.
    pub(crate) fn create(&mut self, id: i64) -> bool {
        let is_new = self.created.insert(id);
        self.is_changed |= is_new;
        is_new
    }

    /// Adds a message that belongs to a topic; true when that was not known.
    pub(crate) fn place(&mut self, id: i64) -> bool {
        let (word, bit) = address(id);
        let bits = self.placed.entry(word).or_default();
        let is_new = *bits & bit == 0;
        *bits |= bit;
        if is_new {
            self.changed.insert(word.div_euclid(PART_WORDS));
        }
        is_new
    }

    /// True for a message that created a topic.
    pub(crate) fn is_topic(&self, id: i64) -> bool {
        self.created.contains(&id)
    }

    /// True for a message that is known to belong to a topic.
    pub(crate) fn is_placed(&self, id: i64) -> bool {
        let (word, bit) = address(id);
        self.placed.get(&word).is_some_and(|bits| bits & bit != 0)
    }

    /// The topics, if there are new ones since the last call.
    pub(crate) fn drain_created(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.is_changed) {
            return None;
        }
        let mut writer = Writer::default();
        self.created.iter().for_each(|id| writer.put_signed(*id));
        Some(writer.finish())
    }

    /// The parts of messages with new ones since the last call: number of the part and its bytes.
    pub(crate) fn drain_placed(&mut self) -> Vec<(i64, Vec<u8>)> {
        let encode = |part: i64| {
            let first = part.saturating_mul(PART_WORDS);
            let mut writer = Writer::default();
            for (word, bits) in self.placed.range(first..first.saturating_add(PART_WORDS)) {
                writer.put(word.wrapping_sub(first) as u64);
                writer.put_bytes(bits.to_le_bytes());
            }
            (part, writer.finish())
        };
        std::mem::take(&mut self.changed).into_iter().map(encode).collect()
    }

    /// Puts the topics back.
    pub(crate) fn restore_created(&mut self, bytes: &[u8]) -> Option<()> {
        let mut reader = Reader(bytes);
        while !reader.is_empty() {
            self.created.insert(reader.take_signed()?);
        }
        Some(())
    }

    /// Puts a part of messages back; parts may come in any order.
    pub(crate) fn restore_placed(&mut self, part: i64, bytes: &[u8]) -> Option<()> {
        let first = part.checked_mul(PART_WORDS)?;
        let mut reader = Reader(bytes);
        while !reader.is_empty() {
            let word = i64::try_from(reader.take()?).ok().filter(|word| *word < PART_WORDS)?;
            self.placed.insert(first.checked_add(word)?, u64::from_le_bytes(reader.take_bytes()?));
        }
        Some(())
    }
}

fn address(id: i64) -> (i64, u64) {
    (id.div_euclid(WORD_BITS), 1 << id.rem_euclid(WORD_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_messages_survive_a_snapshot_restored_in_any_order() {
        let ids = [i64::MIN, -65, -64, -1, 0, 63, 64, 65_535, 65_536, 1 << 40, i64::MAX];
        let mut topics = Topics::default();
        for id in ids {
            assert!(topics.create(id) && topics.place(id));
            assert!(!topics.create(id) && !topics.place(id));
        }
        let (created, placed) = (topics.drain_created().expect("new"), topics.drain_placed());
        assert_eq!((topics.drain_created(), topics.drain_placed()), (None, Vec::new()));
        assert_eq!(placed.len(), 6);

        let mut again = Topics::default();
        for (part, bytes) in placed.iter().rev() {
            assert_eq!(again.restore_placed(*part, bytes), Some(()));
        }
        assert_eq!(again.restore_created(&created), Some(()));
        assert!(ids.into_iter().all(|id| again.is_topic(id) && again.is_placed(id)));
        assert!(!again.is_placed(1) && !again.is_topic(1) && !again.is_placed(i64::MIN + 1));
        assert_eq!((again.drain_created(), again.drain_placed()), (None, Vec::new()));
        again.place(62);
        assert_eq!(again.drain_placed().len(), 1);
    }

    #[test]
    fn a_message_of_a_forum_takes_a_bit() {
        let mut topics = Topics::default();
        assert!((0..65_536).all(|id| topics.place(id)));
        assert_eq!(topics.placed.len(), 1_024);
    }
}
