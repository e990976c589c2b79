//! Calls of Telegram's Bot API.
//!
//! Invariant: the token is in the path of a request and nowhere else: no error and no debug output tells an address; and
//! nothing is sent twice by the client itself.

use http_reply::{read, told};
use reqwest::StatusCode;
use runtime::{HostError, config::Telegram};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether connections are kept between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// They are: for calls that may be made again.
    Kept,
    /// Each call has its own. One that was kept may be closed while a request is on its way, and then nobody knows whether
    /// it was done.
    Fresh,
}

/// A client with a bot's token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: SecretString,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Bounds of a call.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Largest answer that is read, in bytes.
    pub bytes_max: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The request has not left.
    #[error("{0}")]
    NotSent(String),
    /// The request may have been done.
    #[error("{0}")]
    Lost(String),
}

/// An answer, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Body, or why it could not be read to its end.
    pub body: Result<Vec<u8>, String>,
}

/// What every answer of the Bot API looks like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Envelope<T> {
    /// Whether it was done.
    pub ok: bool,
    /// Why not.
    #[serde(default)]
    pub description: String,
    /// What to do about that.
    pub parameters: Option<Parameters>,
    /// What came of it.
    pub result: Option<T>,
}

/// What to do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Parameters {
    /// Seconds to wait.
    pub retry_after: Option<u64>,
    /// What the chat has become.
    pub migrate_to_chat_id: Option<i64>,
}

impl Client {
    /// A client with the settings' token; touches no network.
    ///
    /// # Errors
    /// There is no token, or no way to speak TLS.
    pub fn new(settings: &Telegram, connections: Connections) -> Result<Self, HostError> {
        let missing = "telegram.token is not set: give the bot's token in GISTMILL_TELEGRAM__TOKEN";
        let token = settings.token.clone().ok_or_else(|| unable(missing.to_owned()))?;
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none());
        let builder = match connections {
            Connections::Kept => builder,
            Connections::Fresh => builder.pool_max_idle_per_host(0),
        };
        let http = builder.build().map_err(|error| unable(told(error)))?;
        Ok(Self { http, url: settings.api.trim_end_matches('/').to_owned(), token })
    }

    /// The bot's own id, which its token begins with and keeps when it is replaced.
    ///
    /// # Errors
    /// The token is none.
    pub fn id(&self) -> Result<u64, HostError> {
        let id = self.token.expose_secret().split_once(':').and_then(|(id, _)| id.parse().ok());
        id.ok_or_else(|| unable("telegram.token is no token: expected NUMBER:LETTERS".to_owned()))
    }

    /// Calls a method once.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn call(
        &self,
        method: &str,
        body: &impl Serialize,
        bounds: Bounds,
    ) -> Result<Reply, CallError> {
        let url = format!("{}/bot{}/{method}", self.url, self.token.expose_secret());
        let request = self.http.post(url).timeout(bounds.timeout).json(body);
        let response = request.send().await.map_err(|error| {
            let not_sent = error.is_connect() || error.is_builder();
            if not_sent { CallError::NotSent(told(error)) } else { CallError::Lost(told(error)) }
        })?;
        let status = response.status();
        Ok(Reply { status, body: read(response, bounds.bytes_max).await.map_err(|error| error.to_string()) })
    }
}

fn unable(why: String) -> HostError {
    HostError::Start { what: "speak to Telegram", why }
}

#[cfg(test)]
mod tests;
