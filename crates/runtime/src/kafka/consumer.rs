//! The group's consumer: rebalances are queued and answered by the loop, never inside the callback.

use super::standing::Standing;
use engine::log::{Headers, RecordView};
use kafka_client::with_missing_permission;
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::{ClientConfig, RDKafkaLogLevel},
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, Message},
    types::RDKafkaRespErr,
};
use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing::{debug, info, warn};

/// A group's consumer.
pub(crate) type GroupConsumer = BaseConsumer<GroupContext>;

/// News of partitions, as (topic, partition). An empty assignment is answered already and only says that the group
/// has been joined.
#[derive(Debug)]
pub(crate) enum Rebalanced {
    Assigned(Vec<(String, i32)>),
    Revoked(Vec<(String, i32)>),
    Lost(Vec<(String, i32)>),
}

/// Queues rebalances for the polling thread.
#[derive(Debug)]
pub(crate) struct GroupContext {
    standing: Standing,
    news: Mutex<VecDeque<Rebalanced>>,
    closing: AtomicBool,
}

impl GroupContext {
    pub(super) fn new(standing: Standing) -> Self {
        Self { standing, news: Mutex::default(), closing: AtomicBool::new(false) }
    }

    /// The oldest rebalance not yet answered.
    pub(crate) fn next(&self) -> Option<Rebalanced> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// From now on revocations are granted at once: the loop has ended.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.standing.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.standing.error(error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, err: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions =
            list.elements().iter().map(|e| (e.topic().to_owned(), e.partition())).collect::<Vec<_>>();
        let assigned = err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if partitions.is_empty() || self.closing.load(Ordering::Relaxed) {
            let answered = if assigned {
                consumer.incremental_assign(list)
            } else {
                consumer.incremental_unassign(list)
            };
            if let Err(error) = answered {
                info!(%error, "rebalance was not taken while closing");
            }
            if !partitions.is_empty() {
                return;
            }
        }
        let news = if assigned {
            Rebalanced::Assigned(partitions)
        } else if consumer.assignment_lost() {
            Rebalanced::Lost(partitions)
        } else {
            Rebalanced::Revoked(partitions)
        };
        self.news.lock().unwrap_or_else(PoisonError::into_inner).push_back(news);
    }
}

/// A message seen as the engine's record.
pub(crate) struct Record<'a>(pub(crate) &'a BorrowedMessage<'a>);

impl Headers for Record<'_> {
    fn to_vec(&self) -> Vec<(String, Option<Vec<u8>>)> {
        super::ffi::headers(self.0)
    }

    fn last(&self) -> Option<(&[u8], Option<&[u8]>)> {
        super::ffi::last_header(self.0)
    }
}

impl<'a> From<&'a Record<'a>> for RecordView<'a> {
    fn from(record: &'a Record<'a>) -> Self {
        let message = record.0;
        RecordView {
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
            key: message.key(),
            value: message.payload(),
            headers: record,
        }
    }
}

/// What a consumer's error means where the client does not go on by itself.
#[derive(Debug)]
pub(crate) enum ConsumerFault {
    /// The group has given the member's name away; a new consumer may join.
    Expelled(String),
    /// A reason to stop.
    Broken(String),
}

/// What goes before a fault of the topic that a consumer reads.
const INPUT: &str = "could not read the input topic: ";

/// [`consumer_fault`] of a reader outside any group: a reason to stop.
pub(crate) fn reader_error(error: &KafkaError) -> Option<String> {
    let why = consumer_fault(error).map(|(ConsumerFault::Expelled(why) | ConsumerFault::Broken(why))| why)?;
    // Whoever reads outside a group names the topic.
    Some(why.strip_prefix(INPUT).map_or_else(|| why.clone(), str::to_owned))
}

/// What to do about a consumer's error; `None` when the client goes on by itself.
pub(crate) fn consumer_fault(error: &KafkaError) -> Option<ConsumerFault> {
    let broken = |why: String| Some(ConsumerFault::Broken(why));
    match error {
        KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId)
        | KafkaError::MessageConsumption(RDKafkaErrorCode::FencedInstanceId) => {
            Some(ConsumerFault::Expelled(error.to_string()))
        }
        KafkaError::MessageConsumptionFatal(code) => broken(format!("consumer failed: {code}")),
        KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) => {
            let why = "offsets or data expired: the committed offset is outside what the topic holds";
            broken(format!("{why}; see `gistmill reset`"))
        }
        KafkaError::MessageConsumption(
            code @ (RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition),
        ) => broken(format!("{INPUT}{code}; see `gistmill topology apply`")),
        KafkaError::MessageConsumption(code @ RDKafkaErrorCode::TopicAuthorizationFailed) => {
            broken(with_missing_permission(format!("{INPUT}{code}"), Some(*code)))
        }
        KafkaError::MessageConsumption(code @ RDKafkaErrorCode::GroupAuthorizationFailed) => {
            broken(with_missing_permission(format!("could not join the consumer group: {code}"), Some(*code)))
        }
        KafkaError::MessageConsumption(
            RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure,
        ) => {
            // Said for all clients by `Standing`.
            debug!(%error, "consumer");
            None
        }
        _ => {
            warn!(%error, "consumer");
            None
        }
    }
}

/// A consumer that is about to join the group of its settings.
pub(crate) fn join(
    settings: &ClientConfig,
    topics: &[&str],
    standing: &Standing,
) -> Result<GroupConsumer, String> {
    let failed = |error: KafkaError| format!("could not subscribe to {topics:?}: {error}");
    let context = GroupContext::new(standing.clone());
    let consumer: GroupConsumer =
        kafka_client::create(settings, context).map_err(|error| error.to_string())?;
    consumer.subscribe(topics).map_err(failed)?;
    Ok(consumer)
}

/// Gives up what the consumer holds, whatever state it is in: the client's own drop waits for ever for an answer to a revocation that was
/// heard and not answered.
pub(crate) fn close(consumer: &GroupConsumer) {
    consumer.context().close();
    if let Ok(held) = consumer.assignment() {
        // Nothing to do about a refusal: the consumer is about to be dropped.
        drop(consumer.incremental_unassign(&held));
    }
}
