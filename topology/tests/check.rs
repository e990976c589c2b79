//! Each problem that a map can have, made by one change to the shipped one.
#![cfg(test)]

use topology::{Map, check};

const SHIPPED: &str = include_str!("../pipeline.toml");

/// Problems of the shipped map after replacing the first `from` at or after `anchor`.
fn problems(anchor: &str, from: &str, to: &str) -> Vec<String> {
    let at = SHIPPED.find(anchor).expect("anchor is in the map");
    let (before, after) = SHIPPED.split_at(at);
    assert!(after.contains(from), "{from} is after {anchor}");
    let map = Map::parse(&format!("{before}{}", after.replacen(from, to, 1))).expect("still a map");
    check(&map).iter().map(ToString::to_string).collect()
}

#[test]
fn a_port_bound_to_no_topic() {
    let found = problems("[processors.window_builder]", "group.window.ready.v1", "group.window.redy.v1");
    assert!(
        found.contains(
            &"window_builder: port ready group.window.redy.v1 is not a topic of the map".to_owned()
        )
    );
    assert!(found.contains(&"group.window.ready.v1: nothing writes it".to_owned()));
    let found =
        problems("[processors.context_builder]", "digest.context.prepared.v1", "digest.context.prepred.v1");
    assert!(found.contains(&"digest.stage.thread_builder.completed.v1: no source leads to it".to_owned()));
}

#[test]
fn an_input_that_is_no_topic() {
    let found = problems("[processors.segmenter]", "digest.stage.thread_builder", "digest.stage.threads");
    let expected = "segmenter: input digest.stage.threads.completed.v1 is not a topic of the map";
    assert!(found.contains(&expected.to_owned()), "{found:?}");
}

#[test]
fn a_record_type_that_does_not_exist() {
    let found =
        problems("[topics.\"digest.dlq.v1\"]", "record = \"digest.dlq.v1\"", "record = \"digest.dlq.v9\"");
    let expected = "digest.dlq.v1: record digest.dlq.v9 is not a record type of the contract that this program was built \
                    with (RECORD_TYPES in schemas/src/record.rs)";
    assert_eq!(found, [expected]);
    let found = problems("[topics.\"digest.dlq.v1\"]", "record = \"digest.dlq.v1\"", "");
    assert_eq!(found, ["digest.dlq.v1: record is missing"]);
}

#[test]
fn owners_have_to_write_and_dlq_owners_to_read() {
    let found =
        problems("[topics.\"group.window.ready.v1\"]", "owner = \"window_builder\"", "owner = \"emotion\"");
    assert_eq!(
        found,
        ["group.window.ready.v1: owner emotion does not write it (it is written by window_builder)"]
    );
    let found = problems(
        "[topics.\"group.window.ready.v1\"]",
        "dlq_owner = \"digest_trigger\"",
        "dlq_owner = \"emotion\"",
    );
    assert_eq!(found, ["group.window.ready.v1: dlq_owner emotion does not read it"]);
    let found = problems("[topics.\"group.window.ready.v1\"]", "dlq_owner = \"digest_trigger\"", "");
    assert_eq!(found, ["group.window.ready.v1: dlq_owner is missing: it is read by digest_trigger"]);
}

#[test]
fn partition_counts_have_to_be_equal() {
    let found = problems("[topics.\"digest.blocked.v1\"]", "retention", "partitions = 8\nretention");
    assert_eq!(
        found,
        [
            "digest.blocked.v1: 8 partitions, but 4 of the other event topics: order holds per group only when all are equal"
        ]
    );
    let found = problems("[topics.\"gistmill.window_builder.state.v1\"]", "owner", "partitions = 2\nowner");
    assert_eq!(
        found,
        [
            "gistmill.window_builder.state.v1: 2 partitions, but 4 of the input of window_builder: state lies in the partition of its input"
        ]
    );
    let found = problems("[topics.\"gistmill.positions.v1\"]", "partitions = 1", "partitions = 0");
    assert_eq!(found, ["gistmill.positions.v1: 0 partitions"]);
}

