//! Whether the pipeline has come to rest: nothing that a `read_committed` reader would still get lies before anybody.

use crate::{
    Config,
    kafka::{assigned, reader_error, settings},
};
use kafka_client::Complaints;
use rdkafka::{Offset, TopicPartitionList, consumer::BaseConsumer, error::KafkaError};
use state::SinkOffset;
use std::time::{Duration, Instant};
use topology::{Connector, Map};

const TIMEOUT: Duration = Duration::from_secs(10);

/// True when every processor has committed past the last record of its input, and every sink has stored it, as
/// `sinks` tells. Transaction markers and aborted records do not count.
pub fn is_at_rest(config: &Config, map: &Map, sinks: &[SinkOffset]) -> Result<bool, String> {
    for processor in map.processors() {
        let input = map.topic(&processor.input).map_err(|error| error.to_string())?;
        let group = config.prefix.group(&processor.name);
        let topic = config.prefix.topic(&input.name);
        if has_more(config, &committed(config, &group, &topic, input.partitions)?)? {
            return Ok(false);
        }
    }
    for connector in map.connectors().filter(|connector| config.is_used(connector)) {
        let starts = stored(config, map, connector, sinks)?;
        if starts.count() > 0 && has_more(config, &starts)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where a sink goes on in each of its inputs.
fn stored(
    config: &Config,
    map: &Map,
    connector: &Connector,
    sinks: &[SinkOffset],
) -> Result<TopicPartitionList, String> {
    let mut starts = TopicPartitionList::new();
    for logical in connector.inputs.values() {
        let input = map.topic(logical).map_err(|error| error.to_string())?;
        for partition in 0..input.partitions {
            let stored = sinks.iter().find(|sink| {
                sink.consumer_group == connector.name && sink.topic == *logical && sink.partition == partition
            });
            let offset = stored.map_or(0, |sink| sink.next_offset);
            let start = if offset == 0 { Offset::Beginning } else { Offset::Offset(offset) };
            starts
                .add_partition_offset(&config.prefix.topic(logical), partition, start)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(starts)
}

fn committed(
    config: &Config,
    group: &str,
    topic: &str,
    partitions: i32,
) -> Result<TopicPartitionList, String> {
    let mut settings = settings::reader(&config.kafka, "read_committed");
    settings.set("group.id", group);
    let consumer: BaseConsumer<Complaints> =
        kafka_client::create(&settings, Complaints::default()).map_err(|error| error.to_string())?;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition(topic, partition);
    }
    kafka_client::committed_offsets(&consumer, &list, TIMEOUT)
        .map_err(|error| format!("could not read offsets of {group}: {error}"))
}

/// True when a reader starting there gets a record before the ends of all partitions.
fn has_more(config: &Config, starts: &TopicPartitionList) -> Result<bool, String> {
    let consumer = assigned(&settings::reader(&config.kafka, "read_committed"), starts)?;
    // Without a record in between, each partition tells its end once.
    let mut ended = 0;
    let began = Instant::now();
    while ended < starts.count() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(_)) => return Ok(true),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => {
                if let Some(why) = reader_error(&error) {
                    return Err(format!("could not read the input topic: {why}"));
                }
            }
            None if began.elapsed() > TIMEOUT => return Err("kafka is silent".to_owned()),
            None => {}
        }
    }
    Ok(false)
}
