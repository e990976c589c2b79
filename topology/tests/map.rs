//! The shipped map is sound and answers what code asks it.
#![cfg(test)]

use topology::{Cleanup, Error, Map, Prefix, ProcessorShape, Retention, TopicKind, check};

fn map() -> Map {
    Map::embedded().expect("the shipped map parses")
}

#[test]
fn the_shipped_map_has_no_problem() {
    assert_eq!(check(&map()), Vec::new());
}

#[test]
fn processors_and_ports_are_found() {
    let map = map();
    let window_builder = map.processor("window_builder").expect("in the map");
    assert_eq!(window_builder.shape, ProcessorShape::Fold);
    assert_eq!(window_builder.input, "group.message.ingested.v1");
    assert_eq!(window_builder.port("ready"), Some("group.window.ready.v1"));
    assert_eq!(window_builder.state.as_deref(), Some("gistmill.window_builder.state.v1"));
    assert_eq!(
        map.port_topic("telegram_export_source", "messages").expect("bound").name,
        "group.message.ingested.v1"
    );
    let context_builder = map.processor("context_builder").expect("in the map");
    assert_eq!(context_builder.clients, ["postgres"]);
    let sink = map.connector("postgres_sink").expect("in the map");
    assert_eq!(sink.input("blocked"), Some("digest.blocked.v1"));
    assert_eq!(sink.outbox.as_deref(), Some("postgres_outbox_source"));
}

#[test]
fn what_is_not_there_is_named() {
    let map = map();
    assert!(matches!(map.processor("nobody"), Err(Error::UnknownProcessor(name)) if name == "nobody"));
    assert!(matches!(map.topic("nothing.v1"), Err(Error::UnknownTopic(name)) if name == "nothing.v1"));
    let error = map.port_topic("window_builder", "late").expect_err("no such port");
    assert_eq!(error.to_string(), "port late of window_builder is not bound to a topic in the map");
}

#[test]
fn defaults_are_filled_in() {
    let map = map();
    let ingested = map.topic("group.message.ingested.v1").expect("in the map");
    assert_eq!((ingested.partitions, ingested.max_message_bytes), (4, 8_388_608));
    assert_eq!((ingested.kind, ingested.cleanup), (TopicKind::Event, Cleanup::Delete));
    assert_eq!(ingested.retention, Retention::Unlimited);
    let positions = map.topic("gistmill.positions.v1").expect("in the map");
    assert_eq!(
        (positions.kind, positions.cleanup, positions.partitions),
        (TopicKind::Positions, Cleanup::Compact, 1)
    );
}

#[test]
fn one_reader_dead_letters_undecodable_input() {
    let map = map();
    assert!(map.is_dlq_owner("window_builder", "group.message.ingested.v1"));
    assert!(!map.is_dlq_owner("postgres_sink", "group.message.ingested.v1"));
    assert!(!map.is_dlq_owner("window_builder", "nothing.v1"));
    for topic in map.topics() {
        let owners = map.readers(&topic.name).filter(|reader| map.is_dlq_owner(reader, &topic.name)).count();
        assert_eq!(owners, usize::from(map.readers(&topic.name).next().is_some()), "{}", topic.name);
    }
}

#[test]
fn a_prefix_names_topics_but_is_not_part_of_the_map() {
    let prefix: Prefix = "it1".parse().expect("valid");
    for topic in map().topics() {
        let physical = prefix.topic(&topic.name);
        assert_eq!(prefix.logical(&physical), Some(topic.name.as_str()));
    }
}

#[test]
fn unknown_fields_are_refused() {
    for text in [
        "surplus = 1\n[defaults]\npartitions = 4\nmax_message_bytes = 1\n[topics]",
        "[defaults]\npartitions = 4\nmax_message_bytes = 1\n[topics.a]\nowner = \"b\"\nretenion = \"30d\"",
        "[defaults]\npartitions = 4\nmax_message_bytes = 1\n[topics.a]\nowner = \"b\"\nretention = \"30\"",
        "not toml",
    ] {
        assert!(matches!(Map::parse(text), Err(Error::Parse(_))), "{text}");
    }
}
