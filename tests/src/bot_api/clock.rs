//! The server's clock: the system's, plus what a test let pass.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(crate) struct Clock {
    began: Instant,
    /// Since 1970, when the clock began.
    base: Duration,
    passed: Duration,
    #[cfg(test)]
    stands_still: bool,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server tells the time of its messages, as Telegram does"
    )]
    pub(crate) fn of_the_system() -> Self {
        let base = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            began: Instant::now(),
            base,
            passed: Duration::ZERO,
            #[cfg(test)]
            stands_still: false,
        }
    }

    /// Moves only when it is told to.
    #[cfg(test)]
    pub(crate) fn stepped() -> Self {
        Self {
            began: Instant::now(),
            base: Duration::from_secs(1_790_000_000),
            passed: Duration::ZERO,
            stands_still: true,
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.passed += time;
    }

    /// Since 1970.
    pub(crate) fn now(&self) -> Duration {
        #[cfg(test)]
        if self.stands_still {
            return self.base + self.passed;
        }
        self.base + self.passed + self.began.elapsed()
    }

    pub(crate) fn unix(&self) -> i64 {
        i64::try_from(self.now().as_secs()).unwrap_or(i64::MAX)
    }
}
