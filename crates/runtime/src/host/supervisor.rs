//! A unit's life: run, and run again after a failure that may pass.
//!
//! Invariant: a unit's end is nobody else's. Its neighbours go on; the process ends with an error when it is asked to,
//! or when no unit is left.

use super::{Stop, status::UnitStatus};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};
use tracing::{error, warn};

/// First and longest wait before a unit is started again.
pub(super) const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Why a unit cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Another attempt may find it gone.
    #[error("{0}")]
    Passing(String),
    /// Somebody has to change something and start the process again; another attempt would do harm, or the same.
    #[error("{0}")]
    Lasting(String),
}

/// What is not known to last is tried again.
impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Passing(why)
    }
}

impl From<engine::Error> for Failure {
    fn from(stop: engine::Error) -> Self {
        let why = stop.to_string();
        match stop {
            // Each attempt would put a hundred more inputs into the dead letters, or fence the other instance.
            engine::Error::BlastRadius(_) | engine::Error::Rival(_) => Self::Lasting(why),
            engine::Error::NoOffset(_) | engine::Error::Fatal(_) => Self::Passing(why),
        }
    }
}

/// Runs a unit until the process is asked to stop or it fails for good; `Err` says why. The wait before another attempt
/// doubles, and begins anew after an attempt that lasted longer than the longest.
pub(super) fn supervise(
    stop: &Stop,
    status: &UnitStatus,
    back_off: (Duration, Duration),
    mut run: impl FnMut() -> Result<(), Failure>,
) -> Result<(), String> {
    let mut wait = back_off.0;
    loop {
        let began = Instant::now();
        let failure = match catch_unwind(AssertUnwindSafe(&mut run)) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failure)) => failure,
            // A defect: nobody knows what else it left behind.
            Err(_) => Failure::Lasting("panicked; its work is uncommitted".to_owned()),
        };
        match failure {
            Failure::Passing(why) if !stop.is_asked() => {
                if began.elapsed() > back_off.1 {
                    wait = back_off.0;
                }
                warn!(unit = status.name, why, "unit stopped; it is started again in {wait:?}");
                status.restarting(&why);
                stop.wait(wait);
                if stop.is_asked() {
                    return Ok(());
                }
                wait = (wait * 2).min(back_off.1);
            }
            Failure::Passing(why) | Failure::Lasting(why) => {
                error!(unit = status.name, why, "unit failed; the others go on");
                status.failed(&why);
                return Err(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const SHORT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(2));

    fn supervised(run: impl FnMut() -> Result<(), Failure>) -> (Result<(), String>, Arc<UnitStatus>) {
        let status = UnitStatus::new("topic".to_owned());
        (supervise(&Stop::default(), &status, SHORT, run), status)
    }

    #[test]
    fn a_failure_that_passes_is_tried_again() {
        let mut attempts = 0;
        let (ended, status) = supervised(|| {
            attempts += 1;
            if attempts == 5 { Ok(()) } else { Err(Failure::from("broker is slow".to_owned())) }
        });
        assert_eq!((ended, attempts, status.failure()), (Ok(()), 5, None));
    }

    #[test]
    fn a_lasting_failure_and_a_panic_end_the_unit() {
        let tripped = engine::guard::Tripped { rejected: 100, seen: 100, first: Vec::new() };
        let lasting = supervised(|| Err(engine::Error::BlastRadius(tripped.clone()).into())).0;
        assert!(lasting.expect_err("ended").starts_with("100 of 100 inputs were rejected"));
        let (panicked, status) = supervised(|| panic!("a defect"));
        assert_eq!(panicked, Err("panicked; its work is uncommitted".to_owned()));
        assert_eq!(status.line(), "topic: failed: panicked; its work is uncommitted");
    }

    #[test]
    fn a_stop_ends_the_wait_for_another_attempt() {
        let (stop, status) = (Stop::default(), UnitStatus::new("topic".to_owned()));
        let (asking, seen) = (stop.clone(), Arc::clone(&status));
        let asker = std::thread::spawn(move || {
            while seen.state() != "restarting" {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            asking.ask();
        });
        let mut attempts = 0;
        let hour = Duration::from_hours(1);
        let ended = supervise(&stop, &status, (hour, hour), || {
            attempts += 1;
            Err(Failure::Passing("broker is slow".to_owned()))
        });
        asker.join().expect("asked");
        assert_eq!((ended, attempts), (Ok(()), 1));
    }
}
