//! Reads committed records of one partition outside the group, for restoring state and positions.

use super::consumer::{Record, reader_error};
use engine::log::{self, RecordView, RestoreHandler};
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
    // A follower nearby may end before its leader does.
    settings.remove("client.rack");
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
/// Longest wait for a record before the caller is asked whether to go on.
const POLL_WAIT: Duration = Duration::from_millis(200);

/// Asked between records whether to go on reading; an error ends it.
pub(crate) type Between<'a> = &'a mut dyn FnMut() -> Result<(), String>;

/// Hands every committed record from `from` (`None`: the beginning) up to but not including `until` (`None`: what is
/// committed now) to `visit`. A log that ends before `until` is an error, never the end: it has lost records, or has
/// not told yet of those that it has.
pub(crate) fn read_range(
    settings: &ClientConfig,
    place: (&str, i32),
    (from, until): (Option<i64>, Option<i64>),
    visit: RestoreHandler<'_>,
    between: Between<'_>,
) -> Result<(), String> {
    let (topic, partition) = place;
    let start = from.map_or(Offset::Beginning, Offset::Offset);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, start)
        .map_err(|error| format!("could not read {topic}/{partition}: {error}"))?;
    between()?;
    let consumer = assigned(settings, &list)?;
    // Before the first fetch, too: an end told by a leader that had no more then says nothing of what came since.
    reaches(&consumer, place, until)?;
    let is_last = |next: i64| until.is_some_and(|until| next >= until);
    let mut heard = Instant::now();
    loop {
        between()?;
        match consumer.poll(POLL_WAIT) {
            Some(Ok(message)) => {
                heard = Instant::now();
                if is_last(message.offset()) {
                    return Ok(());
                }
                visit(&RecordView::from(&Record(&message)))?;
                if is_last(message.offset() + 1) {
                    return Ok(());
                }
            }
            // What is left before `until` are the ends of transactions, and records of aborted ones.
            Some(Err(KafkaError::PartitionEOF(_))) => return reaches(&consumer, place, until),
            Some(Err(error)) => {
                if let Some(why) = reader_error(&error) {
                    return Err(format!("could not read {topic}/{partition}: {why}"));
                }
            }
            None => {}
        }
        if heard.elapsed() > SILENCE_MAX {
            return Err(format!("could not read {topic}/{partition}: broker is silent"));
        }
    }
}

/// The end of a partition, once no transaction is open on it.
pub(super) fn settled_end(settings: &ClientConfig, (topic, partition): (&str, i32)) -> Result<i64, String> {
    let end = |isolation: &str| {
        let mut settings = settings.clone();
        settings.set("isolation.level", isolation);
        settings.remove("group.instance.id");
        let consumer: BaseConsumer<Quiet> =
            kafka_client::create(&settings, Quiet).map_err(|error| error.to_string())?;
        let (_, end) = consumer
            .fetch_watermarks(topic, partition, METADATA_TIMEOUT)
            .map_err(|error| format!("could not read the end of {topic}/{partition}: {error}"))?;
        Ok::<_, String>(end)
    };
    // In this order: what begins after the first look is not waited for.
    let high = end("read_uncommitted")?;
    log::settled(&format!("{topic}/{partition}"), end("read_committed")?, high)?;
    Ok(high)
}

/// Fails while what is committed of a partition ends before `until`.
fn reaches(
    consumer: &BaseConsumer<Quiet>,
    (topic, partition): (&str, i32),
    until: Option<i64>,
) -> Result<(), String> {
    let Some(until) = until else { return Ok(()) };
    let (_, end) = consumer
        .fetch_watermarks(topic, partition, METADATA_TIMEOUT)
        .map_err(|error| format!("could not read the end of {topic}/{partition}: {error}"))?;
    log::reaches(&format!("{topic}/{partition}"), end, Some(until))
}

#[cfg(test)]
mod tests {
    use super::super::mock;
    use super::*;

    fn read(broker: &mock::Broker, until: Option<i64>) -> (Result<(), String>, Vec<i64>) {
        let mut read = Vec::new();
        let mut visit = |record: &RecordView<'_>| {
            read.push(record.offset);
            Ok(())
        };
        let ended =
            read_range(&broker.consumer(), (mock::TOPIC, 0), (None, until), &mut visit, &mut || Ok(()));
        (ended, read)
    }

    #[test]
    fn an_end_below_what_was_read_before_is_not_the_end() {
        let broker = mock::Broker::start();
        broker.produce(0, 5);
        let (ended, _) = read(&broker, Some(9));
        let why = ended.expect_err("4 records are missing");
        assert!(why.starts_with("input/0 ends at offset 5, and was read up to 9 before: "), "{why}");
        assert_eq!(read(&broker, Some(5)), (Ok(()), vec![0, 1, 2, 3, 4]));
        assert_eq!(read(&broker, Some(3)), (Ok(()), vec![0, 1, 2]));
        assert_eq!(read(&broker, None), (Ok(()), vec![0, 1, 2, 3, 4]));
        broker.produce(0, 4);
        assert_eq!(read(&broker, Some(9)), (Ok(()), (0..9).collect()), "the missing ones have come");
    }
}
