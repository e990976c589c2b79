//! The index of vectors that the settings name.

use super::HostError;
use crate::config::{Config, Embedding};
use sha2::{Digest, Sha256};
use std::time::Duration;
use vector_index::{Index, Model, Options};

/// Longest call. A slow Qdrant is waited for, by trying again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The index that the settings name, of the model that they name. Connects when first used.
///
/// # Errors
/// There is no address, or none that can be used.
pub fn index(config: &Config) -> Result<Index, HostError> {
    let unable = |why: String| HostError::Start { what: "use the index of Qdrant", why };
    let missing = "qdrant.url is not set: give its address in GISTMILL_QDRANT__URL";
    let options = Options {
        url: config.qdrant.url.clone().ok_or_else(|| unable(missing.to_owned()))?,
        api_key: config.qdrant.api_key.clone(),
        allows_front: config.qdrant.development_front,
        alias: config.prefix.topic("gistmill"),
        model: embedding_model(&config.embedding),
        timeout: TIMEOUT,
    };
    Index::open(options).map_err(|error| unable(error.to_string()))
}

/// The model that the settings name: the name of an endpoint's holds all that changes its vectors.
pub fn embedding_model(settings: &Embedding) -> Model {
    if settings.url.is_none() {
        return Model { id: embedding::MODEL_ID.to_owned(), dimension: embedding::DIMENSION };
    }
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let mut name: String = settings.model.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if name != settings.model {
        // Two names must not become one.
        let hash = Sha256::digest(settings.model.as_bytes());
        let begin: Vec<String> = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        name = format!("{name}-{}", begin.concat());
    }
    Model { id: format!("{name}-{}", settings.dimension), dimension: settings.dimension }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_models_are_never_one_collection_and_each_name_is_one_that_qdrant_takes() {
        let named = |name: &str, dimension| {
            let url = Some("http://e/v1".to_owned());
            let settings = Embedding { url, model: name.to_owned(), dimension, ..Embedding::default() };
            embedding_model(&settings).id
        };
        assert_eq!(embedding_model(&Embedding::default()).id, embedding::MODEL_ID);
        assert_eq!(named("text-embedding-3-small", 512), "text-embedding-3-small-512");
        assert_ne!(named("m", 3), named("m", 4));
        let (slash, colon) = (named("intfloat/e5", 384), named("intfloat:e5", 384));
        assert!(
            slash.starts_with("intfloat_e5-") && slash.ends_with("-384") && slash != colon,
            "{slash} {colon}"
        );
    }
}
