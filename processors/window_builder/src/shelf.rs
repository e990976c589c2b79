//! All windows of one size: packed at rest, the few at work unpacked.
//!
//! Invariant: windows of a shelf do not overlap, so a moment lies in at most one of them.

use crate::{
    grid::Bounds,
    window::{Packed, Window},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::RangeInclusive,
};

/// Most windows of a size that are unpacked at once; the one unpacked first is packed when there are more.
const UNPACKED_MAX: usize = 32;

#[derive(Debug)]
enum Slot {
    Packed(Packed),
    Unpacked(Box<Window>),
}

impl Slot {
    fn end_and_epoch(&self, start_ms: i64) -> (i64, u32) {
        match self {
            Self::Packed(packed) => packed.end_and_epoch(start_ms),
            Self::Unpacked(window) => (window.end_ms, window.epoch),
        }
    }

    fn answered(&self) -> Option<RangeInclusive<i64>> {
        match self {
            Self::Packed(packed) => packed.answered(),
            Self::Unpacked(window) => window.entries.answered(),
        }
    }
}

/// The windows of one size, by start.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// Window size in hours.
    pub(crate) size_hours: i32,
    /// Number of the settings since which the size is in force; `None` when new windows do not have it.
    pub(crate) since: Option<u32>,
    slots: BTreeMap<i64, Slot>,
    unpacked: VecDeque<i64>,
    /// No message without a topic answers a later one. Most of what becomes placed is newer than that.
    answered_max: i64,
}

impl Shelf {
    pub(crate) fn new(size_hours: i32, since: Option<u32>) -> Self {
        Self { size_hours, since, slots: BTreeMap::new(), unpacked: VecDeque::new(), answered_max: i64::MIN }
    }

    /// Start of the window that `at_ms` lies in.
    pub(crate) fn covering(&self, at_ms: i64) -> Option<i64> {
        let (&start, slot) = self.slots.range(..=at_ms).next_back()?;
        (at_ms < slot.end_and_epoch(start).0).then_some(start)
    }

    /// Narrows `bounds` around `at_ms` to what no window opened before `epoch` covers.
    pub(crate) fn clip(&self, bounds: Bounds, at_ms: i64, epoch: u32) -> Option<Bounds> {
        let Bounds { mut start, mut end } = bounds;
        for (&other, slot) in self.slots.range(..=at_ms).rev() {
            let (other_end, other_epoch) = slot.end_and_epoch(other);
            if other_end <= start {
                break;
            }
            if other_epoch < epoch {
                start = other_end;
                break;
            }
        }
        let mut later = self.slots.range(at_ms..end);
        if let Some((&other, _)) = later.find(|(other, slot)| slot.end_and_epoch(**other).1 < epoch) {
            end = end.min(other);
        }
        (start <= at_ms && at_ms < end).then_some(Bounds { start, end })
    }

    /// Adds a window.
    pub(crate) fn insert(&mut self, start_ms: i64, window: Window) {
        self.slots.insert(start_ms, Slot::Unpacked(Box::new(window)));
        self.note_unpacked(start_ms);
    }

    /// Adds a window at rest.
    pub(crate) fn insert_packed(&mut self, start_ms: i64, packed: Packed) {
        self.answer(packed.answered().map(|answered| *answered.end()));
        self.slots.insert(start_ms, Slot::Packed(packed));
    }

    /// Notes that a message without a topic answers this one, if any.
    pub(crate) fn answer(&mut self, to: Option<i64>) {
        self.answered_max = self.answered_max.max(to.unwrap_or(i64::MIN));
    }

    /// Starts of the windows in which a message without a topic may answer one of `found`.
    pub(crate) fn answering(&self, found: &BTreeSet<i64>) -> Vec<i64> {
        if found.first().is_none_or(|first| *first > self.answered_max) {
            return Vec::new();
        }
        let may_answer =
            |slot: &Slot| slot.answered().is_some_and(|answered| found.range(answered).next().is_some());
        self.slots.iter().filter(|(_, slot)| may_answer(slot)).map(|(start, _)| *start).collect()
    }

