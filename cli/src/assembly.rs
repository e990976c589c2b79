//! Every processor and connector of the map, by name, put into a process.
//!
//! Invariant: a name that the map has and this list lacks is found by a test.

use anyhow::{Context, bail};
use delivery_manager::DeliveryManager;
use digest_trigger::{DigestTrigger, canary_tenants};
use runtime::{Config, Host};

/// Units that `gistmill up` starts and `gistmill run NAME` starts alone, in the order of the flow.
pub(crate) const UNITS: [&str; 13] = [
    "window_builder",
    "digest_trigger",
    "context_builder",
    "thread_builder",
    "segmenter",
    "emotion",
    "roles",
    "topic",
    "synthesis",
    "delivery_manager",
    "postgres_sink",
    "postgres_outbox_source",
    "file_sink",
];

/// Adds the unit called `name` to a process.
pub(crate) fn add(host: &mut Host, name: &str) -> anyhow::Result<()> {
    match name {
        "window_builder" => host.fold(window_builder::WindowBuilder::default())?,
        "digest_trigger" => {
            let trigger = trigger(host.config())?;
            host.processor(trigger)?;
        }
        "context_builder" => host.lookup(context_builder::ContextBuilder::default())?,
        "thread_builder" => host.processor(thread_builder::ThreadBuilder)?,
        "segmenter" => host.processor(segmenter::Segmenter)?,
        "emotion" => host.processor(emotion::Emotion)?,
        "roles" => host.processor(roles::RoleFinder)?,
        "topic" => host.processor(topic::TopicFinder)?,
        "synthesis" => host.processor(synthesis::Synthesis::default())?,
        "delivery_manager" => {
            let gates = gates(host.config());
            host.processor(gates)?;
        }
        "postgres_sink" => {
            let store = host.store()?;
            host.sink(move |cluster| postgres_sink::PostgresSink::new(store.clone(), cluster))?;
        }
        "postgres_outbox_source" => {
            let store = host.store()?;
            host.source(postgres_outbox_source::PostgresOutboxSource::new(store))?;
        }
        "file_sink" => {
            let (store, directory) = (host.store()?, host.config().files.directory.clone());
            host.sink(move |cluster| file_sink::FileSink::new(store.clone(), cluster, directory.clone()))?;
        }
        _ => bail!("no processor or connector is called {name:?}; there are {}", UNITS.join(", ")),
    }
    Ok(())
}

fn trigger(config: &Config) -> anyhow::Result<DigestTrigger> {
    let canary_tenants = canary_tenants(&config.digest.agent_canary_tenants)
        .context("could not read DIGEST_AGENT_CANARY_TENANTS")?;
    Ok(DigestTrigger {
        agent_enabled: config.digest.agent_enabled,
        canary_tenants,
        ..DigestTrigger::default()
    })
}

fn gates(config: &Config) -> DeliveryManager {
    let mut gates = DeliveryManager::default();
    gates.digest_delivery_scope.clone_from(&config.digest.delivery_scope);
    if let Some(threshold) = config.digest.quality_threshold {
        gates.digest_quality_threshold = threshold;
    }
    gates
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_unit_of_the_map_is_here() {
        let map = topology::Map::embedded().expect("the built-in map");
        let processors = map.processors().map(|entry| entry.name.clone());
        // Runs as `gistmill import`, to the end of a file.
        let connectors =
            map.connectors().map(|entry| entry.name.clone()).filter(|name| name != "telegram_export_source");
        let in_map: BTreeSet<String> = processors.chain(connectors).collect();
        assert_eq!(in_map, UNITS.iter().map(ToString::to_string).collect());
    }
}
