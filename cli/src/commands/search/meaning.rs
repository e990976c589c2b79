//! What the index of vectors finds. Invariant: it is asked within one tenant, with the model whose points are searched.

use anyhow::Context;
use qdrant_sink::Embedder;
use runtime::Config;
use state::{DigestHit, Filling, MessageHit, SearchQuery, Store};
use vector_index::Index;

use super::note;

/// Points that are asked for, for each that is wanted: what is gone or edited since is left out.
const SPARE: u64 = 2;

/// Why there is nothing to search in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoIndex {
    #[error(
        "no Qdrant is set up: `gistmill stack up --qdrant` starts one, GISTMILL_QDRANT__URL says where it is; --text \
         searches by words without it"
    )]
    NotSetUp,
    #[error(
        "the index at {url} holds nothing yet: qdrant_sink fills it while the pipeline runs, `gistmill lag` shows how \
         far it is; --text searches by words meanwhile"
    )]
    Empty { url: String },
    #[error(
        "collection {collection}, which is searched, is of model {model}, and the settings name another one: while \
         that one's collection is filled (`gistmill lag`), --text searches by words"
    )]
    OtherModel { collection: String, model: String },
}

impl NoIndex {
    /// False where Qdrant has to be started.
    pub(crate) fn is_running(&self) -> bool {
        !matches!(self, Self::NotSetUp)
    }
}

/// A query, and where the hits' texts are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    pub(super) store: &'a Store,
    pub(super) query: &'a SearchQuery,
}

/// The index and what is looked for in it.
#[derive(Debug)]
pub(super) struct Meaning {
    index: Index,
    vector: Vec<f32>,
}

impl Meaning {
    /// What a query means; none where it holds nothing that the model knows.
    pub(super) async fn of(store: &Store, config: &Config, text: &str) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.qdrant.url else { return Err(NoIndex::NotSetUp.into()) };
        let configured = qdrant_sink::index(config)?;
        let empty = || NoIndex::Empty { url: url.clone() };
        let index = configured.searched().await.context("could not search by meaning")?.ok_or_else(empty)?;
        if index.count().await.context("could not search by meaning")? == 0 {
            return Err(empty().into());
        }
        if store.filling(index.collection(), "qdrant_sink").await? == Filling::Behind {
            note("the index is being filled anew: hits may be missing; `gistmill lag` shows how far it is");
        }
        let embedder = Embedder::of(config, store.clone())?;
        let vector = vector(&index, embedder, &without_operators(text)).await?;
        let is_none = vector.iter().all(|number| *number == 0.0);
        Ok((!is_none).then_some(Self { index, vector }))
    }

    async fn search(
        &self,
        Query { store, query }: Query<'_>,
        kind: vector_index::Kind,
    ) -> anyhow::Result<Vec<vector_index::Hit>> {
        let mut author_ids = Vec::new();
        if let Some(author) = &query.author {
            author_ids = store.authors_called(&query.tenant_id, author).await?;
        }
        let asked = vector_index::Query {
            vector: self.vector.clone(),
            tenant_id: query.tenant_id.clone(),
            group_id: query.group_id.clone(),
            kinds: vec![kind],
            author_ids,
            since: query.since_ms,
            until: None,
            limit: u64::from(query.limit) * SPARE,
        };
        self.index.search(&asked).await.context("could not search by meaning")
    }

    /// Messages, best first.
    pub(super) async fn messages(&self, asked: Query<'_>) -> anyhow::Result<Vec<MessageHit>> {
        let found = self.search(asked, vector_index::Kind::Message).await?;
        let of =
            |hit: vector_index::Hit| Some(((hit.group_id, hit.item.parse().ok()?), f64::from(hit.score)));
        let found: Vec<((String, i64), f64)> = found.into_iter().filter_map(of).collect();
        Ok(asked.store.found_messages(asked.query, &found).await?)
    }

    /// Digests, best first.
    pub(super) async fn digests(&self, asked: Query<'_>) -> anyhow::Result<Vec<DigestHit>> {
        let found = self.search(asked, vector_index::Kind::Digest).await?;
        let found: Vec<(String, f64)> =
            found.into_iter().map(|hit| (hit.item, f64::from(hit.score))).collect();
        Ok(asked.store.found_digests(asked.query, &found).await?)
    }
}

/// The vector of a text by the index's model. While the collection of another one is filled, what is searched may be the
/// built-in embedding's still.
async fn vector(index: &Index, configured: Embedder, text: &str) -> anyhow::Result<Vec<f32>> {
    let embedders = [configured, Embedder::BuiltIn];
    let Some(embedder) = embedders.iter().find(|embedder| embedder.model() == *index.model()) else {
        let (collection, model) = (index.collection().to_owned(), index.model().id.clone());
        return Err(NoIndex::OtherModel { collection, model }.into());
    };
    embedder.query(text).await.context("could not search by meaning; --text searches by words without it")
}

/// A query without what it says of words: quotes, and words that must not be there.
fn without_operators(text: &str) -> String {
    let is_wanted =
        |word: &&str| !word.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    text.replace('"', " ").split_whitespace().filter(is_wanted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_there_is_not_looked_for() {
        assert_eq!(without_operators("\"retry storm\" -staging load-test - 5"), "retry storm load-test - 5");
        assert_eq!(without_operators("-staging"), "");
    }
}
