//! The endpoint of embeddings that the settings name, measured as `qdrant_sink` uses it.
//!
//! Invariant: a text is asked for once, and as long as the sink would ask for it.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use embeddings_client::EmbeddingsClient;
use evaluation::{Embeddings, Failure};
use qdrant_sink::begin;
use runtime::Config;
use tokio::runtime::Runtime;

/// The endpoint.
pub(super) struct Endpoint {
    name: String,
    dimension: usize,
    texts: EmbeddingsClient,
    queries: EmbeddingsClient,
    tasks: Runtime,
}

impl Endpoint {
    /// The one that the settings name.
    ///
    /// # Errors
    /// They name none, or a setting is missing.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let clients = qdrant_sink::clients(&config.embedding)?;
        let none =
            "no endpoint of embeddings is set: name one in GISTMILL_EMBEDDING__URL, or leave out --endpoint";
        let (texts, queries) = clients.context(none)?;
        let tasks = Runtime::new().context("could not start threads")?;
        let (name, dimension) = (config.embedding.model.clone(), config.embedding.dimension);
        Ok(Self { name, dimension, texts, queries, tasks })
    }

    /// Vectors in the order of the texts; of a blank one zeros, for which no endpoint is asked.
    fn vectors(&self, client: &EmbeddingsClient, texts: &[&str]) -> Result<Vec<Vec<f32>>, Failure> {
        let asked: BTreeSet<&str> =
            texts.iter().map(|text| begin(text)).filter(|text| !text.trim().is_empty()).collect();
        let asked: Vec<&str> = asked.into_iter().collect();
        let mut known = HashMap::with_capacity(asked.len());
        for some in asked.chunks(client.batch_max()) {
            known.extend(some.iter().copied().zip(self.tasks.block_on(client.embed(some))?));
        }
        let zeros = || vec![0.0; self.dimension];
        Ok(texts.iter().map(|text| known.get(begin(text)).cloned().unwrap_or_else(zeros)).collect())
    }
}

impl Embeddings for Endpoint {
    fn name(&self) -> &str {
        &self.name
    }

    fn of_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Failure> {
        self.vectors(&self.texts, texts)
    }

    fn of_queries(&self, queries: &[&str]) -> Result<Vec<Vec<f32>>, Failure> {
        self.vectors(&self.queries, queries)
    }
}
