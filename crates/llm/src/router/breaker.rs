//! Whether a provider's model is asked at all.
//!
//! Invariant: closed, open until a moment, or half open with one probe on its way; whatever answers closes it.

use crate::failure::Health;
use std::time::Duration;

/// Doubtful failures in a row that open it.
const FAILURES_MAX: u32 = 5;
/// First time for which it is open, doubled with each probe that fails.
const OPEN: Duration = Duration::from_secs(30);
/// Longest time for which it is open.
const OPEN_MAX: Duration = Duration::from_mins(10);

/// The breaker of a provider and model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    failures: u32,
    /// Times that it opened since something was answered.
    openings: u32,
    open_until: Option<Duration>,
    is_probed: bool,
}

/// Whether to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open(Pass),
    Shut,
}

/// What an attempt that was let through is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Ordinary,
    /// The one by whose outcome a half open breaker closes or opens.
    Probe,
}

impl Breaker {
    /// Whether an attempt may begin now; it has to be told by [`Self::begin`].
    pub(super) fn gate(&self, now: Duration) -> Gate {
        match self.open_until {
            None => Gate::Open(Pass::Ordinary),
            Some(until) if now >= until && !self.is_probed => Gate::Open(Pass::Probe),
            Some(_) => Gate::Shut,
        }
    }

    pub(super) fn begin(&mut self, pass: Pass) {
        self.is_probed |= pass == Pass::Probe;
    }

    /// An attempt ended.
    pub(super) fn end(&mut self, pass: Pass, now: Duration, health: Health) {
        if pass == Pass::Probe {
            self.is_probed = false;
        } else if self.open_until.is_some() {
            // Begun before it opened: the probe alone decides.
            return;
        }
        match health {
            Health::Good => *self = Self::default(),
            Health::Doubtful => {
                self.failures = self.failures.saturating_add(1);
                if pass == Pass::Probe || self.failures >= FAILURES_MAX {
                    self.open(now);
                }
            }
            Health::Bad => self.open(now),
            Health::Unknown => {}
        }
    }

    fn open(&mut self, now: Duration) {
        let wait = OPEN.saturating_mul(1 << self.openings.min(10)).min(OPEN_MAX);
        self.openings = self.openings.saturating_add(1);
        self.open_until = Some(now.saturating_add(wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_opens_lets_one_probe_through_and_closes_by_an_answer() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.end(Pass::Ordinary, at(0), Health::Doubtful);
        }
        assert_eq!(breaker.gate(at(0)), Gate::Open(Pass::Ordinary));
        breaker.end(Pass::Ordinary, at(0), Health::Doubtful);
        assert_eq!(breaker.gate(at(29)), Gate::Shut);
        assert_eq!(breaker.gate(at(30)), Gate::Open(Pass::Probe));
        breaker.begin(Pass::Probe);
        assert_eq!(breaker.gate(at(31)), Gate::Shut);
        // A straggler says nothing, a probe that nobody waited for neither: the next one decides.
        breaker.end(Pass::Ordinary, at(31), Health::Good);
        assert_eq!(breaker.gate(at(31)), Gate::Shut);
        breaker.end(Pass::Probe, at(32), Health::Unknown);
        assert_eq!(breaker.gate(at(32)), Gate::Open(Pass::Probe));
        breaker.begin(Pass::Probe);
        breaker.end(Pass::Probe, at(40), Health::Doubtful);
        assert_eq!((breaker.gate(at(99)), breaker.gate(at(100))), (Gate::Shut, Gate::Open(Pass::Probe)));
        breaker.begin(Pass::Probe);
        breaker.end(Pass::Probe, at(101), Health::Good);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn what_will_not_get_better_opens_it_at_once_and_for_ten_minutes_in_the_end() {
        let mut breaker = Breaker::default();
        breaker.end(Pass::Ordinary, at(0), Health::Bad);
        assert_eq!(breaker.gate(at(1)), Gate::Shut);
        let mut now = at(0);
        for _ in 0..20 {
            now += at(600);
            assert_eq!(breaker.gate(now), Gate::Open(Pass::Probe));
            breaker.begin(Pass::Probe);
            breaker.end(Pass::Probe, now, Health::Bad);
            assert_eq!(breaker.gate(now), Gate::Shut);
        }
        assert_eq!(breaker.gate(now + at(599)), Gate::Shut);
    }
}
