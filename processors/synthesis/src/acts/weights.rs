//! Weights of two logistic regressions over the features of a candidate, in their order.
//!
//! Invariant: written by `train_claims` of the evaluation package, never by hand.

use super::features::{FEATURES, Features};
use std::sync::LazyLock;

const TRAINED: &str = include_str!("../../weights/claims.txt");

/// Of decisions.
pub(super) static DECISION: LazyLock<Features> = LazyLock::new(|| parse("decision"));
/// Of actions.
pub(super) static ACTION: LazyLock<Features> = LazyLock::new(|| parse("action"));

/// The line that starts with a name; what is missing weighs nothing, which a test refuses.
fn parse(name: &str) -> Features {
    let mut weights = [0.0; FEATURES];
    let line = TRAINED.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let numbers = line.split_whitespace().filter_map(|number| number.parse().ok());
    weights.iter_mut().zip(numbers).for_each(|(slot, number)| *slot = number);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_complete() {
        for name in ["decision", "action"] {
            let line = TRAINED.lines().find(|line| line.starts_with(name)).expect("is there");
            assert_eq!(line.split_whitespace().count(), FEATURES + 1, "{name}");
            assert!(parse(name).iter().filter(|weight| **weight != 0.0).count() > FEATURES / 2, "{name}");
        }
    }
}
