//! How many commands are taken of a person and in a chat, by when they were sent.
//!
//! Invariant: a function of the commands alone: the same ones in the same order are taken and refused alike.

use serde::{Deserialize, Serialize};

/// Within this time, in ms, commands are counted.
const SPAN_MS: i64 = 60 * 1000;
/// Most commands of a person in a chat within that time: nobody reads more answers.
const OF_A_PERSON: u32 = 5;
/// Most commands in a chat within that time: Telegram takes twenty messages a minute to a group, digests among them.
const IN_A_CHAT: u32 = 15;
/// Within this time, in ms, codes are counted.
const CODES_SPAN_MS: i64 = 60 * 60 * 1000;
/// Most codes of a person in all chats, in a chat, and in all, within that time: who has one needs one.
const CODES_OF_A_PERSON: u32 = 5;
const CODES_IN_A_CHAT: u32 = 10;
const CODES_IN_ALL: u32 = 100;
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
    /// None: in all chats.
    chat: Option<i64>,
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

/// What is counted together: the chat and the person, where it is one's alone, and the most that is taken.
type Bound = ((Option<i64>, Option<i64>), u32);

impl Limits {
    /// Counts a command that a person sent in a chat.
    pub fn take(&mut self, chat: i64, person: i64, sent_ms: i64) -> Verdict {
        let bounds = [((Some(chat), Some(person)), OF_A_PERSON), ((Some(chat), None), IN_A_CHAT)];
        self.take_within(&bounds, SPAN_MS, sent_ms)
    }

    /// Counts a code that a person wrote in a chat. These counts are kept apart from those of commands.
    pub fn take_code(&mut self, chat: i64, person: i64, sent_ms: i64) -> Verdict {
        let bounds = [
            ((None, Some(person)), CODES_OF_A_PERSON),
            ((Some(chat), None), CODES_IN_A_CHAT),
            ((None, None), CODES_IN_ALL),
        ];
        self.take_within(&bounds, CODES_SPAN_MS, sent_ms)
    }

    /// What one bound refuses uses up nothing of the others.
    fn take_within(&mut self, bounds: &[Bound], span_ms: i64, sent_ms: i64) -> Verdict {
        self.counts.retain(|count| sent_ms < count.since_ms + span_ms);
        let find = |counts: &[Count], (chat, person)| {
            counts.iter().position(|count| (count.chat, count.person) == (chat, person))
        };
        for (key, max) in bounds {
            if let Some(index) = find(&self.counts, *key).filter(|index| self.counts[*index].taken >= *max) {
                let was_told = std::mem::replace(&mut self.counts[index].is_told, true);
                return if was_told { Verdict::Ignore } else { Verdict::Tell };
            }
        }
        for (key, _) in bounds {
            if let Some(index) = find(&self.counts, *key) {
                self.counts[index].taken += 1;
            } else {
                let (chat, person) = *key;
                self.counts.push(Count { chat, person, since_ms: sent_ms, taken: 1, is_told: false });
            }
        }
        if self.counts.len() > COUNTS_MAX {
            self.counts.drain(..self.counts.len() - COUNTS_MAX);
        }
        Verdict::Take
    }

    /// True where nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
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
    fn codes_are_guessed_a_few_times_an_hour_by_a_person_in_a_chat_and_in_all() {
        let taken = |tries: &mut dyn Iterator<Item = (i64, i64)>| {
            let mut limits = Limits::default();
            tries.filter(|(chat, person)| limits.take_code(*chat, *person, 1_000) == Verdict::Take).count()
        };
        assert_eq!(taken(&mut (0..50).map(|chat| (chat, 7))), 5, "one person in many chats");
        assert_eq!(taken(&mut (0..50).map(|person| (-1, person))), 10, "many people in one chat");
        assert_eq!(taken(&mut (0..900).map(|n| (-n, n))), 100, "many people in many chats");
        let mut limits = Limits::default();
        let hour = |limits: &mut Limits, sent_ms| [0; 7].map(|_| limits.take_code(-1, 7, sent_ms));
        let [.., last, told, ignored] = hour(&mut limits, 1_000);
        assert_eq!([last, told, ignored], [Verdict::Take, Verdict::Tell, Verdict::Ignore]);
        assert_eq!(limits.take_code(-1, 7, 3_600_999), Verdict::Ignore);
        assert_eq!(limits.take_code(-1, 7, 3_601_000), Verdict::Take, "an hour later");
    }

    #[test]
    fn counts_of_earlier_positions_are_read() {
        let before = r#"[{"chat":-1,"person":7,"since_ms":5,"taken":2,"is_told":false},{"chat":-1,"person":null,"since_ms":5,"taken":2,"is_told":false}]"#;
        let limits: Limits = serde_json::from_str(before).expect("reads");
        assert_eq!(serde_json::to_string(&limits).expect("writes"), before);
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
