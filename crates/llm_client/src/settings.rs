//! What an operator says about models: the section `llm` of the configuration.
//!
//! Invariant: a setting that cannot work is an error that names its key and what to write; no key of a provider is in one.

use llm::{
    dialect::{Dialect, JsonMode, LimitField, Model, gigachat},
    price::Prices,
    router::{self, Router},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Longest wait for an answer that can be set.
const TIMEOUT_S_MAX: u64 = 600;

/// The section. Without a chain no model is ever asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whom chains may name.
    pub providers: Vec<ProviderSettings>,
    /// For each stage the names of its providers in the order in which they are asked; after them comes the built-in result.
    pub chains: BTreeMap<String, Vec<String>>,
    /// Longest wait in seconds for an answer, all attempts at all providers together. Default: 120.
    pub deadline_s: u64,
    /// What each tenant may use of the provider called `pro`; beyond it the next in the chain is asked.
    pub pro_quota: Quota,
    /// What each user may ask of all providers together, by digests asked for by name or command.
    pub user_quota: UserQuota,
    /// For each stage which version of its prompt is used. Default: the first that comes with the program.
    pub prompts: BTreeMap<String, PromptChoice>,
    /// File with prices (`[[prices]]`) that go before those that come with the program. Default: none.
    pub prices_file: Option<PathBuf>,
}

/// Most that a tenant may use in a month, of UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Tokens, of questions and answers (`DIGEST_PRO_QUOTA_TOKENS_PER_MONTH`). Default: no bound.
    pub tokens_per_month: Option<u64>,
}

/// Most that a user may use in a day, of UTC. Calls with a key of the user's own are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserQuota {
    /// Calls, failed ones too (`DIGEST_USER_QUOTA_REQUESTS_PER_DAY`). Default: 1,000; at 0 no model is asked for users.
    pub requests_per_day: u64,
}

impl Default for UserQuota {
    fn default() -> Self {
        Self { requests_per_day: 1_000 }
    }
}

/// Which version of a stage's prompt is used; the stage knows which there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptChoice {
    /// For everybody else, as in `part/1`. Default: the stage's own.
    pub name: Option<String>,
    /// For some tenants, to see how another one does.
    pub canary: Option<Canary>,
}

/// A prompt that is tried on some tenants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// The prompt.
    pub name: String,
    /// For whom.
    pub tenants: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            providers: Vec::new(),
            chains: BTreeMap::new(),
            deadline_s: 120,
            pro_quota: Quota::default(),
            user_quota: UserQuota::default(),
            prompts: BTreeMap::new(),
            prices_file: None,
        }
    }
}

impl Settings {
    /// Name of the provider that [`Settings::pro_quota`] is about.
    pub const PRO: &str = "pro";

    /// Whether a stage asks anybody.
    pub fn asks(&self, stage: &str) -> bool {
        self.chains.get(stage).is_some_and(|chain| !chain.is_empty())
    }

    /// The prompt that is set for a stage, and that of its canary with the tenants.
    pub fn prompt(&self, stage: &str) -> (Option<&str>, Option<(&str, &[String])>) {
        let choice = self.prompts.get(stage);
        let canary = choice.and_then(|choice| choice.canary.as_ref());
        (
            choice.and_then(|choice| choice.name.as_deref()),
            canary.map(|canary| (canary.name.as_str(), canary.tenants.as_slice())),
        )
    }

    /// Longest wait for an answer.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_s)
    }

    /// The prices: those of the file, and those that come with the program where it says nothing.
    ///
    /// # Errors
    /// The file cannot be read; the error names key, file and line.
    pub fn prices(&self) -> Result<Prices, Error> {
        let error = |why: String| Error::Prices(why);
        let built_in = Prices::built_in().map_err(|why| error(why.to_string()))?;
        let Some(file) = &self.prices_file else { return Ok(built_in) };
        let text =
            std::fs::read_to_string(file).map_err(|why| error(format!("{}: {why}", file.display())))?;
        let own = Prices::read(&text).map_err(|why| error(format!("{}: {why}", file.display())))?;
        Ok(own.before(built_in))
    }
}

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

/// Settings that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value.
    #[error("llm.providers.{provider}.{key}: {why}")]
    Provider {
        /// Name of the provider.
        provider: String,
        /// Key of the setting.
        key: &'static str,
        /// What is wrong, and what to write.
        why: String,
    },
    /// The wait for a whole chain.
    #[error("llm.deadline_s: expected 1 to {TIMEOUT_S_MAX} seconds, not {0}")]
    Deadline(u64),
    /// A chain.
    #[error(transparent)]
    Chain(#[from] llm::router::ChainError),
    /// The file of prices.
    #[error("llm.prices_file: {0}")]
    Prices(String),
    /// There is no way to speak TLS.
    #[error("could not make a client for models: {0}")]
    Client(String),
}

impl Settings {
    /// Looks for what cannot work, without reading a key or a file.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=TIMEOUT_S_MAX).contains(&self.deadline_s) {
            return Err(Error::Deadline(self.deadline_s));
        }
        self.router()?;
        self.providers.iter().try_for_each(ProviderSettings::check)
    }

    pub(crate) fn router(&self) -> Result<Router, Error> {
        let limits = |provider: &ProviderSettings| router::Provider {
            name: provider.name.clone(),
            max_concurrent: Some(provider.max_concurrent),
            requests_per_minute: provider.requests_per_minute,
            tokens_per_minute: provider.tokens_per_minute,
        };
        let providers: Vec<_> = self.providers.iter().map(limits).collect();
        Ok(Router::new(&providers, &self.chains)?)
    }
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

#[cfg(test)]
mod tests;
