//! Who is asked next: an ordered chain of providers for each stage, with what stands in the way of each.
//!
//! Invariant: a state machine without a clock. Nothing begins before the moment that a provider named, none is asked more often, or by
//! more calls at once, than it allows, a half open breaker lets one probe through, and each call ends after at most [`TRIES_MAX`] attempts at each provider.

mod breaker;
mod rate;
mod state;

use crate::{Failure, Usage, failure::Health};
use breaker::{Breaker, Pass};
use rate::Rate;
use state::{Free, State};
use std::{collections::BTreeMap, time::Duration};

/// Attempts at a provider within a call.
pub const TRIES_MAX: u32 = 2;
/// For so long a provider, or room with it, is waited for rather than the next one asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// First wait after a failure that names none, doubled with the next.
const BACK_OFF: Duration = Duration::from_secs(1);

/// A provider and its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Name in the settings, by which chains speak of it.
    pub name: String,
    /// Most requests that are on their way at once. Default: no bound.
    pub max_concurrent: Option<u32>,
    /// Most requests that may begin in a minute. Default: no bound.
    pub requests_per_minute: Option<u32>,
    /// Most tokens in a minute, input and output. Default: no bound.
    pub tokens_per_minute: Option<u64>,
}

/// A chain that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A name that no provider has.
    #[error(
        "llm.chains.{chain} names {provider:?}, and no [[llm.providers]] has that name; the built-in result follows each chain by itself"
    )]
    UnknownProvider {
        /// Stage.
        chain: String,
        /// Name in it.
        provider: String,
    },
    /// Two providers of one name.
    #[error("two of [[llm.providers]] have the name {0:?}; give one of them another")]
    SameName(String),
    /// One provider twice in a chain.
    #[error("llm.chains.{chain} names {provider:?} twice; leave one of them out")]
    Twice {
        /// Stage.
        chain: String,
        /// Name in it.
        provider: String,
    },
}

/// The state of all providers, shared by all calls.
#[derive(Debug)]
pub struct Router {
    providers: Vec<State>,
    chains: BTreeMap<String, Vec<usize>>,
}

/// One call on its way along its chain.
#[derive(Debug, Clone)]
pub struct Route {
    chain: Vec<Link>,
    deadline: Duration,
    tokens: u64,
    over: Option<&'static str>,
    /// Since when it has waited for room.
    waits_since: Option<Duration>,
    last: Option<Failure>,
    /// Why a provider was not asked, where one was not.
    passed_over: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    provider: usize,
    tries: u32,
    is_done: bool,
    /// Before it this call does not ask: its own key was told so.
    blocked_until: Duration,
}

/// Leave to make one attempt; goes back to [`Router::end`], whatever becomes of it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the router counts the attempt as on its way until it has ended"]
pub struct Permit {
    provider: usize,
    pass: Pass,
    spent: Option<u64>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why there is no answer, where there is none.
    pub failure: Option<Failure>,
    /// What it took, as far as that is known: a failure may have been paid for all the same.
    pub usage: Option<Usage>,
    /// Whether it was made with a key of the tenant's own: what that key meets says nothing of ours.
    pub has_own_key: bool,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask this provider, by its place in the list that the router was made of.
    Try(usize, Permit),
    /// Ask again at this moment, which is ahead.
    WaitUntil(Duration),
    /// Ask again when an attempt has ended, or else at this moment, which is ahead: requests on their way fill what is allowed.
    WaitForRoom(Duration),
    /// Nobody is left: the built-in result is to be taken, for this reason.
    Offline(&'static str),
}

impl Router {
    /// A router over these providers and each stage's chain of their names.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub fn new(providers: &[Provider], chains: &BTreeMap<String, Vec<String>>) -> Result<Self, ChainError> {
        let mut places = BTreeMap::new();
        for (place, provider) in providers.iter().enumerate() {
            if places.insert(provider.name.as_str(), place).is_some() {
                return Err(ChainError::SameName(provider.name.clone()));
            }
        }
        let chain = |(chain, names): (&String, &Vec<String>)| {
            let mut of_chain: Vec<usize> = Vec::new();
            for name in names {
                let (chain, provider) = (chain.clone(), name.clone());
                match places.get(name.as_str()) {
                    None => return Err(ChainError::UnknownProvider { chain, provider }),
                    Some(place) if of_chain.contains(place) => {
                        return Err(ChainError::Twice { chain, provider });
                    }
                    Some(place) => of_chain.push(*place),
                }
            }
            Ok((chain.clone(), of_chain))
        };
        let chains = chains.iter().map(chain).collect::<Result<_, _>>()?;
        let state = |provider: &Provider| State {
            breaker: Breaker::default(),
            rate: Rate::new(provider.requests_per_minute, provider.tokens_per_minute),
            max_concurrent: provider.max_concurrent,
            on_their_way: 0,
            blocked_until: Duration::ZERO,
        };
        Ok(Self { providers: providers.iter().map(state).collect(), chains })
    }

    /// Places of the providers that a stage may ask, in their order; empty where it asks none.
    pub fn chain(&self, stage: &str) -> &[usize] {
        self.chains.get(stage).map(Vec::as_slice).unwrap_or_default()
    }

