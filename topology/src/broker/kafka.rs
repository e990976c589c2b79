//! Topics on a broker: observed, created, altered.

use super::{Error, Options};
use crate::{Action, Change, TopicState};
use kafka_client::{AccessError, Complaints, Denial, Settings, missing_permission};
use rdkafka::{
    admin::{
        AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewTopic, ResourceSpecifier,
        TopicReplication,
    },
    client::DefaultClientContext,
    consumer::{BaseConsumer, DefaultConsumerContext},
    error::KafkaError,
    metadata::MetadataTopic,
    types::RDKafkaErrorCode,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// Pause between two looks at a broker that is settling.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Longest wait until a broker shows what it has confirmed. A busy one is seconds behind its own log of metadata.
pub(super) const SETTLES_WITHIN: Duration = Duration::from_mins(1);
const LOOKER: &str = "gistmill-topology";

/// A broker as this crate uses it.
pub(super) struct Kafka {
    admin: AdminClient<DefaultClientContext>,
    /// Looks at metadata; of no group that matters.
    looker: Arc<BaseConsumer<Complaints>>,
    complaints: Complaints,
    settings: Settings,
    options: Options,
}

impl Kafka {
    /// A client; touches no network.
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        let mut settings = Settings::new();
        settings.overlay(&options.properties).set("bootstrap.servers", &options.brokers);
        settings.set("client.id", LOOKER);
        let complaints = Complaints::default();
        let admin = kafka_client::create(&settings.clone().into(), DefaultClientContext)?;
        let looker = settings.clone().set("group.id", LOOKER).clone().listening();
        let looker = Arc::new(kafka_client::create(&looker, complaints.clone())?);
        Ok(Self { admin, looker, complaints, settings, options: options.clone() })
    }

    pub(super) fn timeout(&self) -> Duration {
        self.options.timeout
    }

    pub(super) fn error(&self, what: impl Into<String>) -> impl FnOnce(KafkaError) -> Error {
        let (what, brokers, waited) = (what.into(), self.options.brokers.clone(), self.options.timeout);
        move |source| match source.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::Resolve,
            ) => Error::Unreachable { brokers, waited, source: Box::new(source) },
            code => match code.and_then(missing_permission) {
                Some(missing) => AccessError::NotAllowed { what, brokers, missing }.into(),
                None => Error::Kafka { what, brokers, source: Box::new(source) },
            },
        }
    }

    /// A consumer of a group that never subscribes: it reads and commits offsets, and looks at watermarks.
    pub(super) fn consumer(&self, group: &str) -> Result<BaseConsumer, Error> {
        let mut settings = self.settings.clone();
        settings.set("group.id", group).set("enable.auto.commit", "false");
        // Offsets of open transactions would make the question wait until they end.
        settings.set("isolation.level", "read_uncommitted");
        Ok(kafka_client::create(&settings.into(), DefaultConsumerContext)?)
    }

    /// Those of the topics that exist.
    pub(super) async fn topics(
        &self,
        names: BTreeSet<String>,
    ) -> Result<BTreeMap<String, TopicState>, Error> {
        let partitions = self.partitions(names).await?;
        let specifiers: Vec<_> = partitions.keys().map(|name| ResourceSpecifier::Topic(name)).collect();
        if specifiers.is_empty() {
            return Ok(BTreeMap::new());
        }
        let described = self.admin.describe_configs(&specifiers, &self.admin_options()).await;
        let described = described.map_err(self.error("describe topics"))?;
        let mut topics = BTreeMap::new();
        for ((name, partitions), resource) in partitions.iter().zip(described) {
            let resource = resource.map_err(KafkaError::AdminOp);
            let resource = resource.map_err(self.error(format!("describe topic {name}")))?;
            topics.insert(name.clone(), topic_state(partitions.all, resource));
        }
        Ok(topics)
    }

    /// Partitions of those of the topics that exist, and how many of them have a leader.
    async fn partitions(&self, names: BTreeSet<String>) -> Result<BTreeMap<String, Partitions>, Error> {
        let (looker, complaints, timeout) =
            (Arc::clone(&self.looker), self.complaints.clone(), self.timeout());
        let asked = self.call("read the broker's metadata", move || {
            // Asking for all topics never creates one; asking for one by name may.
            let metadata = kafka_client::metadata(&looker, &complaints, None, timeout)?;
            let known = metadata.topics().iter().filter(|topic| names.contains(topic.name()));
            Ok(known.map(|topic| (topic.name().to_owned(), Partitions::of(topic))).collect())
        });
        match asked.await {
            Err(error @ Error::Unreachable { .. }) => {
                Err(self.denial().await.map_or(error, |denial| Error::Access(denial.into())))
            }
            answer => answer,
        }
    }

    /// Why the broker does not let the looker in, if it has said so.
    async fn denial(&self) -> Option<Denial> {
        let (complaints, options) = (self.complaints.clone(), self.options.clone());
        let look = move || complaints.denial(&options.brokers, &options.properties);
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }

    /// Takes the creating steps of a plan, finds topics that another has created meanwhile, and waits until every
    /// partition has a leader.
    pub(super) async fn create(&self, actions: &[&Action]) -> Result<(), Error> {
        let topics: Vec<_> = actions.iter().filter_map(|action| self.new_topic(action)).collect();
        if topics.is_empty() {
            return Ok(());
        }
        let results = self.admin.create_topics(&topics, &self.admin_options()).await;
        for result in results.map_err(self.error("create topics"))? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    return Err(self.error(format!("create topic {topic}"))(KafkaError::AdminOp(code)));
                }
            }
        }
        self.wait_for(&topics).await
    }

    fn new_topic<'a>(&self, action: &'a Action) -> Option<NewTopic<'a>> {
        let Action::CreateTopic { topic, partitions, configs } = action else { return None };
        let replication = TopicReplication::Fixed(self.options.replication_factor);
        let new = NewTopic::new(topic, *partitions, replication);
        Some(configs.iter().fold(new, |new, (setting, value)| new.set(setting, value)))
    }

    async fn wait_for(&self, topics: &[NewTopic<'_>]) -> Result<(), Error> {
        let names: BTreeSet<String> = topics.iter().map(|topic| topic.name.to_owned()).collect();
        let ready = |found: &BTreeMap<String, Partitions>, topic: &NewTopic<'_>| {
            found.get(topic.name).is_some_and(|found| found.led >= topic.num_partitions)
        };
        let until = Instant::now() + SETTLES_WITHIN;
        while Instant::now() < until {
            let found = self.partitions(names.clone()).await?;
            if topics.iter().all(|topic| ready(&found, topic)) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let no_leader = KafkaError::AdminOp(RDKafkaErrorCode::LeaderNotAvailable);
        Err(self.error("wait for the leaders of new topics")(no_leader))
    }

    /// Changes settings of a topic. The call replaces all of a topic's own settings, so those that stay go with it.
    pub(super) async fn alter(
        &self,
        topic: &str,
        changes: &BTreeMap<String, Change>,
        kept: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let mut config = AlterConfig::new(ResourceSpecifier::Topic(topic));
        for (setting, value) in kept {
            config = config.set(setting, value);
        }
        for (setting, change) in changes {
            config = config.set(setting, &change.to);
        }
        let what = || format!("alter topic {topic}");
        let results = self.admin.alter_configs([&config], &self.admin_options()).await;
        for result in results.map_err(self.error(what()))? {
            result.map_err(|(_, code)| self.error(what())(KafkaError::AdminOp(code)))?;
        }
        Ok(())
    }

    /// Makes a blocking call where it may block; again, within bounds, while the broker is settling.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        what: impl Into<String>,
        work: impl Fn() -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, Error> {
        let what = what.into();
        let settled = tokio::task::spawn_blocking(move || {
            let until = Instant::now() + SETTLES_WITHIN;
            let mut result = work();
            while result.as_ref().is_err_and(is_passing) && Instant::now() < until {
                std::thread::sleep(LOOK_AGAIN);
                result = work();
            }
            result
        });
        match settled.await {
            Ok(result) => result.map_err(self.error(what)),
            Err(_) => Err(Error::Thread(what)),
        }
    }

    fn admin_options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.timeout())).operation_timeout(Some(self.timeout()))
    }
}

/// A broker that is new, or has just moved something, says so in these words and means it only for a moment.
fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::WaitingForCoordinator
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::UnknownTopicOrPartition
        )
    )
}

/// How many partitions a topic has.
struct Partitions {
    all: i32,
    led: i32,
}

impl Partitions {
    fn of(topic: &MetadataTopic) -> Self {
        let led = topic.partitions().iter().filter(|partition| partition.leader() >= 0).count();
        Self { all: topic.partitions().len() as i32, led: led as i32 }
    }
}

fn topic_state(partitions: i32, resource: ConfigResource) -> TopicState {
    let mut state = TopicState { partitions, ..TopicState::default() };
    for entry in resource.entries {
        let Some(value) = entry.value else { continue };
        if matches!(entry.source, ConfigSource::DynamicTopic) {
            state.overrides.insert(entry.name.clone(), value.clone());
        }
        state.configs.insert(entry.name, value);
    }
    state
}
