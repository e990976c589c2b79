//! The three shapes of processors, each as pairs of consumer and producer.

use super::{
    Host, HostError, Wait, binding,
    error::start_error,
    index::index,
    pair::{self, PairSpec},
};
use crate::{
    clients::{MESSAGES_TOPIC, PostgresClient},
    kafka::TopicPlaces,
    shapes::{self, lookup::Clients},
};
use processor::{Fold, Lookup, Processor};
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
        let client = self.postgres.get_or_insert_with(|| {
            Arc::new(PostgresClient::start(store, index, Arc::new(places), &self.shared.tasks))
        });
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
