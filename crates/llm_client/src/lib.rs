//! Answers of language models over HTTP: along a chain of providers, within a deadline.
//!
//! Invariants: nothing is sent that the witness was not told of before; nothing is sent twice where it may have been answered; no word
//! of a request or an answer and no key is in an error, an attempt or debug output.

mod call;
mod check;
mod oauth;
mod peer;
mod settings;
mod witness;

pub use check::{KeyError, check_key};
pub use llm::router::ChainError;
pub use settings::{Error, ModerationSettings, ProviderSettings, Quota, Settings, UserQuota};
pub use witness::{Begun, Refusal, Unwitnessed, Witness};

use call::{Call, Terms};
use llm::{ChatRequest, Completion, Failure, Usage, router::Router};
use peer::{Ask, Peer};
use secrecy::SecretString;
use settings::MODERATION;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// A client of all providers of the settings. Cheap to clone; clones share connections, rates and breakers.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    /// A tenant's own keys by provider.
    own: Arc<BTreeMap<String, SecretString>>,
}

#[derive(Debug)]
struct Shared {
    peers: Vec<Peer>,
    router: Mutex<Router>,
    /// Rung whenever an attempt has ended.
    ended: Notify,
    begun: Instant,
    /// After so long without an answer a second provider is asked beside the first.
    hedge_after: Option<Duration>,
}

/// One attempt at one provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The provider's name in the settings.
    pub provider: String,
    /// Whom its prices are looked up by.
    pub vendor: String,
    /// The model that was asked.
    pub model: String,
    /// Whether a key of the tenant's own was used.
    pub has_own_key: bool,
    /// Whether it was made beside another that was slow.
    pub is_hedge: bool,
    /// Why there is no answer; none where there is one.
    pub failure: Option<Failure>,
    /// What the transport says of that, for an operator.
    pub detail: Option<String>,
    /// What it took, where the provider says so. A failure may have been paid for too.
    pub usage: Option<Usage>,
    /// From the first byte of the request to the last of the answer.
    pub duration: Duration,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Complete, as [`Completion::failure`] has it.
    pub completion: Completion,
    /// Name of the provider that gave it.
    pub provider: String,
    /// All attempts, the last one that of the answer.
    pub attempts: Vec<Attempt>,
}

/// Nobody has answered: the built-in result is to be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no language model has answered: {reason}")]
pub struct Exhausted {
    /// Label of a metric: the last failure's reason, the witness's, or `no_provider`, `deadline`, `breaker_open`, `rate_limited`,
    /// `over_rate`.
    pub reason: &'static str,
    /// All attempts.
    pub attempts: Vec<Attempt>,
}

impl Attempt {
    /// Label of a metric: `ok`, or the failure's reason.
    pub fn outcome(&self) -> &'static str {
        self.failure.map_or("ok", Failure::reason)
    }

    /// Whether it may have been paid for and nobody has told what it took.
    pub fn is_unknown(&self) -> bool {
        self.usage.is_none() && self.failure.is_some_and(Failure::may_be_paid)
    }
}

impl Client {
    /// A client of these settings, none where they have no chain: then no model is ever asked. Touches no network. `variable` reads
    /// the environment, in which keys may be.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_settings(
        settings: &Settings,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Error> {
        settings.check()?;
        if settings.chains.values().all(Vec::is_empty) {
            return Ok(None);
        }
        let http = peer::shared()?;
        let peer = |provider: &ProviderSettings| Peer::new(provider, &http, provider.key(variable)?);
        let mut peers: Vec<Peer> = settings.providers.iter().map(peer).collect::<Result<_, _>>()?;
        // In the order of the router.
        if let Some((by, provider)) = settings.moderator()? {
            peers.push(Peer::moderator(provider, by, &http, provider.key(variable)?)?);
        }
        let router = Mutex::new(settings.router()?);
        let shared = Shared {
            peers,
            router,
            ended: Notify::new(),
            begun: Instant::now(),
            hedge_after: settings.hedge_after(),
        };
        Ok(Some(Self { shared: Arc::new(shared), own: Arc::default() }))
    }

    /// The same client with keys of a tenant's own, by name of the provider: they are used instead of the settings' keys. What
    /// they meet (not taken, out of credit, too many requests) stands in nobody else's way.
    #[must_use]
    pub fn with_keys(&self, keys: BTreeMap<String, SecretString>) -> Self {
        Self { shared: Arc::clone(&self.shared), own: Arc::new(keys) }
    }

    /// Whether a stage asks anybody.
    pub fn asks(&self, stage: &str) -> bool {
        !self.shared.router().chain(stage).is_empty()
    }

    /// The models that a stage may ask, in their order, as `provider/model`.
    pub fn models(&self, stage: &str) -> Vec<String> {
        let name = |place: &usize| {
            let peer = &self.shared.peers[*place];
            format!("{}/{}", peer.name, peer.model.name)
        };
        self.shared.router().chain(stage).iter().map(name).collect()
    }

    /// Asks the providers of a stage, one after another, until one answers or this long has passed. Whoever drops the future gives
    /// up the attempt that is on its way.
    ///
    /// # Errors
    /// Nobody has answered, for the reason that the error names.
    pub async fn complete(
        &self,
        stage: &str,
        request: &ChatRequest,
        within: Duration,
        witness: &impl Witness,
    ) -> Result<Answered, Exhausted> {
        let deadline = Instant::now() + within;
        let terms = Terms { stage, ask: Ask::Chat(request), deadline, own: &self.own };
        Box::pin(Call::new(&self.shared, terms, witness).run()).await
    }

    /// The model that judges what goes out, as `provider/model`; none where none is set.
    pub fn moderator(&self) -> Option<String> {
        self.models(MODERATION).pop()
    }

    /// Asks the provider of moderation what of these texts should not go out, as `llm::dialect::moderation::judged` reads it.
    ///
    /// # Errors
    /// It has not answered, for the reason that the error names.
    pub async fn moderate(
        &self,
        texts: &[String],
        within: Duration,
        witness: &impl Witness,
    ) -> Result<Answered, Exhausted> {
        let deadline = Instant::now() + within;
        let terms = Terms { stage: MODERATION, ask: Ask::Moderation(texts), deadline, own: &self.own };
        Box::pin(Call::new(&self.shared, terms, witness).run()).await
    }
}

impl Shared {
    /// The router; nothing in it panics, so that a poisoned lock is as good as any.
    fn router(&self) -> MutexGuard<'_, Router> {
        self.router.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
