//! The questions of this crate, as the protocol has them.

use crate::{
    Cluster, Error, TopicPartition, Unseen,
    batch::{Batch, batches},
    requests::Request,
    types::Producer,
};
use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, DescribeProducersRequest, DescribeTransactionsRequest, FetchRequest, ListOffsetsRequest,
        ListTransactionsRequest, MetadataRequest,
        describe_producers_request::TopicRequest,
        describe_producers_response::PartitionResponse,
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    },
    protocol::StrBytes,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
/// Most bytes of one answer; a single batch above it is sent whole all the same.
pub(crate) const FETCH_BYTES_MAX: i32 = 8 << 20;

/// What its coordinator says of a producer's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) transactional_id: String,
    pub(crate) producer_id: i64,
    /// `Ongoing`, `PrepareCommit`, `Empty`, ...
    pub(crate) state: String,
    /// Partitions that are in it and have no marker yet.
    pub(crate) partitions: BTreeSet<TopicPartition>,
}

/// Hears of a batch; `Break` when it wants no more.
pub(crate) type BatchHandler<'a> = &'a mut dyn FnMut(&Batch<'_>) -> Result<ControlFlow<()>, Error>;

pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

impl Cluster {
    /// The producers that partitions remember. A topic that went away meanwhile is left out; one that may not be looked
    /// at is told.
    pub(crate) fn producers(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<(Vec<Producer>, Vec<Unseen>), Error> {
        let (mut producers, mut unseen) = (Vec::new(), Vec::new());
        partitions.iter().try_for_each(|at| self.leader_of(at).map(|_| ()))?;
        for (node, topics) in self.by_leader(partitions) {
            let topic = |(name, partitions): (&str, Vec<i32>)| {
                TopicRequest::default().with_name(text(name).into()).with_partition_indexes(partitions)
            };
            let request =
                DescribeProducersRequest::default().with_topics(topics.into_iter().map(topic).collect());
            for topic in self.call(node, &request)?.topics {
                for partition in &topic.partitions {
                    let at = TopicPartition::new(topic.name.0.as_str(), partition.partition_index);
                    match ResponseError::try_from_code(partition.error_code) {
                        None => producers.extend(remembered(&at, partition)),
                        Some(ResponseError::UnknownTopicOrPartition) => {}
                        Some(code) if code.is_retriable() => {
                            let (request, subject) = (DescribeProducersRequest::NAME, at.to_string());
                            return Err(Error::Refused { request, subject, code });
                        }
                        Some(code) => unseen.push(Unseen { at, why: code.to_string() }),
                    }
                }
            }
        }
        Ok((producers, unseen))
    }

    /// What the coordinators say of some producers; those that none of them knows are missing.
    pub(crate) fn described(&mut self, producers: &BTreeSet<i64>) -> Result<Vec<Described>, Error> {
        let mut described = Vec::new();
        for node in self.brokers() {
            let filter = producers.iter().map(|id| (*id).into()).collect();
            let listed =
                self.call(node, &ListTransactionsRequest::default().with_producer_id_filters(filter))?;
            Error::check(ListTransactionsRequest::NAME, &format!("broker {node}"), listed.error_code)?;
            let ids: Vec<_> =
                listed.transaction_states.into_iter().map(|state| state.transactional_id).collect();
            if ids.is_empty() {
                continue;
            }
            let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
            for state in self.call(node, &request)?.transaction_states {
                let id = state.transactional_id.0.as_str();
                if ResponseError::try_from_code(state.error_code)
                    == Some(ResponseError::TransactionalIdNotFound)
                {
                    continue;
                }
                Error::check(DescribeTransactionsRequest::NAME, &id, state.error_code)?;
                let partitions = state.topics.iter().flat_map(|topic| {
                    let at = |partition: &i32| TopicPartition::new(topic.topic.0.as_str(), *partition);
                    topic.partitions.iter().map(at).collect::<Vec<_>>()
                });
                described.push(Described {
                    transactional_id: id.to_owned(),
                    producer_id: state.producer_id.0,
                    state: state.transaction_state.as_str().to_owned(),
                    partitions: partitions.collect(),
                });
            }
        }
        Ok(described)
    }

    /// First offset of a partition, and one past its last.
    pub(crate) fn bounds(&mut self, at: &TopicPartition) -> Result<(i64, i64), Error> {
        let bound = |offset: Option<i64>| offset.unwrap_or_default();
        Ok((bound(self.list_offset(at, EARLIEST)?), bound(self.list_offset(at, LATEST)?)))
    }

    /// Ends of many partitions, a question to each of their leaders: of what is committed, or of everything.
    pub(crate) fn latest(
        &mut self,
        partitions: &[TopicPartition],
        is_committed: bool,
    ) -> Result<BTreeMap<TopicPartition, i64>, Error> {
        let mut ends = BTreeMap::new();
        let last = |partition: i32| {
            ListOffsetsPartition::default()
                .with_partition_index(partition)
                .with_current_leader_epoch(-1)
                .with_timestamp(LATEST)
        };
        for (node, topics) in self.by_leader(partitions) {
            let topic = |(name, partitions): (&str, Vec<i32>)| {
                let partitions = partitions.into_iter().map(last).collect();
                ListOffsetsTopic::default().with_name(text(name).into()).with_partitions(partitions)
            };
            let request = ListOffsetsRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_isolation_level(i8::from(is_committed))
                .with_topics(topics.into_iter().map(topic).collect());
            for topic in &self.call(node, &request)?.topics {
                for partition in &topic.partitions {
                    let at = TopicPartition::new(topic.name.0.as_str(), partition.partition_index);
                    Error::check(ListOffsetsRequest::NAME, &at, partition.error_code)?;
                    ends.insert(at, partition.offset);
                }
            }
        }
        Ok(ends)
    }

    /// Offset of the first record stamped at or after a time; none when there is none.
    pub(crate) fn offset_at(&mut self, at: &TopicPartition, ms: i64) -> Result<Option<i64>, Error> {
        self.list_offset(at, ms.max(0))
    }

    fn list_offset(&mut self, at: &TopicPartition, timestamp: i64) -> Result<Option<i64>, Error> {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(at.partition)
            .with_current_leader_epoch(-1)
            .with_timestamp(timestamp);
        let topic =
            ListOffsetsTopic::default().with_name(text(&at.topic).into()).with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let answer = self.call(self.leader_of(at)?, &request)?;
        let partition = answer.topics.iter().flat_map(|topic| &topic.partitions).next();
        let partition = partition.ok_or_else(|| empty(ListOffsetsRequest::NAME, at))?;
        Error::check(ListOffsetsRequest::NAME, at, partition.error_code)?;
        Ok((partition.offset >= 0).then_some(partition.offset))
    }

    /// Hands every batch from an offset up to what the partition holds now to `visit`.
    pub(crate) fn read(
        &mut self,
        at: &TopicPartition,
        from: i64,
        visit: BatchHandler<'_>,
    ) -> Result<(), Error> {
        let (mut next, end) = (from, self.bounds(at)?.1);
        while next < end {
            let answer = self.fetch(at, next, (false, FETCH_BYTES_MAX))?;
            let records = answer.records.unwrap_or_default();
            let before = next;
            for batch in batches(&records) {
                next = batch.last_offset + 1;
                if visit(&batch)?.is_break() {
                    return Ok(());
                }
            }
            if next == before {
                return Err(Error::unreadable(
                    at.to_string(),
                    &format!("there is no batch at offset {next}"),
                ));
            }
        }
        Ok(())
    }

    /// What lies at an offset, up to a number of bytes: everything, or what is committed, with the transactions that were
    /// aborted among it.
    pub(crate) fn fetch(
        &mut self,
        at: &TopicPartition,
        offset: i64,
        (is_committed, bytes_max): (bool, i32),
    ) -> Result<PartitionData, Error> {
        let partition = FetchPartition::default()
            .with_partition(at.partition)
            .with_current_leader_epoch(-1)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(bytes_max);
        let topic = FetchTopic::default().with_topic(text(&at.topic).into()).with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_isolation_level(i8::from(is_committed))
            .with_max_bytes(bytes_max)
            .with_session_epoch(-1)
            .with_topics(vec![topic]);
        let answer = self.call(self.leader_of(at)?, &request)?;
        Error::check(FetchRequest::NAME, at, answer.error_code)?;
        let partition = answer.responses.into_iter().flat_map(|topic| topic.partitions).next();
        let partition = partition.ok_or_else(|| empty(FetchRequest::NAME, at))?;
        Error::check(FetchRequest::NAME, at, partition.error_code)?;
        Ok(partition)
    }

    pub(crate) fn leader_of(&self, at: &TopicPartition) -> Result<i32, Error> {
        let (request, subject) = (MetadataRequest::NAME, at.to_string());
        if !self.has(at) {
            return Err(Error::Hidden { subject });
        }
        let none = || Error::Refused { request, subject, code: ResponseError::LeaderNotAvailable };
        self.leader(at).map(|leader| leader.node).ok_or_else(none)
    }
}

fn empty(request: &'static str, at: &TopicPartition) -> Error {
    Error::unreadable(format!("the answer to {request}"), &format!("{at} is not in it"))
}

fn remembered(at: &TopicPartition, partition: &PartitionResponse) -> Vec<Producer> {
    let producer = |state: &kafka_protocol::messages::describe_producers_response::ProducerState| Producer {
        at: at.clone(),
        id: state.producer_id.0,
        epoch: state.producer_epoch as i16,
        coordinator_epoch: state.coordinator_epoch,
        last_ms: state.last_timestamp,
        open_from: (state.current_txn_start_offset >= 0).then_some(state.current_txn_start_offset),
    };
    partition.active_producers.iter().map(producer).collect()
}
