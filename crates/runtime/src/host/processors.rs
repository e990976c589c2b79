//! The three shapes of processors, each as pairs of consumer and producer.

use super::{
    Host, HostError, Wait, binding,
    error::start_error,
    index::index,
    pair::{self, PairSpec},
    shared::Shared,
};
use crate::{
    clients::{MESSAGES_TOPIC, ModelsClient, OwnKeys, PostgresClient, Terms},
    kafka::TopicPlaces,
};
use engine::shapes::{self, lookup::Clients};
use llm_client::{ModerationSettings, Settings};
use processor::{Fold, Lookup, Processor};
use state::Store;
use std::sync::Arc;

impl Host {
    /// Adds a [`Processor`].
    pub fn processor<P: Processor>(&mut self, processor: P) -> Result<(), HostError> {
        let processor = Arc::new(processor);
        let ports = processor.ports();
        self.pairs(P::NAME, move |shared, slot, status| {
            let spec = PairSpec { name: P::NAME, slot, ports: &ports };
            let processor = Arc::clone(&processor);
            pair::run(shared, &spec, status, |bound| shapes::ProcessorShape {
                processor,
                inlet: bound.inlet,
                outlet: bound.outlet,
            })
        })
    }

    /// Adds a [`Fold`].
    pub fn fold<F: Fold>(&mut self, fold: F) -> Result<(), HostError> {
        let fold = Arc::new(fold);
        let ports = fold.ports();
        self.pairs(F::NAME, move |shared, slot, status| {
            let spec = PairSpec { name: F::NAME, slot, ports: &ports };
            let fold = Arc::clone(&fold);
            pair::run(shared, &spec, status, |bound| {
                let snapshots = bound.snapshots.unwrap_or_else(|| "".into());
                shapes::fold::FoldShape::new(fold, bound.inlet, bound.outlet, snapshots)
            })
        })
    }

    /// Adds a [`Lookup`].
    pub fn lookup<P: Lookup>(&mut self, lookup: P) -> Result<(), HostError> {
        let lookup = Arc::new(lookup);
        let ports = lookup.ports();
        let store = self.store()?;
        let messages =
            self.shared.map.topic(MESSAGES_TOPIC).map_err(start_error("find the messages' topic"))?;
        let topic = self.shared.config.prefix.topic(MESSAGES_TOPIC);
        let places = TopicPlaces::new(&self.shared.config.kafka, topic, messages.partitions);
        // History is judged by what the built-in embedding finds; it asks no endpoint.
        let is_set = self.shared.config.qdrant.url.is_some() && self.shared.config.embedding.url.is_none();
        let index = if is_set { Some(index(&self.shared.config)?) } else { None };
        if self.postgres.is_none() {
            let models = models(&self.shared, &store)?;
            let client = PostgresClient::start(store, (index, models), Arc::new(places), &self.shared.tasks);
            self.postgres = Some(Arc::new(client));
        }
        let Some(client) = &self.postgres else { return Ok(()) };
        let clients = Arc::clone(client) as Arc<dyn Clients>;
        self.pairs(P::NAME, move |shared, slot, status| {
            let spec = PairSpec { name: P::NAME, slot, ports: &ports };
            let (lookup, clients) = (Arc::clone(&lookup), Arc::clone(&clients));
            // Another cluster's offsets would be taken for passed.
            if binding::patiently(&Wait { stop: &shared.stop, status }, || shared.database_is_ready())?
                .is_none()
            {
                return Ok(());
            }
            pair::run(shared, &spec, status, |bound| {
                let tasks = shared.tasks.clone();
                shapes::lookup::LookupShape::new(lookup, bound.inlet, bound.outlet, clients, tasks)
            })
        })
    }
}

/// The asker of models, where a chain is set.
fn models(shared: &Shared, store: &Store) -> Result<Option<ModelsClient>, HostError> {
    let settings = &shared.config.llm;
    let what = "prepare to ask language models";
    let client = shared.config.models().map_err(start_error(what))?;
    let Some(client) = client else { return Ok(None) };
    let quota = settings.pro_quota.tokens_per_month;
    let monthly_tokens = quota
        .map(|most| (Settings::PRO.to_owned(), i64::try_from(most).unwrap_or(i64::MAX)))
        .into_iter()
        .collect();
    let keys = OwnKeys::new(&shared.config.keys).map_err(start_error(what))?;
    let prices = settings.prices().map_err(start_error(what))?;
    let daily_requests = i64::try_from(settings.user_quota.requests_per_day).unwrap_or(i64::MAX);
    let judged_within = settings.moderation.as_ref().map(ModerationSettings::timeout).unwrap_or_default();
    let within = settings.deadline();
    let terms = Terms { within, monthly_tokens, daily_requests, judged_within, keys, prices };
    let own = (shared.config.instance.clone(), Arc::clone(&shared.metrics));
    Ok(Some(ModelsClient::new(client, store.clone(), terms, own)))
}
