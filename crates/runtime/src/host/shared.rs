//! What the units of a process share, and what they ask their peers before they begin.

use super::{
    Stop,
    binding::BindError,
    held_up::HeldUp,
    partition_counts::{Miscounted, refusal},
    status::UnitStatus,
};
use crate::{
    config::Config,
    kafka::{Standing, settings},
    metrics::Metrics,
    telemetry::Tracer,
};
use rdkafka::{
    client::Client,
    consumer::{BaseConsumer, Consumer},
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
    pub(crate) tracer: Option<Tracer>,
    pub(crate) stop: Stop,
    /// The broker, as all clients of the process see it.
    pub(crate) standing: Standing,
    /// What holds units up and does not end by itself.
    pub(super) held_up: HeldUp,
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
        let asked = self.ask_broker(&mut broker).and_then(|found| self.fit(topics, &found));
        if asked.is_err() {
            // A client that was refused may hold on to what it was told.
            *broker = None;
        }
        asked
    }

    fn fit(&self, topics: &[(String, i32)], found: &BTreeMap<String, i32>) -> Result<(), BindError> {
        for (topic, partitions) in topics {
            let Some(found) = found.get(topic) else {
                let address = &self.config.kafka.brokers;
                return Err(BindError::Wait(format!(
                    "topic {topic} is not on the broker at {address}: run `gistmill topology apply`"
                )));
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
        let address = &self.config.kafka.brokers;
        let away = |error: rdkafka::error::KafkaError| {
            BindError::Wait(format!(
                "kafka at {address}: {error}; is it up? `gistmill stack up` starts a local one"
            ))
        };
        if broker.is_none() {
            let settings = settings::reader(&self.config.kafka, "read_committed");
            let made = settings
                .create_with_context(self.standing.clone())
                .map_err(|error| BindError::Fatal(format!("could not use the kafka settings: {error}")))?;
            *broker = Some(made);
        }
        let Some(client) = broker.as_ref() else { return Ok(BTreeMap::new()) };
        let metadata = client.fetch_metadata(None, METADATA_TIMEOUT).map_err(away)?;
        let counted = metadata.topics().iter().map(|t| (t.name().to_owned(), t.partitions().len() as i32));
        Ok(counted.collect())
    }

    /// Says whether the database, if the process uses one, answers, has its tables, and holds the role to row-level
    /// security.
    pub(super) fn database_is_ready(&self) -> Result<(), BindError> {
        let Some(store) = self.store.get() else { return Ok(()) };
        self.tasks.block_on(store.ready()).map_err(|error| match error {
            state::Error::UnsafeRole(_) => BindError::Fatal(error.describe()),
            other => BindError::Wait(format!("postgres at {}: {}", store.address(), other.describe())),
        })
    }

    /// The cluster's id, once the broker answers.
    pub(super) fn cluster_id(&self) -> Result<String, BindError> {
        let settings = settings::reader(&self.config.kafka, "read_committed");
        let client = Client::new(
            &settings,
            settings.create_native_config().map_err(|error| fatal(&error))?,
            rdkafka::types::RDKafkaType::RD_KAFKA_CONSUMER,
            self.standing.clone(),
        )
        .map_err(|error| fatal(&error))?;
        client.fetch_cluster_id(METADATA_TIMEOUT).ok_or_else(|| {
            BindError::Wait(format!("kafka at {}: no cluster id yet", self.config.kafka.brokers))
        })
    }
}

fn fatal(error: &rdkafka::error::KafkaError) -> BindError {
    BindError::Fatal(format!("could not use the kafka settings: {error}"))
}
