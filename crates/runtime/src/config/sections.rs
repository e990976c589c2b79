//! The sections of the configuration, with their defaults.

use super::{Properties, checks};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::SocketAddr;

/// Broker.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Bootstrap servers.
    #[garde(custom(checks::brokers))]
    pub brokers: String,
    /// Any librdkafka property, for all clients: security, timeouts, ... In the environment `key=value;key=value`.
    #[garde(custom(checks::properties))]
    pub properties: Properties,
    /// For consumers only.
    #[garde(custom(checks::properties))]
    pub consumer_properties: Properties,
    /// For producers only.
    #[garde(custom(checks::properties))]
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
    /// Root of the Confluent API; credentials may stand in the URL. Several, with commas between them: the next is asked
    /// where one is away.
    #[garde(custom(checks::registry_url))]
    pub url: SecretString,
    /// User for basic authentication, before one in the URL. Default: none.
    #[garde(skip)]
    pub username: Option<String>,
    /// Its password.
    #[garde(skip)]
    pub password: Option<SecretString>,
    /// PEM file with the authorities that are trusted besides those of the system. Default: none.
    #[garde(skip)]
    pub ca_location: Option<String>,
}

impl Default for Registry {
    fn default() -> Self {
        let url = "http://127.0.0.1:29092/apis/ccompat/v7".into();
        Self { url, username: None, password: None, ca_location: None }
    }
}

/// Database.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// As the application role, which row-level security holds.
    #[garde(custom(checks::postgres_url))]
    pub url: SecretString,
    /// As the owner of the schema, for migrations only.
    #[garde(custom(checks::postgres_urls))]
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
    pub listen: Option<SocketAddr>,
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
    /// Versions of a window that Postgres and files keep, the newest of them. Default: 10; a message edited every few
    /// minutes makes a version each time.
    #[garde(range(min = 1, max = 10_000))]
    pub versions_kept: u32,
}

impl Default for DigestSettings {
    fn default() -> Self {
        Self {
            agent_enabled: true,
            agent_canary_tenants: String::new(),
            delivery_scope: "DIGEST_READ".to_owned(),
            quality_threshold: None,
            versions_kept: state::VERSIONS_KEPT,
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

/// The bot by which `telegram_sink` posts and `telegram_bot_source` reads; which chat a group's digests go to, its own settings say.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Telegram {
    /// Token of the bot. Default: none, and `gistmill up` leaves the sink out.
    #[garde(skip)]
    pub token: Option<SecretString>,
    /// Base of the Bot API's addresses. Default: Telegram's own; a server of one's own for tests and for the local
    /// Bot API server.
    #[garde(custom(checks::bot_api))]
    pub api: String,
    /// Whether digests are rich messages (headings, lists, folded topics) where the server takes them. Default: true;
    /// clients from before June 2026 show something else in their place.
    #[garde(skip)]
    pub rich_messages: bool,
    /// What becomes of a new message of a digest of which nobody knows whether it was posted. Default: `keep`, it is
    /// `unknown` until an operator settles it; `resend` posts it once more, so that the chat may have it twice.
    #[garde(skip)]
    pub unknown: Unknown,
    /// Address of `https` at which Telegram brings updates to `telegram_bot_source`. Default: none, and they are polled.
    #[garde(skip)]
    pub webhook_url: Option<String>,
    /// What Telegram proves with that it is Telegram: 1 to 256 letters, digits, `_` and `-`.
    #[garde(skip)]
    pub webhook_secret: Option<SecretString>,
    /// Where `telegram_bot_source` listens for what a proxy with that address passes on. Default: `127.0.0.1:8443`.
    #[garde(skip)]
    pub webhook_listen: SocketAddr,
}

/// Users' own sessions, by which `telegram_session_source` reads.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct TelegramSession {
    /// The application's number, from <https://my.telegram.org>. Default: none, and `gistmill up` leaves the source out.
    #[garde(skip)]
    pub api_id: Option<i32>,
    /// The application's secret, from there: to log in.
    #[garde(skip)]
    pub api_hash: Option<SecretString>,
    /// Most sessions that a process reads by; those above are named in the log. Default: 1000.
    #[garde(range(min = 1, max = 10_000))]
    pub sessions_max: usize,
    /// A chat, and so its session, from which nothing came for so many minutes is asked; nothing is promised of it until it
    /// answers. Default: 15, as Telegram wants it.
    #[garde(range(min = 1, max = 1_440))]
    pub timeout_minutes: u32,
}

impl Default for TelegramSession {
    fn default() -> Self {
        Self { api_id: None, api_hash: None, sessions_max: 1_000, timeout_minutes: 15 }
    }
}

/// What becomes of an effect of which nobody knows whether it was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It waits for an operator: never twice.
    #[default]
    Keep,
    /// It is done once more: twice rather than never.
    Resend,
}

