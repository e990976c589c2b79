//! Open transactions in the pipeline's topics and in the log of its groups' offsets: found.
//!
//! Invariant: looking changes nothing.

use super::{Error, HangingTransaction, hanging::OFFSETS};
use crate::Config;
use kafka_admin::{Cluster, Running, TopicPartition, survey};
use serde::Serialize;
use std::collections::BTreeSet;
use topology::Map;

/// Open transactions of the pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Transactions {
    /// Those that hang, by partition.
    pub hanging: Vec<HangingTransaction>,
    /// Those that do not.
    pub running: Vec<Running>,
    /// Partitions that could not be looked at, and why.
    pub unseen: Vec<kafka_admin::Unseen>,
}

/// Looks at the map's topics and at its groups' offsets.
///
/// # Errors
/// The broker is away, or refuses what it takes to find out.
pub fn transactions(config: &Config, map: &Map) -> Result<Transactions, Error> {
    let mut cluster = connect(config)?;
    find_transactions(&mut cluster, config, map)
}

/// A client for what librdkafka does not ask.
///
/// # Errors
/// The broker is away, or refuses this client.
pub fn connect(config: &Config) -> Result<Cluster, Error> {
    Ok(Cluster::connect(&config.kafka.brokers, &config.kafka.properties.0)?)
}

/// [`transactions`] over a connection that is there.
///
/// # Errors
/// As there.
pub fn find_transactions(cluster: &mut Cluster, config: &Config, map: &Map) -> Result<Transactions, Error> {
    let topics: BTreeSet<String> = map.topics().map(|topic| config.prefix.topic(&topic.name)).collect();
    let is_ours = |at: &&TopicPartition| at.topic == OFFSETS || topics.contains(&at.topic);
    let partitions: Vec<TopicPartition> = cluster.partitions().filter(is_ours).cloned().collect();
    let found = survey(cluster, &partitions)?;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let hanging = found.hanging.into_iter();
    let hanging = hanging.map(|hanging| HangingTransaction::new(map, &config.prefix, hanging, now_ms));
    let running = found.running.into_iter();
    // Other pipelines' groups have their offsets in the same topic.
    let holds_ours = |it: &HangingTransaction| it.topic != OFFSETS || !it.blocks.is_empty();
    let prefix = config.prefix.transactional_id("");
    let writes_ours = |it: &Running| it.open.at.topic != OFFSETS || it.transactional_id.starts_with(&prefix);
    Ok(Transactions {
        hanging: hanging.filter(holds_ours).collect(),
        running: running.filter(writes_ours).collect(),
        unseen: found.unseen,
    })
}

impl From<kafka_admin::Error> for Error {
    fn from(error: kafka_admin::Error) -> Self {
        match error {
            kafka_admin::Error::Away { address, .. } => Self::KafkaAway { brokers: address, source: None },
            other if other.is_missing_permission() => {
                let why = engine::chain(&other);
                Self::Refused(format!(
                    "{why}; `gistmill topology acl --unit operator` lists what it takes to look"
                ))
            }
            other => Self::Refused(engine::chain(&other)),
        }
    }
}
