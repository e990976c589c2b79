//! What came back over HTTP, before anybody reads it as an answer.
//!
//! Invariant: of a provider's own words about an error only its kind is kept: messages repeat keys and what was asked.

use crate::Failure;
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;
use std::time::Duration;

/// Longest wait that is believed; who asks for more is away until then and asked again.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// An answer over HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// Status.
    pub status: u16,
    /// `Retry-After`: seconds, or a date.
    pub retry_after: Option<&'a str>,
    /// `Retry-After-Ms`, which some add.
    pub retry_after_ms: Option<&'a str>,
    /// `Date`, by which a date in `Retry-After` is measured: its clock and ours may differ.
    pub date: Option<&'a str>,
    /// Our clock, where there is no `Date`.
    pub now: Timestamp,
    /// Body.
    pub body: &'a [u8],
}

impl Reply<'_> {
    /// The body of a success.
    ///
    /// # Errors
    /// The status, or what is inside, says otherwise.
    pub(crate) fn json(&self) -> Result<Value, Failure> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let body: Value = serde_json::from_slice(self.body).map_err(|_| Failure::Malformed)?;
        if body.get("error").is_some_and(|error| !error.is_null()) {
            Err(Failure::ErrorInside)
        } else {
            Ok(body)
        }
    }

    /// What the status says, where it is not 200.
    pub fn failure(&self) -> Option<Failure> {
        let said = Said::read(self.body);
        let retry_after = self.wait();
        Some(match self.status {
            200 => return None,
            401 | 403 => Failure::Unauthorized,
            402 => Failure::NoCredit,
            404 if said.is_object => Failure::NoSuchModel,
            408 | 504 => Failure::Timeout,
            413 => Failure::TooLong,
            429 if said.has(&["insufficient_quota", "billing"]) => Failure::NoCredit,
            429 => Failure::RateLimited { retry_after },
            400 | 422 => said.refusal(),
            503 | 529 => Failure::Overloaded { retry_after },
            500.. => Failure::ServerError,
            _ => Failure::WrongAddress,
        })
    }

    /// What the provider wants waited, exactly.
    fn wait(&self) -> Option<Duration> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0);
        let millis = self.retry_after_ms.and_then(number).map(|ms| ms / 1000.0);
        let seconds = millis.or_else(|| self.retry_after.and_then(number));
        let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        wait.or_else(|| self.wait_until()).map(|wait| wait.min(RETRY_AFTER_MAX))
    }

    fn wait_until(&self) -> Option<Duration> {
        let until = http_date(self.retry_after?)?;
        let now = self.date.and_then(http_date).unwrap_or(self.now);
        Some(until.duration_since(now).try_into().unwrap_or(Duration::ZERO))
    }
}

