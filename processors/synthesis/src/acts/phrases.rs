//! Families of phrases, looked for in one pass over a sentence.
//!
//! Invariant: every phrase stands between spaces, so that it is found by its first word (a test holds it).

use super::{
    agreement::{ACKNOWLEDGES, AGREES, NO_ANSWER, NO_ANSWER_OPENERS},
    answer::{BRIEF, SOLVED},
    asking::{ASKS_BACK, IN_VAIN},
    lexis::{action, decision, manner, question},
};
use std::{collections::HashMap, sync::LazyLock};

/// A family of phrases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Decided,
    Concluded,
    WeDo,
    Particular,
    Tentative,
    Undecided,
    Reported,
    Options,
    Committed,
    NoPromise,
    NotNow,
    Requested,
    Unowned,
    ToDo,
    SecondPerson,
    Condition,
    Advice,
    Courtesy,
    Try,
    Habit,
    Broadcast,
    Unsettled,
    Deferred,
    Rhetorical,
    AsksBack,
    InVain,
    Brief,
    Solved,
    Agrees,
    Acknowledges,
    NoAnswer,
    NoAnswerOpener,
}

const FAMILIES: [(Family, &[&str]); 32] = [
    (Family::Decided, decision::DECIDED),
    (Family::Concluded, decision::CONCLUDED),
    (Family::WeDo, decision::WE_DO),
    (Family::Particular, decision::PARTICULAR),
    (Family::Tentative, decision::TENTATIVE),
    (Family::Undecided, decision::UNDECIDED),
    (Family::Reported, decision::REPORTED),
    (Family::Options, decision::OPTIONS),
    (Family::Committed, action::COMMITTED),
    (Family::NoPromise, action::NO_PROMISE),
    (Family::NotNow, action::NOT_NOW),
    (Family::Requested, action::REQUESTED),
    (Family::Unowned, action::UNOWNED),
    (Family::ToDo, action::TO_DO),
    (Family::SecondPerson, manner::SECOND_PERSON),
    (Family::Condition, manner::CONDITION),
    (Family::Advice, manner::ADVICE),
    (Family::Courtesy, manner::COURTESY),
    (Family::Try, manner::TRY),
    (Family::Habit, manner::HABIT),
    (Family::Broadcast, question::BROADCAST),
    (Family::Unsettled, question::UNSETTLED),
    (Family::Deferred, question::DEFERRED),
    (Family::Rhetorical, question::RHETORICAL),
    (Family::AsksBack, ASKS_BACK),
    (Family::InVain, IN_VAIN),
    (Family::Brief, BRIEF),
    (Family::Solved, SOLVED),
    (Family::Agrees, AGREES),
    (Family::Acknowledges, ACKNOWLEDGES),
    (Family::NoAnswer, NO_ANSWER),
    (Family::NoAnswerOpener, NO_ANSWER_OPENERS),
];

impl Family {
    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Phrases by their first word, each with the families that hold it.
static BY_WORD: LazyLock<HashMap<&str, Vec<(&str, u32)>>> = LazyLock::new(|| {
    let mut by_word: HashMap<&str, Vec<(&str, u32)>> = HashMap::new();
    for (family, phrases) in FAMILIES {
        for phrase in phrases {
            let word = phrase.split_whitespace().next().unwrap_or_default();
            by_word.entry(word).or_default().push((phrase, family.bit()));
        }
    }
    by_word
});

/// The families that a sentence holds, anywhere and at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phrases {
    anywhere: u32,
    opening: u32,
}

impl Phrases {
    /// Reads a padded sentence: folded words, each between single spaces.
    pub(crate) fn of(padded: &str) -> Self {
        let mut found = Self::default();
        let mut at = 0;
        for word in padded.split_whitespace() {
            for (phrase, family) in BY_WORD.get(word).into_iter().flatten() {
                if padded[at..].starts_with(phrase) {
                    found.anywhere |= family;
                    found.opening |= if at == 0 { *family } else { 0 };
                }
            }
            at += 1 + word.len();
        }
        found
    }

    /// Whether the sentence holds a phrase of the family.
    pub(crate) fn has(self, family: Family) -> bool {
        self.anywhere & family.bit() != 0
    }

    /// Whether it starts with one.
    pub(crate) fn starts(self, family: Family) -> bool {
        self.opening & family.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phrases_stand_between_single_spaces() {
        for (at, (family, phrases)) in FAMILIES.into_iter().enumerate() {
            assert_eq!(family as usize, at);
            for phrase in phrases {
                let words: Vec<&str> = phrase.split_whitespace().collect();
                assert_eq!(*phrase, format!(" {} ", words.join(" ")));
            }
        }
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_a_search_for_each_phrase_finds(
            words in proptest::collection::vec("(не|знаю|ok|we|go|with|the|plan|is|то|же|самое|[a-zа-я]{1,4})", 0..12),
        ) {
            let padded = words.iter().fold(" ".to_owned(), |padded, word| format!("{padded}{word} "));
            let found = Phrases::of(&padded);
            for (family, phrases) in FAMILIES {
                prop_assert_eq!(found.has(family), phrases.iter().any(|phrase| padded.contains(phrase)));
                prop_assert_eq!(found.starts(family), phrases.iter().any(|phrase| padded.starts_with(phrase)));
            }
        }
    }
}
