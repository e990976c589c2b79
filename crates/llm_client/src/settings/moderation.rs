//! Who judges what a model wrote before it goes out.
//!
//! Invariant: the provider is one of the settings' own, so that its address, key and authorities are told once.

use super::{Error, ProviderSettings, Settings, TIMEOUT_S_MAX};
use llm::Dialect;
use serde::Deserialize;
use std::time::Duration;

/// Name of the chain of those who judge; no stage can have it.
pub(crate) const MODERATION: &str = "~moderation";

/// The section `llm.moderation`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModerationSettings {
    /// One of `llm.providers`, of the dialect `openai`: its address, key and authorities are used, at `/moderations`.
    pub provider: String,
    /// The model that judges. Default: `omni-moderation-latest`, which `OpenAI` does not charge for.
    #[serde(default = "model")]
    pub model: String,
    /// Seconds to wait for a judgement. Default: 10; without one in time the built-in lists decide alone.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

fn model() -> String {
    "omni-moderation-latest".to_owned()
}

fn timeout_s() -> u64 {
    10
}

impl ModerationSettings {
    /// Longest wait for a judgement.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}

impl Settings {
    /// Whether what a stage's model wrote is judged by a provider.
    pub fn moderates(&self, stage: &str) -> bool {
        self.moderation.is_some() && self.asks(stage)
    }

    /// Who judges, and the provider of that name.
    pub(crate) fn moderator(&self) -> Result<Option<(&ModerationSettings, &ProviderSettings)>, Error> {
        let Some(by) = &self.moderation else { return Ok(None) };
        let error = |key, why: String| Error::Moderation { key, why };
        let names =
            || self.providers.iter().map(|provider| provider.name.as_str()).collect::<Vec<_>>().join(", ");
        let provider = self.providers.iter().find(|provider| provider.name == by.provider);
        let Some(provider) = provider else {
            let why = format!("names {:?}; expected one of llm.providers: {}", by.provider, names());
            return Err(error("provider", why));
        };
        if provider.dialect != Dialect::OpenAi {
            let why = format!("{:?} is of another dialect; expected one of openai", by.provider);
            return Err(error("provider", why));
        }
        if by.model.trim().is_empty() {
            return Err(error("model", "expected the provider's name of a model".to_owned()));
        }
        if !(1..=TIMEOUT_S_MAX).contains(&by.timeout_s) {
            return Err(error("timeout_s", format!("expected 1 to {TIMEOUT_S_MAX} seconds")));
        }
        Ok(Some((by, provider)))
    }
}
