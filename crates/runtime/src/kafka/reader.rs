//! Reads committed records of one partition outside the group, for restoring state and positions.

use super::consumer::{Record, reader_error};
use crate::engine::log::{RecordView, Visit};
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::ClientConfig,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::Message,
    topic_partition_list::TopicPartitionListElem,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tracing::debug;

const METADATA_TIMEOUT: Duration = Duration::from_secs(10);

/// Says nothing at the end of a partition, which is what a reader looks for.
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            debug!(%error, reason, "broker connection of a reader");
        }
    }
}

impl ConsumerContext for Quiet {}

/// A consumer outside any group that reads from `starts` on, and says where it comes to an end.
pub(crate) fn assigned(
    settings: &ClientConfig,
    starts: &TopicPartitionList,
) -> Result<BaseConsumer<Quiet>, String> {
    let mut settings = settings.clone();
    // An empty fetch tells the end: it should not take long.
    settings.set("enable.partition.eof", "true").set("fetch.wait.max.ms", "10");
    settings.remove("group.instance.id");
    let consumer: BaseConsumer<Quiet> =
        kafka_client::create(&settings, Quiet).map_err(|error| error.to_string())?;
    let elements = starts.elements();
    let topics: BTreeSet<&str> = elements.iter().map(TopicPartitionListElem::topic).collect();
    // A client that has to find the leaders by itself takes a second for it.
    for topic in topics {
        consumer
            .fetch_metadata(Some(topic), METADATA_TIMEOUT)
            .map_err(|error| format!("could not look at {topic}: {error}"))?;
    }
    consumer.assign(starts).map_err(|error| format!("could not read {starts:?}: {error}"))?;
    Ok(consumer)
}

/// Longest silence before a restore gives up; it is then tried again from the start.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Hands every committed record from `from` (`None`: the beginning) up to but not including `until` (`None`: what is
/// committed now) to `visit`.
pub(crate) fn read_range(
    settings: &ClientConfig,
    (topic, partition): (&str, i32),
    (from, until): (Option<i64>, Option<i64>),
    visit: Visit<'_>,
) -> Result<(), String> {
    let start = from.map_or(Offset::Beginning, Offset::Offset);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, start)
        .map_err(|error| format!("could not read {topic}/{partition}: {error}"))?;
    let consumer = assigned(settings, &list)?;
    let mut heard = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                heard = Instant::now();
                if until.is_some_and(|until| message.offset() >= until) {
                    return Ok(());
                }
                visit(&RecordView::from(&Record(&message)))?;
                if until.is_some_and(|until| message.offset() + 1 >= until) {
                    return Ok(());
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(error)) => {
                if let Some(why) = reader_error(&error) {
                    return Err(why);
                }
            }
            None => {}
        }
        if heard.elapsed() > SILENCE_MAX {
            return Err(format!("could not read {topic}/{partition}: broker is silent"));
        }
    }
}