    /// Begins a call for a stage, which is of about so many tokens (input and the most that may be answered) and is of no use
    /// after its deadline.
    pub fn route(&self, stage: &str, tokens: u64, deadline: Duration) -> Route {
        let link = |provider: &usize| Link {
            provider: *provider,
            tries: 0,
            is_done: false,
            blocked_until: Duration::ZERO,
        };
        let chain: Vec<Link> = self.chain(stage).iter().map(link).collect();
        let over = chain.is_empty().then_some("no_provider");
        Route { chain, deadline, tokens, over, waits_since: None, last: None, passed_over: None }
    }

    /// What a call does next.
    pub fn next(&mut self, route: &mut Route, now: Duration) -> Step {
        if let Some(reason) = route.over {
            return Step::Offline(reason);
        }
        if now >= route.deadline {
            return Step::Offline("deadline");
        }
        let mut earliest: Option<Duration> = None;
        let mut is_full = false;
        let mut reason = route.last.map(Failure::reason).or(route.passed_over);
        for link in route.chain.iter_mut().filter(|link| !link.is_done) {
            let state = &mut self.providers[link.provider];
            match state.free_at(now, route.tokens, link.blocked_until) {
                Free::Now(pass) => {
                    link.tries += 1;
                    route.waits_since = None;
                    let spent = state.begin(pass, now, route.tokens);
                    return Step::Try(link.provider, Permit { provider: link.provider, pass, spent });
                }
                Free::At(at) if at <= now.saturating_add(PATIENCE) && at < route.deadline => {
                    return Step::WaitUntil(at);
                }
                Free::At(at) => {
                    earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
                    reason = reason.or(Some("rate_limited"));
                }
                Free::Full => {
                    let until = route.waits_since.get_or_insert(now).saturating_add(PATIENCE);
                    if now < until && until < route.deadline {
                        return Step::WaitForRoom(until);
                    }
                    is_full = true;
                }
                Free::Not(why) => reason = reason.or(Some(why)),
            }
        }
        match earliest {
            _ if is_full => Step::WaitForRoom(earliest.map_or(route.deadline, |at| at.min(route.deadline))),
            Some(at) if at < route.deadline => Step::WaitUntil(at),
            _ => Step::Offline(reason.unwrap_or("no_provider")),
        }
    }

    /// Another provider for a call whose attempt is still on its way: the next of its chain that it has not asked and that may
    /// be asked now. Nobody is waited for.
    pub fn hedge(&mut self, route: &mut Route, now: Duration) -> Option<(usize, Permit)> {
        if route.over.is_some() || now >= route.deadline {
            return None;
        }
        let mut unasked = route.chain.iter_mut().filter(|link| !link.is_done && link.tries == 0);
        unasked.find_map(|link| {
            let state = &mut self.providers[link.provider];
            let Free::Now(pass) = state.free_at(now, route.tokens, link.blocked_until) else { return None };
            link.tries += 1;
            let spent = state.begin(pass, now, route.tokens);
            Some((link.provider, Permit { provider: link.provider, pass, spent }))
        })
    }

    /// An attempt ended.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used up")]
    pub fn end(&mut self, route: &mut Route, permit: Permit, now: Duration, outcome: Outcome) {
        let Permit { provider, pass, spent } = permit;
        let Outcome { failure, usage, has_own_key } = outcome;
        let state = &mut self.providers[provider];
        let health = match failure.map_or(Health::Good, Failure::health) {
            Health::Bad if has_own_key => Health::Unknown,
            health => health,
        };
        state.on_their_way = state.on_their_way.saturating_sub(1);
        state.breaker.end(pass, now, health);
        if let Some(usage) = usage {
            state.rate.settle(spent, usage.total());
        }
        let Some(link) = route.chain.iter_mut().find(|link| link.provider == provider) else { return };
        let Some(failure) = failure else {
            link.is_done = true;
            return;
        };
        if failure.may_repeat() {
            let wait =
                failure.retry_after().unwrap_or(BACK_OFF * (1 << (link.tries.min(5).saturating_sub(1))));
            let is_of_key = has_own_key && matches!(failure, Failure::RateLimited { .. });
            let blocked = if is_of_key { &mut link.blocked_until } else { &mut state.blocked_until };
            *blocked = (*blocked).max(now.saturating_add(wait));
        }
        link.is_done = !failure.may_repeat() || link.tries >= TRIES_MAX;
        route.last = Some(failure);
        if !failure.tries_next() {
            route.over = Some(failure.reason());
        }
    }

    /// An attempt was not made, for a reason that is not the provider's; the next in the chain is asked.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used up")]
    pub fn pass_over(&mut self, route: &mut Route, permit: Permit, now: Duration, reason: &'static str) {
        let Permit { provider, pass, spent } = permit;
        let state = &mut self.providers[provider];
        state.on_their_way = state.on_their_way.saturating_sub(1);
        state.breaker.end(pass, now, Health::Unknown);
        state.rate.settle(spent, 0);
        route.chain.iter_mut().filter(|link| link.provider == provider).for_each(|link| link.is_done = true);
        route.passed_over = Some(reason);
    }

    /// An attempt was dropped before it ended, with its call or because another was faster. What it was thought to take stays counted.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used up")]
    pub fn give_up(&mut self, permit: Permit, now: Duration) {
        let Permit { provider, pass, spent: _ } = permit;
        let state = &mut self.providers[provider];
        state.on_their_way = state.on_their_way.saturating_sub(1);
        state.breaker.end(pass, now, Health::Unknown);
    }
}

#[cfg(test)]
mod tests;
