//! Records of `__consumer_offsets`: when a group last committed. The format is Kafka's own (`OffsetCommitKey.json`).

use crate::{
    Cluster, Error, Open, TopicPartition,
    cluster::{OFFSETS_LOG, partition_of_key},
    decoding::Bytes,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// The partition of the offsets' log that is a group's.
pub(crate) fn partition_of(cluster: &Cluster, group: &str) -> TopicPartition {
    TopicPartition::new(OFFSETS_LOG, partition_of_key(group, cluster.partition_count(OFFSETS_LOG)))
}

/// The group of a committed offset; none for a record of another kind.
fn group(key: &[u8]) -> Option<&str> {
    let mut key = Bytes::new(key);
    match key.i16()? {
        0 | 1 => key.string(),
        _ => None,
    }
}

/// When each group last committed an offset, in ms, as far back as `since_ms`; groups that have not are missing. An
/// offset in a transaction counts from the moment at which it was sent.
///
/// # Errors
/// The broker is away or refuses.
pub fn last_commits(
    cluster: &mut Cluster,
    groups: &[&str],
    since_ms: i64,
) -> Result<BTreeMap<String, i64>, Error> {
    let mut logs: BTreeMap<TopicPartition, Vec<&str>> = BTreeMap::new();
    for name in groups {
        logs.entry(partition_of(cluster, name)).or_default().push(name);
    }
    let mut last = BTreeMap::new();
    for (at, groups) in logs {
        let Some(from) = cluster.offset_at(&at, since_ms)? else { continue };
        cluster.read(&at, from, &mut |batch| {
            for record in if batch.is_data() { batch.decoded()? } else { Vec::new() } {
                let name = record.key.as_deref().and_then(group).filter(|name| groups.contains(name));
                if let (Some(name), Some(_)) = (name, &record.value) {
                    let at_ms = last.entry(name.to_owned()).or_insert(record.timestamp);
                    *at_ms = (*at_ms).max(record.timestamp);
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(last)
}

/// The groups whose offsets an open transaction holds; none outside the offsets' log. They cannot be read while it is
/// open by who asks for stable ones.
pub(crate) fn pending(cluster: &mut Cluster, open: &Open) -> Result<BTreeSet<String>, Error> {
    let mut groups = BTreeSet::new();
    if open.at.topic != OFFSETS_LOG {
        return Ok(groups);
    }
    cluster.read(&open.at, open.start_offset, &mut |batch| {
        if batch.first_ms > open.last_ms {
            return Ok(ControlFlow::Break(()));
        }
        if batch.producer_id == open.producer_id && batch.is_data() {
            let records = batch.decoded()?;
            groups
                .extend(records.iter().filter_map(|it| it.key.as_deref().and_then(group)).map(str::to_owned));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_a_committed_offset_is_read() {
        assert_eq!(group(b"\0\x01\0\x02qa\0\x01t\0\0\0\x03"), Some("qa"));
        assert_eq!(group(b"\0\x02\0\x02qa"), None, "that is the group itself");
        assert_eq!(group(b"\0\x01\0\x09qa"), None);
    }
}
