//! Why an operator's question or order could not be carried out, and what to do next.
//!
//! Invariant: every wait that ends here was bounded, and a peer that is away is named with its address.

use crate::config::Kafka;
use kafka_client::{AccessError, Complaints, CreateError, missing_permission};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use schemas::{DecodeError, SchemaSourceError};
use std::time::Duration;

/// Longest wait for one answer of the broker.
pub(super) const WAIT: Duration = Duration::from_secs(6);

/// A question or an order that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers at the broker's address.
    #[error("could not reach kafka at {brokers} within {} s", WAIT.as_secs())]
    KafkaAway {
        /// Address.
        brokers: String,
        /// What librdkafka says; none when it said nothing at all.
        #[source]
        source: Option<RDKafkaErrorCode>,
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
    /// Reading a partition ended early.
    #[error("could not read {topic} on kafka at {brokers}: {why}")]
    Read {
        /// Physical topic.
        topic: String,
        /// Address.
        brokers: String,
        /// Why.
        why: String,
    },
    /// A topic of the map that the broker does not have.
    #[error("topic {topic} is not on the broker at {brokers}: run `gistmill topology apply`")]
    NotApplied {
        /// Physical topic.
        topic: String,
        /// Address.
        brokers: String,
    },
    /// A topic that the map does not have.
    #[error("no topic is called {name:?}; there are\n  {}", known.join("\n  "))]
    UnknownTopic {
        /// As given.
        name: String,
        /// Logical names, sorted.
        known: Vec<String>,
    },
    /// A unit that the map does not have.
    #[error("no processor or connector is called {name:?}; there are\n  {}", known.join("\n  "))]
    UnknownUnit {
        /// As given.
        name: String,
        /// Names, in the map's order.
        known: Vec<String>,
    },
    /// A partition that the topic does not have.
    #[error("{topic} has no partition {partition}; there are 0 to {}", count - 1)]
    UnknownPartition {
        /// Logical topic.
        topic: String,
        /// As given.
        partition: i32,
        /// Number of partitions.
        count: i32,
    },
    /// The schema registry does not answer; the message names its address.
    #[error("{0}")]
    Registry(String),
    /// The schema registry answers that it has failed.
    #[error("{0}")]
    RegistryFails(String),
    /// The schema registry does not let this client in; the message says what to do.
    #[error("{0}")]
    RegistryDenied(String),
    /// Postgres does not answer or refuses.
    #[error("{}", .0.describe())]
    Postgres(Box<state::Error>),
    /// The order cannot be carried out as given; the message says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// Something that this process needs from its own machine.
    #[error("could not {what}: {why}")]
    Start {
        /// What was attempted.
        what: &'static str,
        /// Why it failed.
        why: String,
    },
    /// Whoever was to hear of the records could not take them.
    #[error("could not write the output")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// True when something that has to run does not.
    pub fn is_away(&self) -> bool {
        match self {
            Self::KafkaAway { .. } | Self::Registry(_) | Self::RegistryFails(_) => true,
            Self::Postgres(error) => matches!(error.as_ref(), state::Error::Unreachable { .. }),
            _ => false,
        }
    }

    /// True when it is Postgres that does not answer or does not let this client in.
    pub fn is_of_postgres(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        matches!(error.as_ref(), state::Error::Unreachable { .. } | state::Error::Denied { .. })
    }

    /// What to do about a peer that is away.
    pub fn advice(&self) -> Option<String> {
        if let Self::Access(error) = self {
            return error.advice().map(str::to_owned);
        }
        if let Self::RegistryFails(_) = self {
            let advice =
                "it runs and does not serve: see its log, and whether what it keeps its schemas in is up";
            return Some(advice.to_owned());
        }
        let variable = match self {
            Self::KafkaAway { .. } => "GISTMILL_KAFKA__BROKERS",
            Self::Registry(_) => "GISTMILL_REGISTRY__URL",
            Self::Postgres(_) if self.is_away() => "GISTMILL_POSTGRES__URL",
            _ => return None,
        };
        Some(format!("start it with `gistmill stack up`, or set {variable} to where it is"))
    }

    pub(super) fn kafka(brokers: &str, what: impl Into<String>) -> impl FnOnce(KafkaError) -> Self {
        let (brokers, what) = (brokers.to_owned(), what.into());
        move |source| match source.rdkafka_error_code() {
            Some(
                code @ (RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::Resolve),
            ) => Self::KafkaAway { brokers, source: Some(code) },
            code => match code.and_then(missing_permission) {
                Some(missing) => AccessError::NotAllowed { what, brokers, missing }.into(),
                None => Self::Kafka { what, brokers, source: Box::new(source) },
            },
        }
    }

    /// What a question to the registry has failed with.
    pub fn registry(error: &registry::Error) -> Self {
        match error {
            registry::Error::Denied { .. } => Self::RegistryDenied(error.describe()),
            registry::Error::Refused { .. } if error.is_away() => Self::RegistryFails(error.describe()),
            _ => Self::Registry(error.describe()),
        }
    }

    /// Why a value could not be decoded, through no fault of its own.
    pub fn no_schema(error: &DecodeError) -> Self {
        match error {
            DecodeError::Schema(SchemaSourceError::Denied(why)) => Self::RegistryDenied(why.clone()),
            _ => Self::Registry(engine::chain(error)),
        }
    }

    /// [`Error::kafka`] of a client that has just failed to reach a broker: what it complains of, if it does.
    pub(super) fn unreached(kafka: &Kafka, complaints: &Complaints) -> impl FnOnce(KafkaError) -> Self {
        let failed = Self::kafka(&kafka.brokers, "read the metadata");
        let denial = complaints.denial(&kafka.brokers, &kafka.properties);
        move |source| denial.map_or_else(|| failed(source), |denial| Self::Access(denial.into()))
    }
}

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        Self::Access(error.into())
    }
}

