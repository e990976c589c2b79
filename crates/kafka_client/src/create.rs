//! Clients from settings. Invariant: what librdkafka says of settings that it refuses is cleared of their secrets.

use crate::secrets::{is_harmless, without_secrets};
use rdkafka::{
    ClientConfig, ClientContext, config::FromClientConfigAndContext, error::KafkaError, types::RDKafkaConfRes,
};

/// Settings that no client can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// librdkafka does not know the name.
    #[error("librdkafka has no property {0:?}: correct its name in kafka.properties")]
    Unknown(String),
    /// The value is not one of the property's.
    #[error("property {name} does not take {value}: {why}")]
    Value {
        /// The property.
        name: String,
        /// What was given, quoted; left out when it may be a secret.
        value: String,
        /// What librdkafka says.
        why: String,
    },
    /// The settings contradict each other, or name a file that cannot be used.
    #[error("could not make a kafka client of kafka.properties: {0}")]
    Refused(String),
}

/// A client with a context.
///
/// # Errors
/// The settings cannot work.
pub fn create<T, C>(config: &ClientConfig, context: C) -> Result<T, CreateError>
where
    C: ClientContext,
    T: FromClientConfigAndContext<C>,
{
    // Before librdkafka does it: OpenSSL's own hook would tear TLS down at exit, under threads that still use it, and a
    // process that leaves at once would die of that instead.
    openssl::init();
    T::from_config_and_context(config, context).map_err(|error| refused(error, config))
}

/// Asks librdkafka whether it takes each of the settings; makes nothing.
pub(crate) fn check(config: &ClientConfig) -> Result<(), CreateError> {
    config.create_native_config().map(drop).map_err(|error| refused(error, config))
}

fn refused(error: KafkaError, config: &ClientConfig) -> CreateError {
    match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            CreateError::Unknown(name)
        }
        KafkaError::ClientConfig(_, why, name, value) if is_harmless(&name) => {
            CreateError::Value { name, value: format!("{value:?}"), why }
        }
        // librdkafka's words quote the value.
        KafkaError::ClientConfig(_, _, name, _) => CreateError::Value {
            name,
            value: "the value given".to_owned(),
            why: "it is not printed, since it may be a secret".to_owned(),
        },
        KafkaError::ClientCreation(why) => CreateError::Refused(explained(without_secrets(&why, config))),
        other => CreateError::Refused(without_secrets(&other.to_string(), config)),
    }
}

/// librdkafka does not say that a key may be locked.
fn explained(why: String) -> String {
    if why.starts_with("ssl.key.") {
        return format!("{why}; is ssl.key.password the passphrase of that key?");
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::{consumer::BaseConsumer, consumer::DefaultConsumerContext};

    fn error(pairs: &[(&str, &str)]) -> String {
        let config: ClientConfig = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let made: Result<BaseConsumer, CreateError> = create(&config, DefaultConsumerContext);
        made.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_mistyped_password_is_not_told() {
        let text = error(&[("sasl.passwrod", "hunter2")]);
        assert!(text.contains("sasl.passwrod") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_value_that_is_not_taken_is_told_unless_it_may_be_a_secret() {
        let text = error(&[("session.timeout.ms", "soon")]);
        assert!(text.starts_with("property session.timeout.ms does not take \"soon\""), "{text}");
        let text = error(&[("enable.auto.commit", "perhaps")]);
        assert!(text.contains("perhaps"), "{text}");
        let text = error(&[("sasl.oauthbearer.assertion.claim.exp.seconds", "hunter2")]);
        assert!(text.contains("claim.exp.seconds") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_key_that_cannot_be_opened_names_the_passphrase() {
        let text = error(&[("security.protocol", "SSL"), ("ssl.key.location", "/dev/null")]);
        assert!(text.contains("ssl.key.location failed"), "{text}");
        assert!(text.ends_with("is ssl.key.password the passphrase of that key?"), "{text}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let text = error(&[("security.protocol", "SSL"), ("ssl.ca.location", "/no/such/ca.pem")]);
        assert!(text.contains("ssl.ca.location"), "{text}");
    }
}
