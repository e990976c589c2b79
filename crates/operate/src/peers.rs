//! What an operator's command talks to besides the broker: registry and Postgres, each connected when first used.
//!
//! Invariant: blocking, so it is never called from a thread of an asynchronous runtime.

use super::Error;
use registry::RegistrySource;
use runtime::Config;
use schemas::{DigestDlq, Record, SchemaSource};
use state::{Schema, Store, StoreOptions};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Longest wait for a registry that is not needed for the answer.
const REGISTRY_WAIT: Duration = Duration::from_secs(3);

/// Registry and Postgres of one command.
pub(super) struct Peers {
    runtime: tokio::runtime::Runtime,
    pub(super) registry: registry::Client,
    pub(super) schemas: Arc<dyn SchemaSource>,
    pub(super) store: Store,
}

fn start<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |why| Error::Start { what, why: why.to_string() }
}

impl Peers {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        runtime::use_tls_provider();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(start("start the async runtime"))?;
        let registry =
            registry::Client::new(config.registry_options()).map_err(start("use the registry's address"))?;
        let schema = Schema::of_prefix(config.prefix.as_str()).map_err(start("name the database schema"))?;
        let options = StoreOptions { schema, connections_max: 1, ..StoreOptions::default() };
        let store = runtime.block_on(Store::open(config.postgres_url(), &options))?;
        let schemas = Arc::new(RegistrySource::new(registry.clone(), runtime.handle().clone()));
        Ok(Self { runtime, registry, schemas, store })
    }

    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Why the registry does not serve, if it does not. Who can do without it is not held up for long.
    pub(super) fn registry_away(&self, config: &Config) -> Option<String> {
        let subject = config.prefix.subject(DigestDlq::TYPE);
        match self.wait(async { timeout(REGISTRY_WAIT, self.registry.versions(&subject)).await }) {
            Ok(answer) => answer.err().filter(registry::Error::is_away).map(|error| error.describe()),
            Err(_) => Some(format!(
                "could not reach the schema registry at {} within {} s",
                self.registry.address(),
                REGISTRY_WAIT.as_secs()
            )),
        }
    }

    /// What the source of the store's outbox reads, by the name that it gives it.
    pub(super) fn outbox_identity(&self) -> String {
        format!("outbox/{}", self.store.schema())
    }
}
