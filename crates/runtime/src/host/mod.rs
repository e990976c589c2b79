//! A process: its units (processors, sinks, sources), each on threads of its own, what they share, and its end.
//!
//! Invariant: when one unit cannot go on, the others do, and the process ends with an error that says why: once it is
//! asked to stop, or when no unit is left.

mod binding;
mod blast_radius;
mod clock;
mod error;
mod health;
mod held_up;
mod index;
mod leading;
mod leaving;
mod letters;
pub(crate) mod lock;
mod pair;
mod partition_counts;
mod peer;
mod peers_watch;
mod processors;
mod shared;
mod sink_unit;
mod source_unit;
mod status;
mod stop;
mod supervisor;
mod units;
mod watch;
mod witness;

use crate::{clients::PostgresClient, config::Config, kafka::Standing, metrics::Metrics, trail::Trail};
pub use error::HostError;
use error::start_error;
pub use index::{embedding_model, index};
use lock::InstanceLock;
pub use lock::LockError;
use registry::RegistrySource;
pub(crate) use shared::{Shared, Wait};
pub use source_unit::SourceEnd;
use state::{Schema, Store, StoreOptions};
pub(crate) use status::UnitStatus;
use std::{
    sync::{Arc, Mutex, OnceLock},
    thread::JoinHandle,
    time::{Duration, Instant},
};
pub use stop::Stop;
use topology::Map;
use tracing::{error, info, warn};

/// Longest wait, after the process's start, for names that another process has: it may be about to end.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// Longest wait of a loop for a schema, with a transaction open perhaps: its partition is offered the record again.
const SCHEMA_PATIENCE: Duration = Duration::from_millis(500);

/// A process under construction: add units, then [`Host::run`].
pub struct Host {
    shared: Arc<Shared>,
    runtime: tokio::runtime::Runtime,
    units: Vec<Unit>,
    locks: Vec<InstanceLock>,
    /// Until when names that are taken are waited for.
    locks_until: Instant,
    postgres: Option<Arc<PostgresClient>>,
    /// Set once signals are listened for.
    watches_signals: OnceLock<()>,
}

struct Unit {
    status: Arc<UnitStatus>,
    thread: JoinHandle<Result<(), String>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("units", &self.units.len()).finish_non_exhaustive()
    }
}

impl Host {
    /// A process with this configuration, meant to have so many consumers.
    pub fn new(config: Config, consumers: usize) -> Result<Self, HostError> {
        crate::telemetry::use_tls_provider();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("gistmill-async")
            .enable_all()
            .build()
            .map_err(start_error("start the async runtime"))?;
        let registry = registry::Client::new(config.registry_options())
            .map_err(start_error("use the registry's address"))?;
        let trail = Trail::start(&config.telemetry).map_err(start_error("send traces"))?;
        let shared = Shared {
            map: Map::embedded().map_err(start_error("read the map"))?,
            tasks: runtime.handle().clone(),
            schemas: Arc::new(
                RegistrySource::new(registry.clone(), runtime.handle().clone())
                    .with_patience(SCHEMA_PATIENCE),
            ),
            registry,
            metrics: Metrics::new(config.digest.quality_threshold)
                .map_err(start_error("register metrics"))?,
            trail,
            stop: Stop::default(),
            standing: Standing::default(),
            held_up: held_up::HeldUp::default(),
            leaving: Arc::default(),
            leading: leading::Leading::default(),
            peers_away: peers_watch::PeersAway::default(),
            consumers: consumers * config.kafka.pairs,
            store: OnceLock::new(),
            broker: Mutex::new(None),
            miscounted: partition_counts::Miscounted::default(),
            config,
        };
        let shared = Arc::new(shared);
        shared.tasks.spawn(watch::run(Arc::clone(&shared)));
        let locks_until = Instant::now() + LOCK_PATIENCE;
        Ok(Self {
            shared,
            runtime,
            units: Vec::new(),
            locks: Vec::new(),
            locks_until,
            postgres: None,
            watches_signals: OnceLock::new(),
        })
    }

