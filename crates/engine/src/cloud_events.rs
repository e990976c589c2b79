//! Headers of every event: `CloudEvents`' Kafka binding in binary mode, and W3C trace context.
//!
//! Invariant: each is a function of the record, but for the [`times`] of a stage's beginning; `ce_time` is event time.

use crate::shapes::Took;
use jiff::Timestamp;
use processor::AnyRecord;
use schemas::span_id;
use std::time::Duration;

/// Header of a stage's beginning: how long its work took, in ms.
pub const WORK_MS: &str = "ce_workms";
/// Header of a stage's beginning: how much of that it waited for what it looked up, in ms.
pub const LOOKUP_MS: &str = "ce_lookupms";
/// Header of a stage's beginning: how much of that it waited for language models, in ms.
pub const MODEL_MS: &str = "ce_modelms";

/// Headers for a record that `producer` emits.
pub fn headers(producer: &str, record: &dyn AnyRecord) -> Vec<(&'static str, Vec<u8>)> {
    let identity = record.identity();
    let trace = record.trace_id();
    let span = span_id(&trace, producer, &identity);
    vec![
        ("ce_specversion", b"1.0".to_vec()),
        ("ce_id", identity.into_bytes()),
        ("ce_source", format!("/gistmill/{producer}").into_bytes()),
        ("ce_type", record.type_name().as_bytes().to_vec()),
        ("ce_time", time(record.event_time_ms()).into_bytes()),
        ("content-type", b"application/avro".to_vec()),
        ("ce_tenantid", record.tenant_id().as_bytes().to_vec()),
        ("traceparent", format!("00-{trace}-{span}-01").into_bytes()),
    ]
}

/// How long the work took whose beginning is told, in whole ms, rounded up: 0 is a wait of who asked nobody.
pub fn times(took: Took) -> [(&'static str, Vec<u8>); 3] {
    // An integer of CloudEvents has 32 bits.
    let ms = |time: Duration| {
        i32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX).to_string().into_bytes()
    };
    [(WORK_MS, ms(took.work)), (LOOKUP_MS, ms(took.lookup)), (MODEL_MS, ms(took.model))]
}

/// RFC 3339 in UTC; a time outside the calendar is put at its nearest end.
fn time(ms: i64) -> String {
    let edge = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(ms).unwrap_or(edge).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_milliseconds_and_no_more_than_an_integer_of_cloud_events_holds() {
        let took =
            Took { work: Duration::from_micros(1_234_999), lookup: Duration::MAX, model: Duration::ZERO };
        let expected = [("ce_workms", "1235"), ("ce_lookupms", "2147483647"), ("ce_modelms", "0")];
        assert_eq!(times(took), expected.map(|(name, ms)| (name, ms.as_bytes().to_vec())));
    }

    #[test]
    fn event_time_is_rfc_3339() {
        assert_eq!(super::time(1_542_895_468_000), "2018-11-22T14:04:28Z");
        assert_eq!(super::time(1_542_895_468_123), "2018-11-22T14:04:28.123Z");
        assert!(super::time(i64::MAX).starts_with("9999-"));
    }
}
