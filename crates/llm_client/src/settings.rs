//! What an operator says about models: the section `llm` of the configuration.
//!
//! Invariant: a setting that cannot work is an error that names its key and what to write; no key of a provider is in one.

mod moderation;
mod provider;

pub(crate) use moderation::MODERATION;
pub use moderation::ModerationSettings;
pub use provider::ProviderSettings;

use llm::{
    price::Prices,
    router::{self, Router},
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Longest wait for an answer that can be set.
const TIMEOUT_S_MAX: u64 = 600;
const HEDGE_AFTER_MS_MAX: u64 = TIMEOUT_S_MAX * 1_000;

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
    /// After so many milliseconds without an answer the next of the chain is asked beside the first; the first good answer is taken.
    /// Default: never, since both may have to be paid.
    pub hedge_after_ms: Option<u64>,
    /// What each tenant may use of the provider called `pro`; beyond it the next in the chain is asked.
    pub pro_quota: Quota,
    /// What each user may ask of all providers together, by digests asked for by name or command.
    pub user_quota: UserQuota,
    /// For each stage which version of its prompt is used. Default: the first that comes with the program.
    pub prompts: BTreeMap<String, PromptChoice>,
    /// Who judges what a model wrote before it goes out. Default: the built-in lists of words alone.
    pub moderation: Option<ModerationSettings>,
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
            hedge_after_ms: None,
            pro_quota: Quota::default(),
            user_quota: UserQuota::default(),
            prompts: BTreeMap::new(),
            moderation: None,
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

    /// How long a first provider is waited for alone.
    pub(crate) fn hedge_after(&self) -> Option<Duration> {
        self.hedge_after_ms.map(Duration::from_millis)
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
    /// The provider of moderation.
    #[error("llm.moderation.{key}: {why}")]
    Moderation {
        /// Key of the setting.
        key: &'static str,
        /// What is wrong, and what to write.
        why: String,
    },
    /// The wait for a whole chain.
    #[error("llm.deadline_s: expected 1 to {TIMEOUT_S_MAX} seconds, not {0}")]
    Deadline(u64),
    /// The wait for a first provider alone.
    #[error("llm.hedge_after_ms: expected 1 to {HEDGE_AFTER_MS_MAX} milliseconds, not {0}")]
    Hedge(u64),
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
        if let Some(wait) = self.hedge_after_ms.filter(|wait| !(1..=HEDGE_AFTER_MS_MAX).contains(wait)) {
            return Err(Error::Hedge(wait));
        }
        self.moderator()?;
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
        let mut providers: Vec<_> = self.providers.iter().map(limits).collect();
        let mut chains = self.chains.clone();
        if let Some((_, provider)) = self.moderator()? {
            // A place of its own: what it meets says nothing of the provider's other models.
            let name = format!("{MODERATION}/{}", provider.name);
            chains.insert(MODERATION.to_owned(), vec![name.clone()]);
            let max_concurrent = Some(provider.max_concurrent);
            providers.push(router::Provider {
                name,
                max_concurrent,
                requests_per_minute: None,
                tokens_per_minute: None,
            });
        }
        Ok(Router::new(&providers, &chains)?)
    }
}

#[cfg(test)]
mod tests;
