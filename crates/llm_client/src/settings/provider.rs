//! What an operator says about one provider and its model.
//!
//! Invariant: the defaults are those of the vendor; its key is read once and stands in no error.

use super::{Error, TIMEOUT_S_MAX};
use crate::peer::Waits;
use llm::dialect::{Dialect, JsonMode, LimitField, Model, gigachat};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// Waits of a stream unless the settings say otherwise: a model that thinks aloud is heard, and one that thinks in silence
/// begins within half of the usual `timeout_s`.
const FIRST_TOKEN_S: u64 = 30;
const SILENCE_S: u64 = 15;

/// A provider and one of its models.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Name in chains, metrics and ledgers: letters, digits, `_` and `-`.
    pub name: String,
    /// Whose words it understands: `openai` (and all that speak like it), `anthropic` or `gigachat`.
    pub dialect: Dialect,
    /// What comes before `/chat/completions` or `/messages`. Default: the address of the dialect's own vendor.
    pub url: Option<String>,
    /// The model, as the provider names it.
    pub model: String,
    /// Variable of the environment that holds the key. Default: none; servers of one's own want no key.
    pub key_env: Option<String>,
    /// File that holds the key, instead.
    pub key_file: Option<PathBuf>,
    /// Whom its prices are looked up by. Default: by the address; anybody else's prices are unknown.
    pub vendor: Option<String>,
    /// Requests on their way at once. Default: 4.
    #[serde(default = "max_concurrent")]
    pub max_concurrent: u32,
    /// Most requests in a minute. Default: no bound of ours.
    pub requests_per_minute: Option<u32>,
    /// Most tokens in a minute. Default: no bound of ours.
    pub tokens_per_minute: Option<u64>,
    /// Seconds to wait for a whole answer. Default: 60.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
    /// PEM file with authorities that are trusted besides those of the system; checks stay on.
    pub ca_file: Option<PathBuf>,
    /// How JSON is asked for: `schema`, `object` or `words`. Default: the dialect's (`words` for `gigachat`, else `schema`).
    pub json: Option<JsonMode>,
    /// Name of the field that limits an answer. Default: `max_completion_tokens` for `OpenAI` itself, else `max_tokens`.
    pub limit: Option<LimitField>,
    /// Whether answers come as streams of events. Default: false.
    #[serde(default)]
    pub stream: bool,
    /// Of a stream: seconds to wait for the first of its answer. Default: 30.
    pub first_token_s: Option<u64>,
    /// Of a stream: seconds to wait for the next of its answer; what only keeps the connection does not count. Default: 15.
    pub silence_s: Option<u64>,
    /// Where `gigachat` gives out tokens. Default: its own address.
    pub oauth_url: Option<String>,
    /// For whom it gives them. Default: `GIGACHAT_API_PERS`.
    pub oauth_scope: Option<String>,
}

fn max_concurrent() -> u32 {
    4
}

fn timeout_s() -> u64 {
    60
}

impl ProviderSettings {
    /// What comes before the paths, without a slash at its end.
    pub(crate) fn address(&self) -> Result<String, Error> {
        let default = match self.dialect {
            Dialect::OpenAi => "https://api.openai.com/v1",
            Dialect::Anthropic => "https://api.anthropic.com/v1",
            Dialect::GigaChat => "https://gigachat.devices.sberbank.ru/api/v1",
        };
        self.checked("url", self.url.as_deref().unwrap_or(default), "https://HOST/v1")
    }

    /// Where tokens are given out, for the dialect that wants them.
    pub(crate) fn oauth_address(&self) -> Result<String, Error> {
        let url = self.oauth_url.as_deref().unwrap_or(gigachat::OAUTH_URL);
        self.checked("oauth_url", url, "https://HOST/api/v2/oauth")
    }

    pub(crate) fn scope(&self) -> &str {
        self.oauth_scope.as_deref().unwrap_or(gigachat::SCOPE)
    }

    /// Who is paid.
    pub(crate) fn vendor(&self) -> String {
        if let Some(vendor) = &self.vendor {
            return vendor.clone();
        }
        let url = reqwest::Url::parse(&self.address().unwrap_or_default()).ok();
        let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
        let vendors = [
            ("openai.com", "openai"),
            ("anthropic.com", "anthropic"),
            ("sberbank.ru", "gigachat"),
            ("openrouter.ai", "openrouter"),
        ];
        let is_of = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
        vendors.iter().find(|(domain, _)| is_of(domain)).map_or(host, |(_, vendor)| vendor).to_owned()
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }

