//! What all clients of a process say about the broker: whether it is there, and its complaints, each once in a while.
//!
//! A broker that goes away makes every client complain at every attempt; people need to hear of it once.

use kafka_client::{Complaints, without_quoted_settings};
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::{debug, warn};

/// Time for which the same complaint is not repeated.
const SILENCE: Duration = Duration::from_secs(10);

/// The broker as its clients see it. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    is_away: AtomicBool,
    /// What was found when the broker was looked for; none before that.
    why_away: Mutex<Option<String>>,
    complaints: Complaints,
    said: Mutex<BTreeMap<String, Instant>>,
}

impl Standing {
    /// True since a client lost its last connection, until [`Standing::is_back`].
    pub(crate) fn is_away(&self) -> bool {
        self.0.is_away.load(Ordering::Relaxed)
    }

    /// The broker has answered.
    pub(crate) fn is_back(&self) {
        self.0.is_away.store(false, Ordering::Relaxed);
        self.0.complaints.forget();
        *self.0.why_away.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The broker was looked for, and this was found.
    pub(crate) fn is_away_because(&self, why: &str) {
        *self.0.why_away.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    /// What was found when the broker was last looked for in vain.
    pub(crate) fn why_away(&self) -> Option<String> {
        self.0.why_away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the broker does not let clients in.
    pub(crate) fn complaints(&self) -> &Complaints {
        &self.0.complaints
    }

    /// True when this was not said a moment ago.
    fn is_news(&self, what: &str) -> bool {
        let mut said = self.0.said.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if said.get(what).is_some_and(|at| now.duration_since(*at) < SILENCE) {
            return false;
        }
        said.insert(what.to_owned(), now);
        true
    }
}

impl ClientContext for Standing {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let message = without_quoted_settings(message);
        self.0.complaints.hear_log(facility, &message);
        let is_ordinary = level as i32 > RDKafkaLogLevel::Warning as i32;
        if is_ordinary || self.is_away() || !self.is_news(facility) {
            debug!(facility, message, "kafka client");
        } else {
            warn!(facility, message, "kafka client");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let reason = without_quoted_settings(reason);
        self.0.complaints.hear_error(&error, &reason);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.0.is_away.store(true, Ordering::Relaxed);
        }
        if self.is_away() || !self.is_news(&error.to_string()) {
            debug!(%error, reason, "broker connection");
        } else {
            warn!(%error, reason, "broker connection");
        }
    }
}

impl ConsumerContext for Standing {}

impl ProducerContext for Standing {
    type DeliveryOpaque = ();

    /// The transaction tells: a record that was not delivered fails its commit.
    fn delivery(&self, _: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_away_from_the_last_lost_connection_until_it_answers() {
        let standing = Standing::default();
        standing.error(KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), "one of two");
        assert!(!standing.is_away());
        standing.clone().error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "2/2 brokers are down");
        assert!(standing.is_away());
        standing.is_back();
        assert!(!standing.is_away());
    }

    #[test]
    fn the_same_is_said_once_in_a_while() {
        let standing = Standing::default();
        assert!(standing.is_news("FAIL"));
        assert!(!standing.clone().is_news("FAIL"));
        assert!(standing.is_news("GETPID"));
    }
}
