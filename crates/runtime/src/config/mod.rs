//! Configuration: defaults in code, overridden by a file, then by the environment; read and validated once.
//!
//! Invariant: no other part of the program reads the environment, and an unknown key is an error that names it.

mod checks;
mod otlp;
mod sections;

use config::{Environment, File, FileFormat};
use garde::Validate;
pub use kafka_client::Properties;
use secrecy::ExposeSecret;
pub use sections::{
    DigestSettings, Embedding, Files, Http, Kafka, Postgres, Qdrant, Registry, Telegram, Telemetry,
};
use serde::Deserialize;
use state::SinkOffset;
use std::path::Path;
use topology::{Connector, Prefix};

/// Settings of every processor, connector and command. Environment: `GISTMILL_KAFKA__BROKERS` sets
/// `kafka.brokers`; the `DIGEST_*` names of the event contract set `digest.*`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Put before topics, groups and transactional ids, and into the Postgres schema. Default: none.
    #[garde(skip)]
    pub prefix: Prefix,
    /// Name of this instance, stable over restarts and different from its neighbours'. Default: `0`.
    #[garde(length(min = 1, max = 64))]
    pub instance: String,
    /// Directory for lock files. Default: the system's directory for temporary files.
    #[garde(skip)]
    pub lock_dir: Option<std::path::PathBuf>,
    /// Broker.
    #[garde(dive)]
    pub kafka: Kafka,
    /// Schema registry.
    #[garde(dive)]
    pub registry: Registry,
    /// Database.
    #[garde(dive)]
    pub postgres: Postgres,
    /// Health and metrics.
    #[garde(dive)]
    pub http: Http,
    /// What the digest processors are told.
    #[garde(dive)]
    pub digest: DigestSettings,
    /// Where `file_sink` writes.
    #[garde(dive)]
    pub files: Files,
    /// Where `telegram_sink` posts.
    #[garde(dive)]
    pub telegram: Telegram,
    /// Where `qdrant_sink` puts what can be searched for.
    #[garde(dive)]
    pub qdrant: Qdrant,
    /// What makes vectors of texts.
    #[garde(dive)]
    pub embedding: Embedding,
    /// Logs and traces.
    #[garde(dive)]
    pub telemetry: Telemetry,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            prefix: Prefix::none(),
            instance: "0".to_owned(),
            lock_dir: None,
            kafka: Kafka::default(),
            registry: Registry::default(),
            postgres: Postgres::default(),
            http: Http::default(),
            digest: DigestSettings::default(),
            files: Files::default(),
            telegram: Telegram::default(),
            qdrant: Qdrant::default(),
            embedding: Embedding::default(),
            telemetry: Telemetry::default(),
        }
    }
}

/// Configuration that cannot work; the message names the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An unknown key, a value of another type, or a file that is not there.
    #[error("could not read configuration: {0}")]
    Read(String),
    /// A value outside its bounds.
    #[error("configuration is out of bounds: {0}")]
    Invalid(String),
}

impl Config {
    /// Reads the file, if one is given, and the environment over it.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read(file, Environment::default())
    }

    /// Values of the environment stay text until a field says what it is: `007` may be a password.
    fn read(file: Option<&Path>, environment: Environment) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        let environment = environment.prefix("GISTMILL").prefix_separator("_").separator("__");
        builder = builder.add_source(environment);
        for (key, variable) in DIGEST_VARIABLES {
            builder = builder.set_override_option(key, digest_variable(variable)).map_err(unreadable)?;
        }
        let mut config: Self =
            builder.build().and_then(config::Config::try_deserialize).map_err(unreadable)?;
        config.telemetry.otlp_endpoint = otlp::traces_address(config.telemetry.otlp_endpoint, &variable);
        config
            .validate()
            .map_err(|report| ConfigError::Invalid(report.to_string().trim().replace('\n', "; ")))?;
        Ok(config)
    }

    /// The same configuration pointed at another broker, registry and database.
    pub fn at(mut self, brokers: &str, registry_url: &str, postgres_url: &str) -> Result<Self, ConfigError> {
        brokers.clone_into(&mut self.kafka.brokers);
        self.registry.url = registry_url.into();
        self.postgres.url = postgres_url.into();
        self.validate().map_err(|report| ConfigError::Invalid(report.to_string()))?;
        Ok(self)
    }

    /// True unless it is an optional connector that nothing is set up for.
    pub fn is_used(&self, connector: &Connector) -> bool {
        let is_set_up = match connector.name.as_str() {
            "qdrant_sink" => self.qdrant.url.is_some(),
            _ => self.telegram.token.is_some(),
        };
        !connector.optional || is_set_up
    }

    /// True for a connector that is used here or has left an offset, wherever it runs.
    pub(crate) fn is_known(&self, connector: &Connector, sinks: &[SinkOffset]) -> bool {
        self.is_used(connector) || sinks.iter().any(|offset| offset.consumer_group == connector.name)
    }

    /// The registry, and how to log in there.
    pub fn registry_options(&self) -> registry::Options {
        registry::Options {
            username: self.registry.username.clone(),
            password: self.registry.password.clone(),
            ca_location: self.registry.ca_location.clone(),
            ..registry::Options::new(self.registry.url.expose_secret())
        }
    }

    /// Address of the database, as the application role.
    pub fn postgres_url(&self) -> &str {
        self.postgres.url.expose_secret()
    }

    /// Address of the database as the owner of the schema.
    pub fn postgres_owner_url(&self) -> Option<&str> {
        self.postgres.owner_url.as_ref().map(ExposeSecret::expose_secret)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: config::ConfigError) -> ConfigError {
    ConfigError::Read(error.to_string())
}

