//! What waits beside records before readers: rows of the outbox, and windows whose messages are not stored yet.

use super::{
    Error, OutboxState, Peers, Waiting,
    broker::Broker,
    measure::{Reader, stored},
};
use crate::{
    Config,
    clients::{MESSAGES_TOPIC, SINK},
};
use schemas::{Decoder, DigestGenerateRequested, Record};
use state::{OutboxPlace, SinkOffset};
use std::{collections::BTreeSet, sync::Arc};
use topology::Map;
/// Rows before each source that publishes what sinks wrote.
pub(super) fn outboxes(
    map: &Map,
    peers: &Peers,
    broker: &Broker<'_>,
    config: &Config,
) -> Result<Vec<OutboxState>, Error> {
    let sources: BTreeSet<&str> = map.connectors().filter_map(|sink| sink.outbox.as_deref()).collect();
    let mut states = Vec::new();
    for source in sources {
        let positions = super::positions(config, map, broker, source)?;
        let position = positions.get(&format!("outbox/{}", peers.store.schema()));
        let lag = peers.wait(peers.store.outbox_lag(position.and_then(|text| place(text))))?;
        states.push(OutboxState {
            unit: source.to_owned(),
            readable: lag.readable.max(0) as u64,
            stalled: lag.stalled.max(0) as u64,
        });
    }
    Ok(states)
}

/// The place in an outbox source's position; none in one of another version, before which everything lies.
fn place(position: &str) -> Option<OutboxPlace> {
    let position: serde_json::Value = serde_json::from_str(position).ok()?;
    Some(OutboxPlace { xid: position.get("xid")?.as_u64()?, seq: position.get("seq")?.as_i64()? })
}

/// First requests whose window the sink has not stored whole. A registry that is away hides them, no more.
pub(super) fn waiting(peers: &Peers, readers: &[Reader<'_>], sinks: &[SinkOffset]) -> Vec<Waiting> {
    let mut decoder = Decoder::<DigestGenerateRequested>::new(Arc::clone(&peers.schemas));
    let mut waiting = Vec::new();
    for reader in readers.iter().filter(|reader| reader.topic == DigestGenerateRequested::TYPE) {
        let Some(Ok(request)) = reader.first.as_deref().map(|value| decoder.decode(Some(value))) else {
            continue;
        };
        let (partition, offset) = (request.window.source_partition, request.window.source_offset);
        let stored = stored(sinks, SINK, MESSAGES_TOPIC, partition);
        if stored.is_none_or(|next| next <= offset) {
            let (unit, sink) = (reader.unit.to_owned(), SINK.to_owned());
            waiting.push(Waiting { unit, sink, partition, offset, stored });
        }
    }
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_position_names_a_place() {
        let position = r#"{"system_identifier":"77","xid":9,"seq":4}"#;
        assert_eq!(place(position), Some(OutboxPlace { xid: 9, seq: 4 }));
        assert_eq!(place("{}"), None);
        assert_eq!(place("not json"), None);
    }
}
