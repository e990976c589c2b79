//! Measures the lag of everything in the map: asks for ends and positions, then reads what lies between.
//!
//! Invariant: positions are taken before ends, so that a busy pipeline never shows less lag than it had.

use super::{
    Error, HangingTransaction, Lag, PartitionLag, Peers, Stalled, UnitLag,
    reader_partition::{Measure, ReaderPartition, stored},
    waiting::{outboxes, unknown, waiting},
};
use runtime::{
    Config,
    observe::{Broker, Group, Partition, Scanner, Span, all_stalled, connect, find_transactions},
};
use state::SinkOffset;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};
use topology::{Connector, ConnectorShape, Map, processors_in_order};

const POSTGRES: &str = "postgres";

/// The lag of every processor, sink and outbox. While Postgres is away or refuses, of those that Kafka alone tells.
///
/// # Errors
/// A broker that is away, a topic that is not on the broker, a database without tables.
pub fn lag(config: &Config, map: &Map) -> Result<Lag, Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let (sinks, postgres_unknown) = match stored_offsets(&peers) {
        Ok(sinks) => (Some(sinks), None),
        Err(error) if error.is_of_postgres() => (None, Some(engine::chain(&error))),
        Err(error) => return Err(error),
    };
    let mut readers = readers(config, map, &broker, sinks.as_deref())?;
    let open = stand(&broker, &mut readers)?;
    count(config, map, &broker, &mut readers)?;
    let members = broker.members()?;
    let now = jiff::Timestamp::now().as_millisecond();
    let mut lag = Lag { measured_at_ms: now, postgres_unknown, ..Lag::default() };
    lag.registry_away = peers.registry_away(config);
    match &sinks {
        Some(sinks) => {
            lag.outboxes = outboxes(map, &peers, &broker, config)?;
            lag.waiting = waiting(&peers, &readers, sinks);
        }
        None => lag.unknown = unknown(config, map, &peers, &members),
    }
    lag.units = units(config, readers, &open, &members, now);
    match held_up(config, map, sinks.as_deref().unwrap_or_default()) {
        Ok((hanging, stalled)) => (lag.hanging, lag.stalled) = (hanging, stalled),
        Err(error) => lag.hanging_unknown = Some(engine::chain(&error)),
    }
    Ok(lag)
}

fn stored_offsets(peers: &Peers) -> Result<Vec<SinkOffset>, Error> {
    peers.wait(peers.store.ready())?;
    Ok(peers.wait(peers.store.sink_offsets())?)
}

/// What hangs, and who stands still.
fn held_up(
    config: &Config,
    map: &Map,
    sinks: &[SinkOffset],
) -> Result<(Vec<HangingTransaction>, Vec<Stalled>), Error> {
    let mut cluster = connect(config)?;
    let hanging = find_transactions(&mut cluster, config, map)?.hanging;
    Ok((hanging, all_stalled(&mut cluster, (config, map), sinks)?))
}

/// Every partition before every reader, with its position; sinks only where theirs are known.
fn readers<'a>(
    config: &Config,
    map: &'a Map,
    broker: &Broker<'_>,
    sinks: Option<&[SinkOffset]>,
) -> Result<Vec<ReaderPartition<'a>>, Error> {
    let mut readers = Vec::new();
    let committed = committed(config, map, broker)?;
    for processor in processors_in_order(map) {
        for partition in broker.partitions(&processor.input)? {
            let position =
                committed.get(processor.name.as_str()).and_then(|offsets| offsets.get(&partition.1)).copied();
            readers.push(ReaderPartition::new(
                (&processor.name, "processor"),
                &processor.input,
                partition,
                position,
            ));
        }
    }
    let Some(sinks) = sinks else { return Ok(readers) };
    let is_sink =
        |connector: &&Connector| connector.shape == ConnectorShape::Sink && config.is_known(connector, sinks);
    for sink in map.connectors().filter(is_sink) {
        for topic in sink.inputs.values() {
            for partition in broker.partitions(topic)? {
                let stored = stored(sinks, &sink.name, topic, partition.1);
                // A sink that was never started begins at the first offset.
                readers.push(ReaderPartition::new(
                    (&sink.name, "sink"),
                    topic,
                    partition,
                    Some(stored.unwrap_or(0)),
                ));
            }
        }
    }
    Ok(readers)
}

/// Committed offsets of every processor, all groups at once: each waits for a coordinator of its own.
fn committed<'a>(
    config: &Config,
    map: &'a Map,
    broker: &Broker<'_>,
) -> Result<BTreeMap<&'a str, BTreeMap<i32, i64>>, Error> {
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for processor in map.processors() {
            let partitions = broker.partitions(&processor.input)?;
            let ask = move || Group::of(config, &processor.name)?.committed(&partitions);
            threads.push((processor.name.as_str(), scope.spawn(ask)));
        }
        let mut committed = BTreeMap::new();
        for (name, thread) in threads {
            let ended = || Error::Start { what: "read offsets", why: "its thread ended".to_owned() };
            committed.insert(name, thread.join().map_err(|_| ended())??);
        }
        Ok(committed)
    })
}

