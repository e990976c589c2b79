//! Lanes of a group: how far each has come in event time, and which windows it has to close next.
//!
//! Invariant: only the log moves a lane's clock, and back only where a record says so.

use schemas::{END_OF_LANE, GroupMessageIngested, LIVE_LANE};
use std::collections::{BTreeMap, BTreeSet};

/// Number of the live lane; imports are numbered from 1 as they come.
pub(crate) const LIVE: u32 = 0;

/// How far a lane has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lane {
    /// Number in the group, never used again.
    pub(crate) number: u32,
    /// Newest send time seen, leaving out stamps ahead of the source's clock.
    pub(crate) newest_ms: i64,
    /// Time up to which the source has promised the lane to be complete.
    pub(crate) promised_ms: i64,
}

impl Lane {
    /// Event time up to which the lane's windows are closed: grace is for what was seen, a promise needs none.
    pub(crate) fn clock_ms(&self, grace_ms: i64) -> i64 {
        self.promised_ms.max(self.newest_ms.saturating_sub(grace_ms))
    }
}

/// A window that a lane has to close, by the time at which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub(crate) at_ms: i64,
    pub(crate) start_ms: i64,
    pub(crate) size_hours: i32,
}

/// The lanes of a group.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    /// The live lane and imports in progress, as they began.
    named: Vec<(String, Lane)>,
    /// Numbers given to imports so far.
    numbered: u32,
    due: BTreeMap<u32, BTreeSet<Due>>,
}

impl Lanes {
    /// The lane called `name`, begun if it is new.
    pub(crate) fn lane(&mut self, name: &str) -> &mut Lane {
        let known = self.named.iter().position(|(known, _)| known == name);
        let index = known.unwrap_or_else(|| {
            self.numbered += u32::from(name != LIVE_LANE);
            let number = if name == LIVE_LANE { LIVE } else { self.numbered };
            let lane = Lane { number, newest_ms: i64::MIN, promised_ms: i64::MIN };
            self.named.push((name.to_owned(), lane));
            self.named.len() - 1
        });
        &mut self.named[index].1
    }

    /// Moves the clock of a record's lane, and tells up to which time its windows are to be closed now.
    pub(crate) fn advance(&mut self, record: &GroupMessageIngested, grace_ms: i64) -> i64 {
        let lane = self.lane(&record.lane);
        let stamps = record.messages.iter().map(|message| message.sent_at);
        let newest = stamps.filter(|sent_at| *sent_at <= record.observed_at).max();
        lane.newest_ms = lane.newest_ms.max(newest.unwrap_or(i64::MIN));
        match record.complete_until {
            Some(END_OF_LANE) => return END_OF_LANE,
            Some(until) => lane.promised_ms = lane.promised_ms.max(until),
            None => {}
        }
        lane.clock_ms(grace_ms)
    }

    /// Sets the clock of the lane called `name` back to `to_ms`; `None` when it is not ahead of that.
    pub(crate) fn set_back(&mut self, name: &str, to_ms: i64, grace_ms: i64) -> Option<Lane> {
        let (_, lane) = self.named.iter_mut().find(|(known, _)| known == name)?;
        if lane.clock_ms(grace_ms) <= to_ms {
            return None;
        }
        lane.newest_ms = lane.newest_ms.min(to_ms.saturating_add(grace_ms));
        lane.promised_ms = lane.promised_ms.min(to_ms);
        Some(*lane)
    }

    /// Forgets an import that has ended; the live lane goes on.
    pub(crate) fn end(&mut self, number: u32) {
        if number != LIVE {
            self.named.retain(|(_, lane)| lane.number != number);
            self.due.remove(&number);
        }
    }

    /// Notes a window that lane `number` has to close.
    pub(crate) fn open(&mut self, number: u32, due: Due) {
        self.due.entry(number).or_default().insert(due);
    }

    /// Forgets a window that lane `number` had to close then.
    pub(crate) fn close(&mut self, number: u32, due: Due) {
        if let Some(all) = self.due.get_mut(&number) {
            all.remove(&due);
        }
    }

    /// The next window that lane `number` has to close at `clock_ms`.
    pub(crate) fn next_due(&mut self, number: u32, clock_ms: i64) -> Option<Due> {
        let due = self.due.get_mut(&number)?;
        let next = due.first().filter(|next| next.at_ms <= clock_ms).copied();
        next.inspect(|next| {
            due.remove(next);
        })
    }

