//! Dead letters: the input as it was, why it was given up, and headers that other systems' tools understand.
//!
//! Invariant: raw key, value and headers are carried unchanged, or left out where they do not fit; payload and key are
//! functions of the input alone.

mod fit;

pub use crate::next_action::{FIX_SCHEMA, INVESTIGATE, NEXT_ACTIONS};
use crate::{
    exactly_once::log::{OutRecord, RecordView},
    replayed::replays,
    shapes::outlet::{Bound, chain},
    wire_check::WireFault,
};
pub use fit::fitted;
use processor::Reject;
use schemas::{DigestDlq, EncodeError, Fingerprint, LEFT_OUT, Record, RecordHeader};
use std::sync::Arc;

/// Where an input was read and who gives it up.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Unit that gives it up.
    pub stage: &'static str,
    /// Logical topic: what the payload names.
    pub topic: Arc<str>,
    /// Topic on the broker: a header only.
    pub physical: Arc<str>,
    /// Consumer group of that unit: a header only.
    pub group: Arc<str>,
}

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureKind {
    /// Why, as a metric label.
    pub reason: &'static str,
    /// What failures of this kind have in common.
    pub fingerprint: Fingerprint,
}

/// Why an input is given up.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Metric label.
    pub reason: &'static str,
    /// Of bounded length, whatever it quotes.
    pub detail: String,
    /// What to do about it: one of [`NEXT_ACTIONS`].
    pub next_action: &'static str,
    /// Key of the group whose input it is, where the input's own key does not tell.
    pub owner: Option<String>,
}

impl Cause {
    /// A cause that asks to look into the input.
    pub fn new(reason: &'static str, detail: String) -> Self {
        Self { reason, detail: fit::detail(detail), next_action: INVESTIGATE, owner: None }
    }

    /// The kind of failure that it is.
    pub fn kind(&self, origin: &Origin) -> FailureKind {
        let fingerprint = Fingerprint::of(origin.stage, &origin.topic, self.reason, &self.detail);
        FailureKind { reason: self.reason, fingerprint }
    }

    /// The cause for a record that fails the wire check.
    pub fn of_fault(fault: &WireFault) -> Self {
        Self {
            next_action: fault.next_action(),
            owner: fault.owner().map(str::to_owned),
            ..Self::new(fault.reason(), chain(fault))
        }
    }
}

impl From<Reject> for Cause {
    fn from(reject: Reject) -> Self {
        Self::new(reject.reason, reject.detail)
    }
}

/// Whether a letter lacks a part of its input, which was too large for it and may still lie in its topic.
pub fn names_what_was_left_out(letter: &DigestDlq) -> bool {
    letter.error.contains(LEFT_OUT)
}

/// The payload of a dead letter.
pub fn payload(origin: &Origin, cause: &Cause, record: &RecordView<'_>) -> DigestDlq {
    let key = || record.key.and_then(|key| std::str::from_utf8(key).ok());
    let owner = cause.owner.as_deref().or_else(key).and_then(|key| key.split_once('/'));
    let (tenant_id, group_id) = owner.unwrap_or_default();
    let headers = record.headers.to_vec();
    DigestDlq {
        tenant_id: tenant_id.to_owned(),
        group_id: group_id.to_owned(),
        digest_id: None,
        stage: origin.stage.to_owned(),
        error: cause.detail.clone(),
        error_class: cause.reason.to_owned(),
        fingerprint: cause.kind(origin).fingerprint.to_string(),
        retry_count: replays(&headers),
        next_action: cause.next_action.to_owned(),
        topic: origin.topic.to_string(),
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp_ms,
        key: record.key.map(<[u8]>::to_vec),
        headers: headers.into_iter().map(|(key, value)| RecordHeader { key, value }).collect(),
        value: record.value.map(<[u8]>::to_vec),
    }
}

