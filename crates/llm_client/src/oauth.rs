//! A token for half an hour, fetched once for all who wait for it.
//!
//! Invariant: at most one request for a token is on its way; a token that was refused is not used again.

use crate::peer::{self, Fault};
use llm::dialect::gigachat::{self, Token};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// Gives out tokens of one provider.
pub(crate) struct Oauth {
    http: reqwest::Client,
    url: String,
    scope: String,
    key: SecretString,
    held: Mutex<Option<(SecretString, Instant)>>,
}

impl fmt::Debug for Oauth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oauth").field("url", &self.url).field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Oauth {
    pub(crate) fn new(http: reqwest::Client, url: String, scope: String, key: SecretString) -> Self {
        Self { http, url, scope, key, held: Mutex::new(None) }
    }

    /// The same for another key.
    pub(crate) fn with_key(&self, key: SecretString) -> Self {
        Self::new(self.http.clone(), self.url.clone(), self.scope.clone(), key)
    }

    /// A token that is good now, other than `refused`.
    pub(crate) async fn token(&self, refused: Option<&SecretString>) -> Result<SecretString, Fault> {
        let mut held = self.held.lock().await;
        if let Some((secret, until)) = held.as_ref() {
            let is_refused = refused.is_some_and(|other| other.expose_secret() == secret.expose_secret());
            if Instant::now() < *until && !is_refused {
                return Ok(secret.clone());
            }
        }
        let Token { secret, lifetime } = self.fetch().await?;
        // One that is good for no time at all by its own word serves the call that fetched it.
        *held = (lifetime > Duration::ZERO).then(|| (secret.clone(), Instant::now() + lifetime));
        Ok(secret)
    }

    async fn fetch(&self) -> Result<Token, Fault> {
        let asked = gigachat::token_request(&self.scope, &request_id()?);
        let mut request = self.http.post(&self.url).body(asked.body);
        for (name, value) in &asked.headers {
            request = request.header(*name, value);
        }
        let mut key = HeaderValue::try_from(format!("Basic {}", self.key.expose_secret()))
            .map_err(|_| Fault::of(llm::Failure::Unauthorized))?;
        key.set_sensitive(true);
        let response = request.header(AUTHORIZATION, key).send().await;
        let response = response.map_err(Fault::of_connection)?;
        let head = peer::Head::of(&response);
        let body = peer::body(response).await?;
        gigachat::token(&head.reply(&body)).map_err(Fault::of)
    }
}

/// A UUID of version 4: the provider wants each request to have another.
fn request_id() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    let without = |_| Fault::told(llm::Failure::Unreachable, "no random bytes".to_owned());
    aws_lc_rs::rand::fill(&mut bytes).map_err(without)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
