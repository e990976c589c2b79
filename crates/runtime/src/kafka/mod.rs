//! The engine's log on a real broker: one group consumer and one transactional producer, owned by one thread.

mod budget;
mod caller;
mod consumer;
mod errors;
mod ffi;
#[cfg(test)]
pub(crate) mod mock;
mod places;
mod producer;
mod reader;
mod restore;
pub(crate) mod settings;
mod standing;

pub(crate) use budget::transaction_timeout;
pub(crate) use consumer::{ConsumerFault, GroupContext, Rebalanced, Record, consumer_fault, reader_error};
use engine::{
    guard::Rejected,
    let_through::Orders,
    log::{Log, OutRecord, Polled, Reader, RecordView, Restored, TxnError, Visit},
};
pub(crate) use ffi::member_id;
pub(crate) use places::{Place, Places, TopicPlaces};
pub(crate) use producer::TransactionalProducer;
use rdkafka::{
    Offset, TopicPartitionList,
    config::ClientConfig,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use reader::settled_end;
pub(crate) use reader::{assigned, read_range};
pub(crate) use restore::GoesOn;
use restore::Restore;
pub(crate) use standing::Standing;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Longest wait for an answer about offsets.
const OFFSETS_TIMEOUT: Duration = Duration::from_secs(15);

/// A group's consumer.
pub(crate) type GroupConsumer = BaseConsumer<GroupContext>;

/// Hears of a consumer, and of its settings, before it is closed for good.
pub(crate) type Closes = Box<dyn Fn(&GroupConsumer, &ClientConfig) + Send>;

/// What a loop reads and how.
pub(crate) struct LogOptions {
    pub(crate) consumer: ClientConfig,
    pub(crate) producer: ClientConfig,
    /// The broker, as all clients of the process see it.
    pub(crate) standing: Standing,
    /// Physical topic.
    pub(crate) input: Arc<str>,
    /// Physical topic of snapshots, for a Fold.
    pub(crate) snapshots: Option<Arc<str>>,
    /// Asked between the records of a restore.
    pub(crate) goes_on: GoesOn,
    pub(crate) closes: Closes,
}

/// [`Log`] over librdkafka.
pub(crate) struct KafkaLog {
    consumer: GroupConsumer,
    producer: TransactionalProducer,
    options: LogOptions,
    /// What the consumer told during a restore, for the next poll.
    fault: Option<ConsumerFault>,
    /// What operators ordered, as it lay beside the offsets that were read last.
    orders: BTreeMap<i32, Orders>,
}

impl KafkaLog {
    /// Joins the group and takes the transactional id over. Fails at once on settings that cannot work.
    pub(crate) fn start(options: LogOptions) -> Result<Self, TxnError> {
        let producer = TransactionalProducer::start(options.producer.clone(), options.standing.clone())?;
        let consumer =
            join(&options.consumer, &[&options.input], &options.standing).map_err(TxnError::Fatal)?;
        Ok(Self { consumer, producer, options, fault: None, orders: BTreeMap::new() })
    }

    fn list(
        &self,
        offsets: impl IntoIterator<Item = (i32, Option<i64>)>,
    ) -> Result<TopicPartitionList, String> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            let offset = offset.map_or(Offset::Invalid, Offset::Offset);
            list.add_partition_offset(&self.options.input, partition, offset).map_err(|error| {
                format!("could not name offset {offset:?} of partition {partition}: {error}")
            })?;
        }
        Ok(list)
    }

    fn named(&self, partitions: &[i32]) -> Result<TopicPartitionList, String> {
        self.list(partitions.iter().map(|partition| (*partition, None)))
    }
}

fn news(rebalanced: Rebalanced) -> Polled {
    match rebalanced {
        Rebalanced::Assigned(partitions) => Polled::Assigned(numbers(partitions)),
        Rebalanced::Revoked(partitions) | Rebalanced::Lost(partitions) if partitions.is_empty() => {
            Polled::Idle
        }
        Rebalanced::Revoked(partitions) => Polled::Revoked(numbers(partitions)),
        Rebalanced::Lost(partitions) => Polled::Lost(numbers(partitions)),
    }
}

fn numbers(partitions: Vec<(String, i32)>) -> Vec<i32> {
    partitions.into_iter().map(|(_, partition)| partition).collect()
}

fn failed<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("could not {what}: {error}")
}

impl Reader for KafkaLog {
    fn read(
        &mut self,
        what: Restored,
        partition: i32,
        range: (Option<i64>, Option<i64>),
        visit: Visit<'_>,
    ) -> Result<(), String> {
        let Self { consumer, options, fault, .. } = self;
        let topic = match (what, &options.snapshots) {
            (Restored::Input, _) => &options.input,
            (Restored::Snapshots, Some(topic)) => topic,
            (Restored::Snapshots, None) => return Err("the map names no snapshot topic".to_owned()),
        };
        let mut restore = Restore::new(consumer, fault, &options.goes_on);
        let (from, until) = range;
        let until = match until {
            Some(until) => until,
            None => settled_end(&options.consumer, (topic, partition))?,
        };
        let range = (from, Some(until));
        read_range(&options.consumer, (topic, partition), range, visit, &mut || restore.between())
    }
}

