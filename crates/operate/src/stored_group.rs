//! What the store holds of a group, as of a place in the log up to which it holds everything.

use super::{COUNT_OFFSETS_MAX, Error, Peers};
use runtime::{
    Config,
    observe::{Broker, MESSAGES_SINK, MESSAGES_TOPIC, Scanner, Span},
};
use std::{collections::BTreeMap, ops::ControlFlow};
use topology::Map;

/// A group that is stored up to a place in its partition.
pub struct StoredGroup {
    peers: Peers,
    tenant_id: String,
    group_id: String,
    partition: i32,
    end: i64,
}

impl std::fmt::Debug for StoredGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredGroup")
            .field("partition", &self.partition)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// The group as stored up to the end of its partition; none while the sink has not got that far.
///
/// # Errors
/// A peer that is away, or a topic that is not on the broker.
pub fn stored_group(
    config: &Config,
    map: &Map,
    (tenant_id, group_id): (&str, &str),
) -> Result<Option<StoredGroup>, Error> {
    let topic = map.topic(MESSAGES_TOPIC)?;
    let broker = Broker::connect(config)?;
    let key = format!("{tenant_id}/{group_id}");
    let Some(partition) = broker.partition_of(&topic.name, &key)? else { return Ok(None) };
    let bounds = broker.bounds(std::slice::from_ref(&partition))?;
    let Some(bounds) = bounds.get(&partition) else { return Ok(None) };
    let peers = Peers::new(config)?;
    let passed = peers.wait(peers.store.passed_offsets(MESSAGES_SINK, MESSAGES_TOPIC))?;
    let from = passed.get(&partition.1).copied().unwrap_or(bounds.low).max(bounds.low);
    if bounds.stable - from > COUNT_OFFSETS_MAX {
        return Ok(None);
    }
    // Markers of transactions have offsets too: only a record of the group is one that is missing.
    let mut is_missing = false;
    let span = Span { from, until: bounds.stable };
    Scanner::new(&broker, true).scan(
        &partition.0,
        &BTreeMap::from([(partition.1, span)]),
        &mut |record| {
            is_missing |= record.key == Some(key.as_bytes());
            Ok(if is_missing { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        },
    )?;
    let (tenant_id, group_id) = (tenant_id.to_owned(), group_id.to_owned());
    let stored = StoredGroup { peers, tenant_id, group_id, partition: partition.1, end: bounds.stable };
    Ok((!is_missing).then_some(stored))
}

impl StoredGroup {
    /// How many of these messages the group had before this was asked for.
    ///
    /// # Errors
    /// Postgres is away.
    pub fn count_known(&self, ids: &[i64]) -> Result<u64, Error> {
        let (group, place) = ((self.tenant_id.as_str(), self.group_id.as_str()), (self.partition, self.end));
        Ok(self.peers.wait(self.peers.store.count_known(group, place, ids))?)
    }
}