    pub(crate) fn waits(&self) -> Waits {
        Waits {
            first_token: Duration::from_secs(self.first_token_s.unwrap_or(FIRST_TOKEN_S)),
            silence: Duration::from_secs(self.silence_s.unwrap_or(SILENCE_S)),
        }
    }

    pub(crate) fn model(&self) -> Model {
        let newer = self.dialect == Dialect::OpenAi && self.vendor() == "openai";
        let limit = if newer { LimitField::MaxCompletionTokens } else { LimitField::MaxTokens };
        Model {
            name: self.model.clone(),
            json: self.json.unwrap_or_else(|| self.dialect.json_mode()),
            limit: self.limit.unwrap_or(limit),
            stream: self.stream,
        }
    }

    /// What no type can judge.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_name =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if self.name.is_empty() || self.name.len() > 64 || !is_name(&self.name) {
            return Err(self.error("name", "expected 1 to 64 letters, digits, _ and -".to_owned()));
        }
        if self.model.trim().is_empty() {
            return Err(self.error("model", "expected the provider's name of a model".to_owned()));
        }
        if self.timeout_s == 0 || self.timeout_s > TIMEOUT_S_MAX {
            return Err(self.error("timeout_s", format!("expected 1 to {TIMEOUT_S_MAX} seconds")));
        }
        for (key, wait) in [("first_token_s", self.first_token_s), ("silence_s", self.silence_s)] {
            match wait {
                Some(_) if !self.stream => {
                    return Err(self.error(key, "is of streams only: set stream = true".to_owned()));
                }
                Some(wait) if !(1..=TIMEOUT_S_MAX).contains(&wait) => {
                    return Err(self.error(key, format!("expected 1 to {TIMEOUT_S_MAX} seconds")));
                }
                _ => {}
            }
        }
        if self.max_concurrent == 0 {
            return Err(self.error("max_concurrent", "expected at least 1".to_owned()));
        }
        if self.requests_per_minute == Some(0) || self.tokens_per_minute == Some(0) {
            let key =
                if self.requests_per_minute == Some(0) { "requests_per_minute" } else { "tokens_per_minute" };
            return Err(self.error(
                key,
                "expected at least 1; to ask it nothing, leave it out of the chains".to_owned(),
            ));
        }
        self.address().map(drop)
    }

    /// The key, from the environment or a file. Spaces and line ends around it are left out.
    pub(crate) fn key(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<SecretString>, Error> {
        let (key, text) = match (&self.key_env, &self.key_file) {
            (Some(_), Some(_)) => {
                return Err(self.error("key_env", "key_file is set too; leave one of them out".to_owned()));
            }
            (Some(name), None) => {
                let missing =
                    || self.error("key_env", format!("the environment has no {name}; set it to the key"));
                ("key_env", variable(name).ok_or_else(missing)?)
            }
            (None, Some(path)) => {
                let unread = |error: std::io::Error| {
                    self.error(
                        "key_file",
                        format!("could not read {}: {error}; it holds nothing but the key", path.display()),
                    )
                };
                ("key_file", std::fs::read_to_string(path).map_err(unread)?)
            }
            (None, None) if self.dialect == Dialect::OpenAi => return Ok(None),
            (None, None) => {
                return Err(self.error(
                    "key_env",
                    "is missing; name the variable that holds the key, or a key_file".to_owned(),
                ));
            }
        };
        let secret = SecretString::from(text.trim());
        let is_key = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_key(secret.expose_secret()) {
            Ok(Some(secret))
        } else {
            Err(self.error(key, "holds no key: expected letters and digits on one line".to_owned()))
        }
    }

    fn checked(&self, key: &'static str, url: &str, expected: &str) -> Result<String, Error> {
        let parsed = reqwest::Url::parse(url).ok();
        let fits = parsed.as_ref().is_some_and(|parsed| {
            matches!(parsed.scheme(), "http" | "https") && parsed.host().is_some() && parsed.query().is_none()
        });
        let is_open =
            parsed.is_some_and(|parsed| parsed.username().is_empty() && parsed.password().is_none());
        match (fits, is_open) {
            (true, true) => Ok(url.trim_end_matches('/').to_owned()),
            (true, false) => {
                Err(self
                    .error(key, "holds a name or password; give the key in key_env or key_file".to_owned()))
            }
            _ => Err(self.error(key, format!("is no address: expected {expected}"))),
        }
    }

    pub(crate) fn error(&self, key: &'static str, why: String) -> Error {
        Error::Provider { provider: self.name.clone(), key, why }
    }
}