/// Headers that say where a dead letter comes from in four dialects: ours, Kafka Streams' (KIP-1034),
/// Kafka Connect's (KIP-298) and Spring Kafka's, the last with binary numbers as its own recoverer writes them.
pub fn headers(origin: &Origin, letter: &DigestDlq) -> Vec<(&'static str, Vec<u8>)> {
    let (partition, offset) = (letter.partition.to_string(), letter.offset.to_string());
    let text = |value: &str| value.as_bytes().to_vec();
    vec![
        ("dlq_topic", text(&letter.topic)),
        ("dlq_physical_topic", text(&origin.physical)),
        ("dlq_partition", text(&partition)),
        ("dlq_offset", text(&offset)),
        ("dlq_stage", text(&letter.stage)),
        ("dlq_reason", text(&letter.error_class)),
        ("__streams.errors.exception", text(&letter.error_class)),
        ("__streams.errors.message", text(&letter.error)),
        ("__streams.errors.topic", text(&origin.physical)),
        ("__streams.errors.partition", text(&partition)),
        ("__streams.errors.offset", text(&offset)),
        ("__connect.errors.topic", text(&origin.physical)),
        ("__connect.errors.partition", text(&partition)),
        ("__connect.errors.offset", text(&offset)),
        ("__connect.errors.connector.name", text(&letter.stage)),
        ("__connect.errors.exception.class.name", text(&letter.error_class)),
        ("__connect.errors.exception.message", text(&letter.error)),
        ("kafka_dlt-original-topic", text(&origin.physical)),
        ("kafka_dlt-original-partition", letter.partition.to_be_bytes().to_vec()),
        ("kafka_dlt-original-offset", letter.offset.to_be_bytes().to_vec()),
        ("kafka_dlt-original-timestamp", letter.timestamp.to_be_bytes().to_vec()),
        ("kafka_dlt-original-timestamp-type", text("LogAppendTime")),
        ("kafka_dlt-original-consumer-group", text(&origin.group)),
        ("kafka_dlt-exception-fqcn", text(&letter.error_class)),
        ("kafka_dlt-exception-message", text(&letter.error)),
    ]
}

/// A dead letter that fits its topic, and its record.
pub fn letter(
    bound: &Bound,
    (origin, cause): (&Origin, &Cause),
    input: &RecordView<'_>,
) -> Result<(DigestDlq, OutRecord), EncodeError> {
    let letter = payload(origin, cause, input);
    fitted(letter, bound.record_bytes_max, |letter| record(bound, origin, letter))
}

fn record(bound: &Bound, origin: &Origin, letter: &DigestDlq) -> Result<OutRecord, EncodeError> {
    let mut value = Vec::new();
    bound.encoder.encode(letter, &mut value)?;
    let mut headers = headers(origin, letter);
    headers.splice(0..0, crate::cloud_events::headers(origin.stage, letter));
    let key = match &letter.key {
        _ if !letter.tenant_id.is_empty() => letter.key().into_bytes(),
        Some(key) if !key.is_empty() => key.clone(),
        _ => format!("{}/{}", letter.topic, letter.partition).into_bytes(),
    };
    Ok(bound.keyed(key, value, headers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire_check::Placement;
    use processor::Port;

    pub(super) fn bound(record_bytes_max: usize) -> Bound {
        let spec = Port::<DigestDlq>::new("dead_letters").spec();
        let encoder = (spec.encoder)(1).expect("the schema is fine");
        Bound { topic: "letters".into(), encoder, placement: Placement { partitions: 4 }, record_bytes_max }
    }

    pub(super) fn origin() -> Origin {
        Origin {
            stage: "window_builder",
            topic: "group.message.ingested.v1".into(),
            physical: "t1.group.message.ingested.v1".into(),
            group: "t1.window_builder".into(),
        }
    }

    #[test]
    fn raw_bytes_and_owner_are_kept() {
        let cause = Cause::new("wrong_magic", "first byte".into());
        let headers = vec![("a".to_owned(), None), ("a".to_owned(), Some(vec![255, 0]))];
        let input = RecordView {
            partition: 3,
            offset: 9,
            timestamp_ms: 77,
            key: Some(b"acme/qa"),
            value: Some(&[1, 2]),
            headers: &headers,
        };
        let letter = payload(&origin(), &cause, &input);
        assert_eq!((letter.tenant_id.as_str(), letter.group_id.as_str()), ("acme", "qa"));
        assert_eq!(letter.value.as_deref(), Some(&[1, 2][..]));
        assert_eq!(letter.headers.len(), 2);
        assert_eq!(letter.headers[1].value.as_deref(), Some(&[255, 0][..]));
        assert_eq!(
            (letter.topic.as_str(), letter.partition, letter.offset),
            ("group.message.ingested.v1", 3, 9)
        );
        let dialects = super::headers(&origin(), &letter);
        let find = |name: &str| dialects.iter().find(|h| h.0 == name).map(|h| h.1.clone());
        assert_eq!(find("kafka_dlt-original-offset"), Some(9_i64.to_be_bytes().to_vec()));
        assert_eq!(find("__connect.errors.offset"), Some(b"9".to_vec()));
        assert_eq!(find("dlq_physical_topic"), Some(b"t1.group.message.ingested.v1".to_vec()));
    }
}
