//! Records of `__consumer_offsets`: which groups commit. The format is Kafka's own (`OffsetCommitKey.json`).

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

/// Group, topic and partition of a committed offset; none for a record of another kind.
fn parsed(key: &[u8]) -> Option<(&str, TopicPartition)> {
    let mut key = Bytes::new(key);
    match key.i16()? {
        0 | 1 => Some((key.string()?, TopicPartition::new(key.string()?, key.i32()?))),
        _ => None,
    }
}

/// The partitions of which a group has committed an offset since a time, in ms. An offset in a transaction counts from the
/// moment at which it was sent.
///
/// # Errors
/// The broker is away or refuses.
pub fn committed_since(
    cluster: &mut Cluster,
    groups: &[&str],
    since_ms: i64,
) -> Result<BTreeSet<(String, TopicPartition)>, Error> {
    let mut logs: BTreeMap<TopicPartition, Vec<&str>> = BTreeMap::new();
    for name in groups {
        logs.entry(partition_of(cluster, name)).or_default().push(name);
    }
    let mut committed = BTreeSet::new();
    for (at, groups) in logs {
        let Some(from) = cluster.offset_at(&at, since_ms)? else { continue };
        cluster.read(&at, from, &mut |batch| {
            for record in if batch.is_data() { batch.decoded()? } else { Vec::new() } {
                let key = record.key.as_deref().and_then(parsed);
                if let Some((group, at)) = key.filter(|(group, _)| groups.contains(group)) {
                    committed.insert((group.to_owned(), at));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(committed)
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
            let parsed = records.iter().filter_map(|record| record.key.as_deref().and_then(parsed));
            groups.extend(parsed.map(|(group, _)| group.to_owned()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_committed_offset_is_read() {
        let key = b"\0\x01\0\x02qa\0\x01t\0\0\0\x03";
        assert_eq!(parsed(key), Some(("qa", TopicPartition::new("t", 3))));
        assert_eq!(parsed(b"\0\x02\0\x02qa"), None, "that is the group itself");
        assert_eq!(parsed(b"\0\x01\0\x09qa"), None);
    }
}
