//! Sets where a processor, a sink or a source goes on: looked at first, then done.
//!
//! Invariant: nothing is set while the unit is running, and nothing outside what its topic holds.

use super::{
    Bounds, Error, Move, Place, ResetKind, ResetOptions, ResetPlan,
    peers::Peers,
    position,
    reset_plan::refuse_members,
    tap::{chosen, starts},
};
use runtime::{
    Config,
    observe::{Broker, Group, Partition},
};
use std::collections::{BTreeMap, BTreeSet};
use topology::{Connector, ConnectorShape, Map, ProcessorShape};

/// Looks what a reset would do. Changes nothing.
///
/// # Errors
/// [`Error::UnknownUnit`]; [`Error::Refused`] for a unit that is running, or a place that a topic does not hold; a peer
/// that is away.
pub fn plan_reset(config: &Config, map: &Map, options: &ResetOptions) -> Result<ResetPlan, Error> {
    if let Ok(processor) = map.processor(&options.name) {
        let kind =
            if processor.shape == ProcessorShape::Fold { ResetKind::Fold } else { ResetKind::Processor };
        let broker = Broker::connect(config)?;
        let group = Group::of(config, &processor.name)?;
        let committed = group.committed(&broker.partitions(&processor.input)?)?;
        let before = |_: &str, partition: i32| committed.get(&partition).copied();
        return offsets(config, &broker, options, (kind, &[processor.input.as_str()]), &before);
    }
    let Ok(connector) = map.connector(&options.name) else { return Err(unknown(map, &options.name)) };
    match connector.shape {
        ConnectorShape::Sink => plan_sink(config, options, connector),
        ConnectorShape::Source => position::plan(config, map, options, connector),
    }
}

fn unknown(map: &Map, name: &str) -> Error {
    let processors = map.processors().map(|processor| processor.name.clone());
    let known = processors.chain(map.connectors().map(|connector| connector.name.clone())).collect();
    Error::UnknownUnit { name: name.to_owned(), known }
}

fn plan_sink(config: &Config, options: &ResetOptions, sink: &Connector) -> Result<ResetPlan, Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    peers.wait(peers.store.ready())?;
    let stored = peers.wait(peers.store.sink_offsets())?;
    let before = |topic: &str, partition: i32| {
        let is_it = |offset: &&state::SinkOffset| {
            offset.consumer_group == sink.name && offset.topic == topic && offset.partition == partition
        };
        stored.iter().find(is_it).map(|offset| offset.next_offset)
    };
    let inputs: BTreeSet<&str> = sink.inputs.values().map(String::as_str).collect();
    let inputs: Vec<&str> = inputs.into_iter().collect();
    offsets(config, &broker, options, (ResetKind::Sink, &inputs), &before)
}

fn offsets(
    config: &Config,
    broker: &Broker<'_>,
    options: &ResetOptions,
    (kind, inputs): (ResetKind, &[&str]),
    before: &dyn Fn(&str, i32) -> Option<i64>,
) -> Result<ResetPlan, Error> {
    refuse_while_running(config, broker, &options.name)?;
    if options.identity.is_some() {
        return Err(Error::Refused("--identity names a position of a source, which this is not".to_owned()));
    }
    let topics: Vec<&str> = match &options.topic {
        Some(wanted) => inputs.iter().copied().filter(|input| input == wanted).collect(),
        None => inputs.to_vec(),
    };
    if topics.is_empty() {
        let inputs = inputs.join(", ");
        return Err(Error::Refused(format!("{} does not read that topic; it reads {inputs}", options.name)));
    }
    let mut moves = Vec::new();
    for topic in topics {
        let partitions = chosen(broker, topic, options.partition)?;
        refuse_one_offset_for_many(options, &partitions)?;
        let bounds = broker.bounds(&partitions)?;
        for (partition, offset) in targets(broker, &partitions, &bounds, (kind, options.to))? {
            let before = before(topic, partition);
            moves.push(Move { topic: topic.to_owned(), partition, before, after: offset });
        }
    }
    Ok(ResetPlan::Offsets { name: options.name.clone(), kind, moves })
}

