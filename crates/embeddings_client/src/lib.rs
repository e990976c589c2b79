//! Vectors from an endpoint that speaks `OpenAI`'s `POST /v1/embeddings`.
//!
//! Invariant: an answer is taken as a whole or not at all: as many vectors as texts, all of the size that the settings say, every
//! number finite. No text and no key is in an error.

mod answer;
mod error;

pub use error::Error;

use http_reply::{ReadError, read, told};
use reqwest::{StatusCode, header::RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::{fmt, time::Duration};

/// Attempts at a request in all.
const ATTEMPTS: u32 = 4;
/// First wait between two, doubled from then on.
const WAIT: Duration = Duration::from_millis(200);
/// Longest wait; an endpoint that wants a longer one is away until the caller comes again.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Largest answer that is read: 256 vectors of 8,192 numbers as text.
const BYTES_MAX: usize = 64 << 20;

/// An endpoint and its model.
#[derive(Debug, Clone)]
pub struct Options {
    /// What comes before `/embeddings`, such as `https://api.openai.com/v1`.
    pub url: String,
    /// Sent as a bearer token, where there is one.
    pub api_key: Option<SecretString>,
    /// Name of the model, as the endpoint knows it.
    pub model: String,
    /// Numbers in its vectors.
    pub dimension: usize,
    /// Most texts in a request.
    pub batch_max: usize,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// A client of one endpoint. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct EmbeddingsClient {
    http: reqwest::Client,
    options: Options,
}

impl fmt::Debug for EmbeddingsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddingsClient")
            .field("url", &self.options.url)
            .field("model", &self.options.model)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
}

/// How an attempt failed.
struct Failed {
    error: Error,
    /// What the endpoint wants waited.
    retry_after: Option<Duration>,
}

impl EmbeddingsClient {
    /// A client; touches no network.
    ///
    /// # Errors
    /// There is no way to speak TLS.
    pub fn new(options: Options) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .timeout(options.timeout)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none());
        let http = builder.build().map_err(|error| Error::Away { detail: told(error) })?;
        Ok(Self { http, options })
    }

    /// Most texts that [`Self::embed`] takes.
    pub fn batch_max(&self) -> usize {
        self.options.batch_max.max(1)
    }

    /// The vectors of the texts of one request, in their order. Endpoints refuse blank texts.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn embed(&self, input: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
        let mut wait = WAIT;
        for _ in 1..ATTEMPTS {
            match self.once(input).await {
                Ok(vectors) => return Ok(vectors),
                Err(Failed { error: Error::Away { .. }, retry_after })
                    if retry_after.is_none_or(|wanted| wanted <= WAIT_MAX) =>
                {
                    tokio::time::sleep(retry_after.unwrap_or(wait)).await;
                    wait = (wait * 2).min(WAIT_MAX);
                }
                Err(Failed { error, .. }) => return Err(error),
            }
        }
        self.once(input).await.map_err(|failed| failed.error)
    }

    /// One attempt.
    async fn once(&self, input: &[&str]) -> Result<Vec<Vec<f32>>, Failed> {
        let failed = |error| Failed { error, retry_after: None };
        let url = format!("{}/embeddings", self.options.url.trim_end_matches('/'));
        let body = Request { model: &self.options.model, input, encoding_format: "float" };
        let mut request = self.http.post(url).json(&body);
        if let Some(key) = &self.options.api_key {
            request = request.bearer_auth(key.expose_secret());
        }
        let away = |error| failed(Error::Away { detail: told(error) });
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        if let Some(error) = of_status(status) {
            return Err(Failed { error, retry_after });
        }
        let bytes = read(response, BYTES_MAX).await.map_err(|error| {
            failed(match error {
                ReadError::Broken(detail) => Error::Away { detail },
                ReadError::TooLong => Error::Unreadable { detail: "it is longer than 64 MiB".to_owned() },
            })
        })?;
        answer::vectors(&bytes, input.len(), self.options.dimension).map_err(failed)
    }
}

fn of_status(status: StatusCode) -> Option<Error> {
    let code = status.as_u16();
    match code {
        200 => None,
        408 | 429 | 500.. => Some(Error::Away { detail: format!("it answered {status}") }),
        401 | 403 => Some(Error::Denied { status: code }),
        400 | 413 | 422 => Some(Error::Refused { status: code }),
        _ => Some(Error::NotThere { status: code }),
    }
}

#[cfg(test)]
mod tests;
