//! What is kept of a group's last windows, so that the next digest can be held against them.
//!
//! Invariant: no word of a message is kept, so nothing that is deleted lives on here; a window that is made anew
//! replaces what was kept of it.

use processor::{FoldState, StateError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Windows of one size that are kept: a day's window and the week before it.
pub const WINDOWS_MAX: usize = 8;

/// The memory of one group, by size of window in hours.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    sizes: BTreeMap<i32, Vec<Remembered>>,
    changed: BTreeSet<i32>,
}

/// What is kept of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Its start in ms.
    pub(crate) start: i64,
    /// Its digest's score, in thousandths.
    pub(crate) score: i32,
    /// The terms that stand for each of its topics, as numbers.
    pub(crate) topics: Vec<Vec<u32>>,
    /// The questions that stayed open in it.
    pub(crate) open: Vec<Open>,
}

/// A question that stayed open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Open {
    /// Message id.
    pub(crate) id: i64,
    /// Who asked.
    pub(crate) author_id: String,
    /// By what name.
    pub(crate) author_name: String,
    /// When, in ms.
    pub(crate) asked_at: i64,
    /// Start of the window that answered it.
    pub(crate) closed_in: Option<i64>,
}

impl Memory {
    /// Windows of a size that began before `start`, oldest first.
    pub(crate) fn before(&self, size_hours: i32, start: i64) -> &[Remembered] {
        let windows = self.sizes.get(&size_hours).map_or(&[][..], Vec::as_slice);
        &windows[..windows.partition_point(|window| window.start < start)]
    }

    /// Keeps a window in the place of what was kept of it, and which earlier questions it answers.
    pub(crate) fn keep(&mut self, size_hours: i32, mut window: Remembered, closed: &[i64]) {
        let windows = self.sizes.entry(size_hours).or_default();
        for open in windows.iter_mut().flat_map(|earlier| &mut earlier.open) {
            if closed.contains(&open.id) {
                open.closed_in = Some(window.start);
            } else if open.closed_in == Some(window.start) {
                open.closed_in = None;
            }
        }
        let place = windows.partition_point(|known| known.start < window.start);
        match windows.get_mut(place).filter(|known| known.start == window.start) {
            Some(known) => {
                for open in &mut window.open {
                    let before = known.open.iter().find(|before| before.id == open.id);
                    open.closed_in = before.and_then(|before| before.closed_in);
                }
                *known = window;
            }
            None => windows.insert(place, window),
        }
        if windows.len() > WINDOWS_MAX {
            windows.remove(0);
        }
        self.changed.insert(size_hours);
    }
}

impl FoldState for Memory {
    fn drain_changes(&mut self, write: &mut dyn FnMut(&str, Option<Vec<u8>>)) {
        for size in std::mem::take(&mut self.changed) {
            // Whole numbers and names: nothing in it that JSON cannot say, or says with another last digit.
            write(&size.to_string(), serde_json::to_vec(&self.sizes[&size]).ok());
        }
    }

    fn restore(&mut self, part: &str, value: &[u8]) -> Result<(), StateError> {
        let size = part.parse().map_err(|_| StateError(format!("{part:?} is no size in hours")))?;
        let windows: Vec<Remembered> =
            serde_json::from_slice(value).map_err(|error| StateError(format!("part {part}: {error}")))?;
        self.sizes.insert(size, windows);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: i64, open: &[i64]) -> Remembered {
        let open = open.iter().map(|id| Open {
            id: *id,
            author_id: "ann".to_owned(),
            author_name: "Ann".to_owned(),
            asked_at: start + id,
            closed_in: None,
        });
        Remembered { start, score: 800, topics: vec![vec![1, 2]], open: open.collect() }
    }

    fn starts(memory: &Memory, before: i64) -> Vec<i64> {
        memory.before(24, before).iter().map(|window| window.start).collect()
    }

    #[test]
    fn the_newest_windows_are_kept_in_order_whatever_order_they_come_in() {
        let mut memory = Memory::default();
        for start in [30, 10, 20, 10] {
            memory.keep(24, window(start, &[]), &[]);
        }
        assert_eq!(starts(&memory, 30), [10, 20]);
        assert_eq!(memory.before(12, 30), []);
        for start in 40..40 + WINDOWS_MAX as i64 {
            memory.keep(24, window(start, &[]), &[]);
        }
        assert_eq!(starts(&memory, i64::MAX), (40..40 + WINDOWS_MAX as i64).collect::<Vec<_>>());
    }

    #[test]
    fn an_answer_that_its_window_no_longer_holds_opens_the_question_again() {
        let mut memory = Memory::default();
        let closed_in = |memory: &Memory| memory.before(24, 20)[0].open[0].closed_in;
        memory.keep(24, window(10, &[1]), &[]);
        memory.keep(24, window(20, &[]), &[1]);
        assert_eq!(closed_in(&memory), Some(20));
        memory.keep(24, window(10, &[1]), &[]);
        assert_eq!(closed_in(&memory), Some(20), "its own window made anew changes nothing of that");
        memory.keep(24, window(20, &[]), &[]);
        assert_eq!(closed_in(&memory), None);
    }

    #[test]
    fn what_is_written_is_restored_and_nothing_else() {
        let mut memory = Memory::default();
        memory.keep(24, window(10, &[1]), &[]);
        memory.keep(12, window(10, &[]), &[]);
        let (mut restored, mut parts) = (Memory::default(), Vec::new());
        memory.drain_changes(&mut |part, value| parts.push((part.to_owned(), value.expect("a value"))));
        for (part, value) in &parts {
            restored.restore(part, value).expect("as it was written");
        }
        assert_eq!(restored, memory);
        memory.drain_changes(&mut |part, _| panic!("{part} has not changed"));
        assert!(restored.restore("24", b"[{}]").is_err());
        assert!(restored.restore("a day", b"[]").is_err());
    }
}
