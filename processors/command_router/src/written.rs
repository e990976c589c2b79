//! When each person wrote last.
//!
//! Invariant: bounded: of the people who wrote longest ago nothing is known.

use processor::StateError;
use std::collections::{BTreeMap, BTreeSet};

/// Most people of a group that are remembered.
pub(crate) const PEOPLE_MAX: usize = 2_000;
/// Longest id of a person that is remembered: no source of commands has longer ones.
const ID_BYTES_MAX: usize = 64;
/// What the name of a part begins with; the person's id follows.
pub(crate) const PART: &str = "written:";

/// Send times in ms, by author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastWritten {
    by_author: BTreeMap<String, i64>,
    /// The same by time, oldest first.
    by_time: BTreeSet<(i64, String)>,
    /// Authors of whom something else is known than was last written down.
    changed: BTreeSet<String>,
}

impl LastWritten {
    /// Somebody wrote.
    pub(crate) fn hear(&mut self, author: &str, sent_at: i64) {
        let is_known = self.by_author.get(author).is_some_and(|known| *known >= sent_at);
        if is_known || author.len() > ID_BYTES_MAX {
            return;
        }
        self.put(author, sent_at);
        self.changed.insert(author.to_owned());
        if self.by_author.len() > PEOPLE_MAX
            && let Some((_, oldest)) = self.by_time.pop_first()
        {
            self.by_author.remove(&oldest);
            self.changed.insert(oldest);
        }
    }

    /// When somebody wrote last.
    pub(crate) fn of(&self, author: &str) -> Option<i64> {
        self.by_author.get(author).copied()
    }

    fn put(&mut self, author: &str, sent_at: i64) {
        if let Some(before) = self.by_author.insert(author.to_owned(), sent_at) {
            self.by_time.remove(&(before, author.to_owned()));
        }
        self.by_time.insert((sent_at, author.to_owned()));
    }

    /// Each person is a part of the snapshot, so that one who writes does not write down all the others.
    pub(crate) fn drain(&mut self, write: &mut dyn FnMut(&str, Option<Vec<u8>>)) {
        for author in std::mem::take(&mut self.changed) {
            let sent_at = self.of(&author).map(|sent_at| sent_at.to_be_bytes().to_vec());
            write(&format!("{PART}{author}"), sent_at);
        }
    }

    pub(crate) fn restore(&mut self, author: &str, value: &[u8]) -> Result<(), StateError> {
        let bytes = value.try_into().map_err(|_| StateError("a send time has 8 bytes".to_owned()))?;
        self.put(author, i64::from_be_bytes(bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_counts_in_whatever_order_it_is_told() {
        let mut written = LastWritten::default();
        for (author, sent_at) in [("ann", 5), ("bo", 9), ("ann", 7), ("ann", 6)] {
            written.hear(author, sent_at);
        }
        assert_eq!([written.of("ann"), written.of("bo"), written.of("cy")], [Some(7), Some(9), None]);
        written.hear(&"x".repeat(65), 5);
        assert_eq!(written.by_author.len(), 2);
    }

    #[test]
    fn those_who_wrote_longest_ago_are_forgotten_and_their_parts_too() {
        let mut written = LastWritten::default();
        (0..2_100).for_each(|n| written.hear(&format!("user{n}"), n));
        assert_eq!((written.by_author.len(), written.by_time.len()), (PEOPLE_MAX, PEOPLE_MAX));
        assert_eq!([written.of("user99"), written.of("user100")], [None, Some(100)]);
        let mut parts = BTreeMap::new();
        written.drain(&mut |part, value| {
            parts.insert(part.to_owned(), value);
        });
        assert_eq!((parts.len(), parts["written:user99"].as_ref()), (2_100, None));
        let mut restored = LastWritten::default();
        for (part, value) in &parts {
            let author = part.strip_prefix(PART).expect("a person");
            if let Some(value) = value {
                restored.restore(author, value).expect("restores");
            }
        }
        assert_eq!(restored, written);
        written.hear("user500", 9_999);
        let mut changed = Vec::new();
        written.drain(&mut |part, _| changed.push(part.to_owned()));
        assert_eq!(changed, ["written:user500"], "one who writes is one part");
        assert!(restored.restore("x", b"short").is_err());
    }
}
