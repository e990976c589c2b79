//! Speech acts: what a sentence does in its conversation, by families of patterns in Russian and English.
//!
//! Invariant: patterns are common speech; no name, product or topic of any chat occurs in them.

mod action;
mod agreement;
mod decision;
mod due;
mod lexis;
mod promise;
mod question;
mod verb;
mod verb_endings;

pub use action::{Commitment, commitments};
pub use agreement::{agrees, declines_to_answer};
pub use decision::decisions;
pub use question::open_questions;

/// A sentence and how surely it is what it was looked for as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Index of the sentence.
    pub sentence: usize,
    /// Sum of the pattern weights.
    pub score: f64,
}

/// Whether a padded sentence holds one of the phrases, each given between spaces.
fn has(padded: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| padded.contains(phrase))
}

/// Whether a padded sentence starts with one of the phrases.
fn starts(padded: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| padded.starts_with(phrase))
}
