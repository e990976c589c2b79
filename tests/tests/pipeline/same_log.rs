//! D2: the log of one pipeline, record by record in another one, gives the same events, digests and names of files.

use crate::undisturbed::{export, files, undisturbed};
use anyhow::{Context, ensure};
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, Producer, ThreadedProducer},
};
use std::{collections::BTreeMap, time::Duration};
use tests::{PATIENCE, Pipeline, Seen, assert_equal, settle};

const INGESTED: &str = "group.message.ingested.v1";
const WAIT: Duration = Duration::from_secs(30);

/// Records of the topic by partition, each partition cut where a transaction ended: its marker takes an offset.
fn transactions(seen: &[Seen]) -> BTreeMap<i32, Vec<Vec<&Seen>>> {
    let mut in_order: Vec<&Seen> = seen.iter().filter(|record| record.topic == INGESTED).collect();
    in_order.sort_by_key(|record| (record.partition, record.offset));
    let mut partitions: BTreeMap<i32, Vec<Vec<&Seen>>> = BTreeMap::new();
    for record in in_order {
        let cut = partitions.entry(record.partition).or_default();
        match cut.last_mut() {
            Some(last) if last.last().is_some_and(|last| last.offset + 1 == record.offset) => {
                last.push(record);
            }
            _ => cut.push(vec![record]),
        }
    }
    partitions
}

/// Writes the records where they were, in as many transactions.
fn write_again(pipeline: &Pipeline, seen: &[Seen]) -> anyhow::Result<()> {
    let mut settings = pipeline.stack.client();
    settings.set("transactional.id", pipeline.topic("the_same_log"));
    let producer: ThreadedProducer<_> = settings.create()?;
    producer.init_transactions(WAIT)?;
    let topic = pipeline.topic(INGESTED);
    for (partition, transactions) in transactions(seen) {
        let mut end = 0;
        for transaction in transactions {
            let first = transaction.first().context("a transaction has a record")?.offset;
            ensure!(
                first == end,
                "{partition}: a record at {first}, none can be written before it but at {end}"
            );
            producer.begin_transaction()?;
            for record in transaction {
                let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                    headers.insert(Header { key, value: value.as_ref() })
                });
                let mut again = BaseRecord::to(&topic).partition(partition).headers(headers);
                again.key = record.key.as_ref();
                again.payload = record.value.as_ref();
                producer.send(again).map_err(|(error, _)| error)?;
                end = record.offset + 1;
            }
            producer.commit_transaction(WAIT)?;
            end += 1;
        }
    }
    Ok(())
}

#[test]
fn the_same_log_under_another_prefix_gives_the_same_bytes() -> anyhow::Result<()> {
    let Some(once) = undisturbed() else { return Ok(()) };
    let pipeline = Pipeline::start("same_log")?.context("the stack was there a moment ago")?;
    write_again(&pipeline, &once.seen)?;
    let up = pipeline.up_without(&[])?;
    let seen = settle(&pipeline)?.into_seen();
    let places = |seen: &[Seen]| -> Vec<(i32, i64)> {
        let mut places: Vec<_> = seen
            .iter()
            .filter(|record| record.topic == INGESTED)
            .map(|record| (record.partition, record.offset))
            .collect();
        places.sort_unstable();
        places
    };
    assert_eq!(places(&seen), places(&once.seen), "the same log");
    assert_equal(&once.seen, &seen);
    assert_eq!(export(&pipeline)?, once.export);
    assert_eq!(files(&pipeline)?, once.files);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
