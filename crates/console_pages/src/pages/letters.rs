//! Dead letters by kind, and those of one kind. Filled by `operate::letter_kinds` and `dead_letters`.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A kind of dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterKind {
    /// What they have in common.
    pub fingerprint: String,
    /// Processor or sink that gave up.
    pub unit: String,
    /// Logical topic of the inputs.
    pub topic: String,
    /// Reason, as a metric label.
    pub reason: String,
    /// What the last says.
    pub error: String,
    /// Inputs given up.
    pub inputs: u64,
    /// When the first was appended, in ms.
    pub first_ms: i64,
    /// When the last was appended, in ms.
    pub last_ms: i64,
    /// Where the last lies, `PARTITION:OFFSET`.
    pub example: String,
}

/// A dead letter in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterLine {
    /// Where it lies, `PARTITION:OFFSET`.
    pub place: String,
    /// When it was appended, in ms.
    pub appended_at_ms: i64,
    /// `open`, `replayed`, `parked` or `discarded`.
    pub state: String,
    /// Group of the input, `TENANT/GROUP`; empty where nobody knows.
    pub group: String,
    /// Where the input lies, `TOPIC/PARTITION:OFFSET`.
    pub input: String,
    /// What it says.
    pub error: String,
}

/// All kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// Those with the newest letter first.
    pub kinds: Vec<LetterKind>,
    /// Why it is not known what became of them; empty when it is.
    pub unsettled: String,
}

/// Letters of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterList {
    /// The kind.
    pub kind: LetterKind,
    /// The newest of them, newest first.
    pub letters: Vec<LetterLine>,
    /// How many there are in all.
    pub total: u64,
    /// Whether the reader may replay.
    pub may_replay: bool,
}

impl Page for Letters {
    fn title(&self, words: &'static Words) -> String {
        words.letters.to_owned()
    }

    fn section(&self) -> Section {
        Section::Letters
    }

    html!(Letters, "letters.html");
}

impl Page for LetterList {
    fn title(&self, words: &'static Words) -> String {
        format!("{} {}", words.letters_of, self.kind.fingerprint)
    }

    fn section(&self) -> Section {
        Section::Letters
    }

    html!(LetterList, "letter_list.html");
}
