//! Configuration: defaults in code, overridden by a file, then by the environment; read and validated once.
//!
//! Invariant: no other part of the program reads the environment, and an unknown key is an error that names it.

use config::{Environment, File, FileFormat};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{collections::BTreeMap, fmt, path::Path};
use topology::Prefix;

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
            telemetry: Telemetry::default(),
        }
    }
}

/// Broker.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Bootstrap servers.
    #[garde(length(min = 1))]
    pub brokers: String,
    /// Any librdkafka property, for all clients: security, timeouts, ... In the environment `key=value;key=value`.
    #[garde(skip)]
    pub properties: Properties,
    /// For consumers only.
    #[garde(skip)]
    pub consumer_properties: Properties,
    /// For producers only.
    #[garde(skip)]
    pub producer_properties: Properties,
    /// Consumer and producer pairs per processor. Default: 1; the partitions are split among them.
    #[garde(range(min = 1, max = 64))]
    pub pairs: usize,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:29090".to_owned(),
            properties: Properties::default(),
            consumer_properties: Properties::default(),
            producer_properties: Properties::default(),
            pairs: 1,
        }
    }
}

/// Schema registry.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    /// Root of the Confluent API; credentials may stand in the URL.
    #[garde(skip)]
    pub url: SecretString,
}

impl Default for Registry {
    fn default() -> Self {
        Self { url: "http://127.0.0.1:29092/apis/ccompat/v7".into() }
    }
}

/// Database.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// As the application role, which row-level security holds.
    #[garde(skip)]
    pub url: SecretString,
    /// As the owner of the schema, for migrations only.
    #[garde(skip)]
    pub owner_url: Option<SecretString>,
}

impl Default for Postgres {
    fn default() -> Self {
        Self { url: "postgres://gistmill_app@127.0.0.1:29094/gistmill".into(), owner_url: None }
    }
}

/// Health and metrics.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address for `/livez`, `/readyz` and `/metrics`, such as `127.0.0.1:9100`. Default: none is opened.
    #[garde(skip)]
    pub listen: Option<std::net::SocketAddr>,
}

/// What the digest processors are told; the environment's names are those of the event contract.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct DigestSettings {
    /// `DIGEST_AGENT_ENABLED`: digests for every tenant. Default: true.
    #[garde(skip)]
    pub agent_enabled: bool,
    /// `DIGEST_AGENT_CANARY_TENANTS`: tenants that get digests even when that is off; CSV or a JSON array.
    #[garde(skip)]
    pub agent_canary_tenants: String,
    /// `DIGEST_DELIVERY_SCOPE`: scope without which a digest is blocked.
    #[garde(length(min = 1))]
    pub delivery_scope: String,
    /// `DIGEST_QUALITY_THRESHOLD`: quality score in [0, 1] below which a digest is blocked. Default: the gate's own.
    #[garde(inner(range(min = 0.0, max = 1.0)))]
    pub quality_threshold: Option<f64>,
}

impl Default for DigestSettings {
    fn default() -> Self {
        Self {
            agent_enabled: true,
            agent_canary_tenants: String::new(),
            delivery_scope: "DIGEST_READ".to_owned(),
            quality_threshold: None,
        }
    }
}

/// Where `file_sink` writes.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Directory of digests, made when missing. Default: `out`.
    #[garde(skip)]
    pub directory: std::path::PathBuf,
}

impl Default for Files {
    fn default() -> Self {
        Self { directory: "out".into() }
    }
}

/// Logs and traces.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Filter of log lines, such as `info` or `runtime=debug,warn`.
    #[garde(length(min = 1))]
    pub log: String,
    /// Log lines as JSON. Default: true; `gistmill up` in a terminal prints text.
    #[garde(skip)]
    pub json: bool,
    /// OTLP endpoint over HTTP for traces, such as `http://127.0.0.1:4318/v1/traces`. Default: none are sent.
    #[garde(skip)]
    pub otlp_endpoint: Option<String>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log: "info".to_owned(), json: true, otlp_endpoint: None }
    }
}

/// librdkafka properties.
#[derive(Clone, Default)]
pub struct Properties(pub BTreeMap<String, String>);

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden =
            |key: &str| ["password", "secret", "jaas", "key.pem"].iter().any(|word| key.contains(word));
        f.debug_map()
            .entries(self.0.iter().map(|(key, value)| (key, if hidden(key) { "[redacted]" } else { value })))
            .finish()
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Map(BTreeMap<String, String>),
            Text(String),
        }
        let text = match Form::deserialize(deserializer)? {
            Form::Map(map) => return Ok(Self(map)),
            Form::Text(text) => text,
        };
        let pairs = text.split([';', '\n']).map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| D::Error::custom(format!("expected key=value;key=value, found {pair:?}")))?;
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        };
        Ok(Self(pairs.map(pair).collect::<Result<_, D::Error>>()?))
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
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        let environment =
            Environment::with_prefix("GISTMILL").prefix_separator("_").separator("__").try_parsing(true);
        builder = builder.add_source(environment);
        for (key, variable) in DIGEST_VARIABLES {
            builder = builder.set_override_option(key, digest_variable(variable)).map_err(unreadable)?;
        }
        let config: Self = builder.build().and_then(config::Config::try_deserialize).map_err(unreadable)?;
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

    /// Root of the registry's API.
    pub fn registry_url(&self) -> &str {
        self.registry.url.expose_secret()
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
#[expect(clippy::disallowed_methods, reason = "configuration is read here and nowhere else")]
fn digest_variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    match (name, value.as_str()) {
        ("DIGEST_AGENT_ENABLED", "1") => Some("true".to_owned()),
        ("DIGEST_AGENT_ENABLED", "0") => Some("false".to_owned()),
        _ => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(text.as_bytes()).expect("write");
        Config::load(Some(file.path()))
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
    fn a_value_out_of_bounds_is_named() {
        let error = load("[digest]\nquality_threshold = 1.5\n").expect_err("out of bounds").to_string();
        assert!(error.contains("quality_threshold"), "{error}");
    }
}
