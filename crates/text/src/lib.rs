//! Text as the stages see it: tokens, sentences, language, stems, tf-idf, near-duplicates, lengths.
//!
//! Invariant: every function is deterministic, total over any input, and equally good at Russian and English.

mod everyday;
mod language;
mod measure;
mod near_duplicate;
mod noise;
pub mod pii;
mod question;
mod relevance;
mod sentence;
mod stopword;
mod token;
mod vector;

pub use everyday::specificity;
pub use language::{Language, Letters, detect, is_cyrillic, lemmas, lemmas_of, stem};
pub use measure::{token_estimate, truncate};
pub use near_duplicate::{Signature, term_hash};
pub use noise::{Noise, noise};
pub use question::is_question;
pub use relevance::{COMMON, bringing, fuse, score, word_weight};
pub use sentence::sentences;
pub use stopword::{is_small_talk, is_stopword};
pub use token::{Token, TokenKind, fold, tokenize, tokens};
pub use vector::{SparseVector, TfIdf};
