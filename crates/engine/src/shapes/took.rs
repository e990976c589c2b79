//! How long work on an input took, and how much of that was waiting for answers.
//!
//! Invariant: measured, so that it is in no record that a replay has to give again; the waits are parts of the whole.

use processor::Request;
use std::time::Duration;

/// Times of one piece of work, by the witness' clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// All of it, from when its input was accepted until it was decided.
    pub work: Duration,
    /// Of it, waiting for what Postgres and the index of vectors answer: also until they know what is asked for.
    pub lookup: Duration,
    /// Of it, waiting for language models, and for those who judge what they wrote.
    pub model: Duration,
}

impl Took {
    /// Work that asked nobody.
    pub fn working(work: Duration) -> Self {
        Self { work, ..Self::default() }
    }

    /// Adds the wait for the answers to a round of questions, which are asked at once: where a model is among those
    /// asked, it is the model's.
    pub(super) fn add(&mut self, round: Round, waited: Duration) {
        match round {
            Round::Lookup => self.lookup += waited,
            Round::Model => self.model += waited,
        }
    }
}

/// Who is asked in a round of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    Lookup,
    Model,
}

impl Round {
    pub(super) fn of(requests: &[Request]) -> Self {
        let is_models = |request: &Request| matches!(request, Request::Model(_) | Request::Moderation(_));
        if requests.iter().any(is_models) { Self::Model } else { Self::Lookup }
    }
}

#[cfg(test)]
mod tests;
