//! The map, drawn with what waits before each unit.

use super::{
    super::{entry::Visit, frame::page},
    looks::{Look, looked},
};
use crate::{app::App, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Input, MapPage, Unit, UnitKind};
use operate::{PartitionLag, UnitLag};
use topology::{Connector, ConnectorShape, Map, Processor, processors_in_order};

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    // Without Kafka the map is still worth a look.
    let look = match looked(&app, visit.frame.now_ms).await {
        Ok(look) => Some(look),
        Err(problem) if problem.status().is_server_error() => None,
        Err(problem) => return Err(problem),
    };
    let view = MapPage {
        units: units(&app.0.map, look.as_ref()),
        measured_at_ms: look.map(|look| look.lag.measured_at_ms),
    };
    page(&visit.frame, &view)
}

/// Sources, processors in the order of the flow, sinks.
fn units(map: &Map, look: Option<&Look>) -> Vec<Unit> {
    let connectors = |shape| map.connectors().filter(move |it| it.shape == shape);
    let sources = connectors(ConnectorShape::Source).map(|it| connector(it, UnitKind::Source, look));
    let processors = processors_in_order(map).into_iter().map(|it| processor(it, look));
    let sinks = connectors(ConnectorShape::Sink).map(|it| connector(it, UnitKind::Sink, look));
    sources.chain(processors).chain(sinks).collect()
}

fn processor(of: &Processor, look: Option<&Look>) -> Unit {
    Unit {
        name: of.name.clone(),
        kind: UnitKind::Processor,
        members: members(&of.name, look),
        is_optional: false,
        inputs: vec![input(&of.name, &of.input, look)],
        outputs: of.ports.values().cloned().collect(),
        problem: problem(&of.name, look),
    }
}

fn connector(of: &Connector, kind: UnitKind, look: Option<&Look>) -> Unit {
    Unit {
        name: of.name.clone(),
        kind,
        members: members(&of.name, look),
        is_optional: of.optional,
        inputs: of.inputs.values().map(|topic| input(&of.name, topic, look)).collect(),
        outputs: of.ports.values().cloned().collect(),
        problem: problem(&of.name, look),
    }
}

fn unit<'a>(name: &str, look: Option<&'a Look>) -> Option<&'a UnitLag> {
    look?.lag.units.iter().find(|it| it.unit == name)
}

fn members(name: &str, look: Option<&Look>) -> Option<u64> {
    let lag = &look?.lag;
    let outbox = || lag.outboxes.iter().find(|it| it.unit == name).map(|it| it.members);
    let unknown = || lag.unknown.iter().find(|it| it.unit == name).map(|it| it.members);
    let members = unit(name, look).map(|it| it.members).or_else(outbox).or_else(unknown)?;
    Some(members as u64)
}

fn input(name: &str, topic: &str, look: Option<&Look>) -> Input {
    let unit = unit(name, look);
    let of_topic = |it: &&PartitionLag| it.topic == topic;
    let partitions = || unit.into_iter().flat_map(|it| &it.partitions).filter(of_topic);
    Input {
        topic: topic.to_owned(),
        waiting: unit.map(|_| partitions().map(|it| it.consumable.count).sum()),
        is_estimate: partitions().any(|it| it.consumable.is_estimate),
        behind_seconds: partitions().map(|it| it.seconds).fold(0.0, f64::max),
        per_second: look.and_then(|look| look.per_second(name, topic)),
    }
}

/// Why a unit does not go on, as far as that was seen.
fn problem(name: &str, look: Option<&Look>) -> String {
    let Some(look) = look else { return String::new() };
    let stalled = look.lag.stalled.iter().find(|it| it.unit == name).map(operate::Stalled::line);
    let position = || unit(name, Some(look))?.partitions.iter().find_map(|it| it.problem.clone());
    stalled.or_else(position).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_the_map_is_drawn_once_whether_or_not_anything_was_seen() {
        let map = Map::embedded().unwrap();
        let units = units(&map, None);
        assert_eq!(units.len(), map.processors().count() + map.connectors().count());
        assert!(units.iter().all(|unit| unit.members.is_none() && unit.problem.is_empty()));
        assert!(units.iter().flat_map(|unit| &unit.inputs).all(|input| input.waiting.is_none()));
    }
}
