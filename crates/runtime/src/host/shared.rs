//! What the units of a process share, and what they ask their peers before they begin.

use super::{
    Stop,
    binding::BindError,
    held_up::HeldUp,
    leading::Leading,
    leaving::Leaving,
    partition_counts::{Miscounted, refusal},
    peers_watch::PeersAway,
    status::UnitStatus,
};
use crate::{
    config::Config,
    kafka::{Standing, settings},
    metrics::Metrics,
    trail::Trail,
};
use kafka_client::missing_permission;
use rdkafka::{
    consumer::{BaseConsumer, Consumer},
    error::RDKafkaErrorCode,
    metadata::{Metadata, MetadataTopic},
};
use registry::RegistrySource;
use state::Store;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use topology::Map;

/// Wait between two looks at something that is away.
const PATIENCE: Duration = Duration::from_secs(1);
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);

/// What the units of a process share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) map: Map,
    pub(crate) tasks: tokio::runtime::Handle,
    pub(crate) registry: registry::Client,
    pub(crate) schemas: Arc<RegistrySource>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) trail: Trail,
    pub(crate) stop: Stop,
    /// The broker, as all clients of the process see it.
    pub(crate) standing: Standing,
    /// What holds units up and does not end by itself.
    pub(super) held_up: HeldUp,
    /// Groups that are left at the end.
    pub(super) leaving: Arc<Leaving>,
    /// Where the sources that this process leads stand.
    pub(super) leading: Leading,
    /// Registry and Postgres, while they do not answer.
    pub(super) peers_away: PeersAway,
    /// Consumers that the process is meant to have, for their share of memory.
    pub(crate) consumers: usize,
    /// The database, for a process that uses one.
    pub(super) store: OnceLock<Store>,
    pub(super) broker: Mutex<Option<BaseConsumer<Standing>>>,
    pub(super) miscounted: Miscounted,
}

/// What a unit waits with.
pub(crate) struct Wait<'a> {
    pub(crate) stop: &'a Stop,
    pub(crate) status: &'a UnitStatus,
}

impl Wait<'_> {
    /// Counts as life of the unit; an error once the process has been asked to stop.
    pub(crate) fn goes_on(&self) -> Result<(), String> {
        self.status.turned();
        if self.stop.is_asked() {
            return Err("the process has been asked to stop".to_owned());
        }
        Ok(())
    }

    pub(crate) fn for_a_while(&self, what: &str) {
        if !self.stop.is_asked() {
            self.status.waiting(what);
            self.stop.wait(PATIENCE);
        }
    }
}

impl Shared {
    /// Says whether the broker answers.
    pub(super) fn broker_answers(&self) -> Result<(), BindError> {
        let mut broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        self.ask_broker(&mut broker).map(|_| ())
    }

    /// Says whether the broker answers and has the topics of a unit, cut into partitions as the map says.
    pub(super) fn topics_fit(&self, topics: &[(String, i32)]) -> Result<(), BindError> {
        let mut broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stop.is_asked() {
            // Others have waited here for their turn to ask a broker that is away.
            return Err(BindError::Wait("the process is stopping".to_owned()));
        }
        let asked = self.ask_broker(&mut broker).and_then(|found| self.fit(broker.as_ref(), topics, &found));
        if asked.is_err() {
            // A client that was refused may hold on to what it was told.
            *broker = None;
        }
        asked
    }

    fn fit(
        &self,
        broker: Option<&BaseConsumer<Standing>>,
        topics: &[(String, i32)],
        found: &BTreeMap<String, i32>,
    ) -> Result<(), BindError> {
        for (topic, partitions) in topics {
            let Some(found) = found.get(topic) else {
                return Err(self.missing_topic(broker, topic));
            };
            if let Some(why) = refusal(topic, *found, *partitions) {
                return Err(BindError::Fatal(why));
            }
        }
        Ok(())
    }

    /// Every topic of the broker with its partition count.
    pub(super) fn ask_broker(
        &self,
        broker: &mut Option<BaseConsumer<Standing>>,
    ) -> Result<BTreeMap<String, i32>, BindError> {
        if broker.is_none() {
            let settings = settings::reader(&self.config.kafka, "read_committed");
            let made = kafka_client::create(&settings, self.standing.clone())
                .map_err(|error| BindError::Fatal(error.to_string()))?;
            *broker = Some(made);
        }
        let Some(client) = broker.as_ref() else { return Ok(BTreeMap::new()) };
        let metadata = self.metadata(client, None)?;
        let counted = metadata.topics().iter().map(|t| (t.name().to_owned(), t.partitions().len() as i32));
        Ok(counted.collect())
    }

    fn metadata(&self, client: &BaseConsumer<Standing>, topic: Option<&str>) -> Result<Metadata, BindError> {
        let asked = kafka_client::metadata(client, self.standing.complaints(), topic, METADATA_TIMEOUT);
        asked.map_err(|error| BindError::Wait(self.no_broker(&error.to_string())))
    }

    /// Why there is no broker to work with, and what to do; `error` is what a call to it has failed with.
    pub(super) fn no_broker(&self, error: &str) -> String {
        let kafka = &self.config.kafka;
        match self.standing.complaints().denial(&kafka.brokers, &kafka.properties) {
            Some(denial) => format!("{denial}; {}", denial.advice()),
            None => format!(
                "could not reach kafka at {}: {error}; is it up? `gistmill stack up` starts a local one",
                kafka.brokers
            ),
        }
    }

    /// A list of all topics leaves out those that the user may not see: asked by name, the broker tells.
    fn missing_topic(&self, client: Option<&BaseConsumer<Standing>>, topic: &str) -> BindError {
        let address = &self.config.kafka.brokers;
        let metadata = match client.map(|client| self.metadata(client, Some(topic))).transpose() {
            Ok(metadata) => metadata,
            Err(error) => return error,
        };
        let answer = metadata.iter().flat_map(Metadata::topics).find(|found| found.name() == topic);
        let code = answer.and_then(MetadataTopic::error).map(RDKafkaErrorCode::from);
        BindError::Wait(match code.and_then(missing_permission) {
            Some(missing) => format!("could not see topic {topic} on the broker at {address}: {missing}"),
            None => format!("topic {topic} is not on the broker at {address}: run `gistmill topology apply`"),
        })
    }

    /// Says whether the database, if the process uses one, answers, has its tables, holds the role to row-level security,
    /// and holds this cluster's records or none.
    pub(super) fn database_is_ready(&self) -> Result<(), BindError> {
        let Some(store) = self.store.get() else { return Ok(()) };
        let refused = |error: state::Error| match error {
            state::Error::UnsafeRole(_) | state::Error::OtherCluster { .. } => {
                BindError::Fatal(error.describe())
            }
            other => BindError::Wait(other.describe()),
        };
        self.tasks.block_on(store.ready()).map_err(refused)?;
        let cluster_id = self.cluster_id()?;
        self.tasks.block_on(store.check_cluster(&cluster_id)).map_err(refused)
    }

    /// The cluster's id, once the broker answers.
    pub(super) fn cluster_id(&self) -> Result<String, BindError> {
        let settings = settings::reader(&self.config.kafka, "read_committed");
        let made = kafka_client::create(&settings, self.standing.clone());
        let client: BaseConsumer<Standing> = made.map_err(|error| BindError::Fatal(error.to_string()))?;
        let no_id = || BindError::Wait(self.no_broker("it does not tell its cluster's id yet"));
        client.client().fetch_cluster_id(METADATA_TIMEOUT).ok_or_else(no_id)
    }
}
