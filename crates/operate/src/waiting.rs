//! What waits beside records before readers, as Postgres tells: rows of the outbox, and windows whose messages are not
//! stored yet; and whose place is not known without it.

use super::{
    Error, OutboxState, Peers, UnknownLag, Waiting,
    reader_partition::{ReaderPartition, stored},
};
use runtime::{
    Config,
    observe::{Broker, MESSAGES_SINK, MESSAGES_TOPIC, outbox_place, outbox_sources, source_group},
};
use schemas::{Decoder, DigestGenerateRequested, Record};
use state::{OutboxPlace, SinkOffset};
use std::{collections::BTreeMap, sync::Arc};
use topology::{Connector, ConnectorShape, Map};

/// Processes that run an outbox source or stand by for it.
pub(super) fn processes(
    config: &Config,
    peers: &Peers,
    members: &BTreeMap<String, usize>,
    source: &str,
) -> usize {
    let group = source_group(&config.prefix, source, &peers.outbox_identity());
    members.get(&group).copied().unwrap_or_default()
}

/// Who has its place in Postgres.
pub(super) fn unknown(
    config: &Config,
    map: &Map,
    peers: &Peers,
    members: &BTreeMap<String, usize>,
) -> Vec<UnknownLag> {
    let is_sink =
        |connector: &&Connector| connector.shape == ConnectorShape::Sink && config.is_used(connector);
    let sinks = map.connectors().filter(is_sink).map(|sink| {
        let connected = members.get(&config.prefix.group(&sink.name)).copied().unwrap_or_default();
        UnknownLag { unit: sink.name.clone(), members: connected }
    });
    let sources = outbox_sources(map).into_iter().map(|source| UnknownLag {
        unit: source.to_owned(),
        members: processes(config, peers, members, source),
    });
    sinks.chain(sources).collect()
}

/// The row of the store's outbox that was published last, by the position that its source has committed: those before it are
/// never read again. None where nothing was published.
///
/// # Errors
/// As for any question to the broker.
pub fn outbox_published(config: &Config, map: &Map) -> Result<Option<OutboxPlace>, Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    for source in outbox_sources(map) {
        let positions = super::positions(config, map, &broker, source)?;
        if let Some(position) = positions.get(&peers.outbox_identity()) {
            return Ok(outbox_place(position));
        }
    }
    Ok(None)
}

/// Rows before each outbox source.
pub(super) fn outboxes(
    map: &Map,
    peers: &Peers,
    broker: &Broker<'_>,
    config: &Config,
) -> Result<Vec<OutboxState>, Error> {
    let members = broker.members()?;
    let mut states = Vec::new();
    for source in outbox_sources(map) {
        let positions = super::positions(config, map, broker, source)?;
        let position = positions.get(&peers.outbox_identity());
        let lag = peers.wait(peers.store.outbox_lag(position.and_then(|text| outbox_place(text))))?;
        states.push(OutboxState {
            unit: source.to_owned(),
            members: processes(config, peers, &members, source),
            readable: lag.readable.max(0) as u64,
            stalled: lag.stalled.max(0) as u64,
        });
    }
    Ok(states)
}

/// First requests whose window the sink has not stored whole. A registry that is away hides them, no more.
pub(super) fn waiting(peers: &Peers, readers: &[ReaderPartition<'_>], sinks: &[SinkOffset]) -> Vec<Waiting> {
    let mut decoder = Decoder::<DigestGenerateRequested>::new(Arc::clone(&peers.schemas));
    let mut waiting = Vec::new();
    for reader in readers.iter().filter(|reader| reader.topic == DigestGenerateRequested::TYPE) {
        let Some(Ok(request)) = reader.first.as_deref().map(|value| decoder.decode(Some(value))) else {
            continue;
        };
        let (partition, offset) = (request.window.source_partition, request.window.source_offset);
        let stored = stored(sinks, MESSAGES_SINK, MESSAGES_TOPIC, partition);
        if stored.is_none_or(|next| next <= offset) {
            let (unit, sink) = (reader.unit.to_owned(), MESSAGES_SINK.to_owned());
            waiting.push(Waiting { unit, sink, partition, offset, stored });
        }
    }
    waiting
}
