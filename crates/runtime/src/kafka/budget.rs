//! How long the calls of one transaction may take together.
//!
//! Invariant: they end before the coordinator's patience does. Called longer, a transaction is aborted and its producer
//! fenced, which looks as if another instance had this one's name.

use engine::log::TxnError;
use rdkafka::config::ClientConfig;
use std::time::{Duration, Instant};

const TIMEOUT: &str = "transaction.timeout.ms";
/// librdkafka's own default.
const TIMEOUT_DEFAULT: Duration = Duration::from_mins(1);
/// Longest wait for one transactional call: above librdkafka's own retries.
const CALL: Duration = Duration::from_secs(20);
/// Less is not worth a call.
const CALL_MIN: Duration = Duration::from_millis(500);

/// Time after which the coordinator aborts a transaction of a producer with these settings.
pub(crate) fn transaction_timeout(settings: &ClientConfig) -> Duration {
    let set = settings.get(TIMEOUT).and_then(|ms| ms.parse().ok());
    set.map_or(TIMEOUT_DEFAULT, Duration::from_millis)
}

/// The time of one producer's transactions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    timeout: Duration,
    began: Option<Instant>,
}

impl Budget {
    pub(super) fn of(settings: &ClientConfig) -> Self {
        Self { timeout: transaction_timeout(settings), began: None }
    }

    /// The same for a transaction that begins at `now`.
    pub(super) fn begin(self, now: Instant) -> Self {
        Self { began: Some(now), ..self }
    }

    /// Longest wait for the next call of the open transaction: all of them end after five sixths of the timeout.
    pub(super) fn call(&self, now: Instant) -> Result<Duration, TxnError> {
        let open = self.began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began));
        let left = (self.timeout / 6 * 5).saturating_sub(open);
        if left < CALL_MIN {
            let (open, timeout) = (open.as_secs(), self.timeout.as_secs());
            let why = format!("transaction was open for {open} s, too long for its timeout of {timeout} s");
            return Err(TxnError::Rebuild(why));
        }
        Ok(left.min(CALL))
    }

    /// Longest wait for a call to keep its own timeout.
    pub(super) fn grace(&self) -> Duration {
        self.timeout / 12
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(ms: &str) -> ClientConfig {
        let mut settings = ClientConfig::new();
        settings.set(TIMEOUT, ms);
        settings
    }

    #[test]
    fn offsets_and_commit_together_end_before_their_transaction_does() {
        for timeout in [2, 10, 30, 60, 900].map(Duration::from_secs) {
            let began = Instant::now();
            let budget = Budget::of(&settings(&timeout.as_millis().to_string())).begin(began);
            let offsets = budget.call(began).expect("time for the first call");
            // Stuck to the last moment.
            let commit = budget.call(began + offsets + budget.grace()).map_or(Duration::ZERO, |left| left);
            let together = offsets + budget.grace() + commit + budget.grace();
            assert!(together <= timeout, "{together:?} of {timeout:?}");
        }
        let budget = Budget::of(&settings("30000")).begin(Instant::now());
        assert_eq!(budget.call(Instant::now() + Duration::from_secs(1)).expect("plenty"), CALL);
    }

    #[test]
    fn a_transaction_that_is_too_old_is_not_committed() {
        let began = Instant::now();
        let budget = Budget::of(&settings("30000")).begin(began);
        let late = budget.call(began + Duration::from_secs(25)).expect_err("five seconds before its end");
        let why = "transaction was open for 25 s, too long for its timeout of 30 s";
        assert_eq!(late, TxnError::Rebuild(why.to_owned()));
    }
}
