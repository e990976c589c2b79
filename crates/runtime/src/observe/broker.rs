//! Questions to the broker about topics, ends, offsets and members of groups.
//!
//! Invariant: nothing is created or changed by asking, and every answer is waited for within bounds.

use super::{Error, error::WAIT};
use crate::{
    Config,
    kafka::{self, settings},
};
use engine::{let_through::Orders, murmur2_partition};
use kafka_client::{AccessError, Complaints, committed_offsets, missing_permission};
use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
    config::ClientConfig,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
};
use std::collections::BTreeMap;

/// A physical topic and a partition.
pub type Partition = (String, i32);

/// The offsets that a partition holds: of the first record, and after the last stable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// First offset.
    pub low: i64,
    /// Last stable offset.
    pub stable: i64,
}

/// Time in ms after which the coordinator aborts an open transaction of this pipeline's producers, as they are configured.
pub fn transaction_timeout_ms(config: &Config) -> i64 {
    kafka::transaction_timeout(&settings::producer(&config.kafka, "measured")).as_millis() as i64
}

/// A broker that has answered once.
pub struct Broker<'a> {
    config: &'a Config,
    /// Sees everything up to the high watermark.
    all: BaseConsumer<Complaints>,
    /// Sees what is committed.
    stable: BaseConsumer<Complaints>,
    topics: BTreeMap<String, i32>,
    /// Identifiers of the brokers.
    ids: Vec<i32>,
}

impl std::fmt::Debug for Broker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl<'a> Broker<'a> {
    /// Asks the broker for its topics.
    pub fn connect(config: &'a Config) -> Result<Self, Error> {
        let complaints = Complaints::default();
        let client = |isolation| -> Result<BaseConsumer<Complaints>, Error> {
            Ok(kafka_client::create(&settings::reader(&config.kafka, isolation), complaints.clone())?)
        };
        let (all, stable) = (client("read_uncommitted")?, client("read_committed")?);
        let asked = kafka_client::metadata(&all, &complaints, None, WAIT);
        let metadata = asked.map_err(|error| Error::unreached(&config.kafka, &complaints)(error))?;
        let topic = |topic: &MetadataTopic| (topic.name().to_owned(), topic.partitions().len() as i32);
        let topics = metadata.topics().iter().map(topic).collect();
        let ids = metadata.brokers().iter().map(rdkafka::metadata::MetadataBroker::id).collect();
        Ok(Self { config, all, stable, topics, ids })
    }

    /// Partitions of a logical topic, which has to exist.
    pub fn partitions(&self, logical: &str) -> Result<Vec<Partition>, Error> {
        let topic = self.config.prefix.topic(logical);
        let Some(count) = self.topics.get(&topic) else {
            return Err(self.missing(topic));
        };
        Ok((0..*count).map(|partition| (topic.clone(), partition)).collect())
    }

    /// A list of all topics leaves out those that the user may not see: asked by name, the broker tells.
    fn missing(&self, topic: String) -> Error {
        let brokers = self.config.kafka.brokers.clone();
        let metadata = match self.all.fetch_metadata(Some(&topic), WAIT) {
            Ok(metadata) => metadata,
            Err(error) => return Error::kafka(&brokers, "read the metadata")(error),
        };
        let answer = metadata.topics().iter().find(|found| found.name() == topic);
        let code = answer.and_then(MetadataTopic::error).map(RDKafkaErrorCode::from);
        match code.and_then(missing_permission) {
            Some(missing) => {
                AccessError::NotAllowed { what: format!("see topic {topic}"), brokers, missing }.into()
            }
            None => Error::NotApplied { topic, brokers },
        }
    }

    /// The partition of a logical topic that holds a key's records.
    pub fn partition_of(&self, logical: &str, key: &str) -> Result<Option<Partition>, Error> {
        let partitions = self.partitions(logical)?;
        let number = murmur2_partition(key.as_bytes(), partitions.len() as i32);
        Ok(partitions.into_iter().find(|(_, partition)| *partition == number))
    }

    /// First offsets of partitions.
    pub fn lows(&self, partitions: &[Partition]) -> Result<BTreeMap<Partition, i64>, Error> {
        self.offsets(&self.all, partitions, Offset::Beginning)
    }

    /// Last stable offsets of partitions: where a `read_committed` reader comes to its end.
    pub fn stables(&self, partitions: &[Partition]) -> Result<BTreeMap<Partition, i64>, Error> {
        self.offsets(&self.stable, partitions, Offset::End)
    }

    /// High watermarks of partitions.
    pub fn highs(&self, partitions: &[Partition]) -> Result<BTreeMap<Partition, i64>, Error> {
        self.offsets(&self.all, partitions, Offset::End)
    }

    /// What each partition holds.
    pub fn bounds(&self, partitions: &[Partition]) -> Result<BTreeMap<Partition, Bounds>, Error> {
        let (lows, stables) = (self.lows(partitions)?, self.stables(partitions)?);
        let bounds = |(partition, stable): (Partition, i64)| {
            let low = lows.get(&partition).copied().unwrap_or_default();
            (partition, Bounds { low, stable })
        };
        Ok(stables.into_iter().map(bounds).collect())
    }

    /// Offsets of the first records at or after a time; partitions without one are missing.
    pub fn at_time(&self, partitions: &[Partition], ms: i64) -> Result<BTreeMap<Partition, i64>, Error> {
        self.offsets(&self.stable, partitions, Offset::Offset(ms))
    }

