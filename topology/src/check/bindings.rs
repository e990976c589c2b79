//! Problems of processors and connectors: what their shape needs, what it does not have, what they are bound to.

use super::Problem;
use crate::{Connector, ConnectorShape, Map, Processor, ProcessorShape, TopicKind};

/// Port through which a sink's dead letters leave its outbox.
const DEAD_LETTERS: &str = "dead_letters";

fn surplus(name: &str, surplus: &'static str) -> Problem {
    Problem::Surplus { name: name.to_owned(), surplus }
}

fn unbound(name: &str, missing: &'static str) -> Problem {
    Problem::Unbound { name: name.to_owned(), missing }
}

/// Says what is wrong with a topic's name bound as `role`; `None` when it is a topic of that kind.
fn binding(map: &Map, name: &str, role: String, topic: &str, kind: TopicKind) -> Option<Problem> {
    let (name, topic) = (name.to_owned(), topic.to_owned());
    match map.topic(&topic) {
        Err(_) => Some(Problem::UnknownTopic { name, role, topic }),
        Ok(found) if found.kind != kind => {
            Some(Problem::WrongKind { name, role, topic, expected: kind.as_str() })
        }
        Ok(_) => None,
    }
}

pub(super) fn check_processor(map: &Map, processor: &Processor, problems: &mut Vec<Problem>) {
    let name = &processor.name;
    let bound = |role: &str, topic: &str, kind| binding(map, name, role.to_owned(), topic, kind);
    problems.extend(bound("input", &processor.input, TopicKind::Event));
    for (port, topic) in &processor.ports {
        problems.extend(bound(&format!("port {port}"), topic, TopicKind::Event));
    }
    match &processor.dead_letters {
        Some(topic) => problems.extend(bound("dead_letters", topic, TopicKind::Event)),
        None => problems.push(unbound(name, "dead_letters")),
    }
    check_state(map, processor, problems);
    match (processor.shape, processor.clients.is_empty()) {
        (ProcessorShape::Lookup, true) => problems.push(unbound(name, "clients")),
        (ProcessorShape::Processor | ProcessorShape::Fold, false) => problems.push(surplus(name, "clients")),
        _ => {}
    }
    if map.connector(name).is_ok() {
        problems.push(surplus(name, "a connector of the same name"));
    }
}

fn state_partitions(map: &Map, processor: &Processor, state: &str) -> Option<Problem> {
    let (state, input) = (map.topic(state).ok()?, map.topic(&processor.input).ok()?);
    (state.partitions != input.partitions).then(|| Problem::Topic {
        topic: state.name.clone(),
        what: format!(
            "{} partitions, but {} of the input of {}: state lies in the partition of its input",
            state.partitions, input.partitions, processor.name
        ),
    })
}

fn check_state(map: &Map, processor: &Processor, problems: &mut Vec<Problem>) {
    let name = &processor.name;
    match (&processor.state, processor.shape) {
        (Some(_), ProcessorShape::Processor) => problems.push(surplus(name, "state")),
        (Some(topic), _) => {
            problems.extend(binding(map, name, "state".to_owned(), topic, TopicKind::Snapshots));
            problems.extend(state_partitions(map, processor, topic));
        }
        (None, ProcessorShape::Fold) => problems.push(unbound(name, "state")),
        (None, _) => {}
    }
    if processor.remembers.is_some() && processor.shape != ProcessorShape::Fold {
        problems.push(surplus(name, "remembers"));
    }
}

pub(super) fn check_connector(map: &Map, connector: &Connector, problems: &mut Vec<Problem>) {
    let name = &connector.name;
    let bound = |role: String, topic: &str, kind| binding(map, name, role, topic, kind);
    for (input, topic) in &connector.inputs {
        problems.extend(bound(format!("input {input}"), topic, TopicKind::Event));
    }
    for (port, topic) in &connector.ports {
        problems.extend(bound(format!("port {port}"), topic, TopicKind::Event));
    }
    if let Some(topic) = &connector.positions {
        problems.extend(bound("positions".to_owned(), topic, TopicKind::Positions));
    }
    for topic in &connector.looks_at {
        problems.extend(bound("looks_at".to_owned(), topic, TopicKind::Event));
    }
    match connector.shape {
        ConnectorShape::Source => check_source(connector, problems),
        ConnectorShape::Sink => check_sink(map, connector, problems),
    }
}

fn check_source(source: &Connector, problems: &mut Vec<Problem>) {
    let name = &source.name;
    let missing = [(source.ports.is_empty(), "ports"), (source.positions.is_none(), "positions")];
    problems.extend(missing.into_iter().filter(|(is, _)| *is).map(|(_, what)| unbound(name, what)));
    let extra = [(!source.inputs.is_empty(), "inputs"), (source.outbox.is_some(), "outbox")];
    problems.extend(extra.into_iter().filter(|(is, _)| *is).map(|(_, what)| surplus(name, what)));
}

fn check_sink(map: &Map, sink: &Connector, problems: &mut Vec<Problem>) {
    let name = &sink.name;
    let extra = [
        (!sink.ports.is_empty(), "ports"),
        (sink.positions.is_some(), "positions"),
        (!sink.looks_at.is_empty(), "looks_at"),
    ];
    problems.extend(extra.into_iter().filter(|(is, _)| *is).map(|(_, what)| surplus(name, what)));
    if sink.inputs.is_empty() {
        problems.push(unbound(name, "inputs"));
    }
    let outbox = sink.outbox.as_deref().and_then(|outbox| map.connector(outbox).ok());
    match outbox.filter(|outbox| outbox.shape == ConnectorShape::Source) {
        None => problems.push(unbound(name, "outbox (a source that publishes its dead letters)")),
        Some(outbox) if outbox.port(DEAD_LETTERS).is_none() => {
            problems.push(unbound(&outbox.name, "port dead_letters (it publishes those of a sink)"));
        }
        Some(_) => {}
    }
}
