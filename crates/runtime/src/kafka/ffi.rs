//! The one unsafe module: committing a transaction without the wrapper's flush, reading headers without its panic, and
//! asking for the member id, which the wrapper does not tell.
//!
//! `BaseProducer::flush` polls in steps of 100 ms, and the wrapper's `commit_transaction` flushes first, so that
//! every commit with messages in flight costs 100 ms. librdkafka's own commit flushes too, and the producer's
//! polling thread serves its delivery reports meanwhile (`examples/commit_paths.rs` measures both).
#![expect(
    unsafe_code,
    reason = "the wrapper flushes before it commits, panics on header names that are not UTF-8, and has no member id"
)]

use super::errors::CallError;
use rdkafka::{
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    message::BorrowedMessage,
    producer::{BaseProducer, Producer, ProducerContext},
};
use rdkafka_sys as sys;
use std::{ffi::CStr, ptr, slice, time::Duration};

const NO_ERROR: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

/// Commits the producer's open transaction, waiting at most `timeout`.
pub(super) fn commit_transaction<C: ProducerContext + 'static>(
    producer: &BaseProducer<C>,
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

/// The id that the group's coordinator has given a consumer; none before it has joined.
pub(crate) fn member_id<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<String> {
    // SAFETY: the pointer is the live client of `consumer`, which outlives the call; the string is ours to free, and is
    // copied before.
    unsafe {
        let client = consumer.client().native_ptr();
        let id = sys::rd_kafka_memberid(client);
        if id.is_null() {
            return None;
        }
        let copied = CStr::from_ptr(id).to_string_lossy().into_owned();
        sys::rd_kafka_mem_free(client, id.cast());
        Some(copied).filter(|id| !id.is_empty())
    }
}

/// The message's headers in order. A name that is not UTF-8, on which the wrapper's own iterator panics, is escaped.
pub(super) fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    // SAFETY: the message lives as long as the borrow, and its headers with it; librdkafka ends names with a zero byte
    // and gives each value's length; both are copied.
    unsafe {
        let mut headers = ptr::null_mut();
        if sys::rd_kafka_message_headers(message.ptr(), &raw mut headers) != NO_ERROR {
            return found;
        }
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        while sys::rd_kafka_header_get_all(
            headers,
            found.len(),
            &raw mut name,
            &raw mut value,
            &raw mut length,
        ) == NO_ERROR
        {
            let name = CStr::from_ptr(name);
            let name =
                name.to_str().map_or_else(|_| name.to_bytes().escape_ascii().to_string(), str::to_owned);
            let value =
                (!value.is_null()).then(|| slice::from_raw_parts(value.cast::<u8>(), length).to_vec());
            found.push((name, value));
        }
    }
    found
}

/// The last of the message's headers: its name and its value.
pub(super) fn last_header<'a>(message: &'a BorrowedMessage<'_>) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    // SAFETY: as in `headers`; name and value stay where they are for as long as the message, which is borrowed.
    unsafe {
        let mut headers = ptr::null_mut();
        if sys::rd_kafka_message_headers(message.ptr(), &raw mut headers) != NO_ERROR {
            return None;
        }
        let index = sys::rd_kafka_header_cnt(headers).checked_sub(1)?;
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        let found =
            sys::rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut length);
        if found != NO_ERROR {
            return None;
        }
        let value = (!value.is_null()).then(|| slice::from_raw_parts(value.cast::<u8>(), length));
        Some((CStr::from_ptr(name).to_bytes(), value))
    }
}
