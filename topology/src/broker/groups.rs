//! Committed offsets of the processors' groups: observed, and seeded for groups that never ran.

use super::{Error, Options, kafka::Kafka};
use crate::{Action, GroupState, Map, Processor, TopicState};
use kafka_client::committed_offsets;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::KafkaError,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// The groups of all processors whose input exists.
pub(super) async fn observe(
    map: &Map,
    options: &Options,
    kafka: &Arc<Kafka>,
    topics: &BTreeMap<String, TopicState>,
) -> Result<BTreeMap<String, GroupState>, Error> {
    let mut questions = JoinSet::new();
    for processor in map.processors() {
        let input = options.prefix.topic(&processor.input);
        let Some(found) = topics.get(&input) else { continue };
        let group = options.prefix.group(&processor.name);
        let own = own_topics(map, processor).map(|topic| options.prefix.topic(topic));
        let own = own.filter_map(|topic| topics.get(&topic).map(|found| (topic, found.partitions))).collect();
        let question = Question { input, partitions: found.partitions, own, timeout: kafka.timeout() };
        questions.spawn(ask(Arc::clone(kafka), group, question));
    }
    let mut groups = BTreeMap::new();
    while let Some(answer) = questions.join_next().await {
        let (group, state) = answer.map_err(|_| Error::Thread("read offsets".to_owned()))??;
        groups.insert(group, state);
    }
    Ok(groups)
}

async fn ask(kafka: Arc<Kafka>, group: String, question: Question) -> Result<(String, GroupState), Error> {
    let consumer = kafka.consumer(&group)?;
    let what = format!("read the offsets of group {group}");
    Ok((group, kafka.call(what, move || question.ask(&consumer)).await?))
}

/// Topics that nothing else writes: records in them show that the processor has run.
fn own_topics<'a>(map: &'a Map, processor: &'a Processor) -> impl Iterator<Item = &'a str> {
    processor.outputs().filter(|topic| map.writers(topic).count() == 1)
}

/// What is asked about one group, on a thread of its own.
struct Question {
    input: String,
    partitions: i32,
    own: Vec<(String, i32)>,
    timeout: Duration,
}

impl Question {
    fn ask(&self, consumer: &BaseConsumer) -> Result<GroupState, KafkaError> {
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_range(&self.input, 0, self.partitions - 1);
        let mut state = GroupState::default();
        for element in committed_offsets(consumer, &wanted, self.timeout)?.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                state.committed.insert(element.partition(), offset);
            }
        }
        if state.committed.is_empty() {
            state.written = self.written(consumer)?;
        }
        Ok(state)
    }

    /// Those of its own topics that were ever written to: their end is beyond 0, whatever retention has left.
    fn written(&self, consumer: &BaseConsumer) -> Result<Vec<String>, KafkaError> {
        let mut written = Vec::new();
        for (topic, partitions) in &self.own {
            for partition in 0..*partitions {
                let (_, end) = consumer.fetch_watermarks(topic, partition, self.timeout)?;
                if end > 0 {
                    written.push(topic.clone());
                    break;
                }
            }
        }
        Ok(written)
    }
}

/// Takes the seeding steps of a plan, all at once: each waits for the coordinator of its group.
pub(super) async fn seed_all(kafka: &Arc<Kafka>, actions: &[&Action]) -> Result<(), Error> {
    let mut steps = JoinSet::new();
    for action in actions {
        if let Action::SeedOffsets { group, topic, partitions } = action {
            steps.spawn(seed(Arc::clone(kafka), group.clone(), topic.clone(), partitions.clone()));
        }
    }
    while let Some(step) = steps.join_next().await {
        step.map_err(|_| Error::Thread("seed offsets".to_owned()))??;
    }
    Ok(())
}

/// Commits the earliest offset of each partition for a group that has none.
async fn seed(kafka: Arc<Kafka>, group: String, topic: String, partitions: Vec<i32>) -> Result<(), Error> {
    let (consumer, timeout) = (kafka.consumer(&group)?, kafka.timeout());
    let seeded = kafka.call(format!("seed the offsets of group {group}"), move || {
        let mut offsets = TopicPartitionList::new();
        for partition in &partitions {
            let (earliest, _) = consumer.fetch_watermarks(&topic, *partition, timeout)?;
            offsets.add_partition_offset(&topic, *partition, Offset::Offset(earliest))?;
        }
        consumer.commit(&offsets, CommitMode::Sync)
    });
    seeded.await
}