/// An offset means another record in each partition.
fn refuse_one_offset_for_many(options: &ResetOptions, partitions: &[Partition]) -> Result<(), Error> {
    match options.to {
        Place::Offset(offset) if partitions.len() > 1 => Err(Error::Refused(format!(
            "offset {offset} means another record in each partition: name one with --partition (and, for a sink, \
             its --topic), or say --to with a time"
        ))),
        _ => Ok(()),
    }
}

fn targets(
    broker: &Broker<'_>,
    partitions: &[Partition],
    bounds: &BTreeMap<Partition, Bounds>,
    (kind, to): (ResetKind, Place),
) -> Result<BTreeMap<i32, i64>, Error> {
    let mut targets = starts(broker, partitions, bounds, to)?;
    if kind == ResetKind::Sink && to == Place::Beginning {
        // A sink at 0 begins at the first record, wherever retention has moved it by then.
        for target in targets.values_mut() {
            *target = 0;
        }
    }
    Ok(targets)
}

fn refuse_while_running(config: &Config, broker: &Broker<'_>, name: &str) -> Result<(), Error> {
    refuse_members(name, broker.members()?.get(&config.prefix.group(name)).copied().unwrap_or_default())
}

/// Does what a plan says.
///
/// # Errors
/// [`Error::Refused`] when the unit has been started meanwhile; a peer that is away.
pub fn reset(config: &Config, map: &Map, plan: &ResetPlan) -> Result<(), Error> {
    match plan {
        ResetPlan::Position { name, identity, .. } => position::forget(config, map, name, identity),
        ResetPlan::Offsets { name, kind, moves } => {
            refuse_while_running(config, &Broker::connect(config)?, name)?;
            if *kind == ResetKind::Sink {
                set_stored(config, name, moves)
            } else {
                commit(config, name, moves)
            }
        }
    }
}

fn commit(config: &Config, name: &str, moves: &[Move]) -> Result<(), Error> {
    let offset = |step: &Move| ((config.prefix.topic(&step.topic), step.partition), step.after);
    Group::of(config, name)?.commit(&moves.iter().map(offset).collect())
}

fn set_stored(config: &Config, name: &str, moves: &[Move]) -> Result<(), Error> {
    let peers = Peers::new(config)?;
    for step in moves {
        let done = peers.wait(peers.store.reset_sink(name, &step.topic, step.partition, step.after))?;
        if !done && step.after != 0 {
            return Err(Error::Refused(format!(
                "{name} has never been started on {}/{}, so it has no offset to set: start it once, stop it, and \
                 repeat this",
                step.topic, step.partition
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(to: Place) -> ResetOptions {
        ResetOptions { name: "topic".to_owned(), to, topic: None, partition: None, identity: None }
    }

    #[test]
    fn one_offset_is_for_one_partition() {
        let two = [("t".to_owned(), 0), ("t".to_owned(), 1)];
        let refused =
            |to, partitions: &[Partition]| refuse_one_offset_for_many(&options(to), partitions).is_err();
        assert!(refused(Place::Offset(7), &two));
        assert!(!refused(Place::Offset(7), &two[..1]));
        assert!(!refused(Place::Time(7), &two));
    }

    #[test]
    fn an_unknown_name_lists_those_there_are() {
        let map = Map::embedded().expect("the built-in map");
        let error = plan_reset(
            &Config::default(),
            &map,
            &ResetOptions { name: "topics".to_owned(), ..options(Place::Beginning) },
        )
        .expect_err("unknown")
        .to_string();
        assert!(error.contains("\n  topic\n") && error.contains("\n  telegram_export_source"), "{error}");
    }

    #[test]
    fn a_source_has_no_offsets() {
        let map = Map::embedded().expect("the built-in map");
        let source = ResetOptions { name: "postgres_outbox_source".to_owned(), ..options(Place::Offset(3)) };
        let error = plan_reset(&Config::default(), &map, &source).expect_err("refused").to_string();
        assert!(error.contains("--to beginning"), "{error}");
    }
}
