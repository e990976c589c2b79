//! Coverage of a source by sentences, and the greedy choice that maximises it under a budget of tokens.
//!
//! The objective is submodular (weights of terms not yet covered, by thread), so the lazy greedy choice equals the
//! plain one (Minoux, 1978) and is within 1 − 1/e of the optimum without the budget (Nemhauser et al., 1978).
//! Invariant: ties are broken by the place in the window.

use crate::source::Source;
use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashSet},
};

/// What has been covered so far.
#[derive(Debug)]
pub(crate) struct Coverage<'s, 'a> {
    source: &'s Source<'a>,
    /// Share of each thread: √messages, over all threads 1.
    shares: Vec<f64>,
    /// Weight of all terms of each thread.
    totals: Vec<f64>,
    /// Terms covered in each thread; looked up, never iterated.
    covered: Vec<HashSet<u32>>,
    /// Share of each thread's weight that is covered.
    recall: Vec<f64>,
}

impl<'s, 'a> Coverage<'s, 'a> {
    /// Nothing covered of what people said.
    pub(crate) fn new(source: &'s Source<'a>) -> Self {
        let mut shares = Vec::with_capacity(source.threads.len());
        let mut totals = Vec::with_capacity(source.threads.len());
        for (number, thread) in source.threads.iter().enumerate() {
            let quotable = thread.iter().filter(|post| source.posts[**post].quotable).count();
            let total = source.weight(&source.thread_terms[number]);
            shares.push(if total > 0.0 { (quotable as f64).sqrt() } else { 0.0 });
            totals.push(total);
        }
        let sum: f64 = shares.iter().sum();
        if sum > 0.0 {
            for share in &mut shares {
                *share /= sum;
            }
        }
        let covered = vec![HashSet::new(); source.threads.len()];
        let recall = vec![0.0; source.threads.len()];
        Self { source, shares, totals, covered, recall }
    }

    /// Share of the source's information that is covered, in [0, 1].
    #[cfg(test)]
    pub(crate) fn recall(&self) -> f64 {
        self.shares.iter().zip(&self.recall).map(|(share, recall)| share * recall).sum()
    }

    /// Recall against that of another choice, thread by thread: more than that in one thread makes up for no other.
    pub(crate) fn against(&self, other: &Self) -> f64 {
        let threads = self.shares.iter().zip(&self.recall).zip(&other.recall);
        let ratios = threads
            .map(|((share, own), other)| share * if *other > 0.0 { (own / other).min(1.0) } else { 1.0 });
        let sum: f64 = ratios.sum();
        if self.shares.iter().sum::<f64>() > 0.0 { sum.min(1.0) } else { 1.0 }
    }

    /// How much terms would add in a thread.
    fn gain(&self, thread: usize, terms: &[u32]) -> f64 {
        self.shares[thread] * self.new_share(thread, terms)
    }

    /// Share of a thread's weight that terms would add.
    fn new_share(&self, thread: usize, terms: &[u32]) -> f64 {
        if self.totals[thread] <= 0.0 {
            return 0.0;
        }
        let covered = &self.covered[thread];
        let new = terms.iter().filter(|term| !covered.contains(term));
        new.map(|term| self.source.idf[*term as usize]).sum::<f64>() / self.totals[thread]
    }

    /// Covers those of the terms that the thread holds.
    pub(crate) fn cover(&mut self, thread: usize, terms: &[u32]) {
        let known = &self.source.thread_terms[thread];
        let held: Vec<u32> = terms.iter().copied().filter(|term| known.binary_search(term).is_ok()).collect();
        self.recall[thread] += self.new_share(thread, &held);
        self.covered[thread].extend(held);
    }

    /// Covers a sentence of the source.
    fn cover_sentence(&mut self, sentence: usize) {
        let sentence = &self.source.sentences[sentence];
        let thread = self.source.posts[sentence.post].thread;
        self.cover(thread, &sentence.terms);
    }
}

/// How sentences are chosen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    /// Most tokens of all chosen sentences together.
    pub(crate) tokens_max: usize,
    /// Most sentences.
    pub(crate) sentences_max: usize,
    /// Tokens that each sentence costs beside its own: more make choices fewer and longer.
    pub(crate) overhead: f64,
    /// Weight of the similarity to sentences already chosen (maximal marginal relevance), in [0, 1].
    pub(crate) diversity: f64,
}

struct Candidate {
    value: f64,
    sentence: usize,
    /// Number of sentences that had been chosen when the value was computed.
    round: usize,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then(other.sentence.cmp(&self.sentence))
    }
}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Candidate {}

impl Coverage<'_, '_> {
    /// Chooses among `candidates` and covers what it chooses; `bonus` multiplies the value of a sentence.
    pub(crate) fn choose(
        &mut self,
        candidates: &[usize],
        choice: Choice,
        bonus: impl Fn(usize) -> f64,
    ) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut tokens = 0;
        let value = |coverage: &Self, chosen: &[usize], sentence: usize| {
            let found = &coverage.source.sentences[sentence];
            let gain = coverage.gain(coverage.source.posts[found.post].thread, &found.terms);
            let compared = if choice.diversity > 0.0 { chosen } else { &[] };
            let alike =
                compared.iter().map(|other| coverage.similarity(sentence, *other)).fold(0.0, f64::max);
            bonus(sentence) * gain * (1.0 - choice.diversity * alike)
                / (found.length as f64 + choice.overhead)
        };
        let mut heap: BinaryHeap<Candidate> = candidates
            .iter()
            .map(|&sentence| Candidate { value: value(self, &chosen, sentence), sentence, round: 0 })
            .collect();
        while let Some(best) = heap.pop() {
            if chosen.len() >= choice.sentences_max || best.value <= 0.0 {
                break;
            }
            let length = self.source.sentences[best.sentence].length;
            if tokens + length > choice.tokens_max {
                continue;
            }
            if best.round < chosen.len() {
                let value = value(self, &chosen, best.sentence);
                heap.push(Candidate { value, round: chosen.len(), ..best });
                continue;
            }
            tokens += length;
            self.cover_sentence(best.sentence);
            chosen.push(best.sentence);
        }
        chosen
    }

    /// Shared terms over all terms of two sentences (Jaccard).
    fn similarity(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (&self.source.sentences[a].terms, &self.source.sentences[b].terms);
        let shared = a.iter().filter(|term| b.binary_search(term).is_ok()).count();
        let all = a.len() + b.len() - shared;
        if all == 0 { 0.0 } else { shared as f64 / all as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    const FREE: Choice = Choice { tokens_max: 1000, sentences_max: 100, overhead: 0.0, diversity: 0.0 };

    #[test]
    fn all_sentences_cover_everything() {
        let messages = [message(1, "A", "red apples fall"), message(2, "B", "green pears stay")];
        let source = Source::new(&messages, None);
        let mut coverage = Coverage::new(&source);
        assert_eq!(coverage.choose(&[0, 1], FREE, |_| 1.0), [0, 1]);
        assert!((coverage.recall() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn repetition_adds_nothing_and_budgets_hold() {
        let messages = [
            message(1, "A", "red apples fall"),
            message(2, "B", "red apples fall"),
            message(3, "A", "pears stay"),
        ];
        let source = Source::new(&messages, None);
        assert_eq!(Coverage::new(&source).choose(&[0, 1, 2], FREE, |_| 1.0).len(), 2);
        let tight = Choice { tokens_max: 2, ..FREE };
        assert_eq!(Coverage::new(&source).choose(&[0, 1, 2], tight, |_| 1.0), [2]);
    }
}
