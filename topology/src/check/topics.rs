//! Problems of single topics: who writes and reads them, what they carry, how long they are kept.

use super::Problem;
use crate::{Cleanup, Map, ProcessorShape, Retention, Topic, TopicKind};
use std::collections::BTreeMap;

/// What a retention has to cover, shortest first, with the reason a shorter one loses something.
const RETENTION_NEEDS: [(Retention, &str); 2] = [
    (
        Retention::Days(7),
        "a late or edited message revises its window for 7 days (and snapshots follow every 10 s)",
    ),
    (Retention::Days(30), "verify follows citations through the records of the last 30 days"),
];

pub(super) fn check(map: &Map, topic: &Topic, problems: &mut Vec<Problem>) {
    let mut wrong = |what: String| problems.push(Problem::Topic { topic: topic.name.clone(), what });
    let (writers, readers): (Vec<_>, Vec<_>) =
        (map.writers(&topic.name).collect(), map.readers(&topic.name).collect());
    if topic.partitions < 1 {
        wrong(format!("{} partitions", topic.partitions));
    }
    if topic.max_message_bytes < 1 {
        wrong(format!("max_message_bytes is {}", topic.max_message_bytes));
    }
    if writers.is_empty() {
        wrong("nothing writes it".to_owned());
    } else if !writers.contains(&topic.owner.as_str()) {
        wrong(format!("owner {} does not write it (it is written by {})", topic.owner, writers.join(", ")));
    }
    match &topic.dlq_owner {
        Some(owner) if !readers.contains(&owner.as_str()) => {
            wrong(format!("dlq_owner {owner} does not read it"));
        }
        None if !readers.is_empty() => {
            wrong(format!("dlq_owner is missing: it is read by {}", readers.join(", ")));
        }
        _ => {}
    }
    for what in record_problems(topic).chain(keeping_problems(map, topic)) {
        wrong(what);
    }
}

fn record_problems(topic: &Topic) -> impl Iterator<Item = String> {
    let problem = match (topic.kind, topic.record.as_deref()) {
        (TopicKind::Event, None) => Some("record is missing".to_owned()),
        (TopicKind::Event, Some(record)) if schemas::record_type(record).is_none() => Some(format!(
            "record {record} is not a record type of the contract that this program was built with (RECORD_TYPES in \
                 schemas/src/record.rs)"
        )),
        (TopicKind::Snapshots | TopicKind::Positions, Some(_)) => {
            Some("record does not go with its kind".to_owned())
        }
        _ => None,
    };
    problem.into_iter()
}

/// Events are deleted after a retention that everyone downstream can live with; state is compacted and kept.
fn keeping_problems(map: &Map, topic: &Topic) -> impl Iterator<Item = String> {
    let mut problems = Vec::new();
    match (topic.kind, topic.cleanup) {
        (TopicKind::Event, Cleanup::Compact) => problems.push(
            "cleanup is compact: events share the key of their group, compaction keeps one of them"
                .to_owned(),
        ),
        (TopicKind::Snapshots | TopicKind::Positions, Cleanup::Delete) => {
            problems.push("cleanup is delete: state has to be compacted".to_owned());
        }
        _ => {}
    }
    if topic.kind != TopicKind::Event && topic.retention != Retention::Unlimited {
        problems.push("retention does not go with its kind: state is kept until it is replaced".to_owned());
    }
    let unmet = RETENTION_NEEDS.iter().find(|(need, _)| topic.retention < *need);
    if let Some((need, why)) = unmet {
        problems.push(format!("retention {} is below {need}: {why}", topic.retention));
    }
    let fold = map.processors().find(|p| p.shape == ProcessorShape::Fold && p.input == topic.name);
    let needs = fold.map(|fold| (fold, fold.remembers.unwrap_or(Retention::Unlimited)));
    if let Some((fold, needs)) = needs.filter(|(_, needs)| topic.retention < *needs) {
        let (what, from) = match needs {
            Retention::Unlimited => ("is not unlimited".to_owned(), "the whole".to_owned()),
            days @ Retention::Days(_) => (format!("is below {days}"), format!("the last {days}")),
        };
        let (kept, fold) = (topic.retention, &fold.name);
        problems.push(format!("retention {kept} {what}: {fold} rebuilds its state from {from} of it"));
    }
    problems.into_iter()
}

/// Order holds per group from message to delivery only where every event topic cuts groups the same way.
pub(super) fn unequal_partitions(map: &Map) -> Vec<Problem> {
    let events = || map.topics().filter(|topic| topic.kind == TopicKind::Event);
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    events().for_each(|topic| *counts.entry(topic.partitions).or_default() += 1);
    let Some((usual, _)) = counts.into_iter().max_by_key(|(_, topics)| *topics) else { return Vec::new() };
    let odd = events().filter(|topic| topic.partitions != usual);
    odd.map(|topic| Problem::Topic {
        topic: topic.name.clone(),
        what: format!("{} partitions, but {usual} of the other event topics: order holds per group only when all are equal", topic.partitions),
    })
    .collect()
}
