//! Ids of updates that were read, as ranges: a webhook gives updates out of order, and again where its answer was lost.
//!
//! Invariant: ids that Telegram may draw anew are not among them. It offers an update for a day, and numbers anew after a
//! quiet week: after a quiet day nothing is remembered.

use serde::{Deserialize, Serialize};

/// Ranges that are kept; those of the smallest ids go first. Updates on their way leave gaps, and those are few.
const RANGES_MAX: usize = 100;
/// Telegram offers an update again for so long, in ms.
const OFFERED_MS: i64 = 24 * 60 * 60 * 1000;
/// Of updates that were polled, these many may not be confirmed yet.
const POLLED_MAX: i64 = 1000;

/// Inclusive ranges in ascending order, none of which touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seen(Vec<(i64, i64)>);

impl Seen {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, id: i64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&id))
    }

    /// What Telegram may still offer again at `now`, when the last update was read at `read_at`, in ms.
    pub(crate) fn offered(&self, read_at: i64, now: i64) -> Self {
        if now - read_at > OFFERED_MS { Self::default() } else { self.clone() }
    }

    pub(crate) fn add(&mut self, id: i64) {
        self.add_range(id, id);
    }

    /// What was polled before the offset `next`.
    pub(crate) fn add_polled(&mut self, next: i64) {
        self.add_range(next - POLLED_MAX, next - 1);
    }

    fn add_range(&mut self, mut first: i64, mut last: i64) {
        let touches =
            |range: &(i64, i64)| range.0 <= last.saturating_add(1) && first <= range.1.saturating_add(1);
        let (joined, mut ranges): (Vec<_>, Vec<_>) = self.0.iter().copied().partition(touches);
        for range in joined {
            (first, last) = (first.min(range.0), last.max(range.1));
        }
        ranges.push((first, last));
        ranges.sort_unstable();
        let surplus = ranges.len().saturating_sub(RANGES_MAX);
        self.0 = ranges.split_off(surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: impl IntoIterator<Item = i64>) -> Seen {
        let mut seen = Seen::default();
        ids.into_iter().for_each(|id| seen.add(id));
        seen
    }

    #[test]
    fn ids_in_any_order_become_ranges() {
        assert_eq!(of([5, 9, 7, 6, 5]), Seen(vec![(5, 7), (9, 9)]));
        assert_eq!(of([5, 9, 7, 6, 8]), Seen(vec![(5, 9)]));
        let seen = of([5, 7, 9]);
        assert_eq!([5, 6, 7, 9, 10].map(|id| seen.contains(id)), [true, false, true, true, false]);
    }

    #[test]
    fn only_the_newest_ranges_are_kept() {
        let seen = of((0..200).map(|number| number * 2));
        assert_eq!(seen.0.len(), RANGES_MAX);
        assert!(seen.contains(398) && seen.contains(200) && !seen.contains(198));
    }

    #[test]
    fn what_was_polled_is_seen_up_to_the_offset() {
        let mut seen = of([2001]);
        seen.add_polled(2000);
        assert_eq!(seen, Seen(vec![(1000, 1999), (2001, 2001)]));
    }

    #[test]
    fn after_a_quiet_day_ids_may_be_drawn_anew() {
        let seen = of([5]);
        assert_eq!(seen.offered(1000, 1000 + OFFERED_MS), seen);
        assert_eq!(seen.offered(1000, 1001 + OFFERED_MS), Seen::default());
    }
}
