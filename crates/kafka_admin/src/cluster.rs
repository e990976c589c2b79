//! The brokers of a cluster, who leads which partition, and connections to those that are asked.

use crate::{Error, TopicPartition, connection::Connection, requests::Request, security::Security};
use kafka_protocol::messages::{
    MetadataRequest, MetadataResponse, metadata_response::MetadataResponseBroker,
};
use std::collections::BTreeMap;

/// Topic of the coordinators' log.
pub(crate) const TRANSACTION_LOG: &str = "__transaction_state";
/// Topic of committed offsets.
pub(crate) const OFFSETS_LOG: &str = "__consumer_offsets";

/// Who leads a partition, and since which election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leader {
    pub(crate) node: i32,
    pub(crate) epoch: i32,
}

/// A cluster that has answered once.
pub struct Cluster {
    security: Security,
    connections: BTreeMap<i32, Connection>,
    brokers: BTreeMap<i32, String>,
    /// None for a partition that has no leader now.
    leaders: BTreeMap<TopicPartition, Option<Leader>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Asks the first of the bootstrap servers that answers for the cluster. `properties` are librdkafka's.
    ///
    /// # Errors
    /// Nobody answers, or the properties ask for what this client cannot do.
    pub fn connect(brokers: &str, properties: &BTreeMap<String, String>) -> Result<Self, Error> {
        let security = Security::of(properties)?;
        let mut away = None;
        for address in brokers.split(',').map(str::trim).filter(|address| !address.is_empty()) {
            // librdkafka takes `PLAINTEXT://host:port` and a host alone, too.
            let address = address.rsplit_once("://").map_or(address, |(_, address)| address);
            let address = if address.contains(':') { address.to_owned() } else { format!("{address}:9092") };
            match Connection::open(&address, &security).and_then(read) {
                Ok(metadata) => return Ok(Self::of(security, &metadata)),
                Err(error) => away = Some(error),
            }
        }
        let none = || Error::Setting { setting: "bootstrap.servers", why: "it names no broker".to_owned() };
        Err(away.unwrap_or_else(none))
    }

    fn of(security: Security, metadata: &MetadataResponse) -> Self {
        let (brokers, leaders) = (BTreeMap::new(), BTreeMap::new());
        let mut cluster = Self { security, connections: BTreeMap::new(), brokers, leaders };
        cluster.take(metadata);
        cluster
    }

    /// Asks again who leads what.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        let node = self.brokers.keys().next().copied().unwrap_or_default();
        let metadata = self.call(node, &every_topic())?;
        self.take(&metadata);
        Ok(())
    }

    fn take(&mut self, metadata: &MetadataResponse) {
        let address = |broker: &MetadataResponseBroker| {
            (broker.node_id.0, format!("{}:{}", broker.host.as_str(), broker.port))
        };
        self.brokers = metadata.brokers.iter().map(address).collect();
        self.leaders = leaders(metadata);
    }

    /// Every partition of every topic, the broker's own topics included.
    pub fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.leaders.keys()
    }

    /// The partitions of a topic, in order; none of one that is not there.
    pub fn partitions_of(&self, topic: &str) -> Vec<TopicPartition> {
        self.partitions().filter(|at| at.topic == topic).cloned().collect()
    }

    /// How many partitions a topic has; 0 for one that is not there.
    pub(crate) fn partition_count(&self, topic: &str) -> i32 {
        self.leaders.keys().filter(|at| at.topic == topic).count() as i32
    }

    pub(crate) fn brokers(&self) -> Vec<i32> {
        self.brokers.keys().copied().collect()
    }

    /// True of a partition that this client is shown, led or not.
    pub(crate) fn has(&self, at: &TopicPartition) -> bool {
        self.leaders.contains_key(at)
    }

    pub(crate) fn leader(&self, at: &TopicPartition) -> Option<Leader> {
        self.leaders.get(at).copied().flatten()
    }

    /// Partitions by their leader; those without one are left out.
    pub(crate) fn by_leader<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> BTreeMap<i32, BTreeMap<&'a str, Vec<i32>>> {
        let mut by_leader: BTreeMap<i32, BTreeMap<&str, Vec<i32>>> = BTreeMap::new();
        for at in partitions {
            if let Some(leader) = self.leader(at) {
                let topics = by_leader.entry(leader.node).or_default();
                topics.entry(at.topic.as_str()).or_default().push(at.partition);
            }
        }
        by_leader
    }

    /// Asks one broker.
    pub(crate) fn call<R: Request>(&mut self, node: i32, request: &R) -> Result<R::Answer, Error> {
        if !self.connections.contains_key(&node) {
            let address = self.brokers.get(&node).ok_or_else(|| {
                Error::unreadable("the metadata", &format!("it has no address of broker {node}"))
            })?;
            self.connections.insert(node, Connection::open(address, &self.security)?);
        }
        let Some(connection) = self.connections.get_mut(&node) else {
            return Err(Error::unreadable("the metadata", &format!("broker {node} is gone")));
        };
        let answer = connection.call(request);
        if answer.is_err() {
            // What is left on it would be taken for the next answer.
            self.connections.remove(&node);
        }
        answer
    }
}

fn read(mut connection: Connection) -> Result<MetadataResponse, Error> {
    connection.call(&every_topic())
}

fn every_topic() -> MetadataRequest {
    MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false)
}

fn leaders(metadata: &MetadataResponse) -> BTreeMap<TopicPartition, Option<Leader>> {
    let mut leaders = BTreeMap::new();
    for topic in &metadata.topics {
        let Some(name) = &topic.name else { continue };
        for partition in &topic.partitions {
            let leader = Leader { node: partition.leader_id.0, epoch: partition.leader_epoch };
            let at = TopicPartition::new(name.0.as_str(), partition.partition_index);
            leaders.insert(at, Some(leader).filter(|leader| leader.node >= 0));
        }
    }
    leaders
}

/// The partition of a log of the broker's in which a key lies: Java's hash of the string.
pub(crate) fn partition_of_key(key: &str, partitions: i32) -> i32 {
    let hash =
        key.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // As Kafka does it: the one number without an absolute value is 0.
    if partitions > 0 { hash.checked_abs().unwrap_or(0) % partitions } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_javas_strings_do() {
        // "polygenelubricants".hashCode() is Integer.MIN_VALUE, "Aa" and "BB" are 2112.
        assert_eq!(partition_of_key("polygenelubricants", 7), 0);
        assert_eq!((partition_of_key("Aa", 50), partition_of_key("BB", 50)), (12, 12));
        // -435,926,618: a negative one is turned round.
        assert_eq!(partition_of_key("segmenter-0-0", 8), 2);
        assert_eq!(partition_of_key("anything", 0), 0);
    }
}
