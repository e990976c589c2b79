//! What clients say of a broker that does not let them in, kept until it does.
//!
//! librdkafka makes one error of everything, a lost connection; why, it says in its callbacks only, and those are served
//! by polling.

use crate::{Denial, Properties, denial};
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    metadata::Metadata,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Facility of the log lines that tell why a connection has ended.
const FAILED: &str = "FAIL";

/// The newest complaint. Clones share it; the context of clients that nobody else listens to.
#[derive(Debug, Clone, Default)]
pub struct Complaints(Arc<Mutex<Heard>>);

#[derive(Debug, Default)]
struct Heard {
    newest: Option<denial::Complaint>,
    was_let_in: bool,
}

impl Complaints {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the error callback of a client is told.
    pub fn hear_error(&self, error: &KafkaError, reason: &str) {
        let complaint = error.rdkafka_error_code().and_then(|code| denial::of_error(code, reason));
        if complaint.is_some() {
            self.heard().newest = complaint;
        }
    }

    /// Takes what the log callback of a client is told: some reasons are no errors to librdkafka.
    pub fn hear_log(&self, facility: &str, message: &str) {
        let Some(complaint) = denial::of_log(message).filter(|_| facility == FAILED) else { return };
        let mut heard = self.heard();
        if !heard.was_let_in {
            heard.newest.get_or_insert(complaint);
        }
    }

    /// The broker has let a client in.
    pub fn forget(&self) {
        *self.heard() = Heard { newest: None, was_let_in: true };
    }

    /// Why the broker does not let clients of these settings in; none when nobody has said so. Blocks for some seconds
    /// at most: a certificate that librdkafka did not accept is looked at once more, to tell what is wrong with it, and
    /// so is a broker that it says nothing about.
    pub fn denial(&self, brokers: &str, properties: &Properties) -> Option<Denial> {
        let (newest, was_let_in) = {
            let heard = self.heard();
            (heard.newest.clone(), heard.was_let_in)
        };
        let silence = || denial::of_silence(brokers, properties).filter(|_| !was_let_in);
        let complaint = newest.or_else(silence)?;
        Denial::of(&complaint, brokers, properties)
    }
}

impl ClientContext for Complaints {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        self.hear_log(facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.hear_error(&error, reason);
    }
}

impl ConsumerContext for Complaints {}

/// Time after which a broker that has refused the client is not asked again: it says so at the first attempt.
const PATIENCE_WITH_DENIAL: Duration = Duration::from_millis(1_500);

/// Metadata of a topic, or of all; `complaints` are those that the client's context hears.
///
/// # Errors
/// What librdkafka says, after `timeout`, or sooner when the broker has refused the client.
pub fn metadata<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    complaints: &Complaints,
    topic: Option<&str>,
    timeout: Duration,
) -> KafkaResult<Metadata> {
    let first = PATIENCE_WITH_DENIAL.min(timeout);
    let asked = client.fetch_metadata(topic, first);
    let asked = match asked {
        Err(error) if is_silence(&error) => {
            listen(client);
            if complaints.heard().newest.is_some() {
                return Err(error);
            }
            client.fetch_metadata(topic, timeout.saturating_sub(first))
        }
        answer => answer,
    };
    match &asked {
        Ok(_) => complaints.forget(),
        Err(_) => listen(client),
    }
    asked
}

fn is_silence(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
        )
    )
}

/// Time for which callbacks are served; a client in trouble may add them as fast as that.
const LISTEN: Duration = Duration::from_millis(200);
/// Silence that says that there is nothing more to serve.
const SILENCE: Duration = Duration::from_millis(20);

/// Serves the callbacks of a client that reads nothing.
fn listen<C: ConsumerContext>(client: &BaseConsumer<C>) {
    let began = Instant::now();
    // An answer is an error that the context has heard of already.
    while client.poll(SILENCE).is_some() && began.elapsed() < LISTEN {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_kept_until_the_broker_lets_a_client_in() {
        let complaints = Complaints::default();
        let authentication = KafkaError::Global(RDKafkaErrorCode::Authentication);
        complaints.clone().error(authentication, "ssl://b:1/1: SASL authentication error: no");
        complaints.error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
        complaints.hear_log("CONFWARN", "SASL authentication error: another");
        let denial = complaints.denial("b:1", &Properties::default()).expect("a denial");
        assert!(denial.to_string().starts_with("kafka at b:1 refused the log-in"), "{denial}");
        complaints.forget();
        assert_eq!(complaints.denial("b:1", &Properties::default()), None);
    }

    #[test]
    fn a_broker_that_has_let_clients_in_and_closes_is_not_said_to_expect_a_log_in() {
        let closed = "ssl://b:1/1: Disconnected (after 0ms in state UP)";
        let complaints = Complaints::default();
        complaints.hear_log("FAIL", closed);
        assert!(complaints.heard().newest.is_some());
        complaints.forget();
        complaints.hear_log("FAIL", closed);
        assert!(complaints.heard().newest.is_none());
    }
}
