//! librdkafka's errors as what to do about them.
//!
//! Invariant: every error is handled, in the order fatal → abort → retriable → fatal after all; a transactional
//! call of unknown outcome always ends in a new producer, because librdkafka has no KIP-890.

use engine::log::TxnError;
use kafka_client::with_missing_permission;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// A transactional call that failed.
#[derive(Debug, Clone)]
pub(super) struct CallError {
    pub(super) code: RDKafkaErrorCode,
    pub(super) fatal: bool,
    pub(super) retriable: bool,
    pub(super) abort: bool,
    pub(super) text: String,
}

impl From<KafkaError> for CallError {
    fn from(error: KafkaError) -> Self {
        match &error {
            KafkaError::Transaction(inner) => Self {
                code: inner.code(),
                fatal: inner.is_fatal(),
                retriable: inner.is_retriable(),
                abort: inner.txn_requires_abort(),
                text: inner.string(),
            },
            _ => Self {
                code: error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
                fatal: false,
                retriable: false,
                abort: false,
                text: error.to_string(),
            },
        }
    }
}

fn is_fencing(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch
    )
}

/// The coordinator has forgotten the producer, as it does after `transactional.id.expiration.ms` (seven days) without a
/// transaction. Nobody has taken its id: a new producer goes on at once.
fn is_expired(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::InvalidProducerIdMapping | RDKafkaErrorCode::UnknownProducerId)
}

/// Calls until it works, fails otherwise than by asking to be called again, or has been called `attempts` times. One
/// that timed out is not called again: its outcome is unknown.
pub(super) fn transactional(
    what: &'static str,
    attempts: u32,
    mut call: impl FnMut() -> Result<(), CallError>,
) -> Result<(), TxnError> {
    let mut left = attempts;
    loop {
        let Err(error) = call() else { return Ok(()) };
        left = left.saturating_sub(1);
        let timed_out = error.code == RDKafkaErrorCode::OperationTimedOut;
        if error.fatal || error.abort || !error.retriable || timed_out || left == 0 {
            return Err(classify(what, &error));
        }
    }
}

/// What to do about a failed call that is not to be made again.
pub(super) fn classify(what: &'static str, error: &CallError) -> TxnError {
    let text = format!("could not {what}: {} ({:?})", error.text, error.code);
    let text = with_missing_permission(text, Some(error.code));
    if is_fencing(error.code) {
        TxnError::Fenced(text)
    } else if error.fatal || is_expired(error.code) {
        TxnError::Rebuild(text)
    } else if error.abort {
        TxnError::Abort(text)
    } else if error.retriable || error.code == RDKafkaErrorCode::OperationTimedOut {
        TxnError::Rebuild(text)
    } else {
        TxnError::Fatal(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fatal: bool, abort: bool, retriable: bool, code: RDKafkaErrorCode) -> CallError {
        CallError { code, fatal, retriable, abort, text: String::new() }
    }

    #[test]
    fn each_kind_has_its_remedy() {
        let remedy =
            |fatal, abort, retriable, code| classify("commit", &error(fatal, abort, retriable, code));
        assert!(matches!(remedy(true, false, false, RDKafkaErrorCode::Fenced), TxnError::Fenced(_)));
        assert!(matches!(remedy(true, true, true, RDKafkaErrorCode::Fail), TxnError::Rebuild(_)));
        assert!(matches!(remedy(false, true, true, RDKafkaErrorCode::Fail), TxnError::Abort(_)));
        assert!(matches!(
            remedy(false, false, true, RDKafkaErrorCode::OperationTimedOut),
            TxnError::Rebuild(_)
        ));
        assert!(matches!(remedy(false, false, false, RDKafkaErrorCode::State), TxnError::Fatal(_)));
    }

    #[test]
    fn a_producer_that_expired_is_no_rivals_work() {
        for code in [RDKafkaErrorCode::InvalidProducerIdMapping, RDKafkaErrorCode::UnknownProducerId] {
            for (fatal, abort) in [(true, false), (false, true), (false, false)] {
                let remedy = classify("commit", &error(fatal, abort, false, code));
                assert!(matches!(remedy, TxnError::Rebuild(_)), "{remedy:?}");
            }
        }
    }

    #[test]
    fn a_retriable_call_is_made_again_but_not_for_ever() {
        let mut calls = 0;
        let result = transactional("begin", 3, || {
            calls += 1;
            Err(error(false, false, true, RDKafkaErrorCode::Fail))
        });
        assert_eq!(calls, 3);
        assert!(matches!(result, Err(TxnError::Rebuild(_))));
        let mut calls = 0;
        let result = transactional("begin", 3, || {
            calls += 1;
            if calls == 2 { Ok(()) } else { Err(error(false, false, true, RDKafkaErrorCode::Fail)) }
        });
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn a_call_that_timed_out_is_not_made_again() {
        let mut calls = 0;
        let result = transactional("commit", 3, || {
            calls += 1;
            Err(error(false, false, true, RDKafkaErrorCode::OperationTimedOut))
        });
        assert_eq!(calls, 1);
        assert!(matches!(result, Err(TxnError::Rebuild(_))));
    }
}
