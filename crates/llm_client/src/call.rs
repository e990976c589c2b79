//! One call along its chain: a provider after the other, and a second one beside a slow first where that is set.
//!
//! Invariant: at most two attempts are on their way, at two providers; the first good answer ends both. The witness is told of each
//! attempt that it let in, also of one that was given up.

use crate::{
    Answered, Attempt, Begun, Exhausted, Refusal, Shared, Witness,
    peer::{Ask, Fault, Peer},
};
use llm::{
    Completion, Failure, Usage,
    router::{Outcome, Permit, Route, Step},
    tokens,
};
use secrecy::SecretString;
use std::{collections::BTreeMap, pin::Pin, time::Duration};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// What is asked, and within which bounds.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// Its chain.
    pub(crate) stage: &'a str,
    pub(crate) ask: Ask<'a>,
    pub(crate) deadline: Instant,
    /// A tenant's own keys by provider.
    pub(crate) own: &'a BTreeMap<String, SecretString>,
}

/// A call on its way.
pub(crate) struct Call<'a, W> {
    shared: &'a Shared,
    terms: Terms<'a>,
    witness: &'a W,
    tokens: u64,
    route: Route,
    attempts: Vec<Attempt>,
}

/// An attempt that the witness let in.
struct Trial<'a> {
    peer: &'a Peer,
    leave: Leave<'a>,
    begun: Instant,
    is_hedge: bool,
}

/// How an attempt ended.
type Ended = Result<Completion, Fault>;
/// Whether it is the answer.
type Won = Option<(Completion, String)>;

impl<'a, W: Witness> Call<'a, W> {
    pub(crate) fn new(shared: &'a Shared, terms: Terms<'a>, witness: &'a W) -> Self {
        let tokens = match terms.ask {
            Ask::Chat(request) => tokens::reserved(request),
            Ask::Moderation(texts) => texts.iter().map(|text| tokens::estimate(text)).sum(),
        };
        let deadline = terms.deadline.duration_since(shared.begun);
        let route = shared.router().route(terms.stage, tokens, deadline);
        Self { shared, terms, witness, tokens, route, attempts: Vec::new() }
    }

    /// Goes along the chain until somebody has answered or nobody is left.
    pub(crate) async fn run(mut self) -> Result<Answered, Exhausted> {
        let shared = self.shared;
        loop {
            let ended = shared.ended.notified();
            let step = shared.router().next(&mut self.route, shared.begun.elapsed());
            match step {
                Step::Offline(reason) => return Err(Exhausted { reason, attempts: self.attempts }),
                Step::WaitUntil(moment) => sleep_until(shared.begun + moment).await,
                // Whether an attempt has ended or time is up, the router says what follows.
                Step::WaitForRoom(until) => drop(timeout_at(shared.begun + until, ended).await),
                Step::Try(place, permit) => match self.attempt(place, permit).await {
                    Ok(Some((completion, provider))) => {
                        return Ok(Answered { completion, provider, attempts: self.attempts });
                    }
                    Ok(None) | Err(Refusal { tries_next: true, .. }) => {}
                    Err(Refusal { reason, .. }) => return Err(Exhausted { reason, attempts: self.attempts }),
                },
            }
        }
    }

    /// One attempt, with a second beside it where it is slow.
    async fn attempt(&mut self, place: usize, permit: Permit) -> Result<Won, Refusal> {
        let mut first = self.trial(place, permit, false);
        if let Err(refusal) = self.witness.begin(self.told(&first)).await {
            first.leave.pass_over(&mut self.route, refusal.reason);
            return Err(refusal);
        }
        first.begun = Instant::now();
        let mut asking = Box::pin(ask(first.peer, self.terms));
        let Some(after) = self.shared.hedge_after else {
            let ended = asking.await;
            return Ok(self.end(first, ended).await);
        };
        if let Ok(ended) = timeout(after, asking.as_mut()).await {
            return Ok(self.end(first, ended).await);
        }
        let other = self.shared.router().hedge(&mut self.route, self.shared.begun.elapsed());
        let Some((place, permit)) = other else {
            let ended = asking.await;
            return Ok(self.end(first, ended).await);
        };
        let other = self.trial(place, permit, true);
        Ok(self.hedge((first, asking), other).await)
    }

