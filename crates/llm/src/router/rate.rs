//! How often a provider is asked.
//!
//! Invariant: in no minute more requests begin, or tokens are spent, than it allows; exactly, not on average.

use std::{collections::VecDeque, time::Duration};

const MINUTE: Duration = Duration::from_mins(1);

/// What began within the last minute.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    requests_max: Option<u32>,
    tokens_max: Option<u64>,
    begun: VecDeque<Begun>,
    tokens: u64,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct Begun {
    id: u64,
    at: Duration,
    tokens: u64,
}

/// When there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Now,
    At(Duration),
    /// It is larger than what a minute allows.
    Never,
}

impl Rate {
    pub(super) fn new(requests_max: Option<u32>, tokens_max: Option<u64>) -> Self {
        Self { requests_max, tokens_max, ..Self::default() }
    }

    /// When a request of so many tokens may begin.
    pub(super) fn room(&mut self, now: Duration, tokens: u64) -> Room {
        while let Some(first) = self.begun.front().filter(|first| first.at.saturating_add(MINUTE) <= now) {
            self.tokens -= first.tokens;
            self.begun.pop_front();
        }
        if self.tokens_max.is_some_and(|max| tokens > max) || self.requests_max == Some(0) {
            return Room::Never;
        }
        let mut requests = self.begun.len();
        let mut spent = self.tokens;
        let fits = |requests: usize, spent: u64| {
            self.requests_max.is_none_or(|max| requests < max as usize)
                && self.tokens_max.is_none_or(|max| spent.saturating_add(tokens) <= max)
        };
        if fits(requests, spent) {
            return Room::Now;
        }
        for first in &self.begun {
            requests -= 1;
            spent -= first.tokens;
            if fits(requests, spent) {
                return Room::At(first.at.saturating_add(MINUTE));
            }
        }
        Room::Never
    }

    /// A request of about so many tokens begins; the id is for [`Self::settle`].
    pub(super) fn begin(&mut self, now: Duration, tokens: u64) -> Option<u64> {
        if self.requests_max.is_none() && self.tokens_max.is_none() {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.begun.push_back(Begun { id, at: now, tokens });
        self.tokens += tokens;
        Some(id)
    }

    /// It took so many.
    pub(super) fn settle(&mut self, id: Option<u64>, tokens: u64) {
        if let Some(begun) = id.and_then(|id| self.begun.iter_mut().find(|begun| begun.id == id)) {
            self.tokens = self.tokens - begun.tokens + tokens;
            begun.tokens = tokens;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn requests_and_tokens_of_the_last_minute_are_counted() {
        let mut rate = Rate::new(Some(2), Some(100));
        assert_eq!(rate.room(at(0), 101), Room::Never);
        let first = rate.begin(at(0), 60);
        assert_eq!(rate.room(at(1), 41), Room::At(at(60)));
        // It took less than was thought.
        rate.settle(first, 10);
        assert_eq!(rate.room(at(1), 90), Room::Now);
        rate.begin(at(10), 5);
        assert_eq!(rate.room(at(11), 1), Room::At(at(60)));
        assert_eq!(rate.room(at(60), 95), Room::Now);
        assert_eq!(rate.room(at(60), 96), Room::At(at(70)));
        assert_eq!(Rate::new(None, None).room(at(0), u64::MAX), Room::Now);
        assert_eq!(Rate::new(Some(0), None).room(at(0), 0), Room::Never);
    }
}
