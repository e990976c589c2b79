//! Every processor and connector of the map, by name, put into a process.
//!
//! Invariant: a name that the map has and this list lacks is found by a test.

use anyhow::{Context, bail};
use delivery_manager::DeliveryManager;
use digest_trigger::{DigestTrigger, canary_tenants};
use runtime::{Config, Host};
use topology::Map;
use writer::{Choice, Writer};

/// Puts a unit into a process.
type Add = fn(&mut Host) -> anyhow::Result<()>;

/// Units that `gistmill run NAME` starts alone, in the order of the flow.
const UNITS: &[(&str, Add)] = &[
    ("window_builder", |host| Ok(host.fold(window_builder::WindowBuilder::default())?)),
    ("digest_trigger", |host| {
        let trigger = trigger(host.config())?;
        Ok(host.processor(trigger)?)
    }),
    ("context_builder", |host| Ok(host.lookup(context_builder::ContextBuilder::default())?)),
    ("thread_builder", |host| Ok(host.processor(thread_builder::ThreadBuilder)?)),
    ("segmenter", |host| Ok(host.processor(segmenter::Segmenter)?)),
    ("emotion", |host| Ok(host.processor(emotion::Emotion)?)),
    ("roles", |host| Ok(host.processor(roles::RoleFinder)?)),
    ("topic", |host| Ok(host.processor(topic::TopicFinder)?)),
    ("synthesis", |host| Ok(host.fold(synthesis::Synthesis::default())?)),
    ("writer", |host| {
        let writer = writer(host.config())?;
        Ok(host.lookup(writer)?)
    }),
    ("delivery_manager", |host| {
        let gates = gates(host.config());
        Ok(host.processor(gates)?)
    }),
    ("command_router", |host| {
        let trigger = trigger(host.config())?;
        let threshold = gates(host.config()).digest_quality_threshold;
        Ok(host.fold(command_router::CommandRouter::new(trigger, threshold))?)
    }),
    ("postgres_sink", |host| {
        let (store, kept) = (host.store()?, host.config().digest.versions_kept);
        Ok(host.sink(move |cluster| postgres_sink::PostgresSink::new(store.clone(), cluster).keeping(kept))?)
    }),
    ("postgres_outbox_source", |host| {
        let store = host.store()?;
        Ok(host.source(postgres_outbox_source::PostgresOutboxSource::new(store))?)
    }),
    ("file_sink", |host| {
        let (store, directory) = (host.store()?, host.config().files.directory.clone());
        let kept = host.config().digest.versions_kept;
        Ok(host.sink(move |cluster| {
            file_sink::FileSink::new(store.clone(), cluster, directory.clone()).keeping(kept)
        })?)
    }),
    ("qdrant_sink", |host| {
        let (store, index) = (host.store()?, qdrant_sink::index(host.config())?);
        let embedder = qdrant_sink::Embedder::of(host.config(), store.clone())?;
        Ok(host.sink(move |cluster| {
            qdrant_sink::QdrantSink::new(store.clone(), cluster, (index.clone(), embedder.clone()))
        })?)
    }),
    ("telegram_bot_source", |host| {
        let (store, bot) = (host.store()?, telegram_bot_source::Bot::new(&host.config().telegram)?);
        Ok(host.source(telegram_bot_source::TelegramBotSource::new(bot, store))?)
    }),
    ("telegram_session_source", |host| {
        let (store, config) = (host.store()?, host.config().clone());
        Ok(host.source(telegram_session_source::TelegramSessionSource::new(&config, store)?)?)
    }),
    ("telegram_sink", |host| {
        let (store, api) = (host.store()?, telegram_sink::BotApi::new(&host.config().telegram)?);
        let kept = host.config().digest.versions_kept;
        Ok(host.sink(move |cluster| {
            telegram_sink::TelegramSink::new(store.clone(), cluster, api.clone()).keeping(kept)
        })?)
    }),
    ("email_sink", |host| {
        let settings = &host.config().email;
        let (store, door) = (host.store()?, email_sink::Letters::new(settings, host.store()?)?);
        let (kept, worker) = (host.config().digest.versions_kept, host.config().instance.clone());
        Ok(host.sink(move |cluster| {
            email_sink::EmailSink::new(store.clone(), cluster, (door.clone(), &worker)).keeping(kept)
        })?)
    }),
    ("webhook_sink", |host| {
        let (store, door) = (host.store()?, webhook_sink::Webhooks::new(host.config(), host.store()?)?);
        let (kept, worker) = (host.config().digest.versions_kept, host.config().instance.clone());
        Ok(host.sink(move |cluster| {
            webhook_sink::WebhookSink::new(store.clone(), cluster, (door.clone(), &worker)).keeping(kept)
        })?)
    }),
];

