//! A way past the guard: inputs of one kind that have stopped a unit are let through into the dead letters.
//!
//! Invariant: an order is for one unit, partition, kind and range, and is given only while the unit is stopped; what else
//! lies in the range counts for the guard as ever.

use super::{
    Error, Peers,
    reset_plan::refuse_members,
    wire_checker::{Lying, WireChecker},
};
use engine::{
    dead_letter::Cause,
    let_through::{LetThrough, Orders},
    wire_check::is_the_producers,
};
use runtime::{
    Config,
    observe::{Broker, Group, Partition, Scanner, Span},
};
use schemas::Fingerprint;
use serde::Serialize;
use std::{collections::BTreeMap, ops::ControlFlow};
use topology::Map;

/// Which inputs to let through.
#[derive(Debug, Clone)]
pub struct DrainOptions {
    /// Processor or sink that the guard has stopped.
    pub unit: String,
    /// Its input, by logical name. Default: the only one that it has.
    pub topic: Option<String>,
    /// Partition. Default: the only one that the topic has.
    pub partition: Option<i32>,
    /// The kind, as the guard named it.
    pub fingerprint: Fingerprint,
    /// The first offset that is not meant any more.
    pub until: i64,
}

/// What an order would let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrainPlan {
    /// Processor or sink.
    pub unit: String,
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// The kind.
    pub fingerprint: String,
    /// Next offset that the unit reads.
    pub from: i64,
    /// The first offset that is not meant.
    pub until: i64,
    /// Records between them.
    pub records: u64,
    /// Those of them that fail the wire check in this way.
    pub let_through: u64,
    /// Those that fail it in other ways, by fingerprint and reason: they count for the guard.
    pub others: BTreeMap<String, u64>,
}

/// Looks what an order would let through. Changes nothing. What the unit's own code refuses, the unit alone can tell.
///
/// # Errors
/// [`Error::UnknownUnit`]; [`Error::Refused`] for a unit that is running, an input that is not meant clearly, or a range that
/// is empty or beyond the topic's end; a peer that is away.
pub fn plan_drain(config: &Config, map: &Map, options: &DrainOptions) -> Result<DrainPlan, Error> {
    let (peers, broker) = (Peers::new(config)?, Broker::connect(config)?);
    let (topic, partition, is_sink) = place(map, &broker, options)?;
    let members = broker.members()?.get(&config.prefix.group(&options.unit)).copied().unwrap_or_default();
    refuse_members(&options.unit, members)?;
    let from = next_offset(config, &peers, (options, &topic, &partition), is_sink)?;
    let bounds = broker.bounds(std::slice::from_ref(&partition))?;
    let bounds =
        bounds.get(&partition).copied().ok_or_else(|| refused("the partition tells no bounds".to_owned()))?;
    let from = from.max(bounds.low);
    if options.until <= from || options.until > bounds.stable {
        return Err(refused(format!(
            "{} goes on at offset {from} of {topic}/{}, which ends at {}: give an --until between them, the first offset \
             that is not to be let through",
            options.unit, partition.1, bounds.stable
        )));
    }
    let mut plan = DrainPlan {
        unit: options.unit.clone(),
        topic,
        partition: partition.1,
        fingerprint: options.fingerprint.to_string(),
        from,
        until: options.until,
        records: 0,
        let_through: 0,
        others: BTreeMap::new(),
    };
    look(config, map, (&peers, &broker), options.fingerprint, &mut plan)?;
    Ok(plan)
}

fn refused(why: String) -> Error {
    Error::Refused(why)
}

