//! What speaks for a change of subject between two neighbouring messages.
//!
//! Invariant: features are finite numbers of order one; cohesion is measured as in Hearst, "`TextTiling`"
//! (Computational Linguistics 1997), with tf-idf weights.

use crate::cues;
use schemas::ContextMessage;
use text::{SparseVector, TfIdf};

/// Number of features of a gap.
pub const FEATURES: usize = 33;
/// Values of all features of a gap.
pub type Features = [f64; FEATURES];

/// Messages on either side that make a block.
const BLOCKS: [usize; 3] = [1, 2, 4];
/// Messages before a gap that count as recent.
const RECENT: usize = 6;

/// A message as the segmenter sees it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations of one message, each a feature")]
struct Utterance {
    terms: SparseVector,
    words: usize,
    asks: bool,
    opens: bool,
    closes: bool,
    answers: bool,
    refers: bool,
    author: String,
    at_ms: i64,
}

/// Inverse document frequencies of a window; to be had once for all its threads.
pub fn model(messages: &[ContextMessage]) -> TfIdf {
    let lemmas: Vec<Vec<String>> = messages.iter().map(|message| text::lemmas(&message.text)).collect();
    TfIdf::fit_specific(&lemmas)
}

fn utterance(message: &ContextMessage, model: &TfIdf) -> Utterance {
    let words = text::tokens(&message.text);
    Utterance {
        terms: model.vector(&text::lemmas(&message.text)),
        asks: text::is_question(&message.text),
        opens: cues::opens(&words),
        closes: cues::closes(&words),
        answers: cues::answers(&words),
        refers: cues::refers(&words),
        words: words.len(),
        author: message.author_id.clone(),
        at_ms: message.sent_at,
    }
}

/// Features of each gap of a conversation; the first is that between messages 0 and 1.
pub fn gaps(messages: &[&ContextMessage], model: &TfIdf) -> Vec<Features> {
    let utterances: Vec<Utterance> = messages.iter().map(|message| utterance(message, model)).collect();
    let curves: Vec<Vec<f64>> = BLOCKS.iter().map(|&size| cohesion(&utterances, size)).collect();
    (1..utterances.len()).map(|at| features(&utterances, &curves, at)).collect()
}

/// Cosine of the blocks of `size` messages before and after each gap.
fn cohesion(utterances: &[Utterance], size: usize) -> Vec<f64> {
    let gap = |at: usize| {
        let before = sum(&utterances[at.saturating_sub(size)..at]);
        let after = sum(&utterances[at..(at + size).min(utterances.len())]);
        before.cosine(&after)
    };
    (1..utterances.len()).map(gap).collect()
}

fn sum(utterances: &[Utterance]) -> SparseVector {
    utterances.iter().fold(SparseVector::default(), |mut sum, utterance| {
        sum.add(&utterance.terms);
        sum
    })
}

/// How far a curve lies below its nearest peaks on both sides.
fn depth(curve: &[f64], at: usize) -> f64 {
    let here = curve[at];
    let climb = |side: &mut dyn Iterator<Item = &f64>| {
        let mut peak = here;
        for &value in side {
            if value < peak {
                break;
            }
            peak = value;
        }
        peak - here
    };
    climb(&mut curve[..at].iter().rev()) + climb(&mut curve[at + 1..].iter())
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Shares of the weight of `terms` that occur in `others`.
fn covered(terms: &SparseVector, others: &SparseVector) -> f64 {
    let known = |term: u32| others.entries().binary_search_by_key(&term, |&(other, _)| other).is_ok();
    let total: f64 = terms.entries().iter().map(|&(_, weight)| weight).sum();
    let shared: f64 =
        terms.entries().iter().filter(|&&(term, _)| known(term)).map(|&(_, weight)| weight).sum();
    if total > 0.0 { shared / total } else { 0.0 }
}

fn features(utterances: &[Utterance], curves: &[Vec<f64>], at: usize) -> Features {
    let (before, after) = (&utterances[at - 1], &utterances[at]);
    let flag = |holds: bool| f64::from(u8::from(holds));
    let mut values = vec![1.0];
    for curve in curves {
        values.extend([curve[at - 1], curve[at - 1] - mean(curve), depth(curve, at - 1)]);
    }
    let recent = sum(&utterances[at.saturating_sub(RECENT)..at]);
    let coming = sum(&utterances[(at + 1).min(utterances.len())..(at + 3).min(utterances.len())]);
    values.extend([covered(&after.terms, &recent), covered(&coming, &recent)]);
    values.extend([covered(&after.terms, &coming), flag(after.terms.is_empty())]);
    values.push((after.terms.norm() / 5.0).min(2.0));
    values.extend([after.asks, before.asks, after.asks && before.asks, after.asks && !before.asks].map(flag));
    let two_before = at.checked_sub(2).map(|at| &utterances[at]);
    values.push(flag(two_before.is_some_and(|utterance| utterance.asks)));
    values.extend([after.opens, before.closes, after.closes, after.answers, after.refers].map(flag));
    values.push(flag(two_before.is_some_and(|utterance| utterance.closes)));
    values.push(flag(before.closes && (after.opens || after.asks)));
    values.push(flag(before.author == after.author));
    values.extend([(after.words as f64).ln_1p() / 3.0, (before.words as f64).ln_1p() / 3.0]);
    values.push(flag(at == 1));
    values.push(flag(at + 1 == utterances.len()));
    let pause_s = after.at_ms.saturating_sub(before.at_ms).max(0) as f64 / 1000.0;
    values.push(flag(pause_s > 1800.0));
    let mut features = [0.0; FEATURES];
    debug_assert_eq!(values.len(), FEATURES);
    features.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_by_hand() {
        // From .1 up to .5 on the left and .4 on the right.
        assert!((depth(&[0.2, 0.5, 0.1, 0.3, 0.4, 0.2], 2) - 0.7).abs() < 1e-12);
        assert!(depth(&[0.5], 0).abs() < 1e-12);
    }

    #[test]
    fn covered_by_hand() {
        let terms = SparseVector::new(vec![(1, 3.0), (2, 1.0)]);
        assert!((covered(&terms, &SparseVector::new(vec![(1, 9.0)])) - 0.75).abs() < 1e-12);
    }
}
