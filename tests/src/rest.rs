//! Whether a pipeline has come to rest: everything visible has been consumed, and everything said has been published.

use crate::{
    patience::{PATIENCE, eventually},
    pipeline::Pipeline,
    stranger::{Isolation, Stranger},
};
use anyhow::Context;
use kafka_client::committed_offsets;
use rdkafka::{Offset, TopicPartitionList, consumer::BaseConsumer};
use std::{collections::BTreeMap, time::Duration};

/// Port of the outbox and the topic that it ends on.
const OUTBOX: [(&str, &str); 3] = [
    ("persisted", "digest.persisted.v1"),
    ("delivered", "digest.delivered.v1"),
    ("dead_letters", "digest.dlq.v1"),
];
/// Longer than the transaction of a process that was killed keeps its offsets pending.
const OFFSETS_TIMEOUT: Duration = Duration::from_mins(1);

/// Waits for rest and gives the reader that has seen all of it.
///
/// # Errors
/// It does not come within [`PATIENCE`].
pub fn settle(pipeline: &Pipeline) -> anyhow::Result<Stranger> {
    settle_without(pipeline, &[])
}

/// [`settle`], while some units do not run.
///
/// # Errors
/// It does not come within [`PATIENCE`].
pub fn settle_without(pipeline: &Pipeline, units: &[&str]) -> anyhow::Result<Stranger> {
    settle_within(pipeline, units, PATIENCE)
}

/// [`settle_without`], for as long as `patience`.
///
/// # Errors
/// It does not come in time.
pub fn settle_within(pipeline: &Pipeline, units: &[&str], patience: Duration) -> anyhow::Result<Stranger> {
    let mut stranger = Stranger::of(pipeline, Isolation::Committed)?;
    let mut groups = Groups::of(pipeline, units)?;
    let (mut calm, mut last) = (0, String::new());
    let come = eventually("the pipeline comes to rest", patience, || {
        let news = stranger.catch_up()?;
        let busy = match groups.behind(&stranger)? {
            None => outbox_behind(pipeline, &stranger, units)?,
            behind => behind,
        };
        calm = if news || busy.is_some() { 0 } else { calm + 1 };
        last = busy.unwrap_or_default();
        Ok((calm >= 2).then_some(()))
    });
    come.with_context(|| format!("waiting for {last}"))?;
    Ok(stranger)
}

fn outbox_behind(
    pipeline: &Pipeline,
    stranger: &Stranger,
    without: &[&str],
) -> anyhow::Result<Option<String>> {
    for ((sink, topic, partition), offset) in sink_inputs(pipeline, without)? {
        if offset < stranger.end(&topic, partition) {
            return Ok(Some(format!("{sink} on {topic}/{partition}")));
        }
    }
    if without.contains(&"postgres_outbox_source") {
        return Ok(None);
    }
    let said = pipeline.rows.outbox()?;
    let is_behind = |(port, topic): &&(&str, &str)| {
        said.get(*port).copied().unwrap_or_default()
            > i64::try_from(stranger.count(topic)).unwrap_or(i64::MAX)
    };
    Ok(OUTBOX.iter().find(is_behind).map(|(port, _)| format!("the outbox to publish {port}")))
}

/// Committed offsets of a processor's group, by partition of its input.
///
/// # Errors
/// The broker refuses, or the map has no such processor.
pub fn committed(pipeline: &Pipeline, processor: &str) -> anyhow::Result<Vec<i64>> {
    let input = &pipeline.map.processor(processor)?.input;
    offsets(&reader(pipeline, processor)?, &pipeline.topic(input), pipeline.map.topic(input)?.partitions)
}

fn reader(pipeline: &Pipeline, processor: &str) -> anyhow::Result<BaseConsumer> {
    let mut settings = pipeline.stack.client();
    settings
        .set("group.id", pipeline.prefix.group(processor))
        .create()
        .context("could not create a reader of offsets")
}

fn offsets(consumer: &BaseConsumer, physical: &str, partitions: i32) -> anyhow::Result<Vec<i64>> {
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition(physical, partition);
    }
    let committed = committed_offsets(consumer, &list, OFFSETS_TIMEOUT)?;
    let mut by_partition: Vec<(i32, i64)> = committed
        .elements()
        .iter()
        .map(|element| {
            (element.partition(), if let Offset::Offset(offset) = element.offset() { offset } else { 0 })
        })
        .collect();
    by_partition.sort_unstable();
    Ok(by_partition.into_iter().map(|(_, offset)| offset).collect())
}

type SinkInput = (String, String, i32);

/// The offset of every partition that a sink reads; 0 where it has not said one. An optional sink counts once it runs.
fn sink_inputs(pipeline: &Pipeline, without: &[&str]) -> anyhow::Result<BTreeMap<SinkInput, i64>> {
    let passed = pipeline.rows.sink_offsets()?;
    let mut all = BTreeMap::new();
    let has_claimed = |name: &str| passed.keys().any(|(sink, ..)| sink == name);
    let is_there = |sink: &&topology::Connector| {
        !without.contains(&sink.name.as_str()) && (!sink.optional || has_claimed(&sink.name))
    };
    for sink in pipeline.map.connectors().filter(is_there) {
        for topic in sink.inputs.values() {
            for partition in 0..pipeline.map.topic(topic)?.partitions {
                let key = (sink.name.clone(), topic.clone(), partition);
                let offset = passed.get(&key).copied().unwrap_or_default();
                all.insert(key, offset);
            }
        }
    }
    Ok(all)
}

/// Committed offsets of the processors' groups.
struct Groups {
    readers: Vec<(String, String, BaseConsumer)>,
}

impl Groups {
    fn of(pipeline: &Pipeline, without: &[&str]) -> anyhow::Result<Self> {
        let readers = pipeline
            .map
            .processors()
            .filter(|processor| !without.contains(&processor.name.as_str()))
            .map(|processor| {
                let consumer = reader(pipeline, &processor.name)?;
                Ok((processor.input.clone(), pipeline.topic(&processor.input), consumer))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { readers })
    }

    /// A partition of which a group has not consumed everything visible.
    fn behind(&mut self, stranger: &Stranger) -> anyhow::Result<Option<String>> {
        for (logical, physical, consumer) in &self.readers {
            let committed = offsets(consumer, physical, stranger.partitions(logical))?;
            for (partition, offset) in (0_i32..).zip(committed) {
                if offset < stranger.end(logical, partition) {
                    return Ok(Some(format!("the reader of {logical}/{partition}")));
                }
            }
        }
        Ok(None)
    }
}
