//! The one unsafe module: committing a transaction without the wrapper's flush.
//!
//! `BaseProducer::flush` polls in steps of 100 ms, and the wrapper's `commit_transaction` flushes first, so that
//! every commit with messages in flight costs 100 ms. librdkafka's own commit flushes too, and the producer's
//! polling thread serves its delivery reports meanwhile (`examples/commit_paths.rs` measures both).
#![expect(unsafe_code, reason = "rd_kafka_commit_transaction is not reachable without the wrapper's flush")]

use super::errors::CallError;
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka_sys as sys;
use std::{ffi::CStr, time::Duration};

/// Commits the producer's open transaction, waiting at most `timeout`.
pub(super) fn commit_transaction<C: ProducerContext + 'static>(
    producer: &ThreadedProducer<C>,
    timeout: Duration,
) -> Result<(), CallError> {
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the pointer is the live client of `producer`, which outlives the call; the error is ours to destroy,
    // is read only before that, and its string is copied.
    unsafe {
        let error = sys::rd_kafka_commit_transaction(producer.client().native_ptr(), timeout_ms);
        if error.is_null() {
            return Ok(());
        }
        let call_error = CallError {
            code: sys::rd_kafka_error_code(error).into(),
            fatal: sys::rd_kafka_error_is_fatal(error) != 0,
            retriable: sys::rd_kafka_error_is_retriable(error) != 0,
            abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
            text: CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned(),
        };
        sys::rd_kafka_error_destroy(error);
        Err(call_error)
    }
}