/// Names of all units, in the order of the flow.
pub(crate) fn units() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|(name, _)| *name)
}

/// Units that `gistmill up` starts with these settings: without optional ones that nothing is set up for.
pub(crate) fn used(config: &Config) -> anyhow::Result<Vec<&'static str>> {
    let map = Map::embedded()?;
    let is_used = |name: &&str| map.connector(name).map_or(true, |connector| config.is_used(connector));
    Ok(units().filter(is_used).collect())
}

/// Adds the unit called `name` to a process.
pub(crate) fn add(host: &mut Host, name: &str) -> anyhow::Result<()> {
    let Some((_, add)) = UNITS.iter().find(|unit| unit.0 == name) else {
        let known = units().collect::<Vec<_>>().join(", ");
        bail!("no processor or connector is called {name:?}; there are {known}")
    };
    add(host)
}

/// Who may have digests.
pub(crate) fn trigger(config: &Config) -> anyhow::Result<DigestTrigger> {
    let canary_tenants = canary_tenants(&config.digest.agent_canary_tenants)
        .context("could not read DIGEST_AGENT_CANARY_TENANTS")?;
    Ok(DigestTrigger {
        agent_enabled: config.digest.agent_enabled,
        canary_tenants,
        ..DigestTrigger::default()
    })
}

/// The stage that asks language models, with the prompts that are set.
pub(crate) fn writer(config: &Config) -> anyhow::Result<Writer> {
    let choice = Choice::new(config.llm.prompt(writer::NAME)).context("could not read llm.prompts.writer")?;
    let (asks, moderates) = (config.llm.asks(writer::NAME), config.llm.moderates(writer::NAME));
    Ok(Writer { asks, moderates, choice, ..Writer::default() })
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
        let map = Map::embedded().expect("the built-in map");
        let processors = map.processors().map(|entry| entry.name.clone());
        // They run as `gistmill import` and `gistmill digest now`, to an end.
        let is_unit =
            |name: &String| !["telegram_export_source", "digest_request_source"].contains(&name.as_str());
        let connectors = map.connectors().map(|entry| entry.name.clone()).filter(is_unit);
        let in_map: BTreeSet<String> = processors.chain(connectors).collect();
        assert_eq!(in_map, units().map(ToOwned::to_owned).collect());
    }

    #[test]
    fn a_channel_that_a_group_may_choose_has_its_sink() {
        for channel in schemas::CHANNELS {
            let sink = format!("{channel}_sink");
            assert!(units().any(|unit| unit == sink), "no unit is called {sink}");
        }
    }

    #[test]
    fn what_nothing_is_set_up_for_is_left_out() {
        let mut config = Config::default();
        let without = used(&config).expect("the built-in map");
        assert_eq!(without.len() + 6, units().count());
        for left_out in [
            "email_sink",
            "qdrant_sink",
            "telegram_bot_source",
            "telegram_session_source",
            "telegram_sink",
            "webhook_sink",
        ] {
            assert!(!without.contains(&left_out), "{without:?}");
        }
        config.telegram.token = Some("123:secret".into());
        assert!(!used(&config).expect("the built-in map").contains(&"qdrant_sink"));
        config.qdrant.url = Some("http://127.0.0.1:6334".to_owned());
        config.keys.master = Some("secret".into());
        config.email.host = Some("mail.example.org".to_owned());
        config.telegram_session.api_id = Some(1);
        assert_eq!(used(&config).expect("the built-in map"), units().collect::<Vec<_>>());
    }
}
