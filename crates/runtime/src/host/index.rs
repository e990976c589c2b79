//! The index of vectors that the settings name.

use super::HostError;
use crate::config::Config;
use std::time::Duration;
use vector_index::{Index, Model, Options};

/// Longest call. A slow Qdrant is waited for, by trying again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The index that the settings name, for the built-in embedding. Connects when first used.
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
        model: Model { id: embedding::MODEL_ID.to_owned(), dimension: embedding::DIMENSION },
        timeout: TIMEOUT,
    };
    Index::open(options).map_err(|error| unable(error.to_string()))
}
