//! The contiguous frontier of one partition: results may come in any order, they leave in the log's.
//!
//! Invariant: `pop` yields each admitted offset once, in order, and only when it and all before it are complete.

use crate::mutation::{self, Mutation};
use std::collections::VecDeque;

/// Work admitted in offset order and completed in any order.
#[derive(Debug)]
pub(super) struct Frontier<T> {
    /// Admitted offsets, ascending, each with its result once there is one.
    slots: VecDeque<(i64, Option<(T, usize)>)>,
    /// Bytes of the results held.
    bytes: usize,
    /// Lowest offset that may still be admitted.
    next: i64,
}

impl<T> Frontier<T> {
    /// An empty frontier that admits `next` and up.
    pub(super) fn starting_at(next: i64) -> Self {
        Self { slots: VecDeque::new(), bytes: 0, next }
    }

    /// Whether an offset is still to come: false for a record read again.
    pub(super) fn admits(&self, offset: i64) -> bool {
        offset >= self.next
    }

    /// Takes an offset in; false when it was already admitted (a record read again after a seek).
    pub(super) fn admit(&mut self, offset: i64) -> bool {
        if offset < self.next {
            return false;
        }
        self.next = offset + 1;
        self.slots.push_back((offset, None));
        true
    }

    /// Stores the result of an admitted offset, of so many bytes; one that is not waited for is ignored.
    pub(super) fn complete(&mut self, offset: i64, result: T, bytes: usize) {
        if let Ok(index) = self.slots.binary_search_by_key(&offset, |slot| slot.0) {
            let before = self.slots[index].1.replace((result, bytes));
            self.bytes += bytes;
            self.bytes -= before.map_or(0, |(_, bytes)| bytes);
        }
    }

    /// The lowest offset with its result, if it is complete.
    pub(super) fn pop(&mut self) -> Option<(i64, T)> {
        if mutation::is(Mutation::FrontierSkips) {
            let decided = self.slots.iter().position(|slot| slot.1.is_some()).unwrap_or_default();
            self.slots.drain(..decided);
        }
        let (offset, result) = self.slots.front_mut()?;
        let (offset, (result, bytes)) = (*offset, result.take()?);
        self.slots.pop_front();
        self.bytes -= bytes;
        Some((offset, result))
    }

    /// The lowest offset admitted, while it has no result.
    pub(super) fn undecided(&self) -> Option<i64> {
        self.slots.front().filter(|(_, result)| result.is_none()).map(|(offset, _)| *offset)
    }

    /// Offsets admitted and not yet popped.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Bytes of the results not yet popped.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_holds_back_what_is_complete_behind_it() {
        let mut frontier = Frontier::starting_at(5);
        assert!(frontier.admit(5) && frontier.admit(7));
        frontier.complete(7, 'b', 3);
        assert_eq!((frontier.pop(), frontier.undecided(), frontier.bytes()), (None, Some(5), 3));
        frontier.complete(5, 'a', 2);
        assert_eq!((frontier.undecided(), frontier.bytes()), (None, 5));
        assert_eq!(frontier.pop(), Some((5, 'a')));
        assert_eq!((frontier.bytes(), frontier.len()), (3, 1));
        assert_eq!(frontier.pop(), Some((7, 'b')));
        assert_eq!((frontier.bytes(), frontier.len()), (0, 0));
        assert_eq!(frontier.pop(), None);
    }

    #[test]
    fn an_offset_is_admitted_once() {
        let mut frontier = Frontier::<()>::starting_at(5);
        assert!(!frontier.admit(4), "below the start");
        assert!(frontier.admit(5));
        assert!(!frontier.admit(5), "again");
    }

    proptest! {
        #[test]
        fn any_order_of_completion_leaves_in_log_order(order in Just((0..60_i64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut frontier = Frontier::starting_at(0);
            for offset in 0..60 {
                prop_assert!(frontier.admit(offset));
            }
            let mut left = Vec::new();
            for (done, offset) in order.iter().enumerate() {
                frontier.complete(*offset, *offset, 1);
                while let Some((at, value)) = frontier.pop() {
                    prop_assert_eq!(at, value);
                    prop_assert!(order[..=done].contains(&at), "left before it was complete");
                    left.push(at);
                }
            }
            prop_assert_eq!(left, (0..60).collect::<Vec<_>>());
            prop_assert_eq!((frontier.len(), frontier.bytes()), (0, 0));
        }
    }
}
