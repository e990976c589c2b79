//! Whether a provider takes a key, before the key is kept.
//!
//! Invariant: a provider that says nothing of the key leaves it unchecked, and that is an error: nobody is told that a key is good when
//! it was not tried.

use crate::{
    peer::{self, Ask, Fault, Peer},
    settings::{Error, Settings},
};
use llm::{ChatRequest, Failure, Turn};
use secrecy::SecretString;

/// Why a key is not known to be good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no such provider.
    #[error("the settings have no provider {name:?} (llm.providers: {})", .known.join(", "))]
    UnknownProvider {
        /// Name that was given.
        name: String,
        /// Names in the settings.
        known: Vec<String>,
    },
    /// Its settings cannot work.
    #[error(transparent)]
    Settings(#[from] Error),
    /// It does not take the key, or could not be asked.
    #[error("could not check the key with {provider}: {failure}{}", .detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    NotTaken {
        /// Name of the provider.
        provider: String,
        /// What came of it.
        failure: Failure,
        /// What the transport says.
        detail: Option<String>,
    },
}

/// Asks a provider for one token with a key. Any answer will do, also one that is cut or refused: it was given to the key.
///
/// # Errors
/// See [`KeyError`].
pub async fn check_key(settings: &Settings, provider: &str, key: &SecretString) -> Result<(), KeyError> {
    let unknown = || {
        let known = settings.providers.iter().map(|provider| provider.name.clone()).collect();
        KeyError::UnknownProvider { name: provider.to_owned(), known }
    };
    let of_provider = settings.providers.iter().find(|entry| entry.name == provider).ok_or_else(unknown)?;
    let peer = Peer::new(of_provider, &peer::shared()?, Some(key.clone()))?;
    let request = ChatRequest {
        system: "Answer with OK.".to_owned(),
        user: vec![Turn::user("OK?")],
        schema: None,
        max_output_tokens: 1,
        temperature: None,
    };
    let outcome = tokio::time::timeout(peer.timeout, peer.ask(Ask::Chat(&request), None)).await;
    match outcome.unwrap_or_else(|_| Err(Fault::of(Failure::Timeout))) {
        Ok(_) => Ok(()),
        Err(Fault { failure, detail, .. }) => {
            Err(KeyError::NotTaken { provider: provider.to_owned(), failure, detail })
        }
    }
}
