//! Where records go: from sources over topics and processors to sinks and their outbox, never in a circle.

use super::Problem;
use crate::{ConnectorShape, Map};
use std::collections::{BTreeMap, BTreeSet};

/// A place that records pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    Topic(&'a str),
    /// Processor or connector.
    Mover(&'a str),
}

impl<'a> Node<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Topic(name) | Self::Mover(name) => name,
        }
    }
}

type Edges<'a> = BTreeMap<Node<'a>, BTreeSet<Node<'a>>>;

fn edges(map: &Map) -> Edges<'_> {
    let mut edges = Edges::new();
    let mut add = |from, to| {
        edges.entry(from).or_default().insert(to);
    };
    for processor in map.processors() {
        let mover = Node::Mover(&processor.name);
        add(Node::Topic(&processor.input), mover);
        processor.outputs().for_each(|topic| add(mover, Node::Topic(topic)));
    }
    for connector in map.connectors() {
        let mover = Node::Mover(&connector.name);
        connector.inputs.values().for_each(|topic| add(Node::Topic(topic), mover));
        connector.outputs().for_each(|topic| add(mover, Node::Topic(topic)));
        connector.outbox.iter().for_each(|outbox| add(mover, Node::Mover(outbox)));
    }
    edges
}

/// Topics that no source leads to.
pub(super) fn unreachable(map: &Map) -> Vec<Problem> {
    let edges = edges(map);
    let sources = map.connectors().filter(|connector| connector.shape == ConnectorShape::Source);
    let mut ahead: Vec<_> = sources.map(|source| Node::Mover(source.name.as_str())).collect();
    let mut reached: BTreeSet<_> = ahead.iter().copied().collect();
    while let Some(node) = ahead.pop() {
        let next = edges.get(&node).into_iter().flatten();
        ahead.extend(next.copied().filter(|node| reached.insert(*node)));
    }
    let topics = map.topics().filter(|topic| !reached.contains(&Node::Topic(&topic.name)));
    let problem =
        |name: &String| Problem::Topic { topic: name.clone(), what: "no source leads to it".to_owned() };
    topics.map(|topic| problem(&topic.name)).collect()
}

/// One circle, written out, if there is any. Nodes without a way in are taken away until none is left: what
/// remains has a circle behind every node (Kahn 1962).
pub(super) fn cycle(map: &Map) -> Option<String> {
    let mut edges = edges(map);
    loop {
        let entered: BTreeSet<_> = edges.values().flatten().copied().collect();
        let before = edges.len();
        edges.retain(|node, _| entered.contains(node));
        if edges.len() == before {
            break;
        }
    }
    let start = edges.keys().next()?;
    let mut path = vec![*start];
    loop {
        let into =
            |node: &Node<'_>| edges.iter().find(|(_, next)| next.contains(node)).map(|(from, _)| *from);
        let previous = into(path.last()?)?;
        if let Some(seen) = path.iter().position(|node| *node == previous) {
            let circle = path[seen..].iter().rev().chain(path.last());
            return Some(circle.map(|node| node.name()).collect::<Vec<_>>().join(" → "));
        }
        path.push(previous);
    }
}
