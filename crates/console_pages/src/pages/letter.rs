//! A dead letter, opened. Filled by `operate::dead_letter`.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A name and what stands for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterField {
    /// Name, as `gistmill dlq show` has it.
    pub name: String,
    /// Value as text.
    pub value: String,
}

/// An opened letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Where it lies, `PARTITION:OFFSET`.
    pub place: String,
    /// What it has in common with others.
    pub fingerprint: String,
    /// When it was appended, in ms.
    pub appended_at_ms: i64,
    /// `open`, `replayed`, `parked` or `discarded`.
    pub state: String,
    /// What it says.
    pub error: String,
    /// What the operator is to do, as events have it.
    pub next_action: String,
    /// Unit, reason, attempts, input, key and so on.
    pub fields: Vec<LetterField>,
    /// Headers of the input.
    pub headers: Vec<LetterField>,
    /// Bytes of the input's value; none for a tombstone, or one left out.
    pub value_bytes: Option<u64>,
    /// The first of them, in rows of sixteen.
    pub preview: Vec<String>,
    /// The value read again, as text; empty where it still cannot be read.
    pub read_again: String,
    /// Whether the reader may replay.
    pub may_replay: bool,
}

impl Page for Letter {
    fn title(&self, words: &'static Words) -> String {
        format!("{} {}", words.letter, self.place)
    }

    fn section(&self) -> Section {
        Section::Letters
    }

    html!(Letter, "letter.html");
}
