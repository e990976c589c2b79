//! What the benchmark itself does with a broker: write a job, make and delete topics, look at offsets.

use crate::{
    error::{Error, kafka},
    fingerprint::{Fingerprint, Fingerprinting},
    generator::{Job, PARTITIONS},
    sender::Sender,
};
use kafka_client::{FETCH_BUDGET_KIB, FETCHING, PRODUCER, RELIED_ON_CONSUMER, RELIED_ON_PRODUCER, Settings};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    metadata::MetadataTopic,
};
use schemas::{Encoder, GroupMessageIngested, Record as _};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);
const POLL_WAIT: Duration = Duration::from_millis(20);
/// How long the product's producers wait for a batch to grow.
pub(crate) const LINGER_MS: u32 = 5;

/// A consumer as the product's are set, outside any group; reads what is committed.
pub(crate) fn consumer(brokers: &str, group: &str) -> Result<BaseConsumer, Error> {
    let mut settings = Settings::new();
    settings.set("bootstrap.servers", brokers).set("group.id", group);
    settings.set("queued.max.messages.kbytes", FETCH_BUDGET_KIB.to_string());
    settings.set_all(&FETCHING).set_all(&RELIED_ON_CONSUMER);
    ClientConfig::from(settings).create().map_err(kafka("make a consumer"))
}

/// Settings of a producer as the product's are set.
pub(crate) fn producer(brokers: &str, linger_ms: u32) -> ClientConfig {
    let mut settings = Settings::new();
    settings.set("bootstrap.servers", brokers).set_all(&PRODUCER).set_all(&RELIED_ON_PRODUCER);
    settings.set("linger.ms", linger_ms.to_string());
    settings.into()
}

/// Assigns all partitions of a topic from their beginning.
pub(crate) fn assign(consumer: &BaseConsumer, topic: &str) -> Result<(), Error> {
    assign_all(consumer, &[topic])
}

/// Assigns all partitions of several topics from their beginning.
pub(crate) fn assign_all(consumer: &BaseConsumer, topics: &[&str]) -> Result<(), Error> {
    let mut list = TopicPartitionList::new();
    for (topic, partition) in topics.iter().flat_map(|topic| (0..PARTITIONS).map(move |p| (topic, p))) {
        let added = list.add_partition_offset(topic, partition, Offset::Beginning);
        added.map_err(kafka(format!("assign {topic}")))?;
    }
    consumer.assign(&list).map_err(kafka(format!("assign {}", topics.join(", "))))
}

/// Whether a consumer group has members, and each of them its partitions.
pub(crate) fn has_settled(consumer: &BaseConsumer, group: &str) -> bool {
    let listed = consumer.fetch_group_list(Some(group), TIMEOUT);
    listed.is_ok_and(|list| {
        list.groups().iter().any(|found| found.state() == "Stable" && !found.members().is_empty())
    })
}

/// Writes the records of a job, each to the partition of its key; what they were.
pub(crate) fn write(brokers: &str, topic: &str, job: Job, schema_id: u32) -> Result<Fingerprint, Error> {
    let sender = Sender::new(brokers, topic, LINGER_MS)?;
    let encoder = Encoder::<GroupMessageIngested>::new(schema_id)?;
    let (mut taken, mut value) = (Fingerprinting::default(), Vec::new());
    for generated in job.generate() {
        value.clear();
        encoder.encode(&generated.record, &mut value)?;
        let key = generated.record.key();
        taken.take(generated.partition, key.as_bytes(), &value);
        sender.send(generated.partition, key.as_bytes(), &value)?;
    }
    sender.finish()?;
    Ok(taken.finish())
}

/// The next offset of each partition of a topic.
pub(crate) fn ends(brokers: &str, topic: &str) -> Result<Vec<i64>, Error> {
    let consumer = consumer(brokers, "bench")?;
    let end = |partition| consumer.fetch_watermarks(topic, partition, TIMEOUT).map(|(_, end)| end);
    let ends: Result<_, KafkaError> = (0..PARTITIONS).map(end).collect();
    ends.map_err(kafka(format!("look at the ends of {topic}")))
}

/// Looks at how far a group has come; `None` while a transaction is open on its offsets.
pub(crate) fn committed(group: &BaseConsumer, topic: &str) -> Option<Vec<i64>> {
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition(topic, partition);
    }
    let committed = group.committed_offsets(list, Duration::from_secs(2)).ok()?;
    Some(committed.elements().iter().map(|found| found.offset().to_raw().unwrap_or(-1)).collect())
}

/// The values that a consumer has to hand now, with their partitions.
pub(crate) fn poll(consumer: &BaseConsumer, take: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
    match consumer.poll(POLL_WAIT) {
        Some(Ok(message)) => {
            take(message.payload().unwrap_or_default());
            Ok(true)
        }
        Some(Err(error)) => Err(kafka("read what an engine wrote")(error)),
        None => Ok(false),
    }
}

/// The fingerprint of a topic that holds so many records.
pub(crate) fn fingerprint(brokers: &str, topic: &str, records: u64) -> Result<Fingerprint, Error> {
    let consumer = consumer(brokers, "bench")?;
    assign(&consumer, topic)?;
    let (mut taken, mut read, mut idle) = (Fingerprinting::default(), 0, 0);
    // A second without a record is the end.
    while idle < 50 {
        match consumer.poll(POLL_WAIT) {
            Some(Ok(message)) => {
                let (key, value) = (message.key().unwrap_or_default(), message.payload().unwrap_or_default());
                taken.take(message.partition(), key, value);
                (read, idle) = (read + 1, 0);
            }
            Some(Err(error)) => return Err(kafka(format!("read {topic}"))(error)),
            None => idle += u32::from(read >= records) * 24 + 1,
        }
    }
    Ok(taken.finish())
}

fn admin(brokers: &str) -> Result<AdminClient<DefaultClientContext>, Error> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).create().map_err(kafka("make an admin client"))
}

/// Makes a topic with the broker's own settings.
pub(crate) async fn create_topic(brokers: &str, name: &str, partitions: i32) -> Result<(), Error> {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let what = || format!("create {name}");
    let created =
        admin(brokers)?.create_topics([&topic], &AdminOptions::new()).await.map_err(kafka(what()))?;
    for result in created {
        result.map_err(|(_, code)| kafka(what())(KafkaError::AdminOp(code)))?;
    }
    Ok(())
}

/// Deletes the topics whose names begin with this.
pub(crate) async fn delete_topics(brokers: &str, prefix: &str) -> Result<(), Error> {
    let admin = admin(brokers)?;
    let what = "delete the topics of a run";
    let metadata = admin.inner().fetch_metadata(None, TIMEOUT).map_err(kafka(what))?;
    let names = metadata.topics().iter().map(MetadataTopic::name);
    let names: Vec<&str> = names.filter(|name| name.starts_with(prefix)).collect();
    for result in admin.delete_topics(&names, &AdminOptions::new()).await.map_err(kafka(what))? {
        result.map_err(|(_, code)| kafka(what)(KafkaError::AdminOp(code)))?;
    }
    Ok(())
}
