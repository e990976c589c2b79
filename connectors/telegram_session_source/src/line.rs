//! What a session may ask now: waits that Telegram has asked for, to the second, and a breaker.
//!
//! Invariant: pure. A kind of request that has to wait is not made before its time, also where the connection is new.

use crate::peer::Method;
use std::collections::BTreeMap;

/// Wait after a first failure in ms; doubled by each that follows.
const FIRST_MS: i64 = 1_000;
/// So many failures in a row open the breaker.
const BREAKS_AT: u32 = 5;
/// The breaker stays open so long in ms, and twice as long by each try that fails.
const OPEN_MS: i64 = 60 * 1_000;
/// Longest it stays open, in ms.
const OPEN_MAX_MS: i64 = 10 * 60 * 1_000;

/// The state of a session's line.
#[derive(Debug, Default)]
pub(crate) struct Line {
    floods: BTreeMap<Method, i64>,
    failures: u32,
    away_until: i64,
}

impl Line {
    /// When a request of this kind may be made; now, or before it, where nothing is in the way.
    pub(crate) fn free_at(&self, method: Method) -> i64 {
        self.floods.get(&method).copied().unwrap_or(0).max(self.away_until)
    }

    /// Telegram has asked to wait.
    pub(crate) fn flood(&mut self, method: Method, seconds: u32, now: i64) {
        self.failures = 0;
        self.floods.insert(method, now + i64::from(seconds) * 1000);
    }

    /// A request was answered.
    pub(crate) fn answered(&mut self) {
        (self.failures, self.away_until) = (0, 0);
    }

    /// Telegram was not reached; true where that has opened the breaker.
    pub(crate) fn failed(&mut self, now: i64) -> bool {
        self.failures += 1;
        let wait = match self.failures.checked_sub(BREAKS_AT) {
            None => FIRST_MS << (self.failures - 1),
            Some(more) => (OPEN_MS << more.min(8)).min(OPEN_MAX_MS),
        };
        self.away_until = now + wait;
        self.failures == BREAKS_AT
    }

    /// True while the breaker is open.
    pub(crate) fn is_open(&self) -> bool {
        self.failures >= BREAKS_AT
    }

    /// True while something has to wait.
    pub(crate) fn is_held(&self, now: i64) -> bool {
        self.away_until > now || self.floods.values().any(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_obeyed_to_the_second_and_holds_back_nothing_else() {
        let mut line = Line::default();
        line.flood(Method::History, 86_400, 5_000);
        assert_eq!(line.free_at(Method::History), 86_405_000);
        assert_eq!(line.free_at(Method::ChannelDifference), 0);
        assert!(line.is_held(86_404_999) && !line.is_held(86_405_000));
        line.answered();
        assert_eq!(line.free_at(Method::History), 86_405_000, "an answer to something else ends no wait");
    }

    #[test]
    fn failures_wait_longer_each_time_and_open_the_breaker() {
        let mut line = Line::default();
        let mut waits = Vec::new();
        let mut opened = Vec::new();
        for _ in 0..10 {
            opened.push(line.failed(0));
            waits.push(line.free_at(Method::Difference) / 1000);
        }
        assert_eq!(waits, [1, 2, 4, 8, 60, 120, 240, 480, 600, 600]);
        assert_eq!(opened.iter().filter(|opened| **opened).count(), 1);
        assert!(line.is_open());
        line.answered();
        assert!(!line.is_open() && line.free_at(Method::Difference) == 0);
    }
}
