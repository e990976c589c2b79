//! Updates that come in any order, twice or not at all → each once and in order, or the word that some are missing.
//!
//! Invariant: pure. An update is given out when it follows the position; the position alone says which were (`pts`, as
//! <https://core.telegram.org/api/updates> has it).

use crate::peer::Event;
use std::collections::BTreeMap;

/// How long a gap may fill by itself before what is missing is asked for, in ms.
const GAP_MS: i64 = 500;
/// Updates that are kept while one before them is missing; asked for together where there are more.
const AHEAD_MAX: usize = 500;

/// One count of updates.
#[derive(Debug, Default)]
pub(crate) struct Order {
    ahead: BTreeMap<i32, (i32, Event)>,
    gap_until: Option<i64>,
    /// What follows the position has to be asked for.
    is_behind: bool,
}

impl Order {
    /// One that has yet to ask what follows its position.
    pub(crate) fn behind() -> Self {
        Self { is_behind: true, ..Self::default() }
    }

    /// Takes an update that counts `count` up to `pts`; what can be told now, in order, and the position after it.
    pub(crate) fn push(
        &mut self,
        at: &mut i32,
        (pts, count): (i32, i32),
        event: Event,
        now: i64,
    ) -> Vec<Event> {
        if pts <= *at {
            return Vec::new();
        }
        if self.ahead.len() >= AHEAD_MAX {
            self.ahead.clear();
            self.is_behind = true;
            return Vec::new();
        }
        self.ahead.insert(pts, (count, event));
        // An answer that is under way may tell it too.
        if self.is_behind { Vec::new() } else { self.follow(at, now) }
    }

    /// Goes on from a position, which an answer has moved.
    pub(crate) fn follow(&mut self, at: &mut i32, now: i64) -> Vec<Event> {
        let mut told = Vec::new();
        while let Some(entry) = self.ahead.first_entry() {
            let (pts, count) = (*entry.key(), entry.get().0);
            if pts <= *at {
                entry.remove();
            } else if pts.saturating_sub(count) <= *at {
                // What counts from before the position was told in part, by an answer: it is asked for from there.
                // It is not kept: an answer that does not have it would ask for another one at once, and so on.
                if pts.saturating_sub(count) < *at {
                    entry.remove();
                    self.is_behind = true;
                    continue;
                }
                *at = pts;
                told.push(entry.remove().1);
            } else {
                break;
            }
        }
        self.gap_until = if self.ahead.is_empty() { None } else { self.gap_until.or(Some(now + GAP_MS)) };
        told
    }

    /// What follows has to be asked for, whatever came.
    pub(crate) fn miss(&mut self) {
        self.is_behind = true;
    }

    /// True where what follows the position has to be asked for.
    pub(crate) fn is_behind(&self, now: i64) -> bool {
        self.is_behind || self.gap_until.is_some_and(|until| until <= now)
    }

    /// The answer has told everything up to the position.
    pub(crate) fn caught_up(&mut self) {
        self.is_behind = false;
        self.gap_until = None;
    }

    /// Nothing is missing, as far as is known.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_behind && self.ahead.is_empty()
    }

    /// When a gap is old enough to ask.
    pub(crate) fn due(&self) -> Option<i64> {
        self.gap_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(events: Vec<Event>) -> Vec<i64> {
        let number = |event| match event {
            Event::Deleted(ids) => ids.first().copied(),
            Event::Message(_) | Event::Migrated { .. } | Event::Other => None,
        };
        events.into_iter().filter_map(number).collect()
    }

    fn event(number: i32) -> Event {
        Event::Deleted(vec![i64::from(number)])
    }

    #[test]
    fn a_duplicate_is_told_once_and_a_gap_is_asked_for_after_a_while() {
        let (mut order, mut at) = (Order::default(), 10);
        assert_eq!(numbers(order.push(&mut at, (11, 1), event(11), 0)), [11]);
        assert_eq!(numbers(order.push(&mut at, (11, 1), event(11), 0)), [0_i64; 0]);
        assert_eq!(numbers(order.push(&mut at, (13, 1), event(13), 100)), [0_i64; 0]);
        assert_eq!(
            (at, order.is_behind(599), order.is_behind(600), order.due()),
            (11, false, true, Some(600))
        );
        assert_eq!(numbers(order.push(&mut at, (12, 1), event(12), 200)), [12, 13]);
        assert_eq!((at, order.is_behind(10_000), order.is_whole()), (13, false, true));
    }

    #[test]
    fn more_than_can_be_kept_is_asked_for() {
        let (mut order, mut at) = (Order::default(), 0);
        for pts in 2..=(AHEAD_MAX as i32 + 2) {
            order.push(&mut at, (pts, 1), event(pts), 0);
        }
        assert!(order.is_behind(0) && at == 0);
    }

    #[test]
    fn an_update_that_an_answer_has_told_in_part_is_asked_for_again() {
        let (mut order, mut at) = (Order::default(), 10);
        order.push(&mut at, (15, 3), event(15), 0);
        at = 13;
        assert_eq!(numbers(order.follow(&mut at, 0)), [0_i64; 0]);
        assert!(order.is_behind(0));
        order.caught_up();
        assert_eq!(
            (order.follow(&mut at, 0).len(), order.is_behind(10_000)),
            (0, false),
            "and once is enough"
        );
    }

    proptest! {
        /// Updates that count one to three each, in any order and some twice: each once and in order.
        #[test]
        fn whatever_the_order_each_is_told_once(
            counts in proptest::collection::vec(1..4_i32, 1..40),
            order_of in proptest::collection::vec(0..1_000_usize, 1..120),
        ) {
            let mut pts = 0;
            let updates: Vec<(i32, i32)> = counts.iter().map(|count| { pts += count; (pts, *count) }).collect();
            let (mut order, mut at, mut told) = (Order::default(), 0, Vec::new());
            let all = (0..updates.len()).rev();
            for index in order_of.iter().map(|index| index % updates.len()).chain(all) {
                let (pts, count) = updates[index];
                told.extend(numbers(order.push(&mut at, (pts, count), event(pts), 0)));
            }
            let wanted: Vec<i64> = updates.iter().map(|(pts, _)| i64::from(*pts)).collect();
            prop_assert_eq!(told, wanted);
            prop_assert!(order.is_whole() && at == pts);
        }
    }
}
