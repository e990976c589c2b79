//! A sentence of the window, read once: its words, its terms and what its words alone tell.
//!
//! Invariant: whatever asks for a sentence's words more than once finds the answer here.

use crate::{
    acts::{Phrases, Verbs, time_named},
    support::negations_of,
};
use std::ops::Range;
use text::{Noise, TfIdf, TokenKind, lemmas_of, noise, tokenize};

/// A sentence of a post.
#[derive(Debug, Clone)]
pub struct Sentence {
    /// Index of its post.
    pub post: usize,
    /// Bytes of the message's text.
    pub range: Range<usize>,
    /// Folded tokens between single spaces, with a space at both ends: phrases are found with `contains`.
    pub padded: String,
    /// Number of tokens.
    pub length: usize,
    /// Numbers of its terms, sorted, each once.
    pub terms: Vec<u32>,
    /// True when it ends in a question mark.
    pub asks: bool,
    /// Why it tells nothing, if so.
    pub noise: Option<Noise>,
    /// The families of phrases that it holds.
    pub phrases: Phrases,
    /// The verbs that tell who does what.
    pub verbs: Verbs,
    /// Bytes of the message's text that name a time.
    pub time: Option<Range<usize>>,
    /// Number of its negating words.
    pub negations: usize,
}

impl Sentence {
    /// Reads a sentence of the post numbered `post`: the bytes `range` of its text.
    pub(crate) fn read(model: &TfIdf, post: usize, text: &str, range: Range<usize>) -> Self {
        let slice = &text[range.clone()];
        let tokens = tokenize(slice);
        let mut padded = String::from(" ");
        for token in tokens.iter().filter(|token| token.kind != TokenKind::Address) {
            padded.push_str(&token.text);
            padded.push(' ');
        }
        let terms: Vec<u32> = lemmas_of(&tokens).filter_map(|lemma| model.number(&lemma)).collect();
        let time = time_named(slice, &tokens);
        Self {
            post,
            length: tokens.len(),
            terms: sorted(&terms),
            asks: slice.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?').ends_with('?'),
            noise: noise(slice),
            phrases: Phrases::of(&padded),
            verbs: Verbs::of(&padded),
            time: time.map(|time| range.start + time.start..range.start + time.end),
            negations: negations_of(&tokens),
            padded,
            range,
        }
    }
}

/// Numbers of terms, sorted, each once.
pub(crate) fn sorted<'t>(terms: impl IntoIterator<Item = &'t u32>) -> Vec<u32> {
    let mut terms: Vec<u32> = terms.into_iter().copied().collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}
