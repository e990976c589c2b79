//! A reader outside every group, from the beginning of topics on: what it has seen, and how far.

use crate::{pipeline::Pipeline, seen::Seen, stack::Stack};
use anyhow::{Context, ensure};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Which records a reader is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Those of committed transactions.
    Committed,
    /// All of them.
    Uncommitted,
}

impl Isolation {
    pub(crate) fn client(self, stack: &Stack) -> anyhow::Result<BaseConsumer> {
        let name = match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        };
        stack
            .client()
            .set("group.id", "gistmill.tests.stranger")
            .set("isolation.level", name)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            // An end of partition is told by an empty fetch: it should not take long.
            .set("fetch.wait.max.ms", "10")
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.message.max.bytes", "8388608")
            .create()
            .context("could not create a reader")
    }
}

/// A reader of all event topics of a pipeline that remembers what it has seen.
pub struct Stranger {
    consumer: BaseConsumer,
    /// Physical and logical names, and partitions.
    topics: Vec<(String, String, i32)>,
    seen: Vec<Seen>,
    /// One past the last record seen, by logical topic and partition.
    ends: BTreeMap<(String, i32), i64>,
}

impl std::fmt::Debug for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stranger").field("seen", &self.seen.len()).finish_non_exhaustive()
    }
}

pub(crate) const READ_TIMEOUT: Duration = Duration::from_mins(1);

impl Stranger {
    /// A reader of every event topic of a pipeline.
    ///
    /// # Errors
    /// The reader cannot be made.
    pub fn of(pipeline: &Pipeline, isolation: Isolation) -> anyhow::Result<Self> {
        Self::on(&pipeline.stack, pipeline, isolation)
    }

    /// [`Stranger::of`], on a connection of its own.
    ///
    /// # Errors
    /// The reader cannot be made.
    pub fn on(stack: &Stack, pipeline: &Pipeline, isolation: Isolation) -> anyhow::Result<Self> {
        let topics = pipeline
            .map
            .topics()
            .filter(|topic| topic.record.is_some())
            .map(|topic| (pipeline.topic(&topic.name), topic.name.clone(), topic.partitions))
            .collect();
        let consumer = isolation.client(stack)?;
        // Known leaders: a topic that is new to the client costs it a second otherwise.
        consumer.fetch_metadata(None, READ_TIMEOUT)?;
        Ok(Self { consumer, topics, seen: Vec::new(), ends: BTreeMap::new() })
    }

    /// Reads every topic on to its end; true when there was something new.
    ///
    /// # Errors
    /// The broker refuses, or an end was not reached in time.
    pub fn catch_up(&mut self) -> anyhow::Result<bool> {
        let before = self.seen.len();
        for index in 0..self.topics.len() {
            self.read_on(index)?;
        }
        Ok(self.seen.len() > before)
    }

    /// One topic at a time, because the client's end of partition names no topic.
    fn read_on(&mut self, index: usize) -> anyhow::Result<()> {
        let (physical, logical, partitions) = &self.topics[index];
        let mut list = TopicPartitionList::new();
        for partition in 0..*partitions {
            let end = self.ends.get(&(logical.clone(), partition));
            list.add_partition_offset(
                physical,
                partition,
                end.map_or(Offset::Beginning, |end| Offset::Offset(*end)),
            )?;
        }
        self.consumer.assign(&list)?;
        let mut open: BTreeSet<i32> = (0..*partitions).collect();
        let until = Instant::now() + READ_TIMEOUT;
        while !open.is_empty() {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    let seen = Seen::new(logical, &message);
                    open.insert(seen.partition);
                    self.ends.insert((logical.clone(), seen.partition), seen.offset + 1);
                    self.seen.push(seen);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    open.remove(&partition);
                }
                Some(Err(error)) => eprintln!("stranger: {error}"),
                None => {}
            }
            ensure!(Instant::now() < until, "the end of {physical} {open:?} was not reached");
        }
        Ok(())
    }

    /// One past the last record seen of a partition; 0 when there was none.
    pub fn end(&self, topic: &str, partition: i32) -> i64 {
        self.ends.get(&(topic.to_owned(), partition)).copied().unwrap_or_default()
    }

    /// Partitions of a logical topic.
    pub fn partitions(&self, topic: &str) -> i32 {
        self.topics.iter().find(|(_, logical, _)| logical == topic).map_or(0, |found| found.2)
    }

    /// What was seen, in the order of reading.
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// What was seen of a topic.
    pub fn count(&self, topic: &str) -> usize {
        self.seen.iter().filter(|seen| seen.topic == topic).count()
    }

    /// What was seen, for keeps.
    pub fn into_seen(self) -> Vec<Seen> {
        self.seen
    }
}

/// Reads every event topic of a pipeline once, from its beginning to its end.
///
/// # Errors
/// The broker refuses.
pub fn read(pipeline: &Pipeline, isolation: Isolation) -> anyhow::Result<Vec<Seen>> {
    let mut stranger = Stranger::of(pipeline, isolation)?;
    stranger.catch_up()?;
    Ok(stranger.into_seen())
}
