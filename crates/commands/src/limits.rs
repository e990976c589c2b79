//! How many commands are taken of a person and in a chat, by when they were sent.
//!
//! Invariant: a function of the commands alone: the same ones in the same order are taken and refused alike.

use serde::{Deserialize, Serialize};

/// Length of what is counted, in ms.
const SPAN_MS: i64 = 60 * 1000;
/// Most commands of a person in a chat within that time: nobody reads more answers.
const OF_A_PERSON: u32 = 5;
/// Most commands in a chat within that time: Telegram takes twenty messages a minute to a group, digests among them.
const IN_A_CHAT: u32 = 15;
/// Most counts that are kept. Beyond it the oldest are forgotten, and whoever they were of may go on.
const COUNTS_MAX: usize = 512;

/// What was counted lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits {
    counts: Vec<Count>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    chat: i64,
    /// None: of all people in the chat.
    person: Option<i64>,
    since_ms: i64,
    taken: u32,
    /// It was said that there are too many.
    is_told: bool,
}

/// What is to be done about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out.
    Take,
    /// It is not, which is said once.
    Tell,
    /// It is not, and that was said.
    Ignore,
}

impl Limits {
    /// Counts a command that a person sent in a chat.
    pub fn take(&mut self, chat: i64, person: i64, sent_ms: i64) -> Verdict {
        self.counts.retain(|count| sent_ms < count.since_ms + SPAN_MS);
        // What is not taken of one person uses up nothing of the others in the chat.
        let verdict = match self.count((chat, Some(person)), (sent_ms, OF_A_PERSON)) {
            Verdict::Take => self.count((chat, None), (sent_ms, IN_A_CHAT)),
            refused => refused,
        };
        if self.counts.len() > COUNTS_MAX {
            self.counts.drain(..self.counts.len() - COUNTS_MAX);
        }
        verdict
    }

    fn count(&mut self, (chat, person): (i64, Option<i64>), (sent_ms, max): (i64, u32)) -> Verdict {
        let known = self.counts.iter().position(|count| (count.chat, count.person) == (chat, person));
        let index = known.unwrap_or_else(|| {
            self.counts.push(Count { chat, person, since_ms: sent_ms, taken: 0, is_told: false });
            self.counts.len() - 1
        });
        let count = &mut self.counts[index];
        if count.taken < max {
            count.taken += 1;
            return Verdict::Take;
        }
        if std::mem::replace(&mut count.is_told, true) { Verdict::Ignore } else { Verdict::Tell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_who_asks_a_hundred_times_a_minute_is_told_so_once() {
        let mut limits = Limits::default();
        let verdicts: Vec<Verdict> = (0..100).map(|second| limits.take(-1, 7, second * 500)).collect();
        let count = |verdict| verdicts.iter().filter(|it| **it == verdict).count();
        assert_eq!((count(Verdict::Take), count(Verdict::Tell), count(Verdict::Ignore)), (5, 1, 94));
        assert_eq!(verdicts.iter().position(|it| *it == Verdict::Tell), Some(5));
        assert_eq!(limits.take(-1, 8, 50_000), Verdict::Take, "somebody else");
        assert_eq!(limits.take(-2, 7, 50_000), Verdict::Take, "in another chat");
        assert_eq!(limits.take(-1, 7, 60_000), Verdict::Take, "a minute later");
    }

    #[test]
    fn a_chat_has_a_limit_of_its_own() {
        let mut limits = Limits::default();
        let verdicts: Vec<Verdict> = (0..18).map(|person| limits.take(-1, person, 1_000)).collect();
        assert!(verdicts[..15].iter().all(|verdict| *verdict == Verdict::Take), "{verdicts:?}");
        assert_eq!(verdicts[15..], [Verdict::Tell, Verdict::Ignore, Verdict::Ignore]);
    }

    #[test]
    fn what_is_counted_is_bounded_and_the_same_again() {
        let run = || {
            let mut limits = Limits::default();
            let verdicts: Vec<Verdict> = (0..5_000).map(|n| limits.take(n % 900, n, n)).collect();
            (limits, verdicts)
        };
        let (limits, verdicts) = run();
        assert_eq!(limits.counts.len(), COUNTS_MAX);
        assert_eq!((limits, verdicts), run());
    }
}
