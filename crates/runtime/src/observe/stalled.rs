//! Readers that do not go on though there is something to read.
//!
//! A reader that is well commits within the time in which a transaction may time out and a member be expelled, once: one
//! that has not for longer is named, whatever the reason. Invariant: asking changes nothing and joins no group.

use super::Error;
use crate::{Config, kafka::settings};
use kafka_admin::{Cluster, TopicPartition, committed, committed_since, first_unread};
use serde::Serialize;
use state::SinkOffset;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use topology::{Connector, ConnectorShape, Map};

/// A reader that has not gone on for too long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stalled {
    /// Its name in the map.
    pub unit: String,
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Where it stands.
    pub position: i64,
    /// Seconds since the first record before it was appended.
    pub seconds: f64,
    /// Seconds within which it should have gone on.
    pub allowed_seconds: u64,
}

impl Stalled {
    /// All of it in one line.
    pub fn line(&self) -> String {
        let Self { unit, topic, partition, position, seconds, allowed_seconds } = self;
        format!(
            "{unit} stands still at offset {position} of {topic}/{partition}: it could have read on for {seconds:.0} s and \
             has committed nothing for more than {allowed_seconds} s"
        )
    }
}

/// A partition before a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReaderPosition<'a> {
    pub(crate) unit: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) at: TopicPartition,
    pub(crate) position: i64,
    /// It has committed within the time allowed.
    goes_on: bool,
}

/// The transaction's timeout and the session's.
pub(crate) fn allowed(config: &Config) -> Duration {
    let ms = |settings: &rdkafka::ClientConfig, name: &str| -> u64 {
        settings.get(name).and_then(|value| value.parse().ok()).unwrap_or_default()
    };
    let transaction = ms(&settings::producer(&config.kafka, "stalled"), "transaction.timeout.ms");
    let session = ms(&settings::consumer(&config.kafka, "stalled", "stalled", 1), "session.timeout.ms");
    Duration::from_millis(transaction + session)
}

/// Every partition before the units for which `is_asked` holds.
///
/// # Errors
/// The broker is away or refuses.
pub(crate) fn readers<'a>(
    cluster: &mut Cluster,
    (config, map): (&Config, &'a Map),
    sinks: &[SinkOffset],
    is_asked: &dyn Fn(&str) -> bool,
) -> Result<Vec<ReaderPosition<'a>>, Error> {
    let allowed = allowed(config);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let mut readers = processors(cluster, (config, map), now_ms - allowed.as_millis() as i64, is_asked)?;
    readers.extend(sink_readers(cluster, (config, map), sinks, allowed));
    readers.retain(|reader| is_asked(reader.unit));
    Ok(readers)
}

