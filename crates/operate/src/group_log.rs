//! The records of one group, as its log has them.

use super::{Error, Peers};
use runtime::{
    Config,
    observe::{Broker, MESSAGES_TOPIC, Scanner, Span},
};
use schemas::{Decoder, GroupMessageIngested};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use topology::Map;

/// Gives every record with this key, `tenant/group`, that its readers take, oldest first. Reads the key's partition as a
/// whole.
///
/// # Errors
/// A peer that is away, or a topic that is not on the broker.
pub fn group_log(
    config: &Config,
    map: &Map,
    key: &str,
    take: &mut dyn FnMut(&GroupMessageIngested),
) -> Result<(), Error> {
    let topic = map.topic(MESSAGES_TOPIC)?;
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let Some(partition) = broker.partition_of(&topic.name, key)? else { return Ok(()) };
    let bounds = broker.bounds(std::slice::from_ref(&partition))?;
    let Some(bounds) = bounds.get(&partition) else { return Ok(()) };
    let span = Span { from: bounds.low, until: bounds.stable };
    let mut decoder = Decoder::<GroupMessageIngested>::new(Arc::clone(&peers.schemas));
    Scanner::new(&broker, true).scan(
        &partition.0,
        &BTreeMap::from([(partition.1, span)]),
        &mut |record| {
            if record.key == Some(key.as_bytes()) {
                match decoder.read(record.value, record.timestamp_ms) {
                    Ok(record) => take(&record),
                    Err(error) if error.is_transient() => return Err(Error::no_schema(&error)),
                    // Poison is window_builder's to dead-letter; it moves no lane.
                    Err(_) => {}
                }
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(())
}
