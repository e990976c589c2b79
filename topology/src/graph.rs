//! The map drawn: Mermaid for pages, plain lines for terminals. A function of the map alone.

use crate::{Connector, ConnectorShape, Map, Processor};
use std::{collections::BTreeMap, fmt::Write as _};

/// From this many processors on, what they all write is drawn once, as an arrow from their frame.
const SHARED_BY_MIN: usize = 3;
const START: &str = "<!-- graph -->";
const END: &str = "<!-- /graph -->";

/// Processors by the longest way from a source, then by name: the order in which records meet them.
pub fn processors_in_order(map: &Map) -> Vec<&Processor> {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    // Each round settles at least one more processor, unless the map has a circle: then the bound ends it.
    for _ in map.processors() {
        for processor in map.processors() {
            let before = map.processors().filter(|p| p.ports.values().any(|topic| *topic == processor.input));
            let depth = before.map(|p| depths.get(p.name.as_str()).map_or(1, |depth| depth + 1)).max();
            depths.insert(&processor.name, depth.unwrap_or(0));
        }
    }
    let mut order: Vec<_> = map.processors().collect();
    order.sort_by_key(|p| (depths.get(p.name.as_str()).copied(), &p.name));
    order
}

/// The map as a Mermaid flow chart: topics rounded, processors framed, what all processors write drawn once.
pub fn graph(map: &Map) -> String {
    let mut chart = String::from("flowchart LR\n");
    let shared = shared_topics(map);
    let mut line = |text: String| {
        chart.push_str("  ");
        chart.push_str(&text);
        chart.push('\n');
    };
    for topic in map.topics().filter(|topic| map.readers(&topic.name).next().is_some()) {
        line(format!("{}([{}])", topic_id(&topic.name), topic.name));
    }
    for topic in map.topics().filter(|topic| map.readers(&topic.name).next().is_none()) {
        line(format!("{}[({})]", topic_id(&topic.name), topic.name));
    }
    line("subgraph processors".to_owned());
    for processor in processors_in_order(map) {
        line(format!("  {}", mover(&processor.name)));
    }
    line("end".to_owned());
    map.connectors()
        .for_each(|connector| line(format!("{}[/{}/]", mover_id(&connector.name), connector.name)));
    for connector in map.connectors().filter(|connector| connector.shape == ConnectorShape::Source) {
        connector.ports.values().for_each(|topic| line(arrow(&mover_id(&connector.name), &topic_id(topic))));
    }
    for processor in processors_in_order(map) {
        line(arrow(&topic_id(&processor.input), &mover_id(&processor.name)));
        let own = processor.outputs().filter(|topic| !shared.contains_key(topic));
        own.for_each(|topic| line(arrow(&mover_id(&processor.name), &topic_id(topic))));
    }
    for (topic, role) in &shared {
        line(format!("processors -. {role} .-> {}", topic_id(topic)));
    }
    for connector in map.connectors() {
        connector.inputs.values().for_each(|topic| line(arrow(&topic_id(topic), &mover_id(&connector.name))));
        let outbox = connector.outbox.iter();
        outbox.for_each(|to| line(format!("{} -. outbox .-> {}", mover_id(&connector.name), mover_id(to))));
    }
    chart
}

/// The map as plain lines, in the order in which records meet its entries.
pub fn text(map: &Map) -> String {
    let mut lines = String::new();
    let joined = |topics: &BTreeMap<String, String>| {
        let mut topics: Vec<&str> = topics.values().map(String::as_str).collect();
        topics.dedup();
        topics.join(", ")
    };
    let mut line = |from: &str, name: &str, to: &str| {
        let arrow = |there: bool| if there { " → " } else { "" };
        // Writing to a String cannot fail.
        let written = writeln!(lines, "{from}{}{name}{}{to}", arrow(!from.is_empty()), arrow(!to.is_empty()));
        debug_assert!(written.is_ok());
    };
    for source in sources_in_order(map) {
        line("", &source.name, &joined(&source.ports));
    }
    for processor in processors_in_order(map) {
        line(&processor.input, &processor.name, &joined(&processor.ports));
    }
    for sink in map.connectors().filter(|connector| connector.shape == ConnectorShape::Sink) {
        line(&joined(&sink.inputs), &sink.name, sink.outbox.as_deref().unwrap_or_default());
    }
    lines
}

