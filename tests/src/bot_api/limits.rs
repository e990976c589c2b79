//! The documented limits of sending: about one message a second to a chat, twenty a minute to a group, thirty a second.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// How many messages are taken, edits among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To one chat in a second. Default 1.
    pub per_chat_per_second: usize,
    /// To one group in a minute. Default 20.
    pub per_group_per_minute: usize,
    /// In a second. Default 30.
    pub per_second: usize,
    /// How much earlier than its time a message is taken: the way to the server does not take equally long each time.
    /// Default 50 ms.
    pub slack: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_chat_per_second: 1,
            per_group_per_minute: 20,
            per_second: 30,
            slack: Duration::from_millis(50),
        }
    }
}

/// When messages were taken in the last minute.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    limits: Option<Limits>,
    by_chat: HashMap<i64, VecDeque<Duration>>,
    all: VecDeque<Duration>,
}

impl Limiter {
    pub(crate) fn set(&mut self, limits: Option<Limits>) {
        self.limits = limits;
        self.by_chat.clear();
        self.all.clear();
    }

    /// Takes a message to a chat, or tells for how many seconds none is taken.
    pub(crate) fn take(&mut self, chat: i64, now: Duration) -> Result<(), u64> {
        let Some(limits) = self.limits else { return Ok(()) };
        let of_chat = self.by_chat.entry(chat).or_default();
        let is_group = chat < 0;
        let mut waits = vec![
            wait(of_chat, limits.per_chat_per_second, SECOND, now),
            wait(&self.all, limits.per_second, SECOND, now),
        ];
        if is_group {
            waits.push(wait(of_chat, limits.per_group_per_minute, MINUTE, now));
        }
        let longest = waits.into_iter().max().unwrap_or_default();
        if longest > limits.slack {
            return Err(longest.as_secs() + u64::from(longest.subsec_nanos() > 0));
        }
        for taken in [of_chat, &mut self.all] {
            taken.push_back(now);
            while taken.front().is_some_and(|first| *first + MINUTE < now) {
                taken.pop_front();
            }
        }
        Ok(())
    }
}

/// How long until one more fits into a sliding window.
fn wait(taken: &VecDeque<Duration>, most: usize, window: Duration, now: Duration) -> Duration {
    let Some(index) = taken.len().checked_sub(most) else { return Duration::ZERO };
    taken.get(index).map_or(window, |first| (*first + window).saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_chat_takes_one_a_second_and_says_how_long_to_wait() {
        let mut limiter = Limiter::default();
        assert_eq!((limiter.take(7, at(0)), limiter.take(7, at(0))), (Ok(()), Ok(())), "no limits are set");
        limiter.set(Some(Limits::default()));
        assert_eq!(limiter.take(7, at(0)), Ok(()));
        assert_eq!(limiter.take(7, at(500)), Err(1));
        assert_eq!(limiter.take(8, at(500)), Ok(()), "another chat");
        assert_eq!(limiter.take(7, at(960)), Ok(()), "within the slack");
    }

    #[test]
    fn a_group_takes_twenty_a_minute_and_a_person_more() {
        let mut limiter = Limiter::default();
        limiter.set(Some(Limits::default()));
        for second in 0..20 {
            assert_eq!(limiter.take(-7, at(second * 1000)), Ok(()));
            assert_eq!(limiter.take(7, at(second * 1000)), Ok(()));
        }
        assert_eq!(limiter.take(-7, at(20_000)), Err(40));
        assert_eq!(limiter.take(7, at(20_000)), Ok(()));
        assert_eq!(limiter.take(-7, at(60_000)), Ok(()));
    }

    #[test]
    fn all_chats_together_take_thirty_a_second() {
        let mut limiter = Limiter::default();
        limiter.set(Some(Limits::default()));
        for chat in 1..=30 {
            assert_eq!(limiter.take(chat, at(0)), Ok(()));
        }
        assert_eq!(limiter.take(31, at(100)), Err(1));
        assert_eq!(limiter.take(31, at(1000)), Ok(()));
    }
}
