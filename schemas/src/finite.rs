//! Which numbers of a digest can be written down: JSON has no NaN and no infinity, and sums of finite numbers may have one.
//!
//! Invariant: each part of a score is looked at; one that is added does not compile until it is.

use crate::{Mood, Quality, StageRun};

impl StageRun {
    /// Tokens and cost of all `runs`; `None` when they add up to no number, so that no record can hold it.
    pub fn totals(runs: &[Self]) -> Option<(i64, f64)> {
        let tokens = runs.iter().try_fold(0_i64, |sum, run| sum.checked_add(run.tokens))?;
        let cost: f64 = runs.iter().map(|run| run.cost).sum();
        cost.is_finite().then_some((tokens, cost))
    }
}

impl Mood {
    /// True when every share is a number.
    pub fn is_finite(&self) -> bool {
        let Self { label: _, positive, negative, neutral, message_ids: _ } = self;
        [positive, negative, neutral].into_iter().all(|share| share.is_finite())
    }
}

impl Quality {
    /// True when the score and each of its parts is a number.
    pub fn is_finite(&self) -> bool {
        let Self {
            score,
            guard,
            faithfulness,
            coverage,
            speakers,
            repetition,
            length,
            claims,
            answers,
            titles,
            sound,
        } = self;
        let parts =
            [guard, faithfulness, coverage, speakers, repetition, length, claims, answers, titles, sound];
        parts.into_iter().chain([score]).all(|part| part.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(of: &[(i64, f64)]) -> Vec<StageRun> {
        let run = |(tokens, cost): &(i64, f64)| StageRun {
            stage: "topic".to_owned(),
            run_id: "r".to_owned(),
            outcome: "ok".to_owned(),
            model_id: "offline".to_owned(),
            tokens: *tokens,
            cost: *cost,
        };
        of.iter().map(run).collect()
    }

    #[test]
    fn runs_add_up_to_a_number_or_to_nothing() {
        assert_eq!(StageRun::totals(&[]), Some((0, 0.0)));
        assert_eq!(StageRun::totals(&runs(&[(5, 0.25), (7, 0.5)])), Some((12, 0.75)));
        assert_eq!(
            StageRun::totals(&runs(&[(1, f64::MAX), (1, f64::MAX)])),
            None,
            "finite costs, an infinite sum"
        );
        assert_eq!(StageRun::totals(&runs(&[(i64::MAX, 0.0), (1, 0.0)])), None, "tokens that wrap");
        assert_eq!(StageRun::totals(&runs(&[(1, f64::NAN)])), None);
    }

    #[test]
    fn each_part_of_a_score_has_to_be_a_number() {
        let set: [fn(&mut Quality); 11] = [
            |quality| quality.score = f64::NAN,
            |quality| quality.guard = f64::NAN,
            |quality| quality.faithfulness = f64::NAN,
            |quality| quality.coverage = f64::NAN,
            |quality| quality.speakers = f64::NAN,
            |quality| quality.repetition = f64::NAN,
            |quality| quality.length = f64::INFINITY,
            |quality| quality.claims = f64::INFINITY,
            |quality| quality.answers = f64::NEG_INFINITY,
            |quality| quality.titles = f64::NEG_INFINITY,
            |quality| quality.sound = f64::NAN,
        ];
        assert!(Quality::default().is_finite());
        for set in set {
            let mut quality = Quality::default();
            set(&mut quality);
            assert!(!quality.is_finite(), "{quality:?}");
        }
    }
}
