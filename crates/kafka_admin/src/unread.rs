//! What a reader of committed records has before it: since when something is there that it would be given.

use crate::{
    Cluster, Error, Outcome, TopicPartition,
    batch::{Batch, batches},
    offsets_log::partition_of,
    questions::{FETCH_BYTES_MAX, text},
    requests::Request,
};
use kafka_protocol::{
    ResponseError,
    messages::{OffsetFetchRequest, offset_fetch_request::OffsetFetchRequestTopic},
};
use std::collections::{BTreeMap, BTreeSet};

/// Most bytes that are fetched for one record; a batch above it is sent whole.
const FIRST_BYTES_MAX: i32 = 16 << 10;

/// Offsets that a group has committed, those of open transactions left out; partitions without one are missing.
///
/// # Errors
/// The broker is away or refuses.
pub fn committed(
    cluster: &mut Cluster,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, i64>, Error> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for at in partitions {
        topics.entry(&at.topic).or_default().push(at.partition);
    }
    let topic = |(name, partitions): (&str, Vec<i32>)| {
        OffsetFetchRequestTopic::default().with_name(text(name).into()).with_partition_indexes(partitions)
    };
    let request = OffsetFetchRequest::default()
        .with_group_id(text(group).into())
        .with_topics(Some(topics.into_iter().map(topic).collect()));
    let coordinator = cluster.leader_of(&partition_of(cluster, group))?;
    let answer = cluster.call(coordinator, &request)?;
    Error::check(OffsetFetchRequest::NAME, &group, answer.error_code)?;
    let mut committed = BTreeMap::new();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let at = TopicPartition::new(topic.name.0.as_str(), partition.partition_index);
            Error::check(OffsetFetchRequest::NAME, &at, partition.error_code)?;
            if partition.committed_offset >= 0 {
                committed.insert(at, partition.committed_offset);
            }
        }
    }
    Ok(committed)
}

/// Last stable offset and high watermark of partitions, in that order; those without a leader are missing. The stable
/// ones are asked for first, so that none lies beyond its high watermark.
///
/// # Errors
/// The broker is away or refuses.
pub fn ends(
    cluster: &mut Cluster,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, (i64, i64)>, Error> {
    let stables = cluster.latest(partitions, true)?;
    let highs = cluster.latest(partitions, false)?;
    let both = |(at, stable): (TopicPartition, i64)| {
        let high = highs.get(&at).copied()?;
        Some((at, (stable, high)))
    };
    Ok(stables.into_iter().filter_map(both).collect())
}

/// When the first record that a reader of committed records is given from an offset on was appended, in ms; none when
/// there is none, or when the offset is outside the partition.
///
/// # Errors
/// The broker is away or refuses.
pub fn first_unread(cluster: &mut Cluster, at: &TopicPartition, position: i64) -> Result<Option<i64>, Error> {
    let (mut next, mut bytes_max) = (position, FIRST_BYTES_MAX);
    loop {
        let answer = match cluster.fetch(at, next, (true, bytes_max)) {
            Err(Error::Refused { code: ResponseError::OffsetOutOfRange, .. }) => return Ok(None),
            answer => answer?,
        };
        let records = answer.records.unwrap_or_default();
        let batches = batches(&records);
        let aborted = answer.aborted_transactions.unwrap_or_default();
        let aborted: Vec<_> = aborted.iter().map(|it| (it.producer_id.0, it.first_offset)).collect();
        let found = first_given(&batches, aborted, position);
        let Some(last) = batches.last().filter(|_| found.is_none()) else { return Ok(found) };
        (next, bytes_max) = (last.last_offset + 1, FETCH_BYTES_MAX);
    }
}

/// Append time of the first batch of data that is no aborted transaction's. Those are named by producer and by first
/// offset; each ends with its marker.
fn first_given(batches: &[Batch<'_>], mut aborted: Vec<(i64, i64)>, position: i64) -> Option<i64> {
    let mut aborting = BTreeSet::new();
    for batch in batches {
        aborted.retain(|(producer, first_offset)| {
            let has_begun = *first_offset <= batch.last_offset;
            if has_begun {
                aborting.insert(*producer);
            }
            !has_begun
        });
        if batch.marker() == Some(Outcome::Abort) {
            aborting.remove(&batch.producer_id);
        }
        let is_aborted = batch.is_transactional_data() && aborting.contains(&batch.producer_id);
        if batch.is_data() && !is_aborted && batch.last_offset >= position {
            return Some(batch.first_ms);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::encoded;

    const ABORT: (&[u8], bool) = (b"\0\0\0\0", true);
    const COMMIT: (&[u8], bool) = (b"\0\0\0\x01", true);
    const DATA: (&[u8], bool) = (b"k", false);

    /// What is given of batches of producer 7, one offset each, appended 10 ms apart.
    fn given(kinds: &[(&[u8], bool)], aborted: &[i64], position: i64) -> Option<i64> {
        let bytes: Vec<u8> = (0_i64..)
            .zip(kinds)
            .flat_map(|(offset, (key, is_control))| encoded(offset, key, (*is_control, offset * 10)))
            .collect();
        first_given(&batches(&bytes), aborted.iter().map(|first| (7, *first)).collect(), position)
    }

    #[test]
    fn markers_and_aborted_records_are_given_to_nobody() {
        for (kinds, aborted, position, expected) in [
            (&[DATA, COMMIT][..], &[][..], 0, Some(0)),
            (&[DATA, COMMIT], &[], 1, None),
            (&[DATA, ABORT], &[0], 0, None),
            (&[DATA, ABORT, DATA, COMMIT], &[0], 0, Some(20)),
            (&[DATA, ABORT, DATA, ABORT], &[0, 2], 0, None),
            (&[DATA, DATA, COMMIT], &[], 1, Some(10)),
            (&[], &[], 0, None),
        ] {
            assert_eq!(given(kinds, aborted, position), expected, "{aborted:?}, from {position}");
        }
    }
}
