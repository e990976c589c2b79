//! What is on the topics, without what may differ between two runs over the same input: places in the log, and the times at
//! which a delivery was accepted.

use anyhow::Context;
use schemas::{
    DigestBlocked, DigestContextPrepared, DigestGenerateRequested, DigestPersisted, DigestReadyForDelivery,
    DigestStageCompleted, GroupMessageIngested, GroupWindowReady, Record,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use tests::{Pipeline, Seen, decode_all};

/// Fields that hold a place in the log: transactions that were aborted move what comes after them.
const PLACES: [&str; 2] = ["source_offset", "source_partition"];
/// Compared by version and status alone.
const DELIVERED: &str = "digest.delivered.v1";

/// Topic, key and content of each event, and how often it is there.
pub(crate) type Events = BTreeMap<(String, String, String), i64>;

/// The events of a run.
pub(crate) fn of(pipeline: &Pipeline, seen: &[Seen]) -> anyhow::Result<Events> {
    let mut events = Events::new();
    for topic in pipeline.map.topics() {
        let Some(record) = topic.record.as_deref().filter(|_| topic.name != DELIVERED) else { continue };
        let name = topic.name.as_str();
        let values = match record {
            GroupMessageIngested::TYPE => decoded::<GroupMessageIngested>(pipeline, seen, name)?,
            GroupWindowReady::TYPE => decoded::<GroupWindowReady>(pipeline, seen, name)?,
            DigestGenerateRequested::TYPE => decoded::<DigestGenerateRequested>(pipeline, seen, name)?,
            DigestContextPrepared::TYPE => decoded::<DigestContextPrepared>(pipeline, seen, name)?,
            DigestStageCompleted::TYPE => decoded::<DigestStageCompleted>(pipeline, seen, name)?,
            DigestReadyForDelivery::TYPE => decoded::<DigestReadyForDelivery>(pipeline, seen, name)?,
            DigestBlocked::TYPE => decoded::<DigestBlocked>(pipeline, seen, name)?,
            DigestPersisted::TYPE => decoded::<DigestPersisted>(pipeline, seen, name)?,
            // None of what is imported makes one.
            _ => seen
                .iter()
                .filter(|seen| seen.topic == name)
                .map(|seen| (seen.key_text(), format!("{:?}", seen.value)))
                .collect(),
        };
        for (key, value) in values {
            *events.entry((name.to_owned(), key, value)).or_default() += 1;
        }
    }
    Ok(events)
}

fn decoded<R: Record + Serialize>(
    pipeline: &Pipeline,
    seen: &[Seen],
    topic: &str,
) -> anyhow::Result<Vec<(String, String)>> {
    let event = |record: R| {
        let (key, identity) = (record.key(), record.identity());
        let mut value = serde_json::to_value(&record).context("could not write an event down")?;
        without_places(&mut value);
        Ok((format!("{key} {identity}"), value.to_string()))
    };
    decode_all::<R>(pipeline, seen, topic)?.into_iter().map(event).collect()
}

fn without_places(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !PLACES.contains(&name.as_str()));
            fields.values_mut().for_each(without_places);
        }
        Value::Array(items) => items.iter_mut().for_each(without_places),
        _ => {}
    }
}

/// What one run has more often than the other, in words; events are named by topic, key and id, never by content.
pub(crate) fn differences(expected: &Events, found: &Events) -> Vec<String> {
    let count = |events: &Events, event| events.get(event).copied().unwrap_or_default();
    let mut all: Vec<&(String, String, String)> = expected.keys().chain(found.keys()).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter()
        .filter_map(|event| {
            let more = count(found, event) - count(expected, event);
            let what = if more > 0 { "too many" } else { "missing" };
            (more != 0).then(|| format!("{what} ×{}: {} {}", more.abs(), event.0, event.1))
        })
        .collect()
}