#[test]
fn a_retention_that_loses_something() {
    let found = problems("[topics.\"digest.persisted.v1\"]", "30d", "3d");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("digest.persisted.v1: retention 3d is below 7d: a late or edited message"));
    let found = problems("[topics.\"digest.persisted.v1\"]", "30d", "29d");
    assert!(found[0].starts_with("digest.persisted.v1: retention 29d is below 30d: verify follows"));
    let found = problems("[topics.\"group.message.ingested.v1\"]", "unlimited", "365d");
    assert_eq!(
        found,
        [
            "group.message.ingested.v1: retention 365d is not unlimited: command_router rebuilds its state from the whole of it"
        ]
    );
    let found = problems("[processors.synthesis]", "\"8d\"", "\"60d\"");
    assert_eq!(
        found,
        [
            "digest.stage.topic.completed.v1: retention 30d is below 60d: synthesis rebuilds its state from the last 60d of it"
        ]
    );
}

#[test]
fn state_is_compacted_and_events_are_not() {
    let found = problems("[topics.\"gistmill.positions.v1\"]", "cleanup = \"compact\"", "");
    assert_eq!(found, ["gistmill.positions.v1: cleanup is delete: state has to be compacted"]);
    let found = problems("[topics.\"gistmill.positions.v1\"]", "cleanup", "retention = \"90d\"\ncleanup");
    assert_eq!(
        found,
        ["gistmill.positions.v1: retention does not go with its kind: state is kept until it is replaced"]
    );
    let found = problems("[topics.\"digest.dlq.v1\"]", "retention", "cleanup = \"compact\"\nretention");
    assert_eq!(
        found,
        [
            "digest.dlq.v1: cleanup is compact: events share the key of their group, compaction keeps one of them"
        ]
    );
}

#[test]
fn shapes_have_their_bindings() {
    let found = problems("[processors.emotion]", "dead_letters = \"digest.dlq.v1\"", "");
    assert_eq!(found, ["emotion: dead_letters is missing"]);
    let found = problems("[processors.context_builder]", "clients = [\"postgres\"]", "");
    assert_eq!(found, ["context_builder: clients is missing"]);
    let found = problems("[processors.emotion]", "input", "clients = [\"postgres\"]\ninput");
    assert_eq!(found, ["emotion: clients does not go with its shape"]);
    let found = problems("[processors.emotion]", "input", "remembers = \"8d\"\ninput");
    assert_eq!(found, ["emotion: remembers does not go with its shape"]);
    let found = problems("[processors.window_builder]", "state = \"gistmill.window_builder.state.v1\"", "");
    assert!(found.contains(&"window_builder: state is missing".to_owned()));
    let found = problems("[connectors.postgres_sink]", "outbox = \"postgres_outbox_source\"", "");
    assert_eq!(found, ["postgres_sink: outbox (a source that publishes its dead letters) is missing"]);
    let found = problems("[connectors.file_sink]", "postgres_outbox_source", "telegram_export_source");
    assert!(found.contains(
        &"telegram_export_source: port dead_letters (it publishes those of a sink) is missing".to_owned()
    ));
    let found = problems("[connectors.telegram_export_source]", "positions = \"gistmill.positions.v1\"", "");
    assert!(found.contains(&"telegram_export_source: positions is missing".to_owned()));
    let sink = "shape = \"sink\"";
    let found =
        problems("[connectors.file_sink]", sink, &format!("{sink}\nlooks_at = [\"digest.blocked.v1\"]"));
    assert_eq!(found, ["file_sink: looks_at does not go with its shape"]);
}

#[test]
fn kinds_of_topics_are_not_mixed_up() {
    let found = problems("[connectors.telegram_export_source]", "gistmill.positions.v1", "digest.blocked.v1");
    assert!(found.contains(
        &"telegram_export_source: positions digest.blocked.v1 is not a topic of kind positions".to_owned()
    ));
}

#[test]
fn records_do_not_go_round_in_a_circle() {
    let found = problems(
        "[processors.topic]",
        "digest.stage.topic.completed.v1",
        "digest.stage.segmenter.completed.v1",
    );
    let circle = found.iter().find(|problem| problem.starts_with("records go round")).expect("a circle");
    assert!(circle.contains("topic → digest.stage.segmenter.completed.v1 → emotion"), "{circle}");
}