impl From<state::Error> for Error {
    fn from(error: state::Error) -> Self {
        Self::Postgres(Box::new(error))
    }
}

/// A map that contradicts itself is found by its own check; here it is only passed on.
impl From<topology::Error> for Error {
    fn from(error: topology::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_topic_lists_those_there_are() {
        let known = vec!["a.v1".to_owned(), "b.v1".to_owned()];
        let error = Error::UnknownTopic { name: "a".to_owned(), known };
        assert_eq!(error.to_string(), "no topic is called \"a\"; there are\n  a.v1\n  b.v1");
        assert_eq!((error.is_away(), error.advice()), (false, None));
    }

    #[test]
    fn a_registry_that_answers_is_not_to_be_started() {
        let refused = registry::Error::Refused {
            what: "list subjects".to_owned(),
            status: 500,
            code: 50001,
            message: "no database".to_owned(),
        };
        let error = Error::registry(&refused);
        assert!(error.is_away());
        assert!(error.advice().is_some_and(|advice| advice.starts_with("it runs and does not serve")));
    }

    #[test]
    fn a_refused_log_in_to_postgres_leaves_what_kafka_tells() {
        let denied = state::Error::Denied { finding: "refused".to_owned(), advice: "check it".to_owned() };
        assert!(Error::from(denied).is_of_postgres());
        assert!(!Error::from(state::Error::NotMigrated("gistmill".to_owned())).is_of_postgres());
        assert!(!Error::Registry("away".to_owned()).is_of_postgres());
    }

    #[test]
    fn who_is_away_is_told_from_what_is_wrong() {
        let by_code = |code| Error::kafka("b:1", "look")(KafkaError::MetadataFetch(code));
        let away = by_code(RDKafkaErrorCode::BrokerTransportFailure);
        assert_eq!(away.to_string(), "could not reach kafka at b:1 within 6 s");
        assert!(away.advice().is_some_and(|advice| advice.contains("GISTMILL_KAFKA__BROKERS")));
        assert!(!by_code(RDKafkaErrorCode::GroupAuthorizationFailed).is_away());
    }
}