const DIGEST_VARIABLES: [(&str, &str); 4] = [
    ("digest.agent_enabled", "DIGEST_AGENT_ENABLED"),
    ("digest.agent_canary_tenants", "DIGEST_AGENT_CANARY_TENANTS"),
    ("digest.delivery_scope", "DIGEST_DELIVERY_SCOPE"),
    ("digest.quality_threshold", "DIGEST_QUALITY_THRESHOLD"),
];

/// A variable of the event contract; its names carry no prefix of ours. `1` and `0` are read as booleans there.
fn digest_variable(name: &str) -> Option<String> {
    let value = variable(name)?;
    match (name, value.as_str()) {
        ("DIGEST_AGENT_ENABLED", "1") => Some("true".to_owned()),
        ("DIGEST_AGENT_ENABLED", "0") => Some("false".to_owned()),
        _ => Some(value),
    }
}

#[expect(clippy::disallowed_methods, reason = "configuration is read here and nowhere else")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Reads a file alone: where tests run, the environment names a stack.
    fn load(text: &str) -> Result<Config, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(text.as_bytes()).expect("write");
        Config::read(Some(file.path()), Environment::default().source(Some(config::Map::new())))
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = load("[kafka]\nbrokerz = 'x'\n").expect_err("unknown key").to_string();
        assert!(error.contains("brokerz") && error.contains("brokers"), "{error}");
    }

    #[test]
    fn dotted_properties_are_kept_whole_and_secrets_hidden() {
        let config =
            load("[kafka.properties]\n'security.protocol' = 'SASL_SSL'\n'sasl.password' = 'hunter2'\n")
                .expect("valid");
        assert_eq!(config.kafka.properties.0["security.protocol"], "SASL_SSL");
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn properties_from_one_string() {
        let config =
            load("[kafka]\nproperties = 'security.protocol=SSL; ssl.ca.location=/a=b'\n").expect("valid");
        assert_eq!(config.kafka.properties.0["ssl.ca.location"], "/a=b");
        assert!(load("[kafka]\nproperties = 'nonsense'\n").is_err());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let refused = [
            ("[kafka]\nbrokers = 9092", "kafka.brokers: \"9092\" is no address of a broker"),
            ("[kafka]\nbrokers = 'a:1,b'", "kafka.brokers: \"b\" is no address of a broker"),
            ("[kafka]\nbrokers = 'a:0'", "kafka.brokers: \"a:0\" is no address of a broker"),
            ("[postgres]\nurl = 'pg://ann:hunter2@h/d'", "postgres.url: expected postgres://USER"),
            ("[postgres]\nowner_url = 'hunter2'", "postgres.owner_url: expected postgres://USER"),
            ("[registry]\nurl = 'localhost:8081'", "registry.url: expected http://HOST"),
            ("[telegram]\napi = 'api.telegram.org'", "telegram.api: expected https://HOST"),
            ("[qdrant]\nurl = 'localhost:6334'", "qdrant.url: expected http://HOST:PORT"),
            ("[embedding]\nurl = 'localhost'", "embedding.url: expected https://HOST/v1"),
            ("[embedding]\ndimension = 70000", "embedding.dimension"),
            ("[telemetry]\nlog = 'inof'", "telemetry.log: \"inof\" is no level"),
            ("[telemetry]\nlog = 'runtime=loud,warn'", "telemetry.log: \"loud\" is no level"),
            ("[kafka]\nproperties = 'sasl.passwrod=hunter2'", "librdkafka has no property \"sasl.passwrod\""),
            ("[kafka.consumer_properties]\n'session.timeout.ms' = 'soon'", "does not take \"soon\""),
        ];
        for (text, named) in refused {
            let error = load(text).expect_err(text).to_string();
            assert!(error.contains(named) && !error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_of_the_environment_is_taken_as_it_is_written() {
        for password in ["007", "1e5", "true", "a@;%"] {
            let variables = [
                ("GISTMILL_REGISTRY__PASSWORD", password),
                ("GISTMILL_KAFKA__PAIRS", "2"),
                ("GISTMILL_TELEMETRY__JSON", "false"),
                ("GISTMILL_DIGEST__QUALITY_THRESHOLD", "0.25"),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let environment = Environment::default().source(Some(variables.into_iter().collect()));
            let config = Config::read(None, environment).expect("valid");
            let read = config.registry.password.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(read, Some(password));
            assert_eq!((config.kafka.pairs, config.telemetry.json), (2, false));
            assert_eq!(config.digest.quality_threshold, Some(0.25));
        }
    }

    #[test]
    fn what_is_meant_is_taken() {
        for text in [
            "[kafka]\nbrokers = 'a:1, ssl://b.c:9093,[::1]:9092'",
            "[postgres]\nurl = 'postgresql://ann:p%40;@h:1/d?sslmode=verify-full'",
            "[telemetry]\nlog = 'info,librdkafka=off,runtime=DEBUG'",
        ] {
            load(text).expect(text);
        }
    }

    #[test]
    fn a_value_out_of_bounds_is_named() {
        let error = load("[digest]\nquality_threshold = 1.5\n").expect_err("out of bounds").to_string();
        assert!(error.contains("quality_threshold"), "{error}");
    }
}