    /// librdkafka's question is by time, and takes its ends as the times -1 and -2: the only one of its questions
    /// about offsets that covers many partitions at once.
    fn offsets(
        &self,
        consumer: &BaseConsumer<Complaints>,
        partitions: &[Partition],
        what: Offset,
    ) -> Result<BTreeMap<Partition, i64>, Error> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let failed = || Error::kafka(&self.config.kafka.brokers, "read offsets of topics");
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition_offset(topic, *partition, what).map_err(failed())?;
        }
        let answer = consumer.offsets_for_times(list, WAIT).map_err(failed())?;
        let mut offsets = BTreeMap::new();
        for element in answer.elements() {
            element.error().map_err(failed())?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert((element.topic().to_owned(), element.partition()), offset);
            }
        }
        Ok(offsets)
    }

    /// Members of each consumer group that has any.
    pub fn members(&self) -> Result<BTreeMap<String, usize>, Error> {
        let failed = Error::kafka(&self.config.kafka.brokers, "list consumer groups");
        let groups = self.all.fetch_group_list(None, WAIT).map_err(failed)?;
        let members = groups.groups().iter().map(|group| (group.name().to_owned(), group.members().len()));
        Ok(members.filter(|(_, count)| *count > 0).collect())
    }

    /// Settings of a reader that sees what is committed, or everything, and says when it comes to an end.
    pub(super) fn reader(&self, is_committed: bool) -> ClientConfig {
        let isolation = if is_committed { "read_committed" } else { "read_uncommitted" };
        let mut settings = settings::reader(&self.config.kafka, isolation);
        settings.set("enable.partition.eof", "true").set("fetch.wait.max.ms", "20");
        settings
    }

    /// Identifier of the cluster.
    pub fn cluster_id(&self) -> Option<String> {
        self.all.client().fetch_cluster_id(WAIT)
    }

    /// How many brokers there are.
    pub fn brokers(&self) -> usize {
        self.ids.len()
    }

    /// Settings of the first broker.
    pub async fn settings(&self) -> Result<BTreeMap<String, String>, Error> {
        let failed = || Error::kafka(&self.config.kafka.brokers, "describe the broker's settings");
        let settings = settings::reader(&self.config.kafka, "read_committed");
        let admin: AdminClient<DefaultClientContext> = kafka_client::create(&settings, DefaultClientContext)?;
        let broker = ResourceSpecifier::Broker(self.ids.first().copied().unwrap_or_default());
        let options = AdminOptions::new().request_timeout(Some(WAIT));
        let answers = admin.describe_configs([&broker], &options).await.map_err(failed())?;
        let mut settings = BTreeMap::new();
        for answer in answers {
            let resource = answer.map_err(|code| failed()(KafkaError::AdminOp(code)))?;
            settings
                .extend(resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))));
        }
        Ok(settings)
    }

    /// Bootstrap servers, as configured.
    pub fn address(&self) -> &str {
        &self.config.kafka.brokers
    }
}

/// A group that is looked at and set from outside: it never subscribes.
pub struct Group<'a> {
    config: &'a Config,
    name: String,
    consumer: BaseConsumer<Complaints>,
}

impl std::fmt::Debug for Group<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Group<'a> {
    /// The group of a processor.
    pub fn of(config: &'a Config, processor: &str) -> Result<Self, Error> {
        let name = config.prefix.group(processor);
        // Asking for stable offsets only would wait until open transactions end.
        let mut settings = settings::reader(&config.kafka, "read_uncommitted");
        settings.set("group.id", &name);
        let consumer = kafka_client::create(&settings, Complaints::default())?;
        Ok(Self { config, name, consumer })
    }

    /// Committed offset of each of the partitions; those without one are missing.
    pub fn committed(&self, partitions: &[Partition]) -> Result<BTreeMap<i32, i64>, Error> {
        let failed =
            || Error::kafka(&self.config.kafka.brokers, format!("read the offsets of {}", self.name));
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let mut committed = BTreeMap::new();
        for element in committed_offsets(&self.consumer, &list, WAIT).map_err(failed())?.elements() {
            element.error().map_err(failed())?;
            if let Offset::Offset(offset) = element.offset() {
                committed.insert(element.partition(), offset);
            }
        }
        Ok(committed)
    }

    /// What is ordered beside the committed offset of a partition.
    pub fn orders(&self, (topic, partition): &Partition) -> Result<Orders, Error> {
        let failed =
            || Error::kafka(&self.config.kafka.brokers, format!("read the offsets of {}", self.name));
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, *partition);
        let answer = committed_offsets(&self.consumer, &list, WAIT).map_err(failed())?;
        Ok(answer
            .find_partition(topic, *partition)
            .map_or_else(Orders::default, |it| Orders::read(it.metadata())))
    }

    /// Sets an offset and what is ordered beside it; the broker refuses while the group has members.
    pub fn commit_with(
        &self,
        (topic, partition): &Partition,
        offset: i64,
        metadata: Option<String>,
    ) -> Result<(), Error> {
        let failed = || Error::kafka(&self.config.kafka.brokers, format!("set the offsets of {}", self.name));
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, *partition, Offset::Offset(offset)).map_err(failed())?;
        if let (Some(metadata), Some(mut element)) = (metadata, list.find_partition(topic, *partition)) {
            element.set_metadata(metadata);
        }
        self.consumer.commit(&list, CommitMode::Sync).map_err(failed())
    }

    /// Sets offsets; the broker refuses while the group has members.
    pub fn commit(&self, offsets: &BTreeMap<Partition, i64>) -> Result<(), Error> {
        let failed = || Error::kafka(&self.config.kafka.brokers, format!("set the offsets of {}", self.name));
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in offsets {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).map_err(failed())?;
        }
        self.consumer.commit(&list, CommitMode::Sync).map_err(failed())
    }
}
