//! What a window holds for a digest: decisions, questions, actions and the sentences that tell most.
//!
//! Invariant: lists are capped by the size of the window, best first, and handed out by time.

use crate::{
    acts::{Answered, Commitment, Found, commitments, decisions, poll},
    coverage::{Choice, Coverage},
    source::Source,
    story::claimed,
    telling::{Telling, telling},
};
use std::collections::{BTreeMap, BTreeSet};

/// Tokens that a statement costs a reader beside its own words.
const OVERHEAD: f64 = 16.0;
const DIVERSITY: f64 = 0.5;
/// Sentences shorter than this tell little outside their context.
const TELLING_TOKENS_MIN: usize = 4;

/// How much of a window is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Breadth {
    /// Lines of the summary: as many as are read in ten seconds.
    pub(crate) lines: usize,
    /// From this probability on a post is worth a line.
    pub(crate) telling_min: f64,
    /// From this probability on a sentence is told without the talk around it.
    pub(crate) stands_min: f64,
    /// Posts of a thread for each line that it may take beside its answered questions, after the first.
    pub(crate) posts_per_line: usize,
}

impl Default for Breadth {
    fn default() -> Self {
        Self { lines: 6, telling_min: 0.25, stands_min: 0.4, posts_per_line: 8 }
    }
}

/// What a window holds.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) decisions: Vec<Found>,
    pub(crate) questions: Vec<Found>,
    pub(crate) actions: Vec<Commitment>,
    pub(crate) answers: Vec<Answered>,
    /// Every question, in earnest or not, by sentence.
    asked: BTreeMap<usize, f64>,
    /// What is thought of each post, by post.
    pub(crate) telling: Vec<Telling>,
    /// How much of the window is told.
    pub(crate) breadth: Breadth,
    /// Telling sentences of each thread, by time.
    pub(crate) by_thread: Vec<Vec<usize>>,
}

impl Findings {
    pub(crate) fn of(source: &Source<'_>) -> Self {
        let messages = source.posts.iter().filter(|post| post.quotable).count() as f64;
        let cap = |base: f64, slope: f64, most: f64| (base + slope * messages.sqrt()).min(most) as usize;
        let asked = source.questions();
        let actions = [poll::to_do(source), commitments(source)].concat();
        let decisions = [poll::settled(source), decisions(source)].concat();
        let decisions = best(decisions, cap(2.0, 1.2, 24.0), |found| found.score, |found| found.sentence);
        let open = [poll::unsettled(source), asked.open()].concat();
        let questions = best(open, cap(2.0, 0.6, 14.0), |found| found.score, |found| found.sentence);
        let actions = best(actions, cap(2.0, 1.6, 30.0), |action| action.score, |action| action.sentence);
        let answers =
            best(asked.answered(), cap(2.0, 1.4, 24.0), |found| found.score, |found| found.sentence);
        let telling = telling(source, asked);
        let asked_by_sentence = asked.asked.iter().map(|asked| (asked.sentence, asked.earnest)).collect();
        let mut findings = Self {
            decisions,
            questions,
            actions,
            answers,
            asked: asked_by_sentence,
            telling,
            breadth: Breadth::default(),
            by_thread: Vec::new(),
        };
        findings.by_thread = findings.telling(source);
        findings
    }

    /// Probability that a sentence asks in earnest; 0 for one that does not ask.
    pub(crate) fn earnest(&self, sentence: usize) -> f64 {
        self.asked.get(&sentence).copied().unwrap_or(0.0)
    }

    /// Per thread the sentences that tell most beside those listed elsewhere.
    fn telling(&self, source: &Source<'_>) -> Vec<Vec<usize>> {
        let listed: BTreeSet<usize> = claimed(self).collect();
        let thread = |posts: &Vec<usize>| {
            let spoken =
                posts.iter().map(|post| &source.posts[*post]).filter(|post| !poll::is_form(post.message));
            let sentences = spoken.flat_map(|post| post.sentences.clone());
            let all = candidates(source, sentences);
            let fresh: Vec<usize> =
                all.iter().copied().filter(|sentence| !listed.contains(sentence)).collect();
            let sentences_max = 1 + usize::from(posts.len() >= 8) + usize::from(posts.len() >= 20);
            let choice = Choice { tokens_max: 120, sentences_max, overhead: OVERHEAD, diversity: DIVERSITY };
            let from = if fresh.is_empty() { &all } else { &fresh };
            let mut chosen = Coverage::new(source).choose(from, choice, |_| 1.0);
            chosen.sort_unstable();
            chosen
        };
        source.threads.iter().map(thread).collect()
    }
}

/// Sentences that cover a source within a budget of tokens, by place: the summary's choice without speech acts.
pub fn extract(source: &Source<'_>, tokens_max: usize) -> Vec<usize> {
    let candidates = candidates(source, 0..source.sentences.len());
    let choice =
        Choice { tokens_max, sentences_max: candidates.len(), overhead: OVERHEAD, diversity: DIVERSITY };
    let mut chosen = Coverage::new(source).choose(&candidates, choice, |_| 1.0);
    chosen.sort_unstable();
    chosen
}

fn candidates(source: &Source<'_>, sentences: impl Iterator<Item = usize>) -> Vec<usize> {
    sentences
        .filter(|number| {
            let sentence = &source.sentences[*number];
            sentence.length >= TELLING_TOKENS_MIN && source.posts[sentence.post].quotable
        })
        .collect()
}

/// The `count` best of a list, in the order of their sentences.
fn best<T>(
    mut list: Vec<T>,
    count: usize,
    score: impl Fn(&T) -> f64,
    sentence: impl Fn(&T) -> usize,
) -> Vec<T> {
    list.sort_by(|a, b| score(b).total_cmp(&score(a)).then(sentence(a).cmp(&sentence(b))));
    list.truncate(count);
    list.sort_by_key(sentence);
    list
}
