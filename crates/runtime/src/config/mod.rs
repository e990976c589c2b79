//! Configuration: defaults in code, overridden by a file, then by the environment; read and validated once.
//!
//! Invariant: no other part of the program reads the environment, and an unknown key is an error that names it.

mod checks;
mod doors;
mod gateway;
mod otlp;
mod sections;

use config::{Environment, File, FileFormat};
pub use doors::{Email, MailSecurity, Webhook};
use garde::Validate;
pub use gateway::Gateway;
pub use kafka_client::Properties;
use secrecy::ExposeSecret;
pub use sections::{
    DigestSettings, Embedding, Files, Http, Kafka, Keys, Postgres, Qdrant, Registry, Telegram,
    TelegramSession, Telemetry, Unknown,
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
    /// The HTTP door of tenants.
    #[garde(dive)]
    pub gateway: Gateway,
    /// What the digest processors are told.
    #[garde(dive)]
    pub digest: DigestSettings,
    /// Where `file_sink` writes.
    #[garde(dive)]
    pub files: Files,
    /// Where `telegram_sink` posts.
    #[garde(dive)]
    pub telegram: Telegram,
    /// By whom `telegram_session_source` reads.
    #[garde(dive)]
    pub telegram_session: TelegramSession,
    /// How `webhook_sink` posts.
    #[garde(dive)]
    pub webhook: Webhook,
    /// By whom `email_sink` sends.
    #[garde(dive)]
    pub email: Email,
    /// Where `qdrant_sink` puts what can be searched for.
    #[garde(dive)]
    pub qdrant: Qdrant,
    /// What makes vectors of texts.
    #[garde(dive)]
    pub embedding: Embedding,
    /// Language models, and which stage asks whom.
    #[garde(custom(checks::models))]
    pub llm: llm_client::Settings,
    /// What the keys of tenants are sealed with.
    #[garde(dive)]
    pub keys: Keys,
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
            gateway: Gateway::default(),
            digest: DigestSettings::default(),
            files: Files::default(),
            telegram: Telegram::default(),
            telegram_session: TelegramSession::default(),
            webhook: Webhook::default(),
            email: Email::default(),
            qdrant: Qdrant::default(),
            embedding: Embedding::default(),
            llm: llm_client::Settings::default(),
            keys: Keys::default(),
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
            // What requests are signed with is sealed with it.
            "webhook_sink" => self.keys.master.is_some(),
            "email_sink" => self.email.host.is_some(),
            "telegram_bot_source" | "telegram_sink" => self.telegram.token.is_some(),
            "telegram_session_source" => self.telegram_session.api_id.is_some(),
            // Of a connector that is new here: its setting is named above before it runs.
            _ => false,
        };
        !connector.optional || is_set_up
    }

    /// True for a connector that is used here or has left an offset, wherever it runs.
    pub fn is_known(&self, connector: &Connector, sinks: &[SinkOffset]) -> bool {
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

    /// A client of the language models; none where no stage asks one. Keys that the settings name are read here.
    ///
    /// # Errors
    /// Settings that cannot work, by name.
    pub fn models(&self) -> Result<Option<llm_client::Client>, llm_client::Error> {
        llm_client::Client::from_settings(&self.llm, &variable)
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

const DIGEST_VARIABLES: [(&str, &str); 6] = [
    ("digest.agent_enabled", "DIGEST_AGENT_ENABLED"),
    ("digest.agent_canary_tenants", "DIGEST_AGENT_CANARY_TENANTS"),
    ("digest.delivery_scope", "DIGEST_DELIVERY_SCOPE"),
    ("digest.quality_threshold", "DIGEST_QUALITY_THRESHOLD"),
    ("llm.pro_quota.tokens_per_month", "DIGEST_PRO_QUOTA_TOKENS_PER_MONTH"),
    ("llm.user_quota.requests_per_day", "DIGEST_USER_QUOTA_REQUESTS_PER_DAY"),
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

#[expect(clippy::disallowed_methods, reason = "configuration and keys are read here and nowhere else")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests;
