//! Reads committed records of one partition outside the group, for restoring state and positions.

use super::consumer::{Record, consumer_error};
use crate::engine::log::{RecordView, Visit};
use rdkafka::{
    Offset, TopicPartitionList,
    config::ClientConfig,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::Message,
};
use std::time::{Duration, Instant};

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
    let mut settings = settings.clone();
    settings.set("enable.partition.eof", "true");
    settings.remove("group.instance.id");
    let consumer: BaseConsumer = settings.create().map_err(|error| format!("could not create reader: {error}"))?;
    let start = from.map_or(Offset::Beginning, Offset::Offset);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, start)
        .and_then(|()| consumer.assign(&list))
        .map_err(|error| format!("could not read {topic}/{partition}: {error}"))?;
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
                if let Some(why) = consumer_error(&error) {
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