    /// A second attempt beside a first that is slow.
    async fn hedge<F>(&mut self, (first, mut asking): (Trial<'a>, Pin<Box<F>>), mut other: Trial<'a>) -> Won
    where
        F: Future<Output = Ended>,
    {
        let witness = self.witness;
        let mut begin = Box::pin(witness.begin(self.told(&other)));
        let (admitted, ended) = tokio::select! {
            biased;
            ended = &mut asking => (begin.await, Some(ended)),
            admitted = &mut begin => (admitted, None),
        };
        if let Err(Refusal { reason, .. }) = admitted {
            other.leave.pass_over(&mut self.route, reason);
            let ended = match ended {
                Some(ended) => ended,
                None => asking.await,
            };
            return self.end(first, ended).await;
        }
        if let Some(ended) = ended {
            // Let in too late: nothing of it was sent.
            self.cancel(other, Some(Usage::default())).await;
            return self.end(first, ended).await;
        }
        other.begun = Instant::now();
        let mut second = Box::pin(ask(other.peer, self.terms));
        tokio::select! {
            biased;
            ended = &mut asking => self.race((first, ended), (other, second)).await,
            ended = &mut second => self.race((other, ended), (first, asking)).await,
        }
    }

    /// One of two has ended: a good answer, or a failure that the other would be paid to meet too, ends both.
    async fn race<F>(
        &mut self,
        (trial, ended): (Trial<'a>, Ended),
        (other, running): (Trial<'a>, Pin<Box<F>>),
    ) -> Won
    where
        F: Future<Output = Ended>,
    {
        let failure = failure(&ended);
        if failure.is_some_and(Failure::tries_next) {
            self.end(trial, ended).await;
            let ended = running.await;
            return self.end(other, ended).await;
        }
        drop(running);
        self.cancel(other, None).await;
        self.end(trial, ended).await
    }

    fn trial(&self, place: usize, permit: Permit, is_hedge: bool) -> Trial<'a> {
        let leave = Leave { shared: self.shared, permit: Some(permit) };
        Trial { peer: &self.shared.peers[place], leave, begun: Instant::now(), is_hedge }
    }

    fn told(&self, trial: &Trial<'a>) -> Begun<'a> {
        Begun {
            provider: &trial.peer.name,
            vendor: &trial.peer.vendor,
            model: &trial.peer.model.name,
            attempts: self.attempts.len() + usize::from(trial.is_hedge),
            tokens: self.tokens,
        }
    }

    /// An attempt has ended, and is the answer if it is a good one.
    async fn end(&mut self, trial: Trial<'a>, ended: Ended) -> Won {
        let failure = failure(&ended);
        let (detail, usage, completion) = match ended {
            Err(Fault { detail, usage, .. }) => (detail, usage, None),
            Ok(completion) => (None, completion.usage, failure.is_none().then_some(completion)),
        };
        let provider = trial.peer.name.clone();
        self.record(trial, Attempt { failure, detail, usage, ..Attempt::default() }).await;
        completion.map(|completion| (completion, provider))
    }

    /// An attempt was given up since another has won.
    async fn cancel(&mut self, trial: Trial<'a>, usage: Option<Usage>) {
        self.record(trial, Attempt { failure: Some(Failure::Cancelled), usage, ..Attempt::default() }).await;
    }

    async fn record(&mut self, mut trial: Trial<'a>, ended: Attempt) {
        let peer = trial.peer;
        let attempt = Attempt {
            provider: peer.name.clone(),
            vendor: peer.vendor.clone(),
            model: peer.model.name.clone(),
            has_own_key: self.terms.own.contains_key(&peer.name),
            is_hedge: trial.is_hedge,
            duration: trial.begun.elapsed(),
            ..ended
        };
        // Of one that was given up the router hears when the leave is dropped.
        if attempt.failure != Some(Failure::Cancelled) {
            trial.leave.end(&mut self.route, &attempt);
        }
        drop(trial);
        self.witness.end(&attempt).await;
        self.attempts.push(attempt);
    }
}

/// Asks once, within the provider's time and the call's.
async fn ask(peer: &Peer, terms: Terms<'_>) -> Ended {
    let patience = peer.timeout.min(terms.deadline.saturating_duration_since(Instant::now()));
    let outcome = timeout(patience, peer.ask(terms.ask, terms.own.get(&peer.name))).await;
    outcome.unwrap_or_else(|_| Err(Fault::of(Failure::Timeout)))
}

fn failure(ended: &Ended) -> Option<Failure> {
    match ended {
        Ok(completion) => completion.failure(),
        Err(fault) => Some(fault.failure),
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
            self.shared.router().end(route, permit, self.now(), outcome);
            self.shared.ended.notify_waiters();
        }
    }

    fn pass_over(&mut self, route: &mut Route, reason: &'static str) {
        if let Some(permit) = self.permit.take() {
            self.shared.router().pass_over(route, permit, self.now(), reason);
            self.shared.ended.notify_waiters();
        }
    }

    fn now(&self) -> Duration {
        self.shared.begun.elapsed()
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.shared.router().give_up(permit, self.now());
            self.shared.ended.notify_waiters();
        }
    }
}
