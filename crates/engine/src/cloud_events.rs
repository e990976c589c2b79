//! Headers of every event: `CloudEvents`' Kafka binding in binary mode, and W3C trace context.
//!
//! Invariant: each is a function of the record; `ce_time` is event time.

use jiff::Timestamp;
use processor::AnyRecord;
use schemas::span_id;

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

/// RFC 3339 in UTC; a time outside the calendar is put at its nearest end.
fn time(ms: i64) -> String {
    let edge = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(ms).unwrap_or(edge).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn event_time_is_rfc_3339() {
        assert_eq!(super::time(1_542_895_468_000), "2018-11-22T14:04:28Z");
        assert_eq!(super::time(1_542_895_468_123), "2018-11-22T14:04:28.123Z");
        assert!(super::time(i64::MAX).starts_with("9999-"));
    }
}