/// Which of the readers do not go on.
///
/// # Errors
/// The broker is away or refuses.
pub(crate) fn stalled(
    cluster: &mut Cluster,
    config: &Config,
    readers: &[ReaderPosition<'_>],
) -> Result<Vec<Stalled>, Error> {
    let (allowed, now_ms) = (allowed(config), jiff::Timestamp::now().as_millisecond());
    let mut stalled = Vec::new();
    for reader in readers.iter().filter(|reader| !reader.goes_on) {
        let since_ms = first_unread(cluster, &reader.at, reader.position)?;
        stalled.extend(since_ms.and_then(|since_ms| judged(reader, now_ms - since_ms, allowed)));
    }
    Ok(stalled)
}

/// Every reader of the map that does not go on; sinks stand where `sinks` says.
///
/// # Errors
/// The broker is away or refuses.
pub fn all_stalled(
    cluster: &mut Cluster,
    (config, map): (&Config, &Map),
    sinks: &[SinkOffset],
) -> Result<Vec<Stalled>, Error> {
    let readers = readers(cluster, (config, map), sinks, &|_| true)?;
    stalled(cluster, config, &readers)
}

/// A reader that has not gone on, if what it could read is old enough.
fn judged(reader: &ReaderPosition<'_>, unread_ms: i64, allowed: Duration) -> Option<Stalled> {
    (unread_ms > allowed.as_millis() as i64).then(|| Stalled {
        unit: reader.unit.to_owned(),
        topic: reader.topic.to_owned(),
        partition: reader.at.partition,
        position: reader.position,
        seconds: unread_ms as f64 / 1000.0,
        allowed_seconds: allowed.as_secs(),
    })
}

/// Processors at their committed offsets; what has none is named elsewhere.
fn processors<'a>(
    cluster: &mut Cluster,
    (config, map): (&Config, &'a Map),
    since_ms: i64,
    is_asked: &dyn Fn(&str) -> bool,
) -> Result<Vec<ReaderPosition<'a>>, Error> {
    let asked: Vec<_> = map.processors().filter(|processor| is_asked(&processor.name)).collect();
    let groups: BTreeMap<&str, String> =
        asked.iter().map(|one| (one.name.as_str(), config.prefix.group(&one.name))).collect();
    let names: Vec<&str> = groups.values().map(String::as_str).collect();
    let recent: BTreeSet<(String, TopicPartition)> = committed_since(cluster, &names, since_ms)?;
    let mut readers = Vec::new();
    for processor in asked {
        let group = &groups[processor.name.as_str()];
        let partitions = cluster.partitions_of(&config.prefix.topic(&processor.input));
        for (at, position) in committed(cluster, group, &partitions)? {
            let goes_on = recent.contains(&(group.clone(), at.clone()));
            let (unit, topic) = (processor.name.as_str(), processor.input.as_str());
            readers.push(ReaderPosition { unit, topic, at, position, goes_on });
        }
    }
    Ok(readers)
}

/// Sinks at what they have stored.
fn sink_readers<'a>(
    cluster: &Cluster,
    (config, map): (&Config, &'a Map),
    sinks: &[SinkOffset],
    allowed: Duration,
) -> Vec<ReaderPosition<'a>> {
    let mut readers = Vec::new();
    let is_sink =
        |connector: &&Connector| connector.shape == ConnectorShape::Sink && config.is_known(connector, sinks);
    for sink in map.connectors().filter(is_sink) {
        for topic in sink.inputs.values() {
            for at in cluster.partitions_of(&config.prefix.topic(topic)) {
                let is_it = |offset: &&SinkOffset| {
                    (offset.consumer_group.as_str(), offset.topic.as_str(), offset.partition)
                        == (&sink.name, topic, at.partition)
                };
                let Some(stored) = sinks.iter().find(is_it) else { continue };
                let goes_on = stored.idle_ms <= allowed.as_millis() as i64;
                let (unit, topic, position) = (sink.name.as_str(), topic.as_str(), stored.next_offset);
                readers.push(ReaderPosition { unit, topic, at, position, goes_on });
            }
        }
    }
    readers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_may_take_is_what_a_transaction_and_a_session_may() {
        assert_eq!(allowed(&Config::default()), Duration::from_secs(36));
        let mut config = Config::default();
        config.kafka.producer_properties.0.insert("transaction.timeout.ms".into(), "60000".into());
        assert_eq!(allowed(&config), Duration::from_secs(66));
    }

    #[test]
    fn old_records_name_who_does_not_read_them() {
        let at = TopicPartition::new("p.t.v1", 2);
        let reader = ReaderPosition { unit: "segmenter", topic: "t.v1", at, position: 41, goes_on: false };
        let judged = |unread_ms| judged(&reader, unread_ms, Duration::from_secs(36));
        assert_eq!((judged(36_000), judged(-5)), (None, None));
        let stalled = judged(75_400).expect("too long");
        assert_eq!(
            stalled.line(),
            "segmenter stands still at offset 41 of t.v1/2: it could have read on for 75 s and has committed nothing for \
             more than 36 s"
        );
    }
}