    /// The flag that ends the process.
    pub fn stop(&self) -> Stop {
        self.shared.stop.clone()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The store of the configuration's database, one pool for the process. Connects when first used.
    pub fn store(&self) -> Result<Store, HostError> {
        if let Some(store) = self.shared.store.get() {
            return Ok(store.clone());
        }
        let schema = Schema::of_prefix(self.shared.config.prefix.as_str())
            .map_err(start_error("name the database schema"))?;
        let options = StoreOptions { schema, ..StoreOptions::default() };
        let store = self
            .runtime
            .block_on(Store::open(self.shared.config.postgres_url(), &options))
            .map_err(start_error("use the database's address"))?;
        Ok(self.shared.store.get_or_init(|| store).clone())
    }

    /// Runs until every unit has ended: after SIGTERM, SIGINT or [`Stop::ask`], or because none can go on. The error is
    /// that of the first unit that failed for good, in the order in which they were added.
    pub fn run(self) -> Result<(), HostError> {
        self.stop_on_signals();
        let names = self.units.iter().map(|unit| unit.status.name.clone()).collect();
        self.shared.tasks.spawn(held_up::run(Arc::clone(&self.shared), names));
        self.shared.tasks.spawn(peers_watch::run(Arc::clone(&self.shared)));
        let mut first = self.serve();
        if first.is_err() {
            self.shared.stop.ask();
        }
        for unit in self.units {
            let panicked = |_| Err("its supervision panicked".to_owned());
            let ended = unit.thread.join().unwrap_or_else(panicked);
            if let (Ok(()), Err(why)) = (&first, ended) {
                first = Err(HostError::Unit { unit: unit.status.name.clone(), why });
            }
        }
        self.shared.leaving.leave(&self.shared.config, &self.shared.standing);
        info!("all units ended");
        self.shared.trail.finish();
        self.runtime.shutdown_timeout(Duration::from_secs(2));
        first
    }

    /// True once every unit works.
    pub fn is_ready(&self) -> bool {
        self.units.iter().all(|unit| unit.status.is_ready())
    }

    /// The first unit that has failed for good, and why.
    pub fn failure(&self) -> Option<HostError> {
        self.units.iter().find_map(|unit| {
            let why = unit.status.failure()?;
            Some(HostError::Unit { unit: unit.status.name.clone(), why })
        })
    }

    /// Runs a future on the process's async side.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes SIGTERM and SIGINT ask the units to stop, from now on: to be called before the first unit is added. Again it
    /// does nothing.
    pub fn stop_on_signals(&self) {
        if self.watches_signals.set(()).is_err() {
            return;
        }
        // Listened for before this returns: a signal right after the start is no less a wish to stop.
        let _inside = self.runtime.enter();
        let mut termination = crate::telemetry::Termination::listen();
        let stop = self.shared.stop.clone();
        self.shared.tasks.spawn(async move {
            termination.asked().await;
            info!("stopping; a second signal ends the process at once");
            stop.ask();
            termination.asked().await;
            warn!("ended by a second signal; what was not committed is read again at the next start");
            std::process::exit(1);
        });
    }

    /// Serves health and metrics, where the configuration says so.
    fn serve(&self) -> Result<(), HostError> {
        let Some(address) = self.shared.config.http.listen else { return Ok(()) };
        let listener = self.runtime.block_on(tokio::net::TcpListener::bind(address)).map_err(|error| {
            HostError::Start {
                what: "serve health and metrics",
                why: format!("{address}: {error}; is the port taken? http.listen names another"),
            }
        })?;
        let statuses = self.units.iter().map(|unit| Arc::clone(&unit.status)).collect();
        let served = health::serve(listener, statuses, Arc::clone(&self.shared));
        self.shared.tasks.spawn(async move {
            if let Err(error) = served.await {
                error!(%address, %error, "health and metrics ended");
            }
        });
        Ok(())
    }
}