/// Fills in where partitions begin and end; returns since when transactions are open, by partition, in ms.
fn stand(
    broker: &Broker<'_>,
    readers: &mut [ReaderPartition<'_>],
) -> Result<BTreeMap<Partition, i64>, Error> {
    let partitions: BTreeSet<Partition> = readers.iter().map(|reader| reader.partition.clone()).collect();
    let partitions: Vec<Partition> = partitions.into_iter().collect();
    let (stables, highs) = (broker.stables(&partitions)?, broker.highs(&partitions)?);
    let lows = broker.lows(&partitions)?;
    for reader in readers.iter_mut() {
        let offsets = &mut reader.offsets;
        offsets.low = at(&lows, &reader.partition);
        offsets.stable = at(&stables, &reader.partition);
        offsets.high = at(&highs, &reader.partition).max(offsets.stable);
        // A sink at 0 begins at the beginning, wherever that is by now.
        if reader.kind == "sink" && offsets.position == Some(0) {
            offsets.position = Some(offsets.low);
        }
    }
    let open = partitions.into_iter().filter(|partition| at(&stables, partition) < at(&highs, partition));
    open_since(broker, open.map(|partition| (at(&stables, &partition), partition)).collect())
}

fn at(offsets: &BTreeMap<Partition, i64>, partition: &Partition) -> i64 {
    offsets.get(partition).copied().unwrap_or_default()
}

/// Append time of the record at each last stable offset: the first of the oldest open transaction.
fn open_since(broker: &Broker<'_>, open: Vec<(i64, Partition)>) -> Result<BTreeMap<Partition, i64>, Error> {
    let mut since = BTreeMap::new();
    if open.is_empty() {
        return Ok(since);
    }
    let scanner = Scanner::new(broker, false);
    let mut topics: BTreeMap<String, BTreeMap<i32, Span>> = BTreeMap::new();
    for (from, (topic, partition)) in open {
        topics.entry(topic).or_default().insert(partition, Span { from, until: i64::MAX });
    }
    for (topic, spans) in &topics {
        scanner.scan(topic, spans, &mut |record| {
            since.insert((topic.clone(), record.partition), record.timestamp_ms);
            Ok(ControlFlow::Break(()))
        })?;
    }
    Ok(since)
}

/// Reads what lies before the readers. Two readers of one partition are read for one after the other.
fn count(
    config: &Config,
    map: &Map,
    broker: &Broker<'_>,
    readers: &mut [ReaderPartition<'_>],
) -> Result<(), Error> {
    let mut rounds: BTreeMap<(&str, usize), BTreeMap<i32, usize>> = BTreeMap::new();
    for (index, reader) in readers.iter().enumerate().filter(|(_, r)| r.offsets.measure() != Measure::Nothing)
    {
        let is_taken = |round: usize| {
            rounds.get(&(reader.topic, round)).is_some_and(|taken| taken.contains_key(&reader.partition.1))
        };
        let free = (0..readers.len()).find(|round| !is_taken(*round)).unwrap_or_default();
        rounds.entry((reader.topic, free)).or_default().insert(reader.partition.1, index);
    }
    if rounds.is_empty() {
        return Ok(());
    }
    let scanner = Scanner::new(broker, true);
    for ((topic, _), indexes) in rounds {
        let span = |index: &usize| {
            let offsets = &readers[*index].offsets;
            Span { from: offsets.start(), until: offsets.stable }
        };
        let spans = indexes.iter().map(|(partition, index)| (*partition, span(index))).collect();
        scanner.scan(&config.prefix.topic(topic), &spans, &mut |record| {
            let Some(index) = indexes.get(&record.partition) else { return Ok(ControlFlow::Continue(())) };
            let reader = &mut readers[*index];
            if reader.seen.count == 0 && asks_postgres(map, reader.unit) {
                reader.first = record.value.map(<[u8]>::to_vec);
            }
            reader.seen.count(record.timestamp_ms, record.key);
            let is_done = reader.offsets.measure() == Measure::Estimate;
            Ok(if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    Ok(())
}

fn asks_postgres(map: &Map, unit: &str) -> bool {
    map.processor(unit).is_ok_and(|processor| processor.clients.iter().any(|client| client == POSTGRES))
}

fn units(
    config: &Config,
    readers: Vec<ReaderPartition<'_>>,
    open: &BTreeMap<Partition, i64>,
    members: &BTreeMap<String, usize>,
    now: i64,
) -> Vec<UnitLag> {
    let mut units: Vec<(&str, &'static str, Vec<PartitionLag>)> = Vec::new();
    for reader in readers {
        let name = (reader.unit, reader.topic, reader.partition.1);
        let open_since = open.get(&reader.partition).copied();
        let lag = PartitionLag::new(name, reader.offsets, reader.seen, open_since, now);
        match units.last_mut() {
            Some((unit, _, partitions)) if *unit == reader.unit => partitions.push(lag),
            _ => units.push((reader.unit, reader.kind, vec![lag])),
        }
    }
    let unit = |(name, kind, partitions)| {
        let connected = members.get(&config.prefix.group(name)).copied().unwrap_or_default();
        UnitLag::new(name, kind, connected, partitions)
    };
    units.into_iter().map(unit).collect()
}
