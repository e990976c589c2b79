//! Sber's `GigaChat`: `OpenAI`'s form with a token of half an hour before it.
//!
//! Invariant: a token is used no longer than it is good by the provider's own clock, and never as long as its end.

use super::{HttpParts, JsonMode, Model, Reply, openai, reply::http_date};
use crate::{ChatRequest, Failure};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// Where tokens are given out, unless the settings say otherwise.
pub const OAUTH_URL: &str = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth";
/// For whom, unless the settings say otherwise: a person. `GIGACHAT_API_B2B` and `GIGACHAT_API_CORP` are companies'.
pub const SCOPE: &str = "GIGACHAT_API_PERS";
/// A token is good for half an hour; longer is not believed.
const LIFETIME_MAX: Duration = Duration::from_mins(30);
/// Left at its end for a call that is on its way.
const MARGIN: Duration = Duration::from_mins(1);

pub(super) fn request(model: &Model, request: &ChatRequest) -> HttpParts {
    let mut body = openai::body(model, request);
    if let (Some(schema), JsonMode::Schema) = (&request.schema, model.json) {
        let format = json!({"type": "json_schema", "schema": schema, "strict": true});
        body.insert("response_format".to_owned(), format);
    }
    openai::parts(body)
}

/// A request for a token. The key goes into `Authorization: Basic`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Headers; `RqUID` names the request and is new each time.
    pub headers: [(&'static str, String); 3],
    /// Sent as a form.
    pub body: String,
}

/// Asks for a token for a scope. `request_id` is a UUID of version 4.
pub fn token_request(scope: &str, request_id: &str) -> TokenRequest {
    TokenRequest {
        headers: [
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("rquid", request_id.to_owned()),
        ],
        body: format!("scope={scope}"),
    }
}

/// A token, and how long it may be used from now on.
#[derive(Debug, Clone)]
pub struct Token {
    /// Sent as a bearer token.
    pub secret: SecretString,
    /// From the moment that the answer came.
    pub lifetime: Duration,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    /// Milliseconds since 1970, by the provider's clock.
    expires_at: i64,
}

/// Reads what came for a [`TokenRequest`]. How long the token is good is measured by the answer's own `Date`, so that a clock
/// of ours that is wrong does no harm.
///
/// # Errors
/// There is none.
pub fn token(reply: &Reply<'_>) -> Result<Token, Failure> {
    if let Some(failure) = reply.failure() {
        return Err(failure);
    }
    let granted: Granted = serde_json::from_slice(reply.body).map_err(|_| Failure::Malformed)?;
    let now = reply.date.and_then(http_date).unwrap_or(reply.now);
    let left = granted.expires_at.saturating_sub(now.as_millisecond());
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(LIFETIME_MAX);
    Ok(Token { secret: granted.access_token, lifetime: left.saturating_sub(MARGIN) })
}
