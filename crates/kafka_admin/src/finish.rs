//! Writes the markers that are missing, as the coordinator would have.
//!
//! Invariant: a transaction that is not any more what was looked at is left alone.

use crate::{Cluster, Error, Hanging, Open, Outcome, TopicPartition, questions::text, requests::Request};
use kafka_protocol::{
    ResponseError,
    messages::{
        WriteTxnMarkersRequest,
        write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic},
    },
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finished {
    /// Where.
    #[serde(flatten)]
    pub at: TopicPartition,
    /// Whose transaction.
    pub producer_id: i64,
    /// The marker written, or meant to be.
    pub outcome: Outcome,
    /// Why it is open all the same.
    pub failure: Option<String>,
}

/// Ends transactions; each is told what became of it.
///
/// # Errors
/// The broker is away, or does not take the request at all: who may write markers needs the permission `ClusterAction`
/// on the cluster.
pub fn finish(cluster: &mut Cluster, wanted: &[(Hanging, Outcome)]) -> Result<Vec<Finished>, Error> {
    let unchanged = open_still(cluster, wanted)?;
    let is_same = |hanging: &Hanging| unchanged.contains(&key(&hanging.open));
    let (same, changed): (Vec<_>, Vec<_>) = wanted.iter().partition(|(hanging, _)| is_same(hanging));
    let mut failures = BTreeMap::new();
    for (node, topics) in cluster.by_leader(same.iter().map(|(hanging, _)| &hanging.open.at)) {
        let is_led = |at: &TopicPartition| {
            topics.get(at.topic.as_str()).is_some_and(|partitions| partitions.contains(&at.partition))
        };
        let markers = same.iter().copied().filter(|(hanging, _)| is_led(&hanging.open.at)).map(marker);
        let answer =
            cluster.call(node, &WriteTxnMarkersRequest::default().with_markers(markers.collect()))?;
        for marker in answer.markers {
            for topic in &marker.topics {
                for partition in &topic.partitions {
                    let at = TopicPartition::new(topic.name.0.as_str(), partition.partition_index);
                    match ResponseError::try_from_code(partition.error_code) {
                        None => {}
                        Some(code @ ResponseError::ClusterAuthorizationFailed) => {
                            let (request, subject) = (WriteTxnMarkersRequest::NAME, at.to_string());
                            return Err(Error::Refused { request, subject, code });
                        }
                        Some(code) => drop(failures.insert((at, marker.producer_id.0), code.to_string())),
                    }
                }
            }
        }
    }
    let left = open_still(cluster, wanted)?;
    let failure = |hanging: &Hanging| {
        let open = &hanging.open;
        if changed.iter().any(|(other, _)| other == hanging) {
            return Some("it is not what it was any more: look again".to_owned());
        }
        let refused = failures.get(&(open.at.clone(), open.producer_id)).cloned();
        refused.or_else(|| left.contains(&key(open)).then(|| "the marker changed nothing".to_owned()))
    };
    let finished = wanted.iter().map(|(hanging, outcome)| Finished {
        at: hanging.open.at.clone(),
        producer_id: hanging.open.producer_id,
        outcome: *outcome,
        failure: failure(hanging),
    });
    Ok(finished.collect())
}

type Key = (TopicPartition, i64, i16, i64, i64);

fn key(open: &Open) -> Key {
    (open.at.clone(), open.producer_id, open.producer_epoch, open.start_offset, open.last_ms)
}

/// What is open in the partitions now.
fn open_still(cluster: &mut Cluster, wanted: &[(Hanging, Outcome)]) -> Result<BTreeSet<Key>, Error> {
    let partitions: BTreeSet<&TopicPartition> = wanted.iter().map(|(hanging, _)| &hanging.open.at).collect();
    let partitions: Vec<TopicPartition> = partitions.into_iter().cloned().collect();
    let (producers, _) = cluster.producers(&partitions)?;
    Ok(producers.iter().filter_map(crate::types::Producer::open).map(|open| key(&open)).collect())
}

fn marker((hanging, outcome): &(Hanging, Outcome)) -> WritableTxnMarker {
    let at = &hanging.open.at;
    let topic = WritableTxnMarkerTopic::default()
        .with_name(text(&at.topic).into())
        .with_partition_indexes(vec![at.partition]);
    WritableTxnMarker::default()
        .with_producer_id(hanging.open.producer_id.into())
        .with_producer_epoch(hanging.marker_epoch)
        .with_transaction_result(*outcome == Outcome::Commit)
        .with_coordinator_epoch(hanging.marker_coordinator_epoch)
        .with_topics(vec![topic])
}
