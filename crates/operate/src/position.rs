//! Positions of sources, as records of a compacted topic: read, and forgotten.
//!
//! Invariant: a position is forgotten only while no process reads what it is of, and written under its source's
//! transactional id, which fences one that came meanwhile.

use super::{Bounds, Error, Peers, Place, ResetOptions, ResetPlan, reset_plan::refuse_members};
use engine::log::{OutRecord, TxnError};
use runtime::{
    Config, TransactionalProducer,
    observe::{Broker, Scanner, Span, source_group},
};
use std::{collections::BTreeMap, ops::ControlFlow};
use topology::{Connector, Map, TopicKind};

/// Logical topic of positions.
pub(super) fn topic(map: &Map) -> Result<&str, Error> {
    let found = map.topics().find(|topic| topic.kind == TopicKind::Positions);
    found
        .map(|topic| topic.name.as_str())
        .ok_or_else(|| Error::Refused("the map has no topic of positions".to_owned()))
}

/// Newest position of each identity in a source's positions topic.
pub(super) fn positions(
    config: &Config,
    map: &Map,
    broker: &Broker<'_>,
    source: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let Some(topic) = map.connector(source)?.positions.as_deref() else { return Ok(BTreeMap::new()) };
    let partitions = broker.partitions(topic)?;
    let bounds = broker.bounds(&partitions)?;
    let span = |bounds: &Bounds| Span { from: bounds.low, until: bounds.stable };
    let spans = bounds.iter().map(|((_, partition), bounds)| (*partition, span(bounds))).collect();
    let mut positions = BTreeMap::new();
    Scanner::new(broker, true).scan(&config.prefix.topic(topic), &spans, &mut |record| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (record.key.map(text), record.value.map(text)) {
            (Some(key), Some(value)) => drop(positions.insert(key, value)),
            (Some(key), None) => drop(positions.remove(&key)),
            (None, _) => {}
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(positions)
}

/// What forgetting a source's position would do.
pub(super) fn plan(
    config: &Config,
    map: &Map,
    options: &ResetOptions,
    source: &Connector,
) -> Result<ResetPlan, Error> {
    if options.to != Place::Beginning || options.topic.is_some() || options.partition.is_some() {
        let name = &source.name;
        return Err(Error::Refused(format!(
            "{name} is a source: its position is in its own terms, and can only be forgotten with --to beginning"
        )));
    }
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let mut positions = positions(config, map, &broker, &source.name)?;
    let is_outbox = map.connectors().any(|sink| sink.outbox.as_deref() == Some(&source.name));
    let identity = match &options.identity {
        Some(identity) => identity.clone(),
        None if is_outbox => peers.outbox_identity(),
        None => {
            return Err(Error::Refused(format!(
                "name what it reads with --identity; {}",
                listed(&positions)
            )));
        }
    };
    refuse_while_read(config, &broker, &source.name, &identity)?;
    match positions.remove(&identity) {
        Some(before) => Ok(ResetPlan::Position { name: source.name.clone(), identity, before }),
        None => Err(Error::Refused(format!("{identity} has no position; {}", listed(&positions)))),
    }
}

fn listed(positions: &BTreeMap<String, String>) -> String {
    if positions.is_empty() {
        return "no source has a position yet".to_owned();
    }
    let lines: Vec<&str> = positions.keys().map(String::as_str).collect();
    format!("positions are of\n  {}", lines.join("\n  "))
}

/// One that leads or stands by keeps its place in memory, and would not hear of the change before its next row.
fn refuse_while_read(config: &Config, broker: &Broker<'_>, name: &str, identity: &str) -> Result<(), Error> {
    let group = source_group(&config.prefix, name, identity);
    refuse_members(name, broker.members()?.get(&group).copied().unwrap_or_default())
}

/// Writes a tombstone over a position, as the source itself would.
pub(super) fn forget(config: &Config, map: &Map, name: &str, identity: &str) -> Result<(), Error> {
    refuse_while_read(config, &Broker::connect(config)?, name, identity)?;
    let connector = map.connector(name)?;
    let Some(topic) = connector.positions.as_deref() else { return Ok(()) };
    let failed = |error: TxnError| Error::Refused(format!("could not forget the position: {error}"));
    let producer = TransactionalProducer::named(config, &format!("{name}-{identity}")).map_err(failed)?;
    let tombstone = OutRecord {
        topic: config.prefix.topic(topic).into(),
        partition: Some(0),
        key: identity.as_bytes().to_vec(),
        value: None,
        headers: Vec::new(),
    };
    producer.begin().and_then(|()| producer.produce(&tombstone)).map_err(failed)?;
    producer.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_positions_is_listed() {
        assert_eq!(listed(&BTreeMap::new()), "no source has a position yet");
        let positions = ["outbox/gistmill", "import/a/b/c"].map(|key| (key.to_owned(), String::new()));
        assert_eq!(listed(&positions.into()), "positions are of\n  import/a/b/c\n  outbox/gistmill");
    }
}