    /// Start and end of each window that ends after `at_ms`.
    pub(crate) fn ending_after(&self, at_ms: i64) -> Vec<(i64, i64)> {
        let bounds = self.slots.iter().map(|(start, slot)| (*start, slot.end_and_epoch(*start).0));
        bounds.filter(|(_, end)| *end > at_ms).collect()
    }

    /// The window that starts at `start_ms`, to be worked on.
    pub(crate) fn window(&mut self, start_ms: i64) -> Option<&mut Window> {
        if let Some(Slot::Packed(packed)) = self.slots.get(&start_ms) {
            let window = packed.unpack(start_ms);
            self.insert(start_ms, window);
        }
        match self.slots.get_mut(&start_ms)? {
            Slot::Unpacked(window) => Some(window),
            Slot::Packed(_) => None,
        }
    }

    /// Lays a window to rest that is open in no lane.
    pub(crate) fn rest(&mut self, start_ms: i64) {
        if let Some(Slot::Unpacked(window)) = self.slots.get(&start_ms)
            && window.openings.is_empty()
        {
            self.pack(start_ms);
        }
    }

    /// Lays a window to rest.
    pub(crate) fn pack(&mut self, start_ms: i64) {
        if let Some(slot) = self.slots.get_mut(&start_ms)
            && let Slot::Unpacked(window) = slot
        {
            *slot = Slot::Packed(window.pack(start_ms));
        }
        self.unpacked.retain(|start| *start != start_ms);
    }

    /// The bytes of a window; from now on it counts as unchanged.
    pub(crate) fn snapshot(&mut self, start_ms: i64) -> Option<Vec<u8>> {
        Some(match self.slots.get_mut(&start_ms)? {
            Slot::Packed(packed) => packed.bytes().to_vec(),
            Slot::Unpacked(window) => {
                window.changed = false;
                window.pack(start_ms).bytes().to_vec()
            }
        })
    }

    fn note_unpacked(&mut self, start_ms: i64) {
        self.unpacked.push_back(start_ms);
        if self.unpacked.len() > UNPACKED_MAX
            && let Some(&first) = self.unpacked.front()
        {
            self.pack(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(windows: &[(i64, i64, u32)]) -> Shelf {
        let mut shelf = Shelf::new(4, Some(0));
        for &(start, end_ms, epoch) in windows {
            shelf.insert(start, Window { end_ms, epoch, ..Window::default() });
        }
        shelf
    }

    #[test]
    fn moment_is_covered_by_at_most_one_window() {
        let shelf = shelf(&[(0, 10, 0), (10, 15, 0)]);
        assert_eq!(
            [-1, 0, 9, 10, 14, 15].map(|at| shelf.covering(at)),
            [None, Some(0), Some(0), Some(10), Some(10), None]
        );
    }

    #[test]
    fn bounds_are_clipped_by_older_windows_only() {
        let shelf = shelf(&[(0, 10, 0), (10, 15, 2), (30, 40, 0)]);
        let clip = |start, end, at, epoch| shelf.clip(Bounds { start, end }, at, epoch);
        assert_eq!(clip(5, 35, 20, 1), Some(Bounds { start: 10, end: 30 }));
        assert_eq!(clip(5, 35, 20, 3), Some(Bounds { start: 15, end: 30 }));
        assert_eq!(clip(5, 35, 8, 1), None);
        assert_eq!(clip(11, 35, 12, 1), Some(Bounds { start: 11, end: 30 }));
        assert_eq!(clip(40, 50, 45, 9), Some(Bounds { start: 40, end: 50 }));
        assert_eq!(clip(30, 50, 30, 9), None);
    }

    #[test]
    fn only_a_few_windows_are_unpacked_and_none_is_lost() {
        let mut shelf = Shelf::new(4, Some(0));
        for n in 0..100 {
            shelf.insert(n * 10, Window { end_ms: n * 10 + 10, last_offset: n, ..Window::default() });
        }
        assert_eq!(shelf.unpacked.len(), UNPACKED_MAX);
        for n in 0..100 {
            assert_eq!(shelf.window(n * 10).map(|window| window.last_offset), Some(n));
            assert!(shelf.unpacked.len() <= UNPACKED_MAX);
        }
        shelf.pack(990);
        assert!(matches!(shelf.slots.get(&990), Some(Slot::Packed(_))));
    }
}
