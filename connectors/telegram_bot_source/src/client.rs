//! The two calls of the Bot API that the source makes.
//!
//! Invariant: the token is in the path of a request and nowhere else: no error tells an address.

use reqwest::StatusCode;
use runtime::{HostError, config::Telegram};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{error::Error, fmt, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer, beyond the time that a poll may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer that is read: a hundred messages with all that they answer.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A bot, as the Bot API knows it.
#[derive(Clone)]
pub struct Bot {
    http: reqwest::Client,
    url: String,
    token: SecretString,
    id: u64,
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot").field("url", &self.url).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    #[error("could not reach Telegram: {0}")]
    Away(String),
    #[error("Telegram answers {0} with something that is not the Bot API's")]
    Nonsense(StatusCode),
    #[error("Telegram asks to wait for {}s", .0.as_secs())]
    TooMany(Duration),
    #[error("the bot's token in telegram.token is refused: {0}; give the one that @BotFather tells")]
    BadToken(String),
    #[error("another program reads this bot's updates: {0}; end it, or give this pipeline a bot of its own")]
    OtherPoller(String),
    #[error("a webhook gets this bot's updates: {0}")]
    Webhook(String),
    #[error("Telegram refuses: {0}")]
    Refused(String),
}

#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
    #[serde(default)]
    result: Value,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

impl Bot {
    /// A bot with the settings' token; touches no network.
    ///
    /// # Errors
    /// There is no token, it is none, or there is no way to speak TLS.
    pub fn new(settings: &Telegram) -> Result<Self, HostError> {
        let failed = |why: String| HostError::Start { what: "speak to Telegram", why };
        let missing = "telegram.token is not set: give the bot's token in GISTMILL_TELEGRAM__TOKEN";
        let token = settings.token.clone().ok_or_else(|| failed(missing.to_owned()))?;
        let id = token.expose_secret().split_once(':').and_then(|(id, _)| id.parse().ok());
        let id =
            id.ok_or_else(|| failed("telegram.token is no token: expected NUMBER:LETTERS".to_owned()))?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(told(error)))?;
        Ok(Self { http, url: settings.api.trim_end_matches('/').to_owned(), token, id })
    }

    /// The bot's own id, which its token begins with and keeps when it is replaced.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether the bot is shown all messages of its groups, or commands alone (privacy mode).
    pub(crate) async fn sees_all(&self) -> Result<bool, CallError> {
        let me = self.call("getMe", &json!({}), Duration::ZERO).await?;
        Ok(me["can_read_all_group_messages"] != false)
    }

    /// Updates from an offset on, which confirms those before it; waits for one if there is none.
    pub(crate) async fn updates(
        &self,
        offset: Option<i64>,
        limit: usize,
        wait: Duration,
    ) -> Result<Vec<Value>, CallError> {
        let kinds = crate::convert::KINDS;
        let mut body = json!({ "limit": limit, "timeout": wait.as_secs(), "allowed_updates": kinds });
        if let Some(offset) = offset {
            body["offset"] = offset.into();
        }
        match self.call("getUpdates", &body, wait).await? {
            Value::Array(updates) => Ok(updates),
            _ => Err(CallError::Nonsense(StatusCode::OK)),
        }
    }

    async fn call(&self, method: &str, body: &Value, wait: Duration) -> Result<Value, CallError> {
        let url = format!("{}/bot{}/{method}", self.url, self.token.expose_secret());
        let request = self.http.post(url).timeout(TIMEOUT + wait).json(body);
        let response = request.send().await.map_err(|error| CallError::Away(told(error)))?;
        let status = response.status();
        answer(status, &read(response).await?)
    }
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| CallError::Away(told(error)))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(CallError::Away("its answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn answer(status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else {
        return Err(CallError::Nonsense(status));
    };
    if envelope.ok {
        return Ok(envelope.result);
    }
    let why = envelope.description;
    Err(match status.as_u16() {
        401 | 404 => CallError::BadToken(why),
        409 if why.contains("webhook") => CallError::Webhook(why),
        409 => CallError::OtherPoller(why),
        429 => {
            let seconds = envelope.parameters.and_then(|parameters| parameters.retry_after);
            CallError::TooMany(Duration::from_secs(seconds.unwrap_or(1)))
        }
        _ => CallError::Refused(why),
    })
}

/// An error without the address, which holds the token.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
