//! The plan as a pure difference: what is done on an empty broker, what on a changed one, and what is refused.
#![cfg(test)]

use registry::Compatibility;
use std::collections::BTreeMap;
use topology::{
    Action, BrokerState, Change, GroupState, Map, Plan, PlanOptions, Refusal, SubjectState, TopicState, plan,
};

const READY: &str = "it.group.window.ready.v1";
const STATE: &str = "it.gistmill.window_builder.state.v1";

fn map() -> Map {
    Map::embedded().expect("the shipped map parses")
}

fn options() -> PlanOptions {
    PlanOptions { prefix: "it".parse().expect("valid"), lower_retention: false }
}

/// What a broker and a registry hold after a plan for nothing was applied.
fn applied() -> BrokerState {
    let mut state = BrokerState::default();
    for action in plan(&map(), &state, &options()).actions {
        match action {
            Action::CreateTopic { topic, partitions, configs } => {
                state.topics.insert(topic, TopicState { partitions, overrides: configs.clone(), configs });
            }
            Action::RegisterSchema { subject, record } => {
                let record = schemas::record_type(&record).expect("of the contract");
                state.subjects.entry(subject).or_default().schemas.push(record.avsc.to_owned());
            }
            Action::RequireCompatibility { subject } => {
                let subject = state.subjects.entry(subject).or_default();
                subject.compatibility = Some(Compatibility::FullTransitive);
            }
            Action::SeedOffsets { group, partitions, .. } => {
                let committed = partitions.into_iter().map(|partition| (partition, 0)).collect();
                state.groups.insert(group, GroupState { committed, written: Vec::new() });
            }
            Action::AlterTopic { .. } => panic!("nothing to alter on an empty broker"),
        }
    }
    state
}

/// The plan after one change to what is there.
fn after(change: impl FnOnce(&mut BrokerState)) -> Plan {
    let mut state = applied();
    change(&mut state);
    plan(&map(), &state, &options())
}

fn topic<'a>(state: &'a mut BrokerState, name: &str) -> &'a mut TopicState {
    state.topics.get_mut(name).expect("was created")
}

fn set(state: &mut BrokerState, name: &str, setting: &str, value: &str) {
    let topic = topic(state, name);
    topic.configs.insert(setting.to_owned(), value.to_owned());
    topic.overrides.insert(setting.to_owned(), value.to_owned());
}

#[test]
fn an_empty_broker_gets_everything_in_order() {
    let plan = plan(&map(), &BrokerState::default(), &options());
    assert_eq!(plan.refusals, []);
    let count = |kind: fn(&Action) -> bool| plan.actions.iter().filter(|action| kind(action)).count();
    assert_eq!(count(|action| matches!(action, Action::CreateTopic { .. })), 23);
    assert_eq!(count(|action| matches!(action, Action::RegisterSchema { .. })), 19);
    assert_eq!(count(|action| matches!(action, Action::RequireCompatibility { .. })), 19);
    assert_eq!(count(|action| matches!(action, Action::SeedOffsets { .. })), 12);
    let lines: Vec<_> = plan.actions.iter().map(ToString::to_string).collect();
    assert!(lines.contains(&format!(
        "create topic {READY} with 4 partitions (cleanup.policy=delete, max.message.bytes=8388608, message.timestamp.type=LogAppendTime, retention.ms=2592000000)"
    )));
    assert!(lines.contains(&format!(
        "create topic {STATE} with 4 partitions (cleanup.policy=compact, max.message.bytes=8388608, message.timestamp.type=LogAppendTime)"
    )));
    assert!(lines.contains(&format!("register group.window.ready.v1 under {READY}-value")));
    let seeded =
        "seed group it.window_builder at the earliest offsets of it.group.message.ingested.v1 (4 partitions)";
    assert!(lines.contains(&seeded.to_owned()));
}

#[test]
fn after_it_is_applied_a_plan_is_empty() {
    assert!(after(|_| {}).is_empty());
}

#[test]
fn unlimited_is_minus_one() {
    let state = applied();
    assert_eq!(state.topics["it.group.message.ingested.v1"].configs["retention.ms"], "-1");
}

#[test]
fn another_partition_count_is_refused_with_the_way_out() {
    let plan = after(|state| topic(state, READY).partitions = 3);
    assert_eq!(plan.actions, []);
    assert_eq!(plan.refusals, [Refusal::PartitionCount { topic: READY.to_owned(), found: 3, expected: 4 }]);
    let text = plan.refusals[0].to_string();
    assert!(
        text.starts_with("topic it.group.window.ready.v1 has 3 partitions where the map has 4"),
        "{text}"
    );
    assert!(text.contains("--prefix"), "{text}");
}

