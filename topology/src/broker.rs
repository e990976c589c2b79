//! The only part of this crate that talks: observes a broker and a registry, and applies a plan to them.
//!
//! Invariant: every step may be taken again, and every wait is bounded.

mod groups;
mod kafka;
mod registered;

use crate::{Action, BrokerState, Map, Plan, PlanOptions, Prefix, Refusal, plan};
use kafka::{Kafka, LOOK_AGAIN, SETTLES_WITHIN};
use kafka_client::{AccessError, CreateError, Properties};
use rdkafka::error::KafkaError;
use registry::Client;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Long enough for a broker that elects leaders, short enough to wait for in front of a terminal.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The broker's own default.
const BROKER_DEFAULT: i32 = -1;

/// Where broker and registry are, and how to use them.
#[derive(Debug, Clone)]
pub struct Options {
    /// Kafka's `bootstrap.servers`.
    pub brokers: String,
    /// The schema registry.
    pub registry: registry::Options,
    /// Names everything. Default: none.
    pub prefix: Prefix,
    /// Further librdkafka properties, such as those of TLS and SASL. Default: none.
    pub properties: Properties,
    /// Replicas of new topics. Default: -1, what the broker is set to.
    pub replication_factor: i32,
    /// Let the map shorten the retention of topics that exist. Default: no.
    pub lower_retention: bool,
    /// Longest wait for one answer of the broker. Default: 15 s.
    pub timeout: Duration,
}

impl Options {
    /// A broker and a registry with default limits and no prefix.
    pub fn new(brokers: impl Into<String>, registry: impl Into<registry::Options>) -> Self {
        Self {
            brokers: brokers.into(),
            registry: registry.into(),
            prefix: Prefix::none(),
            properties: Properties::default(),
            replication_factor: BROKER_DEFAULT,
            lower_retention: false,
            timeout: TIMEOUT,
        }
    }

    fn plan_options(&self) -> PlanOptions {
        PlanOptions { prefix: self.prefix.clone(), lower_retention: self.lower_retention }
    }
}

/// Broker or registry could not be observed or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers at the broker's address.
    #[error("could not reach kafka at {brokers} within {} s", .waited.as_secs())]
    Unreachable {
        /// Address.
        brokers: String,
        /// How long it was waited for.
        waited: Duration,
        /// What librdkafka says.
        #[source]
        source: Box<KafkaError>,
    },
    /// The broker refuses this client or its user, or the client cannot be made.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The broker answered with an error.
    #[error("could not {what} on kafka at {brokers}")]
    Kafka {
        /// What was attempted.
        what: String,
        /// Address.
        brokers: String,
        /// What librdkafka says.
        #[source]
        source: Box<KafkaError>,
    },
    /// The registry did not answer or refused.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// Differences that a person has to settle.
    #[error("{} differences are not settled by a program: {}", .0.len(), joined(.0))]
    Refused(Vec<Refusal>),
    /// Something else changed broker or registry meanwhile, or they did not do what they confirmed.
    #[error("{} steps are still to do after applying: {}", .0.actions.len() + .0.refusals.len(), remaining(.0))]
    NotSettled(Plan),
    /// A worker thread ended early: a defect of the program.
    #[error("could not {0}: its thread ended")]
    Thread(String),
}

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        Self::Access(error.into())
    }
}

fn joined(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn remaining(plan: &Plan) -> String {
    let actions = plan.actions.iter().map(ToString::to_string);
    actions.chain(plan.refusals.iter().map(ToString::to_string)).collect::<Vec<_>>().join("; ")
}

/// What has to be done so that broker and registry hold what the map says. Changes nothing.
pub async fn difference(map: &Map, options: &Options) -> Result<Plan, Error> {
    let observed = observe(map, options).await?;
    Ok(plan(map, &observed, &options.plan_options()))
}

/// Makes broker and registry hold what the map says, calling `report` after each step; returns the steps taken, none
/// if nothing was to be done. Applies nothing while a difference is refused. May be run again after a failure, and
/// by two at once.
pub async fn apply(
    map: &Map,
    options: &Options,
    report: &mut (dyn FnMut(&Action) + Send),
) -> Result<Vec<Action>, Error> {
    let todo = difference(map, options).await?;
    if !todo.refusals.is_empty() {
        return Err(Error::Refused(todo.refusals));
    }
    if todo.actions.is_empty() {
        return Ok(todo.actions);
    }
    take(&todo.actions, options, report).await?;
    settled(map, options).await?;
    Ok(todo.actions)
}

/// Waits until nothing is left to do: a broker confirms a change before it shows it.
async fn settled(map: &Map, options: &Options) -> Result<(), Error> {
    let until = Instant::now() + SETTLES_WITHIN;
    loop {
        let left = difference(map, options).await?;
        if left.is_empty() {
            return Ok(());
        }
        if !left.refusals.is_empty() || Instant::now() >= until {
            return Err(Error::NotSettled(left));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What a broker and a registry hold of the map's pipeline.
pub async fn observe(map: &Map, options: &Options) -> Result<BrokerState, Error> {
    let kafka = Arc::new(Kafka::new(options)?);
    let registry = Client::new(options.registry.clone())?;
    let topics = kafka.topics(map.topics().map(|topic| options.prefix.topic(&topic.name)).collect()).await?;
    let groups = groups::observe(map, options, &kafka, &topics).await?;
    let subjects = registered::observe(map, &options.prefix, &registry).await?;
    Ok(BrokerState { topics, groups, subjects })
}

/// New topics go to the broker in one request and groups are seeded at once: one by one they cost seconds.
async fn take(
    actions: &[Action],
    options: &Options,
    report: &mut (dyn FnMut(&Action) + Send),
) -> Result<(), Error> {
    let kafka = Arc::new(Kafka::new(options)?);
    let registry = Client::new(options.registry.clone())?;
    let created: Vec<_> =
        actions.iter().filter(|action| matches!(action, Action::CreateTopic { .. })).collect();
    kafka.create(&created).await?;
    created.into_iter().for_each(&mut *report);
    for action in actions {
        match action {
            Action::CreateTopic { .. } | Action::SeedOffsets { .. } => continue,
            Action::AlterTopic { topic, changes, kept } => kafka.alter(topic, changes, kept).await?,
            Action::RegisterSchema { .. } | Action::RequireCompatibility { .. } => {
                registered::take(&registry, action).await?;
            }
        }
        report(action);
    }
    let seeded: Vec<_> =
        actions.iter().filter(|action| matches!(action, Action::SeedOffsets { .. })).collect();
    groups::seed_all(&kafka, &seeded).await?;
    seeded.into_iter().for_each(report);
    Ok(())
}
