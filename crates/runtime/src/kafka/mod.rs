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
pub(crate) use consumer::{
    ConsumerFault, GroupConsumer, Rebalanced, Record, close, consumer_fault, join, reader_error,
};
use engine::{
    guard::Rejected,
    let_through::Orders,
    log::{Log, OutRecord, Polled, Reader, RecordView, RestoreHandler, Restored, Take, TxnError},
};
pub(crate) use ffi::member_id;
pub(crate) use places::{Place, Places, TopicPlaces};
pub use producer::TransactionalProducer;
use rdkafka::{Offset, TopicPartitionList, config::ClientConfig, consumer::Consumer};
use reader::settled_end;
pub(crate) use reader::{assigned, read_range};
pub(crate) use restore::GoesOn;
use restore::Restore;
pub(crate) use standing::Standing;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Longest wait for an answer about offsets.
const OFFSETS_TIMEOUT: Duration = Duration::from_secs(15);

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
    /// What the consumer told during a restore or behind a batch, for the next poll.
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

    /// What the consumer has told and the loop has not heard.
    fn heard(&mut self) -> Option<Polled> {
        self.fault.take().map(Polled::from).or_else(|| self.consumer.context().next().map(news))
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
        visit: RestoreHandler<'_>,
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
    fn poll(&mut self, wait: Duration, take: Take<'_>) -> Polled {
        // What ended the batch before is answered before anything else is read.
        if let Some(heard) = self.heard() {
            return heard;
        }
        let (mut wait, mut has_read) = (wait, false);
        loop {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    (wait, has_read) = (Duration::ZERO, true);
                    if take(&RecordView::from(&Record(&message))).is_break() {
                        break;
                    }
                }
                Some(Err(error)) => {
                    self.fault = consumer_fault(&error);
                    break;
                }
                None => break,
            }
        }
        if has_read { Polled::Read } else { self.heard().unwrap_or(Polled::Idle) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    /// Polls until a record comes, and takes at most `most` of a batch: offsets of what came.
    fn batch(log: &mut KafkaLog, most: usize) -> Vec<i64> {
        let mut offsets = Vec::new();
        for _ in 0..500 {
            let polled = log.poll(Duration::from_millis(100), &mut |record| {
                offsets.push(record.offset);
                if offsets.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            match polled {
                Polled::Read => return offsets,
                Polled::Assigned(partitions) if !partitions.is_empty() => {
                    let starts = partitions.iter().map(|partition| (*partition, 0)).collect();
                    log.assign(&starts).expect("assigned");
                }
                _ => {}
            }
        }
        panic!("nothing came");
    }

    #[test]
    fn a_poll_hands_over_what_has_been_fetched_for_as_long_as_it_is_wanted() {
        let broker = mock::Broker::start();
        broker.produce(0, 2_000);
        let mut log = mock::log(&broker, Box::new(|| Ok(())));
        let (mut offsets, mut polls) = (Vec::new(), 0);
        while offsets.len() < 2_000 {
            let came = batch(&mut log, 300);
            assert!(came.len() <= 300, "{}", came.len());
            (offsets, polls) = ([offsets, came].concat(), polls + 1);
        }
        assert_eq!(offsets, (0..2_000).collect::<Vec<_>>());
        // Not record by record: the client has fetched the topic in a few answers.
        assert!(polls <= 100, "{polls}");
    }
}
