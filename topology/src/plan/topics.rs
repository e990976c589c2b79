//! Topics: created as the map says, brought up to it where that loses nothing.

use super::{Action, BrokerState, Change, Plan, PlanOptions, Refusal, TopicState};
use crate::{Cleanup, Topic};
use std::collections::BTreeMap;

const CLEANUP: &str = "cleanup.policy";
const MESSAGE_BYTES: &str = "max.message.bytes";
const RETENTION: &str = "retention.ms";
const TIMESTAMP: &str = "message.timestamp.type";

/// Settings of a topic. The broker's clock stamps records: with the producer's, an import of old history would be
/// deleted by retention at once. `min.insync.replicas` stays the broker's.
fn configs(topic: &Topic) -> BTreeMap<String, String> {
    let mut configs = BTreeMap::from([
        (CLEANUP.to_owned(), topic.cleanup.as_str().to_owned()),
        (MESSAGE_BYTES.to_owned(), topic.max_message_bytes.to_string()),
        (TIMESTAMP.to_owned(), "LogAppendTime".to_owned()),
    ]);
    if topic.cleanup == Cleanup::Delete {
        configs.insert(RETENTION.to_owned(), topic.retention.as_ms().to_string());
    }
    configs
}

pub(super) fn plan(topic: &Topic, observed: &BrokerState, options: &PlanOptions, plan: &mut Plan) {
    let name = options.prefix.topic(&topic.name);
    let Some(found) = observed.topics.get(&name) else {
        let configs = configs(topic);
        plan.actions.push(Action::CreateTopic { topic: name, partitions: topic.partitions, configs });
        return;
    };
    if found.partitions != topic.partitions {
        let (found, expected) = (found.partitions, topic.partitions);
        plan.refusals.push(Refusal::PartitionCount { topic: name, found, expected });
        return;
    }
    let changes = changes(topic, found);
    if let Some(refusal) = refusal(&name, topic, &changes, options) {
        plan.refusals.push(refusal);
    } else if !changes.is_empty() {
        let kept = found.overrides.iter().filter(|(setting, _)| !changes.contains_key(*setting));
        let kept = kept.map(|(setting, value)| (setting.clone(), value.clone())).collect();
        plan.actions.push(Action::AlterTopic { topic: name, changes, kept });
    }
}

fn changes(topic: &Topic, found: &TopicState) -> BTreeMap<String, Change> {
    let change = |(setting, to): (String, String)| {
        let from = found.configs.get(&setting).cloned().unwrap_or_default();
        (!satisfied(&setting, &from, &to)).then_some((setting, Change { from, to }))
    };
    configs(topic).into_iter().filter_map(change).collect()
}

/// A topic that takes larger records than the map asks for stays as it is: something may rely on it.
fn satisfied(setting: &str, found: &str, wanted: &str) -> bool {
    match (setting, found.parse::<i64>(), wanted.parse::<i64>()) {
        (MESSAGE_BYTES, Ok(found), Ok(wanted)) => found >= wanted,
        _ => found == wanted,
    }
}

fn refusal(
    name: &str,
    topic: &Topic,
    changes: &BTreeMap<String, Change>,
    options: &PlanOptions,
) -> Option<Refusal> {
    if let Some(Change { from, to }) = changes.get(CLEANUP).filter(|_| topic.cleanup == Cleanup::Delete) {
        return Some(Refusal::CleanupPolicy {
            topic: name.to_owned(),
            found: from.clone(),
            expected: to.clone(),
        });
    }
    let Change { from, to } = changes.get(RETENTION).filter(|_| !options.lower_retention)?;
    let lowers = match (from.parse::<i64>(), to.parse::<i64>()) {
        (_, Ok(-1)) => false,
        (Ok(-1), _) => true,
        (Ok(found), Ok(expected)) => expected < found,
        _ => false,
    };
    lowers.then(|| Refusal::LowersRetention {
        topic: name.to_owned(),
        found: from.clone(),
        expected: to.clone(),
    })
}
