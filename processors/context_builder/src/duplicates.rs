//! Messages that repeat an earlier one: the same words, or nearly the same in longer texts. Bots' posts too: they
//! repeat themselves the most.
//!
//! Invariant: a duplicate names the earliest original it resembles, and an original names none, so there are no chains.

use schemas::ContextMessage;
use std::collections::HashMap;
use text::{Signature, tokens};

/// Fewest words of a repetition: "thank you very much" twice is politeness, not a repetition.
const WORDS_MIN: usize = 5;
/// Fewest words of a text that may differ a little.
const NEAR_WORDS_MIN: usize = 10;
/// Jaccard similarity of shingles from which two texts are the same, in tenths.
const SIMILARITY_MIN_TENTHS: usize = 9;
/// Most originals that a message is compared with: bounds what a flood of look-alikes may cost.
const CANDIDATES_MAX: usize = 256;

#[derive(Default)]
struct Originals {
    by_words: HashMap<Vec<String>, i64>,
    signatures: Vec<(i64, Signature)>,
    by_shingle: HashMap<u64, Vec<usize>>,
}

/// Marks the duplicates among messages that are in order.
pub(crate) fn mark(messages: &mut [ContextMessage]) {
    let mut originals = Originals::default();
    for message in messages {
        let words = tokens(&message.text);
        if words.len() >= WORDS_MIN {
            message.duplicate_of = originals.find_or_add(message.id, words, &message.text);
        }
    }
}

impl Originals {
    fn find_or_add(&mut self, id: i64, words: Vec<String>, text: &str) -> Option<i64> {
        if let Some(original) = self.by_words.get(&words) {
            return Some(*original);
        }
        if words.len() >= NEAR_WORDS_MIN {
            let signature = Signature::of(text);
            if let Some(original) = self.resembling(&signature) {
                return Some(original);
            }
            for shingle in prefix(&signature) {
                self.by_shingle.entry(*shingle).or_default().push(self.signatures.len());
            }
            self.signatures.push((id, signature));
        }
        self.by_words.insert(words, id);
        None
    }

    fn resembling(&self, signature: &Signature) -> Option<i64> {
        let lists = prefix(signature).iter().filter_map(|shingle| self.by_shingle.get(shingle));
        let mut candidates: Vec<usize> = lists.flatten().copied().take(CANDIDATES_MAX).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let similarity_min = SIMILARITY_MIN_TENTHS as f64 / 10.0;
        let alike = |index: &usize| self.signatures[*index].1.similarity(signature) >= similarity_min;
        candidates.into_iter().find(alike).map(|index| self.signatures[index].0)
    }
}

/// The shingles of which two signatures share at least one if they are similar enough (prefix filter: Chaudhuri,
/// Ganti, Kaushik, "A primitive operator for similarity joins in data cleaning", 2006).
fn prefix(signature: &Signature) -> &[u64] {
    let shingles = signature.shingles();
    let shared_min = (shingles.len() * SIMILARITY_MIN_TENTHS).div_ceil(10);
    &shingles[..(shingles.len() - shared_min + 1).min(shingles.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::said;
    use proptest::prelude::*;

    fn marked(texts: &[&str]) -> Vec<Option<i64>> {
        let mut messages: Vec<_> = (1..).zip(texts).map(|(id, text)| said(id, "ann", text)).collect();
        mark(&mut messages);
        messages.iter().map(|message| message.duplicate_of).collect()
    }

    #[test]
    fn same_words_repeat_whatever_the_case() {
        let repeated =
            ["The build is broken again!", "the build, is broken AGAIN", "the build is broken again"];
        assert_eq!(marked(&repeated), [None, Some(1), Some(1)]);
    }

    #[test]
    fn short_texts_and_other_words_do_not_repeat() {
        assert_eq!(marked(&["thanks a lot", "thanks a lot", "", ""]), [None; 4]);
        assert_eq!(marked(&["the build is broken again", "the build is green again"]), [None; 2]);
    }

    #[test]
    fn long_text_with_one_word_more_repeats() {
        let words: Vec<String> = (0..40).map(|n| format!("word{n}")).collect();
        let (text, other) = (words.join(" "), words[..20].join(" "));
        let longer = format!("{text} more");
        assert_eq!(marked(&[&text, &other, &longer]), [None, None, Some(1)]);
    }

    #[test]
    fn look_alikes_are_found_as_by_comparing_all() {
        let texts: Vec<String> = (0..60)
            .map(|n| {
                (0..30).map(|word| format!("w{}", word * (1 + n % 7) % (31 + n / 20))).collect::<Vec<_>>()
            })
            .map(|words| words.join(" "))
            .collect();
        let refs: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut originals: Vec<(i64, Signature)> = Vec::new();
        let expected: Vec<Option<i64>> = (1..)
            .zip(&texts)
            .map(|(id, text)| {
                let signature = Signature::of(text);
                let known = originals.iter().find(|(_, other)| other.similarity(&signature) >= 0.9);
                let known = known.map(|(id, _)| *id);
                if known.is_none() {
                    originals.push((id, signature));
                }
                known
            })
            .collect();
        assert!(expected.iter().any(Option::is_some));
        assert_eq!(marked(&refs), expected);
    }

    proptest! {
        #[test]
        fn a_duplicate_names_an_earlier_original(texts in prop::collection::vec("([ab] ?){0,14}", 0..20)) {
            let marks = marked(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            for (index, original) in marks.iter().enumerate() {
                if let Some(original) = original {
                    prop_assert!((*original as usize) <= index);
                    prop_assert_eq!(marks[*original as usize - 1], None);
                }
            }
        }
    }
}
