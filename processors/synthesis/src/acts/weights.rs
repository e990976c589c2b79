//! Weights of logistic regressions over the features of a candidate, in their order.
//!
//! Invariant: written by `train_claims` of the evaluation package, never by hand.

use super::{
    answer::{ANSWER_FEATURES, AnswerFeatures},
    asking::{OPEN_FEATURES, OpenFeatures, QUESTION_FEATURES, QuestionFeatures},
    features::{FEATURES, Features},
};
use crate::lone::{LONE_FEATURES, LoneFeatures};
use crate::sound::{LINE_FEATURES, LineFeatures};
use crate::telling::{TELLING_FEATURES, TellingFeatures};
use crate::title::{TITLE_FEATURES, TitleFeatures};
use std::sync::LazyLock;

const TRAINED: &str = include_str!("../../weights/claims.txt");

/// Of decisions.
pub(super) static DECISION: LazyLock<Features> = LazyLock::new(|| parse::<FEATURES>("decision"));
/// Of actions.
pub(super) static ACTION: LazyLock<Features> = LazyLock::new(|| parse::<FEATURES>("action"));
/// Of questions asked in earnest.
pub(super) static QUESTION: LazyLock<QuestionFeatures> =
    LazyLock::new(|| parse::<QUESTION_FEATURES>("question"));
/// Of questions that stayed open.
pub(super) static OPEN: LazyLock<OpenFeatures> = LazyLock::new(|| parse::<OPEN_FEATURES>("open"));
/// Of pairs of a question and an answer.
pub(super) static ANSWER: LazyLock<AnswerFeatures> = LazyLock::new(|| parse::<ANSWER_FEATURES>("answer"));
/// Of posts that a digest should cite.
pub(crate) static TELLING: LazyLock<TellingFeatures> = LazyLock::new(|| parse::<TELLING_FEATURES>("telling"));

/// Of posts that tell a reader nothing.
pub(crate) static IDLE: LazyLock<TellingFeatures> = LazyLock::new(|| parse::<TELLING_FEATURES>("idle"));

/// Of sentences that are understood without the talk around them.
pub(crate) static LONE: LazyLock<LoneFeatures> = LazyLock::new(|| parse::<LONE_FEATURES>("lone"));

/// Of lines with which a reader finds nothing wrong.
pub(crate) static LINE: LazyLock<LineFeatures> = LazyLock::new(|| parse::<LINE_FEATURES>("line"));

/// Of titles, by which those of one conversation are ranked.
pub(crate) static TITLE: LazyLock<TitleFeatures> = LazyLock::new(|| parse::<TITLE_FEATURES>("title"));

/// The line that starts with a name; what is missing weighs nothing, which a test refuses.
fn parse<const COUNT: usize>(name: &str) -> [f64; COUNT] {
    let mut weights = [0.0; COUNT];
    let line = TRAINED.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let numbers = line.split_whitespace().filter_map(|number| number.parse().ok());
    weights.iter_mut().zip(numbers).for_each(|(slot, number)| *slot = number);
    weights
}

/// The probability that a candidate is what it was looked for as.
pub(crate) fn probability(weights: &[f64], features: &[f64]) -> f64 {
    1.0 / (1.0 + (-score(weights, features)).exp())
}

/// Weighted sum of the features.
pub(crate) fn score(weights: &[f64], features: &[f64]) -> f64 {
    weights.iter().zip(features).map(|(weight, value)| weight * value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_complete() {
        for (name, count) in [
            ("decision", FEATURES),
            ("action", FEATURES),
            ("question", QUESTION_FEATURES),
            ("open", OPEN_FEATURES),
            ("answer", ANSWER_FEATURES),
            ("telling", TELLING_FEATURES),
            ("idle", TELLING_FEATURES),
            ("title", TITLE_FEATURES),
            ("lone", LONE_FEATURES),
        ] {
            let line = TRAINED.lines().find(|line| line.starts_with(name)).expect("is there");
            let numbers: Vec<f64> =
                line.split_whitespace().skip(1).map(|number| number.parse().expect("a number")).collect();
            assert_eq!(numbers.len(), count, "{name}");
            assert!(numbers.iter().filter(|weight| **weight != 0.0).count() > count / 2, "{name}");
        }
    }
}