/// The map as a Mermaid chart of few lines: processors and connectors as boxes, topics on the arrows between them.
/// Every arrow is drawn once, in chains that go on as long as they can.
pub fn outline(map: &Map) -> String {
    let mut arrows = arrows(map);
    let mut chart = String::from("flowchart LR\n");
    while !arrows.is_empty() {
        let Arrow { from, .. } = arrows[0];
        chart.push_str("  ");
        chart.push_str(from);
        let mut at = from;
        while let Some(next) = arrows.iter().position(|arrow| arrow.from == at) {
            let Arrow { label, to, .. } = arrows.remove(next);
            chart.push_str(&label);
            chart.push_str(to);
            at = to;
        }
        chart.push('\n');
    }
    chart
}

/// An arrow between two that move records.
struct Arrow<'a> {
    from: &'a str,
    label: String,
    to: &'a str,
}

/// All arrows, by the place of both ends in the flow: sources, processors, sinks.
fn arrows(map: &Map) -> Vec<Arrow<'_>> {
    let sinks = map.connectors().filter(|connector| connector.shape == ConnectorShape::Sink);
    let writers = sources_in_order(map).into_iter().map(|source| (source.name.as_str(), &source.ports));
    let inside = || processors_in_order(map).into_iter();
    let writers: Vec<_> = writers.chain(inside().map(|p| (p.name.as_str(), &p.ports))).collect();
    let sinks = sinks.map(|sink| (sink.name.as_str(), sink.inputs.values().collect()));
    let readers: Vec<(&str, Vec<&String>)> =
        inside().map(|p| (p.name.as_str(), vec![&p.input])).chain(sinks).collect();
    let mut arrows = Vec::new();
    for (from, ports) in writers {
        for (to, inputs) in &readers {
            let topics: Vec<_> =
                inputs.iter().filter(|input| ports.values().any(|topic| topic == **input)).collect();
            if !topics.is_empty() {
                let topics = topics.into_iter().map(|topic| topic.as_str()).collect::<Vec<_>>().join("<br>");
                arrows.push(Arrow { from, label: format!(" -->|{topics}| "), to });
            }
        }
    }
    for sink in map.connectors() {
        let outbox = sink.outbox.iter();
        arrows.extend(outbox.map(|to| Arrow { from: &sink.name, label: " -. outbox .-> ".to_owned(), to }));
    }
    arrows
}

/// Sources by the place in the flow that they lead to, then by name.
fn sources_in_order(map: &Map) -> Vec<&Connector> {
    let flow = processors_in_order(map);
    let place = |source: &Connector| {
        let leads_to = |processor: &&Processor| source.ports.values().any(|topic| *topic == processor.input);
        flow.iter().position(leads_to).unwrap_or(usize::MAX)
    };
    let sources = map.connectors().filter(|connector| connector.shape == ConnectorShape::Source);
    let mut sources: Vec<_> = sources.collect();
    sources.sort_by_key(|source| (place(source), &source.name));
    sources
}

/// A page with the [`outline`] put between its `<!-- graph -->` and `<!-- /graph -->` lines; `None` when it has
/// no such lines. A page that is up to date comes back unchanged.
pub fn page_with_graph(page: &str, map: &Map) -> Option<String> {
    let (before, rest) = page.split_once(START)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{START}\n```mermaid\n{}```\n{END}{after}", outline(map)))
}

/// Topics that many processors write, and what they are to them.
fn shared_topics(map: &Map) -> BTreeMap<&str, String> {
    let mut roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for processor in map.processors() {
        let ports = processor.ports.iter().map(|(port, topic)| (topic.as_str(), port.as_str()));
        let dead_letters = processor.dead_letters.iter().map(|topic| (topic.as_str(), "dead letters"));
        ports.chain(dead_letters).for_each(|(topic, role)| roles.entry(topic).or_default().push(role));
    }
    let shared = roles.into_iter().filter(|(_, roles)| roles.len() >= SHARED_BY_MIN);
    shared.map(|(topic, roles)| (topic, roles.first().copied().unwrap_or_default().to_owned())).collect()
}

fn mover(name: &str) -> String {
    format!("{}[{name}]", mover_id(name))
}

/// Mermaid ids take no dots; the two kinds of names are kept apart.
fn topic_id(name: &str) -> String {
    format!("t_{}", name.replace('.', "_"))
}

fn mover_id(name: &str) -> String {
    format!("m_{name}")
}

fn arrow(from: &str, to: &str) -> String {
    format!("{from} --> {to}")
}
