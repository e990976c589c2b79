//! Why a broker does not let a client in, as a sentence, and the setting to look at.
//!
//! Invariant: what librdkafka does not tell for certain is not guessed; its own words are given instead.

use crate::{Properties, second_look};
use certificate::Trust;
use rdkafka::error::RDKafkaErrorCode;
use std::fmt;

/// What a client has said, as far as it is a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// `host:port`; none of a broker that has no address of its own.
    broker: Option<String>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// User, password or token.
    LogIn(String),
    /// The mechanism is none of the broker's, which are told.
    Mechanism(String),
    /// The broker expects a log-in.
    LogInWanted,
    /// The broker speaks no TLS.
    NoTls,
    /// The broker speaks TLS.
    TlsWanted,
    /// The broker's certificate is not accepted.
    Certificate,
    /// The broker does not accept the client's certificate, or its absence.
    ClientCertificate(String),
    /// Another failure of TLS.
    Tls(String),
}

/// Pieces of the alerts by which a broker refuses a client's certificate.
const ALERTS: [&str; 7] = [
    "alert certificate required",
    "alert bad certificate",
    "alert certificate unknown",
    "alert certificate expired",
    "alert certificate revoked",
    "alert unknown ca",
    "client SSL authentication might be required",
];

/// The reason in what the error callback was told.
pub(crate) fn of_error(code: RDKafkaErrorCode, reason: &str) -> Option<Complaint> {
    let said = what(reason);
    let kind = match code {
        RDKafkaErrorCode::Authentication => match said.split_once("supported mechanisms: ") {
            Some((refused, offered)) if refused.contains("Unsupported SASL mechanism") => {
                Kind::Mechanism(offered.to_owned())
            }
            _ => Kind::LogIn(said.trim_start_matches("SASL authentication error: ").to_owned()),
        },
        _ if ALERTS.iter().any(|alert| said.contains(alert)) => Kind::ClientCertificate(said.to_owned()),
        _ if said.contains("certificate verify failed") => Kind::Certificate,
        _ if said.contains("connecting to a PLAINTEXT broker listener?") => Kind::NoTls,
        RDKafkaErrorCode::SSL => Kind::Tls(said.to_owned()),
        _ => return None,
    };
    Some(Complaint { broker: broker(reason), kind })
}

/// Age of a connection up to which its end says that the first request was not welcome.
const YOUNG_MS: u32 = 2_000;

/// The reason in a log line about an ended connection: a broker that expects a log-in closes it at the first request
/// without. One that is shut down does, too, so it is a reason only for a client that was never let in.
pub(crate) fn of_log(message: &str) -> Option<Complaint> {
    let (said, after) = message.rsplit_once(" (after ")?;
    let (age, state) = after.split_once("ms in state ")?;
    let is_young = age.parse::<u32>().is_ok_and(|age| age < YOUNG_MS);
    let is_it = is_young && state.starts_with("UP") && said.contains(": Disconnected");
    is_it.then(|| Complaint { broker: broker(said), kind: Kind::LogInWanted })
}

/// A client that was never let in and has no reason to tell: librdkafka is silent about a broker that speaks TLS to a
/// client that does not.
pub(crate) fn of_silence(brokers: &str, properties: &Properties) -> Option<Complaint> {
    let first = brokers.split(',').next().unwrap_or_default().trim();
    let broker = first.rsplit_once("://").map_or(first, |(_, address)| address);
    let is_it = !protocol(properties).ends_with("SSL") && second_look::speaks_tls(broker);
    is_it.then(|| Complaint { broker: Some(broker.to_owned()), kind: Kind::TlsWanted })
}

/// In capitals, whichever way it is written.
fn protocol(properties: &Properties) -> String {
    properties.get("security.protocol").unwrap_or("PLAINTEXT").to_uppercase()
}

/// `host:port` in `sasl_ssl://host:port/1: what`.
fn broker(reason: &str) -> Option<String> {
    let (_, address) = reason.rsplit_once("://")?;
    let (address, _) = address.split_once('/')?;
    Some(address.to_owned())
}

/// `what` in `sasl_ssl://host:port/1: what (after 3ms in state UP)`.
fn what(reason: &str) -> &str {
    let what =
        reason.rsplit_once("://").and_then(|(_, rest)| rest.split_once(": ")).map_or(reason, |(_, w)| w);
    what.rsplit_once(" (after ").map_or(what, |(what, _)| what)
}

/// A broker does not let a client in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    finding: String,
    advice: String,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding)
    }
}

