//! `digest.dlq`: an input that could not be processed, with everything needed to replay it.

use crate::{identity, record::record};
use serde::{Deserialize, Serialize};

/// An input that could not be processed, with everything needed to replay it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestDlq {
    /// Tenant that owns the group; empty when the input's key does not tell.
    pub tenant_id: String,
    /// Group inside the tenant; empty when the input's key does not tell.
    pub group_id: String,
    /// Digest concerned, when known.
    pub digest_id: Option<String>,
    /// Processor or sink that gave up.
    pub stage: String,
    /// What was attempted and what went wrong.
    pub error: String,
    /// Reason, as a metric label.
    pub error_class: String,
    /// Same for the same kind of failure: 16 hex digits.
    pub fingerprint: String,
    /// Attempts before giving up.
    pub retry_count: i32,
    /// `replay`, `fix_schema` or `investigate`.
    pub next_action: String,
    /// Logical topic of the input.
    pub topic: String,
    /// Partition of the input.
    pub partition: i32,
    /// Offset of the input.
    pub offset: i64,
    /// Append time of the input in ms.
    pub timestamp: i64,
    /// Key of the input.
    #[serde(with = "apache_avro::serde::bytes_opt")]
    pub key: Option<Vec<u8>>,
    /// Headers of the input, in order.
    pub headers: Vec<RecordHeader>,
    /// Value of the input.
    #[serde(with = "apache_avro::serde::bytes_opt")]
    pub value: Option<Vec<u8>>,
}

record!(DigestDlq, "digest.dlq.v1", "digest.dlq.v1",
    identity: |r| format!("{}/{}/{}/{}", r.topic, r.partition, r.offset, r.stage),
    time: |r| r.timestamp,
    trace: |r| identity::trace_id(&r.identity()));

/// A Kafka header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordHeader {
    /// Name.
    pub key: String,
    /// Value.
    #[serde(with = "apache_avro::serde::bytes_opt")]
    pub value: Option<Vec<u8>>,
}