    /// Every lane with its name, and how many imports were numbered.
    pub(crate) fn all(&self) -> (&[(String, Lane)], u32) {
        (&self.named, self.numbered)
    }

    /// Puts back what [`Self::all`] told; windows to close are put back by [`Self::open`].
    pub(crate) fn restore(&mut self, named: Vec<(String, Lane)>, numbered: u32) {
        (self.named, self.numbered) = (named, numbered);
    }
}

/// When a lane has to close a window that ends at `end_ms` and is not open in it. A window behind the clock of an
/// import stays open until the end of the lane; one behind the live lane's gets a revision a grace period later,
/// and none (`None`) beyond the horizon.
pub(crate) fn due_ms(
    number: u32,
    clock_ms: i64,
    end_ms: i64,
    grace_and_horizon_ms: (i64, i64),
) -> Option<i64> {
    let (grace_ms, horizon_ms) = grace_and_horizon_ms;
    if clock_ms < end_ms {
        return Some(end_ms);
    }
    if number != LIVE {
        return Some(END_OF_LANE);
    }
    (clock_ms < end_ms.saturating_add(horizon_ms)).then(|| clock_ms.saturating_add(grace_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_is_added_to_what_was_seen_and_not_to_a_promise() {
        let lane = |newest_ms, promised_ms| Lane { number: 1, newest_ms, promised_ms };
        assert_eq!(lane(100, i64::MIN).clock_ms(5), 95);
        assert_eq!(lane(100, 98).clock_ms(5), 98);
        assert_eq!(lane(i64::MIN, i64::MIN).clock_ms(5), i64::MIN);
    }

    #[test]
    fn lane_is_set_back_to_a_time_and_never_forward() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.set_back("a", 5, 1), None, "no lane is begun for it");
        *lanes.lane("a") = Lane { number: 1, newest_ms: 100, promised_ms: 200 };
        let back = |lanes: &mut Lanes, to_ms| lanes.set_back("a", to_ms, 5).map(|lane| lane.clock_ms(5));
        assert_eq!(back(&mut lanes, 200), None);
        assert_eq!(back(&mut lanes, 150), Some(150));
        assert_eq!(back(&mut lanes, 50), Some(50));
        assert_eq!((lanes.lane("a").newest_ms, lanes.lane("a").promised_ms), (55, 50));
    }

    #[test]
    fn window_behind_the_clock_is_due_by_its_lane() {
        let times = (5, 100);
        assert_eq!(due_ms(LIVE, 9, 10, times), Some(10));
        assert_eq!(due_ms(LIVE, 10, 10, times), Some(15));
        assert_eq!(due_ms(LIVE, 109, 10, times), Some(114));
        assert_eq!(due_ms(LIVE, 110, 10, times), None);
        assert_eq!(due_ms(3, 9, 10, times), Some(10));
        assert_eq!(due_ms(3, 10_000, 10, times), Some(END_OF_LANE));
        assert_eq!(due_ms(LIVE, 10, 10, (5, 0)), None);
    }

    #[test]
    fn numbers_of_ended_imports_are_not_used_again() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.lane("a").number, 1);
        assert_eq!(lanes.lane(LIVE_LANE).number, LIVE);
        assert_eq!(lanes.lane("a").number, 1);
        lanes.end(1);
        lanes.end(LIVE);
        assert_eq!(lanes.lane("a").number, 2);
        let (all, numbered) = lanes.all();
        assert_eq!((all.len(), numbered), (2, 2));
    }

    #[test]
    fn windows_are_closed_in_order_of_time() {
        let mut lanes = Lanes::default();
        let due = |at_ms, start_ms| Due { at_ms, start_ms, size_hours: 4 };
        lanes.open(1, due(20, 0));
        lanes.open(1, due(10, 5));
        lanes.open(2, due(1, 1));
        assert_eq!(lanes.next_due(1, 9), None);
        assert_eq!(lanes.next_due(1, 20), Some(due(10, 5)));
        assert_eq!(lanes.next_due(1, 20), Some(due(20, 0)));
        assert_eq!(lanes.next_due(1, i64::MAX), None);
    }
}
