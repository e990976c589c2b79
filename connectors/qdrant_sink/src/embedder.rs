//! What makes vectors of texts: the built-in embedding, or an endpoint that the settings name.
//!
//! Invariant: a vector is its model's alone, and one that an endpoint gave is kept before it is used, so that no text is
//! paid for twice.

use crate::vectors::{Texts, Vectors};
use embeddings_client::{EmbeddingsClient, Options};
use runtime::{Config, HostError, config::Embedding, embedding_model};
use sha2::{Digest, Sha256};
use state::{Store, TextHash};
use std::{collections::HashMap, time::Duration};
use vector_index::Model;

/// Characters of a text that an endpoint is asked about: models read no more than some thousand tokens, and refuse or cut
/// what is longer.
const TEXT_CHARS_MAX: usize = 8_000;
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Makes vectors.
#[derive(Debug, Clone)]
pub enum Embedder {
    /// [`embedding::embed`].
    BuiltIn,
    /// An endpoint of embeddings.
    Endpoint(Box<Endpoint>),
}

/// An endpoint, and what it gave before.
#[derive(Debug, Clone)]
pub struct Endpoint {
    model: Model,
    texts: EmbeddingsClient,
    queries: EmbeddingsClient,
    store: Store,
}

/// Why there are no vectors.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The endpoint gave none.
    #[error(transparent)]
    Endpoint(#[from] embeddings_client::Error),
    /// The endpoint refuses one text whenever it is asked.
    #[error("{source}")]
    Text {
        /// Which one.
        text: String,
        /// What it said.
        source: embeddings_client::Error,
    },
    /// What was given before could not be read, or kept.
    #[error(transparent)]
    State(#[from] state::Error),
}

fn hash(text: &str) -> TextHash {
    Sha256::digest(text.as_bytes()).into()
}

/// Clients of the endpoint that the settings name: for texts, and for queries; `None` where they name none. Touches no network.
///
/// # Errors
/// A setting of the endpoint is missing, or there is no way to speak TLS.
pub fn clients(settings: &Embedding) -> Result<Option<(EmbeddingsClient, EmbeddingsClient)>, HostError> {
    let unable = |why: String| HostError::Start { what: "use the endpoint of embeddings", why };
    let Some(url) = &settings.url else { return Ok(None) };
    if settings.model.is_empty() || settings.dimension == 0 {
        let why = "embedding.model and embedding.dimension say which vectors it gives: set both, in the file or as \
                   GISTMILL_EMBEDDING__MODEL and GISTMILL_EMBEDDING__DIMENSION";
        return Err(unable(why.to_owned()));
    }
    let client = |model: &str| {
        EmbeddingsClient::new(Options {
            url: url.clone(),
            api_key: settings.api_key.clone(),
            model: model.to_owned(),
            dimension: settings.dimension,
            batch_max: settings.batch_max,
            timeout: TIMEOUT,
        })
        .map_err(|error| unable(error.to_string()))
    };
    let queries = settings.query_model.as_ref().unwrap_or(&settings.model);
    Ok(Some((client(&settings.model)?, client(queries)?)))
}

impl Embedder {
    /// What the settings name; touches no network.
    ///
    /// # Errors
    /// A setting of the endpoint is missing, or there is no way to speak TLS.
    pub fn of(config: &Config, store: Store) -> Result<Self, HostError> {
        let Some((texts, queries)) = clients(&config.embedding)? else { return Ok(Self::BuiltIn) };
        let model = embedding_model(&config.embedding);
        Ok(Self::Endpoint(Box::new(Endpoint { model, texts, queries, store })))
    }

    /// The model whose vectors these are.
    pub fn model(&self) -> Model {
        match self {
            Self::BuiltIn => embedding_model(&Embedding::default()),
            Self::Endpoint(endpoint) => endpoint.model.clone(),
        }
    }

    /// The vector of a query. Of an endpoint it is not kept: it is what a person asked.
    ///
    /// # Errors
    /// [`EmbedError::Endpoint`].
    pub async fn query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        match self {
            Self::BuiltIn => Ok(embedding::embed(text)),
            Self::Endpoint(endpoint) if text.trim().is_empty() => Ok(vec![0.0; endpoint.model.dimension]),
            Self::Endpoint(endpoint) => Ok(endpoint.queries.embed(&[text]).await?.pop().unwrap_or_default()),
        }
    }

    /// The vectors of texts; what holds no letter is zeros.
    ///
    /// # Errors
    /// See [`EmbedError`]; what an endpoint gave before it failed is kept.
    pub(crate) async fn vectors(&self, texts: &Texts) -> Result<Vectors, EmbedError> {
        let mut vectors = HashMap::new();
        for (tenant_id, texts) in texts {
            match self {
                Self::BuiltIn => {
                    vectors.extend(texts.iter().map(|text| (text.clone(), embedding::embed(text))));
                }
                Self::Endpoint(endpoint) => {
                    vectors.extend(endpoint.vectors(tenant_id, texts.iter().map(String::as_str)).await?);
                }
            }
        }
        Ok(Vectors::new(vectors))
    }
}

impl Endpoint {
    async fn vectors(
        &self,
        tenant_id: &str,
        texts: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, Vec<f32>>, EmbedError> {
        let dimension = self.model.dimension;
        let (blank, wanted): (Vec<&str>, Vec<&str>) = texts.partition(|text| text.trim().is_empty());
        let hashes: Vec<TextHash> = wanted.iter().map(|text| hash(begin(text))).collect();
        let owner = (tenant_id, &*self.model.id);
        let known = self.store.known_vectors(owner, &hashes, dimension).await?;
        let mut vectors: HashMap<String, Vec<f32>> =
            blank.into_iter().map(|text| (text.to_owned(), vec![0.0; dimension])).collect();
        let mut unknown = Vec::new();
        for (text, hash) in wanted.into_iter().zip(hashes) {
            match known.get(&hash) {
                Some(vector) => drop(vectors.insert(text.to_owned(), vector.clone())),
                None => unknown.push((text, hash)),
            }
        }
        for some in unknown.chunks(self.texts.batch_max()) {
            let given = self.given(some).await?;
            let kept: Vec<(TextHash, Vec<f32>)> =
                some.iter().map(|(_, hash)| *hash).zip(given.iter().cloned()).collect();
            self.store.keep_vectors(owner, &kept).await?;
            vectors.extend(some.iter().map(|(text, _)| (*text).to_owned()).zip(given));
        }
        Ok(vectors)
    }

    /// The vectors of the texts of one request. Of several that are refused each is asked for by itself, to find which.
    async fn given(&self, texts: &[(&str, TextHash)]) -> Result<Vec<Vec<f32>>, EmbedError> {
        use embeddings_client::Error::Refused;
        let input: Vec<&str> = texts.iter().map(|(text, _)| begin(text)).collect();
        match self.texts.embed(&input).await {
            Err(Refused { .. }) => {}
            answered => return Ok(answered?),
        }
        let mut vectors = Vec::new();
        for (text, _) in texts {
            match self.texts.embed(&[begin(text)]).await {
                Err(source @ Refused { .. }) => {
                    return Err(EmbedError::Text { text: (*text).to_owned(), source });
                }
                answered => vectors.extend(answered?),
            }
        }
        Ok(vectors)
    }
}

/// As much of a text as an endpoint is asked about.
pub fn begin(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "я".repeat(TEXT_CHARS_MAX + 5);
        assert_eq!(begin(&text).chars().count(), TEXT_CHARS_MAX);
        assert_eq!(begin("short"), "short");
    }
}
