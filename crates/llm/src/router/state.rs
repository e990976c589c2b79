//! What stands in the way of one provider: its breaker, its rate, and what is on its way.
//!
//! Invariant: whoever was told that it may be asked now may begin at that moment, and nobody else.

use super::{
    breaker::{Breaker, Gate, Pass},
    rate::{Rate, Room},
};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct State {
    pub(super) breaker: Breaker,
    pub(super) rate: Rate,
    pub(super) max_concurrent: Option<u32>,
    pub(super) on_their_way: u32,
    /// Before it nothing begins: the provider's own word.
    pub(super) blocked_until: Duration,
}

/// When a provider may be asked.
pub(super) enum Free {
    Now(Pass),
    At(Duration),
    Full,
    Not(&'static str),
}

impl State {
    pub(super) fn free_at(&mut self, now: Duration, tokens: u64, blocked_until: Duration) -> Free {
        let Gate::Open(pass) = self.breaker.gate(now) else { return Free::Not("breaker_open") };
        if self.max_concurrent.is_some_and(|max| self.on_their_way >= max) {
            return Free::Full;
        }
        let room = match self.rate.room(now, tokens) {
            Room::Never => return Free::Not("over_rate"),
            Room::Now => now,
            Room::At(at) => at,
        };
        let at = room.max(self.blocked_until).max(blocked_until);
        if at <= now { Free::Now(pass) } else { Free::At(at) }
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, pass: Pass, now: Duration, tokens: u64) -> Option<u64> {
        self.on_their_way += 1;
        self.breaker.begin(pass);
        self.rate.begin(now, tokens)
    }
}
