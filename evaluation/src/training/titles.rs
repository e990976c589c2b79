//! Trains which clause of a conversation is its title: of two candidates the better one shares more with the title that
//! a reader gave to the same messages.
//!
//! Invariant: deterministic; each figure given is of windows left out of the training.

use super::logistic::{Example, fit};
use crate::gold::Label;
use std::collections::BTreeSet;
use synthesis::{Source, TITLE_FEATURES, TitleFeatures, title_candidates};
use text::lemmas;

/// Pull of the weights towards nothing.
const DECAY: f64 = 0.002;
/// Groups of windows that are left out in turn for the figures.
const FOLDS: usize = 6;
/// What sharing any word is worth, beside how many are shared.
const ANY: f64 = 0.4;

/// A title that a conversation may have.
struct Candidate {
    features: TitleFeatures,
    /// How near it is to the reader's, in [0, 1].
    near: f64,
}

/// Conversations of a window with their candidates.
#[derive(Default)]
pub(super) struct Titles {
    conversations: Vec<(usize, Vec<Candidate>)>,
}

impl Titles {
    /// Adds the labelled conversations of a window.
    pub(super) fn add(&mut self, window: usize, source: &Source<'_>, label: &Label) {
        let posts = |ids: &Vec<i64>| ids.iter().filter_map(|id| source.index(*id)).collect::<Vec<usize>>();
        let conversations: Vec<Vec<usize>> = label.topics.iter().map(|topic| posts(&topic.ids)).collect();
        let found = title_candidates(source, &conversations);
        for (topic, candidates) in label.topics.iter().zip(found) {
            let wanted: BTreeSet<String> = lemmas(&topic.title).into_iter().collect();
            let candidate = |(text, features): (String, TitleFeatures)| {
                let near = near(&wanted, &lemmas(&text).into_iter().collect());
                Candidate { features, near }
            };
            self.conversations.push((window, candidates.into_iter().map(candidate).collect()));
        }
    }

    /// The weights, and for a person how good the chosen titles are.
    pub(super) fn trained(&self) -> ([f64; TITLE_FEATURES], String) {
        let pairs: Vec<Example<TITLE_FEATURES>> =
            self.conversations.iter().flat_map(|(window, candidates)| pairs(*window, candidates)).collect();
        let (mut told, mut shared, mut near, mut best) = (0, 0, 0.0, 0.0);
        for fold in 0..FOLDS {
            let weights = fit(pairs.iter().filter(|pair| pair.window % FOLDS != fold), DECAY);
            let score = |candidate: &Candidate| -> f64 {
                weights.iter().zip(&candidate.features).map(|(weight, value)| weight * value).sum()
            };
            let own = self.conversations.iter().filter(|(window, _)| window % FOLDS == fold);
            for (_, candidates) in own {
                let chosen = candidates.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
                let Some(chosen) = chosen else { continue };
                told += 1;
                shared += usize::from(chosen.near > 0.0);
                near += chosen.near;
                best += candidates.iter().map(|candidate| candidate.near).fold(0.0, f64::max);
            }
        }
        let mean = |sum: f64| sum / f64::from(told).max(1.0);
        let figures = format!(
            "title: {shared} of {told} share a word; nearness {:.3} of {:.3} that the best candidates have\n",
            mean(near),
            mean(best)
        );
        (fit(pairs.iter(), DECAY), figures)
    }
}

/// The share of the reader's words that it has, less a little for its own words, and a bonus where there is any.
fn near(wanted: &BTreeSet<String>, told: &BTreeSet<String>) -> f64 {
    let common = wanted.intersection(told).count() as f64;
    if common == 0.0 {
        return 0.0;
    }
    let (recall, precision) = (common / wanted.len() as f64, common / told.len() as f64);
    ANY + (1.0 - ANY) * (0.75 * recall + 0.25 * precision)
}

/// Each candidate beside the best one and beside the next; a conversation counts once, however many it has.
fn pairs(window: usize, candidates: &[Candidate]) -> Vec<Example<TITLE_FEATURES>> {
    let best = candidates.iter().max_by(|a, b| a.near.total_cmp(&b.near));
    let Some(best) = best else { return Vec::new() };
    let neighbours = candidates.iter().zip(candidates.iter().skip(1));
    let found = candidates.iter().map(|candidate| (best, candidate)).chain(neighbours);
    let differing: Vec<_> = found.filter(|(a, b)| (a.near - b.near).abs() > f64::EPSILON).collect();
    let share = 1.0 / differing.len().max(1) as f64;
    let pair = |(a, b): (&Candidate, &Candidate)| {
        let (better, worse) = if a.near > b.near { (a, b) } else { (b, a) };
        let mut features = better.features;
        features.iter_mut().zip(&worse.features).for_each(|(slot, value)| *slot -= value);
        Example { window, features, right: true, weight: share * (better.near - worse.near) }
    };
    differing.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_titles_the_nearer_one_wins() {
        let set = |text: &str| lemmas(text).into_iter().collect::<BTreeSet<String>>();
        let wanted = set("Rotation of the archive key");
        let [far, some, all] = ["lunch on Friday", "the key of the car", "the archive key and its rotation"]
            .map(|text| near(&wanted, &set(text)));
        assert!(far == 0.0 && far < some && some < all, "{some} {all}");
    }

    #[test]
    fn the_better_candidate_weighs_more() {
        let candidate = |value: f64| {
            let mut features = [0.0; TITLE_FEATURES];
            features[1] = value;
            Candidate { features, near: value }
        };
        let candidates = || [0.2, 0.9, 0.0].map(candidate).into_iter().collect();
        let titles = Titles { conversations: (0..8).map(|window| (window, candidates())).collect() };
        let (weights, figures) = titles.trained();
        assert!(weights[1] > 0.5, "{weights:?}");
        assert!(figures.starts_with("title: 8 of 8 share a word"), "{figures}");
    }
}
