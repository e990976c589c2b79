//! A process: its units (processors, sinks, sources), each on threads of its own, what they share, and its end.
//!
//! Invariant: when one unit cannot go on, all are stopped in order and the process ends with an error that says why.

mod binding;
mod clock;
mod error;
mod health;
mod held_up;
mod lock;
mod pair;
mod processors;
mod shared;
mod sink_unit;
mod source_unit;
mod status;
mod stop;
mod watch;

use crate::{
    clients::PostgresClient, config::Config, kafka::Standing, metrics::Metrics, sink::Sink, source::Source,
    telemetry::Tracer,
};
pub use error::HostError;
use error::start_error;
use lock::InstanceLock;
pub use lock::LockError;
use registry::RegistrySource;
pub(crate) use shared::{Shared, Wait};
pub use source_unit::SourceEnd;
use state::{Schema, Store, StoreOptions};
use status::UnitStatus;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    thread::JoinHandle,
    time::{Duration, Instant},
};
pub use stop::Stop;
use topology::Map;
use tracing::{error, info, warn};

/// Longest wait, after the process's start, for names that another process has: it may be about to end.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
const LOCK_INTERVAL: Duration = Duration::from_millis(50);
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
}

/// Ends the process with the unit that holds it, even when that unit panics.
struct AskOnDrop(Stop);

impl Drop for AskOnDrop {
    fn drop(&mut self) {
        self.0.ask();
    }
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
        let registry = registry::Client::new(registry::Options::new(config.registry_url()))
            .map_err(start_error("use the registry's address"))?;
        let tracer =
            Tracer::start(config.telemetry.otlp_endpoint.as_deref()).map_err(start_error("send traces"))?;
        let shared = Shared {
            map: Map::embedded().map_err(start_error("read the map"))?,
            tasks: runtime.handle().clone(),
            schemas: Arc::new(
                RegistrySource::new(registry.clone(), runtime.handle().clone())
                    .with_patience(SCHEMA_PATIENCE),
            ),
            registry,
            metrics: Metrics::new().map_err(start_error("register metrics"))?,
            tracer,
            stop: Stop::default(),
            standing: Standing::default(),
            held_up: held_up::HeldUp::default(),
            consumers: consumers * config.kafka.pairs,
            store: OnceLock::new(),
            broker: Mutex::new(None),
            config,
        };
        let shared = Arc::new(shared);
        shared.tasks.spawn(watch::run(Arc::clone(&shared)));
        let locks_until = Instant::now() + LOCK_PATIENCE;
        Ok(Self { shared, runtime, units: Vec::new(), locks: Vec::new(), locks_until, postgres: None })
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

    /// Adds a [`Sink`], made once the broker tells its cluster's id.
    pub fn sink<S: Sink>(&mut self, make: impl Fn(String) -> S + Send + 'static) -> Result<(), HostError> {
        self.unit(S::NAME, 0, move |shared, status| sink_unit::run(shared, status, &make))
    }

    /// Adds a [`Source`] that runs for ever.
    pub fn source<S: Source>(&mut self, source: S) -> Result<(), HostError> {
        let mut source = source;
        self.unit(S::NAME, 0, move |shared, status| {
            source_unit::run(shared, status, &mut source, &mut |_| {}).map(|_| ())
        })
    }

    /// Runs a source on this thread until it ends or the process is asked to stop; `committed` hears of every
    /// committed position.
    pub fn drive<S: Source>(
        &mut self,
        source: &mut S,
        committed: &mut dyn FnMut(usize),
    ) -> Result<SourceEnd, HostError> {
        let status = UnitStatus::new(S::NAME.to_owned());
        source_unit::run(&self.shared, &status, source, committed)
            .map_err(|why| HostError::Unit { unit: S::NAME.to_owned(), why })
    }

    fn pairs(
        &mut self,
        name: &'static str,
        run: impl Fn(&Shared, usize, &Arc<UnitStatus>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<(), HostError> {
        let run = Arc::new(run);
        for slot in 0..self.shared.config.kafka.pairs {
            let run = Arc::clone(&run);
            self.unit(name, slot, move |shared, status| run(shared, slot, status))?;
        }
        Ok(())
    }

    fn unit(
        &mut self,
        name: &'static str,
        slot: usize,
        mut run: impl FnMut(&Shared, &Arc<UnitStatus>) -> Result<(), String> + Send + 'static,
    ) -> Result<(), HostError> {
        if slot == 0 {
            self.lock(name)?;
        }
        let status = UnitStatus::new(if slot == 0 { name.to_owned() } else { format!("{name}-{slot}") });
        let (shared, unit_status) = (Arc::clone(&self.shared), Arc::clone(&status));
        let thread = std::thread::Builder::new()
            .name(status.name.chars().take(15).collect())
            .spawn(move || {
                let _end_all = AskOnDrop(shared.stop.clone());
                let ended = run(&shared, &unit_status);
                if let Err(why) = &ended {
                    error!(unit = unit_status.name, why, "unit stopped");
                }
                ended
            })
            .map_err(start_error("start a thread"))?;
        self.units.push(Unit { status, thread });
        Ok(())
    }

    /// Takes the instance's name for a unit, which a predecessor that is ending may still have.
    fn lock(&mut self, name: &str) -> Result<(), HostError> {
        let config = &self.shared.config;
        let directory: PathBuf = config.lock_dir.clone().unwrap_or_else(std::env::temp_dir);
        let scope = format!("{}\n{}", config.kafka.brokers, config.prefix.as_str());
        let (until, mut is_said) = (self.locks_until, false);
        let mut is_patient = || {
            if !std::mem::replace(&mut is_said, true) {
                warn!(
                    unit = name,
                    instance = config.instance,
                    "waiting for another process of this name to end"
                );
            }
            std::thread::park_timeout(LOCK_INTERVAL);
            Instant::now() < until
        };
        self.locks.push(InstanceLock::take(&directory, &scope, (name, &config.instance), &mut is_patient)?);
        Ok(())
    }

    /// Runs until every unit has ended: after SIGTERM, SIGINT, [`Stop::ask`], or the first unit that cannot go on.
    pub fn run(self) -> Result<(), HostError> {
        self.watch_signals();
        let names = self.units.iter().map(|unit| unit.status.name.clone()).collect();
        self.shared.tasks.spawn(held_up::run(Arc::clone(&self.shared), names));
        let mut first = self.serve();
        if first.is_err() {
            self.shared.stop.ask();
        }
        for unit in self.units {
            let name = unit.status.name.clone();
            let ended = if let Ok(ended) = unit.thread.join() {
                ended
            } else {
                self.shared.stop.ask();
                Err("panicked; its work is uncommitted".to_owned())
            };
            if let (Ok(()), Err(why)) = (&first, ended) {
                first = Err(HostError::Unit { unit: name, why });
            }
        }
        info!("all units ended");
        if let Some(tracer) = &self.shared.tracer {
            tracer.finish();
        }
        self.runtime.shutdown_timeout(Duration::from_secs(2));
        first
    }

    /// True once every unit works.
    pub fn is_ready(&self) -> bool {
        self.units.iter().all(|unit| unit.status.is_ready())
    }

    /// Runs a future on the process's async side.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes SIGTERM and SIGINT ask the units to stop, for a process that does not call [`Host::run`].
    pub fn stop_on_signals(&self) {
        self.watch_signals();
    }

    fn watch_signals(&self) {
        let stop = self.shared.stop.clone();
        self.shared.tasks.spawn(async move {
            crate::telemetry::termination().await;
            info!("stopping; a second signal ends the process at once");
            stop.ask();
            crate::telemetry::termination().await;
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
