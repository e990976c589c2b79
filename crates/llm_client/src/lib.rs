//! Answers of language models over HTTP: along a chain of providers, within a deadline.
//!
//! Invariants: nothing is sent that the witness was not told of before; nothing is sent twice where it may have been answered; no word
//! of a request or an answer and no key is in an error, an attempt or debug output.

mod check;
mod oauth;
mod peer;
mod settings;
mod witness;

pub use check::{KeyError, check_key};
pub use llm::router::ChainError;
pub use settings::{Error, ProviderSettings, Quota, Settings, UserQuota};
pub use witness::{Begun, Refusal, Unwitnessed, Witness};

use llm::{
    ChatRequest, Completion, Failure, Usage,
    router::{Outcome, Permit, Route, Router, Step},
    tokens,
};
use peer::{Fault, Peer};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout, timeout_at},
};

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
}

/// One attempt at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The provider's name in the settings.
    pub provider: String,
    /// Whom its prices are looked up by.
    pub vendor: String,
    /// The model that was asked.
    pub model: String,
    /// Whether a key of the tenant's own was used.
    pub has_own_key: bool,
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
        let peers = settings.providers.iter().map(peer).collect::<Result<_, _>>()?;
        let router = Mutex::new(settings.router()?);
        let shared = Shared { peers, router, ended: Notify::new(), begun: Instant::now() };
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
        let shared = &*self.shared;
        let tokens = tokens::reserved(request);
        let deadline = Instant::now() + within;
        let mut route = shared.router().route(stage, tokens, deadline.duration_since(shared.begun));
        let mut attempts = Vec::new();
        loop {
            let ended = shared.ended.notified();
            let step = shared.router().next(&mut route, shared.begun.elapsed());
            match step {
                Step::Offline(reason) => return Err(Exhausted { reason, attempts }),
                Step::WaitUntil(moment) => sleep_until(shared.begun + moment).await,
                // Whether an attempt has ended or time is up, the router says what follows.
                Step::WaitForRoom(until) => drop(timeout_at(shared.begun + until, ended).await),
                Step::Try(place, permit) => {
                    let peer = &shared.peers[place];
                    let mut leave = Leave { shared, permit: Some(permit) };
                    let begun = Begun {
                        provider: &peer.name,
                        vendor: &peer.vendor,
                        model: &peer.model.name,
                        attempts: attempts.len(),
                        tokens,
                    };
                    if let Err(Refusal { reason, tries_next }) = witness.begin(begun).await {
                        leave.pass_over(&mut route, reason);
                        if tries_next {
                            continue;
                        }
                        return Err(Exhausted { reason, attempts });
                    }
                    let (attempt, completion) =
                        shared.attempt(peer, request, deadline, self.own.get(&peer.name)).await;
                    leave.end(&mut route, &attempt);
                    witness.end(&attempt).await;
                    attempts.push(attempt);
                    if let Some(completion) = completion {
                        return Ok(Answered { completion, provider: peer.name.clone(), attempts });
                    }
                }
            }
        }
    }
}

impl Shared {
    /// The router; nothing in it panics, so that a poisoned lock is as good as any.
    fn router(&self) -> MutexGuard<'_, Router> {
        self.router.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn attempt(
        &self,
        peer: &Peer,
        request: &ChatRequest,
        deadline: Instant,
        own: Option<&SecretString>,
    ) -> (Attempt, Option<Completion>) {
        let begun = Instant::now();
        let patience = peer.timeout.min(deadline.saturating_duration_since(begun));
        let outcome = timeout(patience, peer.ask(request, own)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Fault::of(Failure::Timeout)));
        let (failure, detail, usage, completion) = match outcome {
            Err(Fault { failure, detail, usage }) => (Some(failure), detail, usage, None),
            Ok(completion) => match completion.failure() {
                Some(failure) => (Some(failure), None, completion.usage, None),
                None => (None, None, completion.usage, Some(completion)),
            },
        };
        let attempt = Attempt {
            provider: peer.name.clone(),
            vendor: peer.vendor.clone(),
            model: peer.model.name.clone(),
            has_own_key: own.is_some(),
            failure,
            detail,
            usage,
            duration: begun.elapsed(),
        };
        (attempt, completion)
    }
}

/// A permit that goes back to the router, also when the call is dropped.
struct Leave<'a> {
    shared: &'a Shared,
    permit: Option<Permit>,
}

impl Leave<'_> {
    fn end(&mut self, route: &mut Route, attempt: &Attempt) {
        if let Some(permit) = self.permit.take() {
            let Attempt { failure, usage, has_own_key, .. } = *attempt;
            let outcome = Outcome { failure, usage, has_own_key };
            self.shared.router().end(route, permit, self.shared.begun.elapsed(), outcome);
            self.shared.ended.notify_waiters();
        }
    }

    fn pass_over(&mut self, route: &mut Route, reason: &'static str) {
        if let Some(permit) = self.permit.take() {
            self.shared.router().pass_over(route, permit, self.shared.begun.elapsed(), reason);
            self.shared.ended.notify_waiters();
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.shared.router().give_up(permit, self.shared.begun.elapsed());
            self.shared.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
