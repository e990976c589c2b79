//! What all requests share.

use crate::{
    events::Events, held::Held, limit::Limits, metrics::Metrics, pages::Console, produce::Writers,
    remembered::Remembered,
};
use digest_trigger::{DigestTrigger, canary_tenants};
use runtime::Config;
use state::{Schema, Store, StoreOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Semaphore, watch};
use topology::Map;

/// Connections to Postgres.
const CONNECTIONS_MAX: u32 = 16;
/// Longest statement in ms, and longest wait for a connection: somebody waits for the answer.
const STATEMENT_MS: u32 = 10_000;
const ACQUIRE_MS: u32 = 2_000;
/// Looks at the broker at once that people may ask for (dead letters, lag, settings).
const LOOKS_MAX: usize = 4;

/// Why the door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something of the settings, the map or the document.
    #[error("could not {what}: {why}")]
    Set {
        /// What was attempted.
        what: &'static str,
        /// Why it failed.
        why: String,
    },
    /// The address cannot be listened on.
    #[error("could not listen on {address}: is the port taken? gateway.listen names another")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

pub(crate) fn set<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> StartError {
    move |why| StartError::Set { what, why: why.to_string() }
}

/// What all requests share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(pub(crate) Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) map: Map,
    pub(crate) store: Store,
    pub(crate) trigger: DigestTrigger,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    pub(crate) writers: Writers,
    pub(crate) looks: Arc<Semaphore>,
    pub(crate) events: Events,
    pub(crate) held: Held,
    pub(crate) console: Console,
    pub(crate) remembered: Remembered,
    /// Whether the broker answered when it was asked last.
    pub(crate) broker_answers: AtomicBool,
    pub(crate) stopping: watch::Sender<bool>,
}

impl App {
    /// Everything that requests need; connects when first used.
    ///
    /// # Errors
    /// [`StartError::Set`].
    pub async fn new(config: Config) -> Result<Self, StartError> {
        let schema = Schema::of_prefix(config.prefix.as_str()).map_err(set("name the database schema"))?;
        let options = StoreOptions {
            schema,
            connections_max: CONNECTIONS_MAX,
            statement_timeout_ms: STATEMENT_MS,
            acquire_timeout_ms: ACQUIRE_MS,
        };
        let store = Store::open(config.postgres_url(), &options).await;
        let canary = canary_tenants(&config.digest.agent_canary_tenants);
        let trigger = DigestTrigger {
            agent_enabled: config.digest.agent_enabled,
            canary_tenants: canary.map_err(set("read DIGEST_AGENT_CANARY_TENANTS"))?,
            ..DigestTrigger::default()
        };
        let limits = Limits::new(config.gateway.rate_per_minute);
        let events = Events::new(config.gateway.listeners_max);
        Ok(Self(Arc::new(Shared {
            map: Map::embedded().map_err(set("read the map"))?,
            store: store.map_err(set("use the database's address"))?,
            trigger,
            metrics: Metrics::new().map_err(set("register metrics"))?,
            limits,
            writers: Writers::default(),
            looks: Arc::new(Semaphore::new(LOOKS_MAX)),
            events,
            held: Held::default(),
            console: Console::default(),
            remembered: Remembered::default(),
            broker_answers: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
            config,
        })))
    }

    /// Asks everything that goes on to end: readiness is gone, and listeners are sent away.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.0.config.gateway.request_timeout_s)
    }

    pub(crate) fn notes_broker(&self, answers: bool) {
        self.0.broker_answers.store(answers, Ordering::Relaxed);
    }

    pub(crate) fn broker_answers(&self) -> bool {
        self.0.broker_answers.load(Ordering::Relaxed)
    }
}
