//! Whether a server is asked: one that fails again and again is left alone for a while.
//!
//! Invariant: while it is left alone, one call at a time finds out whether it answers again.

use std::time::{Duration, Instant};

/// Failures in a row after which the server is left alone.
const FAILURES_MAX: u32 = 5;
/// How long at first; twice as long after each call that fails then.
const WAIT_MIN: Duration = Duration::from_secs(5);
const WAIT_MAX: Duration = Duration::from_mins(1);

/// A breaker; closed at first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
    /// The last wait.
    wait: Duration,
}

impl Breaker {
    /// True while the server is left alone.
    pub fn is_open(&self, now: Instant) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }

    /// True from when the server is left alone until it has answered again.
    pub fn has_tripped(&self) -> bool {
        self.open_until.is_some()
    }

    /// Takes the right to a call.
    ///
    /// # Errors
    /// The server is left alone for so long.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        match self.open_until {
            Some(until) if now < until => Err(until - now),
            Some(_) => {
                // This call is the one that finds out; the others wait for it.
                self.open_until = Some(now + self.wait);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A call was answered, whatever the answer. True where the server had been left alone.
    pub fn answered(&mut self) -> bool {
        std::mem::take(self).open_until.is_some()
    }

    /// A call failed on the server's side, or did not reach it. True where the server is left alone from now on.
    pub fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES_MAX {
            return false;
        }
        self.wait = (self.wait * 2).clamp(WAIT_MIN, WAIT_MAX);
        self.open_until = Some(now + self.wait);
        self.failures == FAILURES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn open(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        let opened: Vec<bool> = (0..FAILURES_MAX).map(|_| breaker.failed(now)).collect();
        assert_eq!(opened, [false, false, false, false, true]);
        breaker
    }

    #[test]
    fn a_server_that_answers_now_and_then_is_always_asked() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..20 {
            for _ in 1..FAILURES_MAX {
                assert_eq!(breaker.take(now), Ok(()));
                assert!(!breaker.failed(now));
            }
            assert!(!breaker.answered());
        }
    }

    #[test]
    fn one_that_fails_again_and_again_is_asked_by_one_call_at_a_time_and_ever_more_rarely() {
        let began = Instant::now();
        let mut breaker = open(began);
        let mut now = began;
        let mut waits = Vec::new();
        for _ in 0..6 {
            assert!(breaker.is_open(now) && breaker.has_tripped());
            let wait = breaker.take(now).expect_err("it is left alone");
            waits.push(wait.as_secs());
            now += wait;
            assert!(!breaker.is_open(now) && breaker.has_tripped(), "it has not answered yet");
            assert_eq!(breaker.take(now), Ok(()), "one finds out");
            assert!(breaker.take(now).is_err(), "the others wait");
            assert!(!breaker.failed(now), "it was left alone before");
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn one_that_answers_again_is_asked_as_before() {
        let now = Instant::now();
        let mut breaker = open(now);
        assert_eq!(breaker.take(now + 6 * SECOND), Ok(()));
        assert!(breaker.answered() && !breaker.has_tripped());
        assert_eq!(breaker.take(now + 6 * SECOND), Ok(()));
        assert!(!breaker.failed(now + 6 * SECOND));
    }
}
