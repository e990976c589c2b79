//! What a digest says, as its event and as its row: the same, or in which field not; and which messages it cites.
//!
//! Invariant: what a database cannot hold (U+0000) does not count as a difference.

use schemas::DigestReadyForDelivery;
use serde_json::{Value, json};
use state::StoredDigest;
use std::collections::BTreeSet;

/// A digest in the fields that a row has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content(Value);

fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{FFFD}"),
        Value::Array(items) => items.iter_mut().for_each(without_nul),
        Value::Object(fields) => fields.values_mut().for_each(without_nul),
        _ => {}
    }
}

impl Content {
    pub(super) fn of_event(event: &DigestReadyForDelivery) -> Self {
        let window = &event.window;
        let mut value = json!({
            "group_id": event.group_id, "window_id": event.window_id, "version": event.version,
            "size_hours": window.size_hours, "window_start": window.window_start, "window_end": window.window_end,
            "lane": window.lane, "trace_id": event.trace_id, "quality_score": event.quality_score,
            "message_count": window.message_count, "participant_count": window.participant_count,
            "source_partition": window.source_partition, "source_offset": window.source_offset,
            "language": event.delivery_payload.language, "headline": event.delivery_payload.headline,
            "channels": event.channels, "runs": event.runs, "payload": event.delivery_payload,
        });
        without_nul(&mut value);
        Self(value)
    }

    pub(super) fn of_row(row: &StoredDigest) -> Self {
        let summary = &row.summary;
        Self(json!({
            "group_id": summary.group_id, "window_id": summary.window_id, "version": summary.version,
            "size_hours": summary.size_hours, "window_start": summary.window_start,
            "window_end": summary.window_end, "lane": summary.lane, "trace_id": row.trace_id,
            "quality_score": summary.quality_score, "message_count": summary.message_count,
            "participant_count": summary.participant_count, "source_partition": row.source_partition,
            "source_offset": row.source_offset, "language": summary.language, "headline": summary.headline,
            "channels": row.channels, "runs": row.runs, "payload": row.digest,
        }))
    }

    /// Names of the fields that differ, those of the payload one by one.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        differ(&self.0, &other.0, "", &mut found);
        found
    }
}

fn differ(one: &Value, other: &Value, name: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if name.is_empty() || name == "payload" => {
            for key in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
                let full = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                let value = |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                differ(&value(one), &value(other), &full, found);
            }
        }
        _ if one == other => {}
        _ => found.push(name.to_owned()),
    }
}

/// Every message of its own window that a digest rests on. What it says of earlier windows is not held by this one.
pub(super) fn cited(row: &StoredDigest) -> BTreeSet<i64> {
    let digest = &row.digest;
    let topics = digest.topics.iter().flat_map(|topic| &topic.message_ids);
    let threads =
        digest.topics.iter().flat_map(|topic| &topic.threads).flat_map(|thread| &thread.message_ids);
    let recalls = digest.recalls.iter().map(|recall| &recall.message_id);
    digest.citations().flatten().chain(topics).chain(threads).chain(recalls).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> DigestReadyForDelivery {
        let example =
            include_str!("../../../../schemas/examples/digest.ready_for_delivery.v1/day_of_an_import.json");
        serde_json::from_str(example).expect("an example")
    }

    #[test]
    fn a_field_that_differs_is_named_and_nul_is_no_difference() {
        let mut one = event();
        let mut other = event();
        assert_eq!(Content::of_event(&one).differences(&Content::of_event(&other)), Vec::<String>::new());
        one.delivery_payload.headline = "a\0b".to_owned();
        other.delivery_payload.headline = "a\u{FFFD}b".to_owned();
        assert_eq!(Content::of_event(&one).differences(&Content::of_event(&other)), Vec::<String>::new());
        other.delivery_payload.headline = "by hand".to_owned();
        other.window.message_count += 1;
        let differences = Content::of_event(&one).differences(&Content::of_event(&other));
        assert_eq!(differences, ["headline", "message_count", "payload.headline"]);
    }
}
