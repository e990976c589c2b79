//! Transactions that their coordinator has forgotten while partitions hold them open: what a broker killed between a
//! decision and its markers may leave behind, made without luck.
//!
//! A transaction is begun and left open; then its decision, and that it is complete, are written into the coordinators'
//! log behind the coordinator's back. It believes so from its next start on. Values are written in Kafka's oldest format
//! of `TransactionLogValue`, which every coordinator reads.

use crate::{
    pipeline::{Pipeline, TENANT},
    stranger::{Isolation, READ_TIMEOUT},
};
use anyhow::{Context, ensure};
use kafka_admin::{Open, TopicPartition, survey};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::Message,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use std::collections::BTreeMap;

const LOG: &str = "__transaction_state";
/// The one client that the broker lets write its own topics.
const ADMIN: &str = "__admin_client";
/// Longer than any test: the coordinator must not abort it meanwhile.
const TRANSACTION_TIMEOUT_MS: &str = "600000";
const PREPARE_COMMIT: i8 = 2;
const COMPLETE_COMMIT: i8 = 4;

/// A transaction to be forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Forgotten<'a> {
    /// Unit of the map whose transactional id it has.
    pub unit: &'a str,
    /// Logical topic that it writes a record to, in partitions 0 and 1.
    pub output: &'a str,
    /// Whether it holds an offset, 7, of partition 0 of the unit's input, too.
    pub has_offset: bool,
    /// How long after its last record the decision is stamped; below zero it seems older than the records.
    pub decided_after_ms: i64,
}

/// Holds the producer whose transaction stays open.
pub struct LeftOpen(
    #[expect(dead_code, reason = "its connection is not to be closed")]
    ThreadedProducer<DefaultProducerContext>,
);

impl std::fmt::Debug for LeftOpen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeftOpen")
    }
}

impl Forgotten<'_> {
    fn transactional_id(&self, pipeline: &Pipeline) -> String {
        pipeline.prefix.transactional_id(&format!("{}-0-0", self.unit))
    }

    /// Makes it. The coordinator knows better until its broker has been killed; drop what this gives after that.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn make(&self, pipeline: &Pipeline) -> anyhow::Result<LeftOpen> {
        let producer = self.begun(pipeline)?;
        let open = self.open(pipeline)?;
        let first = open.first().context("nothing is open")?;
        let last_ms = open.iter().map(|open| open.last_ms).max().unwrap_or_default();
        let mut partitions: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for open in &open {
            partitions.entry(open.at.topic.as_str()).or_default().push(open.at.partition);
        }
        let decided_ms = last_ms + self.decided_after_ms;
        let prepared = value(first, PREPARE_COMMIT, &partitions, decided_ms);
        let complete = value(first, COMPLETE_COMMIT, &BTreeMap::new(), decided_ms);
        self.write(pipeline, self.place(pipeline)?, &[prepared, complete])?;
        Ok(LeftOpen(producer))
    }

    /// A producer with the transaction open and all of it delivered.
    fn begun(&self, pipeline: &Pipeline) -> anyhow::Result<ThreadedProducer<DefaultProducerContext>> {
        let producer: ThreadedProducer<_> = pipeline
            .stack
            .client()
            .set("transactional.id", self.transactional_id(pipeline))
            .set("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS)
            .create()?;
        producer.init_transactions(READ_TIMEOUT)?;
        producer.begin_transaction()?;
        let topic = pipeline.topic(self.output);
        let key = format!("{TENANT}/forgotten");
        for partition in [0, 1] {
            let record = BaseRecord::to(&topic).partition(partition).key(&key).payload(self.unit);
            producer.send(record).map_err(|(error, _)| error)?;
            // One after the other: a partition whose record came later than the other's last proves nothing for that one.
            producer.flush(READ_TIMEOUT)?;
        }
        if self.has_offset {
            let group = pipeline.prefix.group(self.unit);
            let consumer: BaseConsumer = pipeline.stack.client().set("group.id", &group).create()?;
            let mut offsets = TopicPartitionList::new();
            let input = pipeline.topic(&pipeline.map.processor(self.unit)?.input);
            offsets.add_partition_offset(&input, 0, Offset::Offset(7))?;
            let group = consumer.group_metadata().context("a consumer without a group")?;
            producer.send_offsets_to_transaction(&offsets, &group, READ_TIMEOUT)?;
        }
        producer.flush(READ_TIMEOUT)?;
        Ok(producer)
    }

    /// Where it is open.
    fn open(&self, pipeline: &Pipeline) -> anyhow::Result<Vec<Open>> {
        let mut cluster = pipeline.stack.cluster()?;
        let partitions: Vec<TopicPartition> = cluster.partitions().cloned().collect();
        let id = self.transactional_id(pipeline);
        let running = survey(&mut cluster, &partitions)?.running.into_iter();
        Ok(running.filter(|running| running.transactional_id == id).map(|running| running.open).collect())
    }

    /// Partition of the log that holds its transactional id.
    fn place(&self, pipeline: &Pipeline) -> anyhow::Result<i32> {
        let consumer = Isolation::Uncommitted.client(&pipeline.stack)?;
        let metadata = consumer.fetch_metadata(Some(LOG), READ_TIMEOUT)?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len() as i32);
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(LOG, partition, Offset::Beginning)?;
        }
        consumer.assign(&list)?;
        let (key, mut ends) = (self.key(pipeline), 0);
        while ends < partitions {
            match consumer.poll(READ_TIMEOUT) {
                Some(Ok(message)) if message.key() == Some(&key) => return Ok(message.partition()),
                Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => break,
            }
        }
        anyhow::bail!("{LOG} does not hold {}", self.transactional_id(pipeline))
    }

    /// Key of the log's records about it.
    fn key(&self, pipeline: &Pipeline) -> Vec<u8> {
        let id = self.transactional_id(pipeline);
        [&0_i16.to_be_bytes()[..], &(id.len() as i16).to_be_bytes(), id.as_bytes()].concat()
    }

    fn write(&self, pipeline: &Pipeline, partition: i32, values: &[Vec<u8>]) -> anyhow::Result<()> {
        let producer: BaseProducer =
            pipeline.stack.client().set("client.id", ADMIN).set("acks", "all").create()?;
        let key = self.key(pipeline);
        for value in values {
            let record = BaseRecord::to(LOG).partition(partition).key(&key).payload(value);
            producer.send(record).map_err(|(error, _)| error)?;
            // One after the other: a partition whose record came later than the other's last proves nothing for that one.
            producer.flush(READ_TIMEOUT)?;
        }
        producer.flush(READ_TIMEOUT)?;
        ensure!(producer.in_flight_count() == 0, "the log was not written");
        Ok(())
    }
}

/// A state as the log has it. It began a second before it was decided.
fn value(open: &Open, status: i8, partitions: &BTreeMap<&str, Vec<i32>>, decided_ms: i64) -> Vec<u8> {
    let mut value = vec![0, 0];
    value.extend(open.producer_id.to_be_bytes());
    value.extend(open.producer_epoch.to_be_bytes());
    value.extend(600_000_i32.to_be_bytes());
    value.push(status as u8);
    value.extend((partitions.len() as i32).to_be_bytes());
    for (topic, partitions) in partitions {
        value.extend((topic.len() as i16).to_be_bytes());
        value.extend(topic.as_bytes());
        value.extend((partitions.len() as i32).to_be_bytes());
        value.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
    }
    value.extend(decided_ms.to_be_bytes());
    value.extend((decided_ms - 1_000).to_be_bytes());
    value
}
