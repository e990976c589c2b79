//! How fast a channel may be asked: at most so many calls in a span of time, to one target and in all.
//!
//! Invariant: in no span of the length of a limit are there more calls than it allows, and a target that asked to be left
//! alone is left alone until then. The clock is an argument.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

/// So many calls in so long a time.
pub type Limit = (usize, Duration);

/// Calls that were made, as far back as a limit looks.
#[derive(Debug, Default)]
struct Calls {
    at: VecDeque<Instant>,
    not_before: Option<Instant>,
}

impl Calls {
    /// When the next call may be made, by each of the limits.
    fn next(&self, limits: &[Limit]) -> Option<Instant> {
        let by_limit = limits.iter().filter_map(|(count, span)| {
            let oldest = self.at.len().checked_sub(*count).and_then(|first| self.at.get(first))?;
            Some(*oldest + *span)
        });
        by_limit.chain(self.not_before).max()
    }

    fn forget(&mut self, now: Instant, span: Duration) {
        while self.at.front().is_some_and(|at| *at + span <= now) {
            self.at.pop_front();
        }
        self.not_before = self.not_before.filter(|until| *until > now);
    }

    fn is_idle(&self) -> bool {
        self.at.is_empty() && self.not_before.is_none()
    }
}

/// Counts calls to the targets of a channel.
#[derive(Debug)]
pub struct Limiter {
    all: Calls,
    all_limit: Limit,
    targets: BTreeMap<String, Calls>,
}

impl Limiter {
    /// A limiter that has seen no calls, with the limit of all targets together.
    pub fn new(all: Limit) -> Self {
        Self { all: Calls::default(), all_limit: all, targets: BTreeMap::new() }
    }

    /// Takes the right to one call to `target` now.
    ///
    /// # Errors
    /// How long to wait before asking again; nothing is taken.
    pub fn take(&mut self, target: &str, limits: &[Limit], now: Instant) -> Result<(), Duration> {
        let longest = |limits: &[Limit]| limits.iter().map(|limit| limit.1).max().unwrap_or_default();
        self.all.forget(now, self.all_limit.1);
        self.targets.retain(|name, calls| {
            // Targets may have limits of their own; none looks back further than an hour.
            calls.forget(now, if name == target { longest(limits) } else { LOOK_BACK });
            !calls.is_idle()
        });
        let own = self.targets.get(target).and_then(|calls| calls.next(limits));
        let next = own.max(self.all.next(&[self.all_limit]));
        if let Some(next) = next.filter(|next| *next > now) {
            return Err(next - now);
        }
        self.all.at.push_back(now);
        self.targets.entry(target.to_owned()).or_default().at.push_back(now);
        Ok(())
    }

    /// Leaves `target` alone until then.
    pub fn hold(&mut self, target: &str, until: Instant) {
        let calls = self.targets.entry(target.to_owned()).or_default();
        calls.not_before = calls.not_before.max(Some(until));
    }
}

/// Calls older than this are of no limit.
const LOOK_BACK: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);
    const GROUP: [Limit; 2] = [(1, SECOND), (20, Duration::from_mins(1))];

    /// Makes calls as soon as they are allowed; when each was made, from the first.
    fn made(targets: &[&str], limits: &[Limit]) -> Vec<(String, Duration)> {
        let mut limiter = Limiter::new((30, SECOND));
        let start = Instant::now();
        let mut now = start;
        let mut made = Vec::new();
        for target in targets {
            while let Err(wait) = limiter.take(target, limits, now) {
                assert!(wait > Duration::ZERO);
                now += wait;
            }
            made.push(((*target).to_owned(), now - start));
        }
        made
    }

    /// Most calls in any span of this length.
    fn most(at: &[Duration], span: Duration) -> usize {
        at.iter()
            .map(|from| at.iter().filter(|it| **it >= *from && **it < *from + span).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn a_group_gets_one_a_second_and_twenty_a_minute() {
        let at: Vec<u64> = made(&["-1"; 41], &GROUP).iter().map(|(_, at)| at.as_secs()).collect();
        let expected: Vec<u64> = (0..20).chain(60..80).chain([120]).collect();
        assert_eq!(at, expected);
    }

    #[test]
    fn all_targets_together_get_thirty_a_second() {
        let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let at: Vec<u64> = made(&names, &GROUP[..1]).iter().map(|(_, at)| at.as_secs()).collect();
        assert_eq!((at[29], at[30], at[60], at[99]), (0, 1, 2, 3));
    }

    #[test]
    fn five_thousand_calls_are_as_fast_as_the_limits_and_no_faster() {
        let names: Vec<String> = (0..5_000).map(|n| (n % 250).to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let made = made(&names, &GROUP);
        let all: Vec<Duration> = made.iter().map(|(_, at)| *at).collect();
        assert_eq!(most(&all, SECOND), 30);
        // Twenty to each of 250 targets, thirty a second.
        assert_eq!(all.last().map(Duration::as_secs), Some(5_000 / 30));
        let of_one: Vec<Duration> = made.iter().filter(|it| it.0 == "7").map(|it| it.1).collect();
        assert_eq!((of_one.len(), most(&of_one, SECOND)), (20, 1));
    }

    #[test]
    fn a_target_that_asks_for_it_is_left_alone_and_no_other_is() {
        let mut limiter = Limiter::new((30, SECOND));
        let now = Instant::now();
        limiter.hold("-1", now + 35 * SECOND);
        limiter.hold("-1", now + 5 * SECOND);
        assert_eq!(limiter.take("-1", &GROUP, now + SECOND), Err(34 * SECOND));
        assert_eq!(limiter.take("-2", &GROUP, now + SECOND), Ok(()));
        assert_eq!(limiter.take("-1", &GROUP, now + 35 * SECOND), Ok(()));
    }

    proptest! {
        #[test]
        fn no_span_holds_more_calls_than_are_allowed(targets in prop::collection::vec(0u8..4, 0..200)) {
            let names: Vec<String> = targets.iter().map(|n| format!("-{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let made = made(&names, &GROUP);
            let all: Vec<Duration> = made.iter().map(|(_, at)| *at).collect();
            prop_assert!(most(&all, SECOND) <= 30);
            for target in ["-0", "-1", "-2", "-3"] {
                let own: Vec<Duration> = made.iter().filter(|it| it.0 == target).map(|it| it.1).collect();
                prop_assert!(most(&own, SECOND) <= 1 && most(&own, Duration::from_mins(1)) <= 20);
            }
        }
    }
}