impl Denial {
    /// What to do, and the setting to look at.
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// None when the settings contradict the reason.
    pub(crate) fn of(complaint: &Complaint, brokers: &str, properties: &Properties) -> Option<Self> {
        if complaint.kind == Kind::LogInWanted && protocol(properties).starts_with("SASL") {
            return None;
        }
        let broker = complaint.broker.as_deref().unwrap_or(brokers);
        let kafka = format!("kafka at {broker}");
        let setting = |name: &str| properties.get(name).unwrap_or("not set").to_owned();
        let (finding, advice) = match &complaint.kind {
            Kind::LogIn(said) => (
                format!("{kafka} refused the log-in of {}: {said}", who(properties)),
                "check sasl.username, sasl.password and sasl.mechanism in kafka.properties".to_owned(),
            ),
            Kind::Mechanism(offered) => (
                format!("{kafka} does not take log-ins by {}, only by {offered}", setting("sasl.mechanism")),
                "set sasl.mechanism in kafka.properties to one of these".to_owned(),
            ),
            Kind::LogInWanted => (
                format!(
                    "{kafka} closed the connection at the first request, as one does that expects a log-in"
                ),
                format!(
                    "set security.protocol in kafka.properties to SASL_SSL or SASL_PLAINTEXT (it is {}), with \
                     sasl.mechanism, sasl.username and sasl.password",
                    setting("security.protocol")
                ),
            ),
            Kind::NoTls => (
                format!("{kafka} does not speak TLS"),
                format!(
                    "kafka.properties says security.protocol={}: name a port that speaks TLS in kafka.brokers, or \
                     set it to PLAINTEXT or SASL_PLAINTEXT",
                    setting("security.protocol")
                ),
            ),
            Kind::TlsWanted => (
                format!("{kafka} speaks TLS, and this client does not"),
                format!(
                    "set security.protocol in kafka.properties to SSL or SASL_SSL (it is {})",
                    setting("security.protocol")
                ),
            ),
            Kind::Certificate => {
                let fault = second_look::fault(broker, properties);
                let trust = Trust {
                    setting: "ssl.ca.location in kafka.properties",
                    value: Some(properties.get("ssl.ca.location").unwrap_or("not set")),
                    address: "kafka.brokers, and in the broker's own advertised.listeners,",
                };
                (fault.finding(&kafka), fault.advice(trust))
            }
            Kind::ClientCertificate(said) => (
                format!("{kafka} did not accept this client's certificate: {said}"),
                format!(
                    "check ssl.certificate.location ({}) and ssl.key.location ({}) in kafka.properties",
                    setting("ssl.certificate.location"),
                    setting("ssl.key.location")
                ),
            ),
            Kind::Tls(said) => (
                format!("could not agree on TLS with {kafka}: {said}"),
                "check security.protocol and the ssl.* settings in kafka.properties".to_owned(),
            ),
        };
        Some(Self { finding, advice })
    }
}

/// The user, as far as the settings name one.
fn who(properties: &Properties) -> String {
    let mechanism = properties.get("sasl.mechanism").map_or_else(String::new, |name| format!(" by {name}"));
    match properties.get("sasl.username") {
        Some(user) => format!("user {user:?}{mechanism}"),
        None => format!("this client{mechanism}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "sasl_ssl://b:9093/bootstrap: ";
    const AFTER: &str = " (after 301ms in state AUTH_REQ, 1 identical error(s) suppressed)";

    fn told(code: RDKafkaErrorCode, said: &str) -> (String, String) {
        let complaint = of_error(code, &format!("{PEER}{said}{AFTER}")).expect("a reason");
        assert_eq!(complaint.broker.as_deref(), Some("b:9093"));
        let properties = Properties::from_pairs([
            ("sasl.username", "ann"),
            ("sasl.mechanisms", "PLAIN"),
            ("security.protocol", "SASL_SSL"),
        ]);
        let denial = Denial::of(&complaint, "x:1", &properties).expect("a denial");
        (denial.to_string(), denial.advice().to_owned())
    }

    #[test]
    fn a_refused_log_in_names_the_user_and_never_the_password() {
        let said = "SASL authentication error: Authentication failed: Invalid username or password";
        let (finding, advice) = told(RDKafkaErrorCode::Authentication, said);
        let expected = "kafka at b:9093 refused the log-in of user \"ann\" by PLAIN: Authentication failed: Invalid \
                        username or password";
        assert_eq!(finding, expected);
        assert!(advice.contains("sasl.password"), "{advice}");
    }

    #[test]
    fn a_mechanism_that_is_not_the_brokers_tells_those_that_are() {
        let said = "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported \
                    mechanisms: SCRAM-SHA-512,GSSAPI";
        let (finding, advice) = told(RDKafkaErrorCode::Authentication, said);
        assert_eq!(finding, "kafka at b:9093 does not take log-ins by PLAIN, only by SCRAM-SHA-512,GSSAPI");
        assert!(advice.contains("sasl.mechanism"), "{advice}");
    }

    #[test]
    fn each_side_of_tls_is_told_from_the_other() {
        let plain = "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?";
        let (finding, advice) = told(RDKafkaErrorCode::BrokerTransportFailure, plain);
        assert_eq!(finding, "kafka at b:9093 does not speak TLS");
        assert!(advice.contains("security.protocol=SASL_SSL"), "{advice}");
    }

    #[test]
    fn a_broker_that_closes_at_the_first_request_expects_a_log_in() {
        let log = format!("[thrd:{PEER}]: ssl://b:9093/1: Disconnected: SSL connection closed by peer");
        let complaint = of_log(&format!("{log} (after 0ms in state UP)")).expect("a reason");
        assert_eq!((complaint.broker.as_deref(), &complaint.kind), (Some("b:9093"), &Kind::LogInWanted));
        assert_eq!(of_log(&format!("{log} (after 60000ms in state UP)")), None);
        let told = |protocol| {
            Denial::of(&complaint, "x:1", &Properties::from_pairs([("security.protocol", protocol)]))
        };
        assert_eq!(told("sasl_ssl"), None);
        let advice = told("ssl").expect("a denial").advice;
        assert!(advice.starts_with("set security.protocol in kafka.properties to SASL_SSL"), "{advice}");
    }

    #[test]
    fn a_certificate_is_told_from_the_clients_own() {
        let required = "Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required: SSL alert \
                        number 116";
        let (finding, advice) = told(RDKafkaErrorCode::BrokerTransportFailure, required);
        assert!(
            finding.starts_with("kafka at b:9093 did not accept this client's certificate: "),
            "{finding}"
        );
        assert!(advice.contains("ssl.certificate.location (not set)"), "{advice}");
    }

    #[test]
    fn an_outage_is_no_denial() {
        let refused = "Connect to ipv4#127.0.0.1:9092 failed: Connection refused";
        assert_eq!(of_error(RDKafkaErrorCode::BrokerTransportFailure, refused), None);
        assert_eq!(of_error(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down"), None);
    }
}