#[test]
fn settings_are_brought_up_and_others_kept() {
    let plan = after(|state| {
        set(state, READY, "retention.ms", "604800000");
        set(state, READY, "message.timestamp.type", "CreateTime");
        set(state, READY, "segment.bytes", "1048576");
    });
    let change = |from: &str, to: &str| Change { from: from.to_owned(), to: to.to_owned() };
    let [Action::AlterTopic { topic, changes, kept }] = &plan.actions[..] else { panic!("{plan:?}") };
    assert_eq!(topic, READY);
    let expected = BTreeMap::from([
        ("message.timestamp.type".to_owned(), change("CreateTime", "LogAppendTime")),
        ("retention.ms".to_owned(), change("604800000", "2592000000")),
    ]);
    assert_eq!(*changes, expected);
    assert_eq!(kept.get("segment.bytes").map(String::as_str), Some("1048576"));
    assert_eq!(kept.get("cleanup.policy").map(String::as_str), Some("delete"));
    assert_eq!(kept.len(), 3);
}

#[test]
fn a_larger_record_limit_stays() {
    assert!(after(|state| set(state, READY, "max.message.bytes", "16777216")).is_empty());
    let plan = after(|state| set(state, READY, "max.message.bytes", "1048588"));
    let expected = "alter topic it.group.window.ready.v1: max.message.bytes 1048588 → 8388608";
    assert_eq!(plan.actions.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn retention_is_lowered_only_when_asked() {
    let mut state = applied();
    set(&mut state, READY, "retention.ms", "-1");
    let refused = plan(&map(), &state, &options());
    assert_eq!(refused.actions, []);
    assert!(
        matches!(&refused.refusals[..], [Refusal::LowersRetention { topic, found, .. }] if topic == READY && found == "-1")
    );
    let asked = plan(&map(), &state, &PlanOptions { lower_retention: true, ..options() });
    assert_eq!(asked.refusals, []);
    assert_eq!(asked.actions.len(), 1);
    let raised = after(|state| set(state, "it.group.message.ingested.v1", "retention.ms", "604800000"));
    assert_eq!(raised.refusals, []);
    assert_eq!(raised.actions.len(), 1);
}

#[test]
fn a_compacted_event_topic_is_refused() {
    let plan = after(|state| set(state, READY, "cleanup.policy", "compact"));
    assert!(matches!(&plan.refusals[..], [Refusal::CleanupPolicy { found, .. }] if found == "compact"));
    let plan = after(|state| set(state, STATE, "cleanup.policy", "delete"));
    assert_eq!(plan.refusals, []);
    assert_eq!(plan.actions.len(), 1);
}

#[test]
fn another_record_under_a_subject_is_refused() {
    let blocked = schemas::record_type("digest.blocked.v1").expect("of the contract").avsc;
    let plan = after(|state| {
        let subject = SubjectState { schemas: vec![blocked.to_owned()], ..SubjectState::default() };
        state.subjects.insert(format!("{READY}-value"), subject);
    });
    assert_eq!(plan.actions, []);
    let [Refusal::IncompatibleSchema { detail, .. }] = &plan.refusals[..] else { panic!("{plan:?}") };
    assert_eq!(
        detail,
        "version 1 in the order of registration: they describe other records: gistmill.DigestBlocked and gistmill.GroupWindowReady"
    );
}

#[test]
fn white_space_of_a_registered_schema_does_not_matter() {
    let plan = after(|state| {
        let subject = state.subjects.get_mut("it.digest.dlq.v1-value").expect("was registered");
        let json: serde_json::Value = serde_json::from_str(&subject.schemas[0]).expect("json");
        subject.schemas = vec![json.to_string()];
    });
    assert!(plan.is_empty());
}

#[test]
fn a_subject_without_a_rule_gets_one() {
    let plan = after(|state| {
        let subject = state.subjects.get_mut("it.digest.dlq.v1-value").expect("was registered");
        subject.compatibility = Some(Compatibility::Backward);
    });
    assert_eq!(plan.actions, [Action::RequireCompatibility { subject: "it.digest.dlq.v1-value".to_owned() }]);
}

#[test]
fn only_a_group_that_never_ran_is_seeded() {
    let group = |state: &mut BrokerState, found: GroupState| {
        state.groups.insert("it.window_builder".to_owned(), found);
    };
    let fresh = after(|state| group(state, GroupState::default()));
    assert!(
        matches!(&fresh.actions[..], [Action::SeedOffsets { partitions, .. }] if *partitions == [0, 1, 2, 3])
    );
    let partly = GroupState { committed: BTreeMap::from([(0, 7), (2, 9)]), written: Vec::new() };
    let partly = after(|state| group(state, partly));
    assert!(matches!(&partly.refusals[..], [Refusal::MissingOffsets { missing, .. }] if *missing == [1, 3]));
    let expired = GroupState { committed: BTreeMap::new(), written: vec![READY.to_owned()] };
    let expired = after(|state| group(state, expired));
    assert_eq!(expired.actions, []);
    assert!(expired.refusals[0].to_string().contains("`gistmill reset`"));
}