/// The topic and partition that are meant, and whether the unit is a sink.
fn place(map: &Map, broker: &Broker<'_>, options: &DrainOptions) -> Result<(String, Partition, bool), Error> {
    let unit = &options.unit;
    let (inputs, is_sink): (Vec<&str>, bool) = if let Ok(processor) = map.processor(unit) {
        (vec![processor.input.as_str()], false)
    } else {
        let inputs =
            map.connector(unit).map(|connector| connector.inputs.values().map(String::as_str).collect());
        (inputs.unwrap_or_default(), true)
    };
    if inputs.is_empty() {
        let sinks = map.connectors().filter(|it| !it.inputs.is_empty()).map(|it| it.name.clone());
        let known = map.processors().map(|it| it.name.clone()).chain(sinks).collect();
        return Err(Error::UnknownUnit { name: unit.clone(), known });
    }
    let topic = match (&options.topic, inputs.as_slice()) {
        (Some(wanted), inputs) if inputs.contains(&wanted.as_str()) => wanted.clone(),
        (None, [only]) => (*only).to_owned(),
        _ => return Err(refused(format!("say which input of {unit} with --topic: {}", inputs.join(", ")))),
    };
    let partitions = broker.partitions(&topic)?;
    let count = partitions.len();
    let found = match options.partition {
        Some(wanted) => partitions.into_iter().find(|(_, partition)| *partition == wanted),
        None if count == 1 => partitions.into_iter().next(),
        None => {
            return Err(refused(format!(
                "an offset means another record in each partition: say which of 0 to {} with --partition",
                count - 1
            )));
        }
    };
    let partition = options.partition.unwrap_or_default();
    let unknown = || Error::UnknownPartition { topic: topic.clone(), partition, count: count as i32 };
    let found = found.ok_or_else(unknown)?;
    Ok((topic, found, is_sink))
}

/// Where the unit goes on.
fn next_offset(
    config: &Config,
    peers: &Peers,
    (options, topic, partition): (&DrainOptions, &str, &Partition),
    is_sink: bool,
) -> Result<i64, Error> {
    if !is_sink {
        let committed = Group::of(config, &options.unit)?.committed(std::slice::from_ref(partition))?;
        let none = || {
            refused(format!(
                "{} has no offset for {topic}/{}: see `gistmill topology apply`",
                options.unit, partition.1
            ))
        };
        return committed.get(&partition.1).copied().ok_or_else(none);
    }
    peers.wait(peers.store.ready())?;
    let stored = peers.wait(peers.store.sink_offsets())?;
    let is_it = |offset: &&state::SinkOffset| {
        offset.consumer_group == options.unit && offset.topic == topic && offset.partition == partition.1
    };
    Ok(stored.iter().find(is_it).map_or(0, |offset| offset.next_offset))
}

/// Counts what lies in the range.
fn look(
    config: &Config,
    map: &Map,
    (peers, broker): (&Peers, &Broker<'_>),
    fingerprint: Fingerprint,
    plan: &mut DrainPlan,
) -> Result<(), Error> {
    let topic = map.topic(&plan.topic)?;
    let Some(mut checker) = WireChecker::of(topic, peers) else { return Ok(()) };
    let spans = BTreeMap::from([(plan.partition, Span { from: plan.from, until: plan.until })]);
    Scanner::new(broker, true).scan(&config.prefix.topic(&plan.topic), &spans, &mut |record| {
        plan.records += 1;
        let lying = Lying {
            key: record.key,
            value: record.value,
            partition: record.partition,
            appended_at_ms: record.timestamp_ms,
        };
        if let Err(fault) = checker.check(lying)?
            && !is_the_producers(fault.reason())
        {
            let cause = Cause::of_fault(&fault);
            let found = Fingerprint::of(&plan.unit, &plan.topic, cause.reason, &cause.detail);
            if found == fingerprint {
                plan.let_through += 1;
            } else {
                *plan.others.entry(format!("{found} {}", cause.reason)).or_default() += 1;
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Gives the order that a plan is of.
///
/// # Errors
/// [`Error::Refused`] when the unit has been started meanwhile; a peer that is away.
pub fn drain(config: &Config, map: &Map, options: &DrainOptions, plan: &DrainPlan) -> Result<(), Error> {
    let broker = Broker::connect(config)?;
    let (_, partition, _) = place(map, &broker, options)?;
    let members = broker.members()?.get(&config.prefix.group(&plan.unit)).copied().unwrap_or_default();
    refuse_members(&plan.unit, members)?;
    let group = Group::of(config, &plan.unit)?;
    let mut orders: Orders = group.orders(&partition)?;
    if !orders.add(LetThrough { fingerprint: options.fingerprint, until: plan.until }) {
        return Err(refused("there are too many orders for this partition already".to_owned()));
    }
    group.commit_with(&partition, plan.from, orders.metadata(plan.from))
}
