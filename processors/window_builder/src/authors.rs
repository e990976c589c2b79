//! The authors of a group, numbered from 1 in the order in which they first wrote.
//!
//! Invariant: a number stands for the same author forever, so that windows can keep numbers; no more are given than a
//! restore takes back.

use crate::codec::{Reader, Writer};
use std::{collections::HashMap, sync::Arc};

/// Most authors of a group.
const AUTHORS_MAX: usize = 1 << 22;
/// The number of a message without an author.
const NOBODY: u32 = 0;
/// Authors in one part of a snapshot: a part is written again only when it grows.
const PART_AUTHORS: usize = 128;

/// Author ids and their numbers.
#[derive(Debug, Default)]
pub(crate) struct Authors {
    numbers: HashMap<Arc<str>, u32>,
    ids: Vec<Arc<str>>,
    /// How many the snapshot has.
    saved: usize,
}

impl Authors {
    /// The number of an author; 0, which stands for nobody, for a new one of a group that has its most. Their messages
    /// count all the same.
    pub(crate) fn number(&mut self, id: &str) -> u32 {
        self.number_below(id, AUTHORS_MAX)
    }

    fn number_below(&mut self, id: &str, authors_max: usize) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        if self.ids.len() >= authors_max {
            return NOBODY;
        }
        let id: Arc<str> = id.into();
        self.ids.push(Arc::clone(&id));
        let number = self.ids.len() as u32;
        self.numbers.insert(id, number);
        number
    }

    /// The parts that grew since the last call: number of the part and its bytes.
    pub(crate) fn drain_parts(&mut self) -> Vec<(usize, Vec<u8>)> {
        if self.saved == self.ids.len() {
            return Vec::new();
        }
        let first = self.saved / PART_AUTHORS;
        self.saved = self.ids.len();
        let parts = self.ids.chunks(PART_AUTHORS).enumerate().skip(first);
        parts.map(|(part, ids)| (part, encode(ids))).collect()
    }

    /// Puts a part back; parts may come in any order.
    pub(crate) fn restore_part(&mut self, part: usize, bytes: &[u8]) -> Option<()> {
        let mut reader = Reader(bytes);
        // A part of another world must not make room for authors that do not exist.
        let mut position = part.checked_mul(PART_AUTHORS).filter(|position| *position < AUTHORS_MAX)?;
        while !reader.is_empty() {
            let id: Arc<str> = reader.take_text()?.into();
            if self.ids.len() <= position {
                self.ids.resize(position + 1, Arc::clone(&id));
            }
            self.ids[position] = Arc::clone(&id);
            position += 1;
            self.numbers.insert(id, u32::try_from(position).ok()?);
        }
        self.saved = self.ids.len();
        Some(())
    }
}

fn encode(ids: &[Arc<str>]) -> Vec<u8> {
    let mut writer = Writer::default();
    for id in ids {
        writer.put_text(id);
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_has_its_most_authors_is_still_restored() {
        let most = 2 * PART_AUTHORS;
        let mut authors = Authors::default();
        let numbers: Vec<u32> = (0..most + 3).map(|n| authors.number_below(&format!("u{n}"), most)).collect();
        assert_eq!(numbers[most - 1..], [256, NOBODY, NOBODY, NOBODY]);
        assert_eq!(authors.number_below("u7", most), 8, "who has a number keeps it");
        let parts = authors.drain_parts();
        assert_eq!(parts.len(), 2, "none beyond what a restore takes");
        let mut again = Authors::default();
        for (part, bytes) in &parts {
            assert_eq!(again.restore_part(*part, bytes), Some(()));
        }
        assert_eq!((again.number_below("u255", most), again.number_below("u256", most)), (256, NOBODY));
        let (first_beyond, bytes) = (AUTHORS_MAX / PART_AUTHORS, &parts[0].1);
        assert_eq!(Authors::default().restore_part(first_beyond - 1, bytes), Some(()));
        assert_eq!(Authors::default().restore_part(first_beyond, bytes), None);
    }

    #[test]
    fn numbers_survive_a_snapshot_restored_in_any_order() {
        let mut authors = Authors::default();
        let names: Vec<String> = (0..300).map(|n| format!("user{n}")).collect();
        let numbers: Vec<u32> = names.iter().map(|name| authors.number(name)).collect();
        assert_eq!(numbers, (1..=300).collect::<Vec<u32>>());
        let parts = authors.drain_parts();
        assert_eq!(parts.iter().map(|(part, _)| *part).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(authors.drain_parts().is_empty());

        let mut again = Authors::default();
        for (part, bytes) in parts.iter().rev() {
            assert_eq!(again.restore_part(*part, bytes), Some(()));
        }
        assert!(again.drain_parts().is_empty());
        assert_eq!(names.iter().map(|name| again.number(name)).collect::<Vec<_>>(), numbers);
        assert_eq!(again.number("new"), 301);
        assert_eq!(again.drain_parts().len(), 1);
    }
}