impl Default for Telegram {
    fn default() -> Self {
        Self {
            token: None,
            api: "https://api.telegram.org".to_owned(),
            rich_messages: true,
            unknown: Unknown::default(),
            webhook_url: None,
            webhook_secret: None,
            webhook_listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
        }
    }
}

/// The index of vectors that `qdrant_sink` fills.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Qdrant {
    /// Address of Qdrant's gRPC interface, such as `http://127.0.0.1:6334`. Default: none, and `gistmill up` leaves the
    /// sink out.
    #[garde(inner(custom(checks::qdrant)))]
    pub url: Option<String>,
    /// Key, where the server wants one. Default: none.
    #[garde(skip)]
    pub api_key: Option<SecretString>,
    /// Whether the local stack's development front will do. Default: false, and it is refused by name.
    #[garde(skip)]
    pub development_front: bool,
}

/// What makes vectors of texts. Default: the built-in embedding, which needs nothing else.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Embedding {
    /// What comes before `/embeddings` in the address of an endpoint that speaks `OpenAI`'s API, such as
    /// `https://api.openai.com/v1`. Default: none, and the built-in embedding is used.
    #[garde(inner(custom(checks::endpoint)))]
    pub url: Option<String>,
    /// The endpoint's name of the model.
    #[garde(length(max = 200))]
    pub model: String,
    /// Its name for queries, where the model takes them otherwise than texts (`e5-query` beside `e5-passage`). Default: the
    /// same.
    #[garde(skip)]
    pub query_model: Option<String>,
    /// Numbers in the model's vectors. Another number is another collection.
    #[garde(range(max = 65_535))]
    pub dimension: usize,
    /// Sent as a bearer token. Default: none.
    #[garde(skip)]
    pub api_key: Option<SecretString>,
    /// Most texts in a request. Default: 64.
    #[garde(range(min = 1, max = 2_048))]
    pub batch_max: usize,
}

impl Default for Embedding {
    fn default() -> Self {
        Self {
            url: None,
            model: String::new(),
            query_model: None,
            dimension: 0,
            api_key: None,
            batch_max: 64,
        }
    }
}

/// What the keys of tenants for language models are sealed with, in the database.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// 32 random bytes in base64. Default: none, and no key of a tenant can be kept or used.
    #[garde(skip)]
    pub master: Option<SecretString>,
    /// Those before it, with commas between them, until `gistmill keys rotate` has sealed all keys anew.
    #[garde(skip)]
    pub former: Option<SecretString>,
}

impl Keys {
    /// The former master keys, one by one.
    pub fn former(&self) -> Vec<SecretString> {
        let text = self.former.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        text.split(',').map(str::trim).filter(|key| !key.is_empty()).map(SecretString::from).collect()
    }
}

/// Logs and traces.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Filter of log lines, such as `info` or `runtime=debug,warn`.
    #[garde(custom(checks::log_filter))]
    pub log: String,
    /// Log lines as JSON. Default: true; `gistmill up` in a terminal prints text.
    #[garde(skip)]
    pub json: bool,
    /// Address of an OTLP collector over HTTP, such as `http://127.0.0.1:4318`: traces go to `/v1/traces` there. Default:
    /// what `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` (whole) or `OTEL_EXPORTER_OTLP_ENDPOINT` says; without them none are
    /// sent. Headers, compression and timeout are taken from the other variables of that name.
    #[garde(custom(checks::otlp_endpoint))]
    pub otlp_endpoint: Option<String>,
    /// Share of traces of which each unit logs a line for what it makes, writes or delivers, from 0 to 1; a digest's lines are
    /// all there or none. What fails has its line always. Default: 0.01.
    #[garde(range(min = 0.0, max = 1.0))]
    pub sample: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log: "info".to_owned(), json: true, otlp_endpoint: None, sample: 0.01 }
    }
}