/// A date as HTTP writes it.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// What a provider says about an error, in lower case.
struct Said {
    is_object: bool,
    words: String,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Self { is_object: false, words: String::new() };
        };
        let error = body.get("error").unwrap_or(&body);
        let part = |name: &str| error.get(name).map(Value::to_string).unwrap_or_default();
        let words = ["code", "type", "message"].map(part).join(" ");
        let whole = error.as_str().unwrap_or_default();
        Self { is_object: body.is_object(), words: format!("{words} {whole}").to_lowercase() }
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.words.contains(word))
    }

    /// Why a request was not taken.
    fn refusal(&self) -> Failure {
        if self.has(&["credit balance", "billing"]) {
            Failure::NoCredit
        } else if self.has(&["content_policy", "content_filter", "content management policy"]) {
            Failure::Refused
        } else if self.has(&[
            "context_length",
            "context length",
            "too long",
            "too many tokens",
            "context window",
        ]) {
            Failure::TooLong
        } else if self.has(&["model_not_found", "invalid model", "is not a valid model"]) {
            Failure::NoSuchModel
        } else {
            Failure::BadRequest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply<'_> {
        let now = "2026-11-06T08:49:37Z".parse().unwrap();
        Reply { status, retry_after: None, retry_after_ms: None, date: None, now, body: body.as_bytes() }
    }

    #[test]
    fn what_providers_answer_has_one_meaning_each() {
        for (status, body, failure) in [
            (401, r#"{"error":{"message":"Incorrect API key provided"}}"#, Failure::Unauthorized),
            (403, "", Failure::Unauthorized),
            (402, "", Failure::NoCredit),
            (
                400,
                r#"{"type":"error","error":{"message":"Your credit balance is too low"}}"#,
                Failure::NoCredit,
            ),
            (429, r#"{"error":{"code":"insufficient_quota"}}"#, Failure::NoCredit),
            (404, r#"{"error":{"code":"model_not_found"}}"#, Failure::NoSuchModel),
            (404, r#"{"error":"model 'x' not found"}"#, Failure::NoSuchModel),
            (404, "404 page not found", Failure::WrongAddress),
            (400, r#"{"error":{"code":400,"message":"x is not a valid model ID"}}"#, Failure::NoSuchModel),
            (302, "", Failure::WrongAddress),
            (405, "", Failure::WrongAddress),
            (400, r#"{"error":{"code":"context_length_exceeded"}}"#, Failure::TooLong),
            (400, r#"{"error":{"message":"prompt is too long: 210000 tokens > 200000"}}"#, Failure::TooLong),
            (413, "", Failure::TooLong),
            (400, r#"{"error":{"code":"content_policy_violation"}}"#, Failure::Refused),
            (422, r#"{"status":422,"message":"Invalid params"}"#, Failure::BadRequest),
            (400, "<html>", Failure::BadRequest),
            (408, "", Failure::Timeout),
            (504, "", Failure::Timeout),
            (500, "", Failure::ServerError),
            (502, "<html>", Failure::ServerError),
            (503, "", Failure::Overloaded { retry_after: None }),
            (529, r#"{"error":{"type":"overloaded_error"}}"#, Failure::Overloaded { retry_after: None }),
            (429, "", Failure::RateLimited { retry_after: None }),
            (204, "", Failure::WrongAddress),
        ] {
            assert_eq!(reply(status, body).json(), Err(failure), "{status} {body}");
        }
        assert_eq!(reply(200, r#"{"error":{"code":429}}"#).json(), Err(Failure::ErrorInside));
        assert_eq!(reply(200, "<html>").json(), Err(Failure::Malformed));
        assert_eq!(reply(200, &"[".repeat(100_000)).json(), Err(Failure::Malformed));
        assert_eq!(reply(200, r#"{"error":null}"#).json(), Ok(serde_json::json!({"error": null})));
    }

    #[test]
    fn the_wait_is_what_the_provider_says_to_the_millisecond() {
        let wait = |retry_after, retry_after_ms, date| {
            Reply { retry_after, retry_after_ms, date, ..reply(429, "") }.failure().unwrap().retry_after()
        };
        assert_eq!(wait(Some("17"), None, None), Some(Duration::from_secs(17)));
        assert_eq!(wait(Some("0.25"), None, None), Some(Duration::from_millis(250)));
        assert_eq!(wait(Some("17"), Some("1500"), None), Some(Duration::from_millis(1500)));
        // A date, by the provider's clock where it tells it, else by ours.
        let until = Some("Fri, 06 Nov 2026 08:50:07 GMT");
        assert_eq!(wait(until, None, None), Some(Duration::from_secs(30)));
        assert_eq!(wait(until, None, Some("Fri, 06 Nov 2026 08:50:00 GMT")), Some(Duration::from_secs(7)));
        assert_eq!(wait(until, None, Some("Fri, 06 Nov 2026 09:00:00 GMT")), Some(Duration::ZERO));
        for nonsense in ["", "soon", "-5", "NaN", "inf"] {
            assert_eq!(wait(Some(nonsense), None, None), None, "{nonsense}");
        }
        assert_eq!(wait(Some("1e300"), None, None), None);
        assert_eq!(wait(Some("99999999"), None, None), Some(Duration::from_hours(24)));
    }
}
