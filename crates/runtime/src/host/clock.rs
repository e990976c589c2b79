//! Time since a loop began, sleep of the machine included.
//!
//! A broker's timeouts go on while this machine is suspended; `Instant` stands still then, and a loop that measures with
//! it takes a transaction that has timed out for a young one.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A running clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: Duration,
}

impl Clock {
    /// A clock at zero.
    pub(super) fn start() -> Self {
        Self { began: since_boot() }
    }

    /// Time since its start.
    pub(super) fn elapsed(&self) -> Duration {
        since_boot().saturating_sub(self.began)
    }
}

fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_runs_as_fast_as_any_other() {
        let (clock, instant) = (Clock::start(), Instant::now());
        std::thread::park_timeout(Duration::from_millis(5));
        let (outer, elapsed) = (instant.elapsed(), clock.elapsed());
        assert!(elapsed >= outer, "{elapsed:?} after {outer:?}");
    }
}