impl From<ConsumerFault> for Polled {
    fn from(fault: ConsumerFault) -> Self {
        match fault {
            ConsumerFault::Expelled(why) => Self::Expelled(why),
            ConsumerFault::Broken(why) => Self::Broken(why),
        }
    }
}

impl Log for KafkaLog {
    fn poll(&mut self, wait: Duration, visit: &mut dyn FnMut(&RecordView<'_>)) -> Polled {
        if let Some(fault) = self.fault.take() {
            return fault.into();
        }
        match self.consumer.poll(wait) {
            Some(Ok(message)) => {
                visit(&RecordView::from(&Record(&message)));
                Polled::Read
            }
            Some(Err(error)) => consumer_fault(&error).map_or(Polled::Idle, Polled::from),
            None => self.consumer.context().next().map_or(Polled::Idle, news),
        }
    }

    fn assign(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), String> {
        let list = self.list(offsets.iter().map(|(partition, offset)| (*partition, Some(*offset))))?;
        self.consumer.incremental_assign(&list).map_err(failed("assign partitions"))?;
        // A partition that was paused when it was given up comes back paused.
        self.consumer.resume(&list).map_err(failed("resume"))
    }

    fn unassign(&mut self, partitions: &[i32]) -> Result<(), String> {
        self.consumer.incremental_unassign(&self.named(partitions)?).map_err(failed("unassign partitions"))
    }

    fn seek(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), String> {
        let list = self.list(offsets.iter().map(|(partition, offset)| (*partition, Some(*offset))))?;
        let sought = self.consumer.seek_partitions(list, OFFSETS_TIMEOUT).map_err(failed("seek"))?;
        sought
            .elements()
            .iter()
            .try_for_each(rdkafka::topic_partition_list::TopicPartitionListElem::error)
            .map_err(failed("seek"))
    }

    fn pause(&mut self, partitions: &[i32]) -> Result<(), String> {
        self.consumer.pause(&self.named(partitions)?).map_err(failed("pause"))
    }

    fn resume(&mut self, partitions: &[i32]) -> Result<(), String> {
        self.consumer.resume(&self.named(partitions)?).map_err(failed("resume"))
    }

    fn rejoin(&mut self) -> Result<(), String> {
        let LogOptions { consumer, input, standing, .. } = &self.options;
        let consumer = join(consumer, &[input], standing)?;
        close(&std::mem::replace(&mut self.consumer, consumer));
        self.fault = None;
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, Option<i64>>, String> {
        let list = self
            .consumer
            .committed_offsets(self.named(partitions)?, OFFSETS_TIMEOUT)
            .map_err(failed("read committed offsets"))?;
        let offset = |offset| match offset {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        list.elements()
            .iter()
            .map(|element| {
                element.error().map_err(failed("read committed offsets"))?;
                self.orders.insert(element.partition(), Orders::read(element.metadata()));
                Ok((element.partition(), offset(element.offset())))
            })
            .collect()
    }

    fn lets_through(&self, rejected: &Rejected) -> bool {
        self.orders.get(&rejected.partition).is_some_and(|orders| orders.cover(rejected))
    }

    fn begin(&mut self) -> Result<(), TxnError> {
        self.producer.begin()
    }

    fn produce(&mut self, record: OutRecord) -> Result<(), TxnError> {
        self.producer.produce(&record)
    }

    fn commit(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), TxnError> {
        let list = self
            .list(offsets.iter().map(|(partition, offset)| (*partition, Some(*offset))))
            .map_err(TxnError::Fatal)?;
        for (partition, offset) in offsets {
            let metadata = self.orders.get(partition).and_then(|orders| orders.metadata(*offset));
            if let (Some(metadata), Some(mut element)) =
                (metadata, list.find_partition(&self.options.input, *partition))
            {
                element.set_metadata(metadata);
            }
        }
        let group = self
            .consumer
            .group_metadata()
            .ok_or_else(|| TxnError::Abort("consumer has left its group".to_owned()))?;
        self.producer.send_offsets(list, group)?;
        self.producer.commit()
    }

    fn abort(&mut self) -> Result<(), TxnError> {
        self.producer.abort()
    }

    fn rebuild(&mut self) -> Result<(), TxnError> {
        self.producer.rebuild()
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        (self.options.closes)(&self.consumer, &self.options.consumer);
        close(&self.consumer);
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
