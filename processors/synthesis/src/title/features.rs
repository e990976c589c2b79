//! What is known of a title that a conversation may have: its words, its sentence, and the sentence's place in the talk.
//!
//! Invariant: pure, from one window; no name, product or subject of any chat is a feature.

use super::{
    lexis::{ASKING, DEPENDENT, OWN, POINTING, YOURS},
    spans::Span,
    subject::{Subject, latin_name, subjects},
    weight,
};
use crate::{findings::Findings, source::Source};
use std::collections::{BTreeSet, HashMap};

/// Number of features of a title.
pub const TITLE_FEATURES: usize = 42;
/// Features of a title, in the order of [`Talk::features`].
pub type TitleFeatures = [f64; TITLE_FEATURES];

/// Where the features of a leading subject stand.
const LED: usize = 35;

/// What stands against a title as a reader meets it, by feature: the words that readers choose do not tell. Set by hand:
/// a clause that depends on another, a cut one, one of everyday words, one that points elsewhere, one from within a
/// sentence.
const HARM: [(usize, f64); 4] = [(6, 1.2), (7, 0.3), (14, 1.2), (20, 0.6)];
const WITHIN: f64 = 0.6;
/// Where it stands that a clause asks by its first word, and that it starts its sentence.
const ASKS: usize = 5;
const STARTS: usize = 8;

/// How much stands against a title, beside what is learned.
pub(super) fn harm(features: &TitleFeatures) -> f64 {
    let within = if features[ASKS] > 0.0 || features[STARTS] > 0.0 { 0.0 } else { WITHIN };
    within + HARM.iter().map(|(at, weight)| weight * features[*at]).sum::<f64>()
}

/// A conversation that wants a title.
pub(super) struct Talk<'s> {
    source: &'s Source<'s>,
    findings: &'s Findings,
    central: &'s HashMap<u32, f64>,
    posts: &'s [usize],
    /// Weight of the heaviest sentence, for its length and whole.
    heaviest: (f64, f64),
    /// In how many posts each term is.
    spread: HashMap<u32, usize>,
    answered: BTreeSet<usize>,
    /// Names that the conversation comes back to, most named first.
    pub(super) subjects: Vec<Subject>,
}

impl<'s> Talk<'s> {
    pub(super) fn of(
        source: &'s Source<'s>,
        findings: &'s Findings,
        central: &'s HashMap<u32, f64>,
        posts: &'s [usize],
    ) -> Self {
        let mut spread: HashMap<u32, usize> = HashMap::new();
        let mut heaviest = (f64::MIN_POSITIVE, f64::MIN_POSITIVE);
        for post in posts.iter().map(|post| &source.posts[*post]).filter(|post| post.quotable) {
            for term in &post.terms {
                *spread.entry(*term).or_default() += 1;
            }
            for sentence in &source.sentences[post.sentences.clone()] {
                heaviest.0 = heaviest.0.max(weight(central, &sentence.terms, sentence.length));
                heaviest.1 = heaviest.1.max(mass(central, &sentence.terms));
            }
        }
        let answered = findings.answers.iter().map(|found| found.sentence).collect();
        let subjects = subjects(source, posts);
        Self { source, findings, central, posts, heaviest, spread, answered, subjects }
    }

    /// What is known of a span of a sentence as the title; none where it names nothing.
    pub(super) fn features(&self, sentence: usize, span: &Span) -> Option<TitleFeatures> {
        let (terms, _) = self.source.terms(&span.text);
        let words = span.padded.split_whitespace().count();
        let weight = weight(self.central, &terms, words) / self.heaviest.0;
        let mass = mass(self.central, &terms) / self.heaviest.1;
        if weight <= 0.0 {
            return None;
        }
        let mut values = [0.0; TITLE_FEATURES];
        let parts = [
            vec![1.0, weight.min(2.0), mass, mass.sqrt()],
            self.words(span, &terms, words),
            self.place(sentence, span),
        ];
        for (slot, value) in values[..LED].iter_mut().zip(parts.into_iter().flatten()) {
            *slot = value;
        }
        Some(values)
    }

    /// The same of a title that a subject leads.
    pub(super) fn led(&self, mut values: TitleFeatures, span: &Span, subject: &Subject) -> TitleFeatures {
        let share = subject.posts as f64 / self.posts.len().max(1) as f64;
        let first = self.subjects.first().is_some_and(|first| first.name == subject.name);
        let led = [
            1.0,
            share.min(1.0),
            (1.0 + subject.posts as f64).ln() / 2.0,
            flag(subject.opens),
            flag(first),
            (1.0 + subject.elsewhere as f64).ln() / 2.0,
            flag(span.text.ends_with('?')),
        ];
        values[LED..].copy_from_slice(&led);
        values
    }

    /// The words themselves (17).
    fn words(&self, span: &Span, terms: &[u32], words: usize) -> Vec<f64> {
        let first = span.padded.split_whitespace().next().unwrap_or_default();
        let has = |phrases: &[&str]| flag(phrases.iter().any(|phrase| span.padded.contains(phrase)));
        let specific: f64 = terms.iter().map(|term| self.source.specificity[*term as usize]).sum();
        let posts = self.posts.len().max(1) as f64;
        let shared = |term: &u32| self.spread.get(term).copied().unwrap_or(0);
        let most = terms.iter().map(shared).max().unwrap_or(0) as f64;
        let again: f64 = terms.iter().filter(|term| shared(term) > 1).count() as f64;
        let count = terms.len().max(1) as f64;
        vec![
            flag(span.text.ends_with('?')),
            flag(ASKING.contains(&first)),
            flag(DEPENDENT.contains(&first)),
            flag(span.cut),
            flag(span.before == 0),
            flag(span.after == 0),
            flag(span.before == 0 && span.after == 0),
            (terms.len() as f64 / 6.0).min(2.0),
            (words as f64 / 10.0).min(2.0),
            specific / count,
            flag(specific < 1.5),
            most / posts,
            again / count,
            flag(span.text.split_whitespace().any(latin_name)),
            has(OWN),
            has(YOURS),
            has(POINTING),
        ]
    }

    /// The sentence and its place in the talk (14).
    fn place(&self, sentence: usize, span: &Span) -> Vec<f64> {
        let source = self.source;
        let found = &source.sentences[sentence];
        let post = &source.posts[found.post];
        let at = self.posts.iter().position(|other| *other == found.post).unwrap_or_default();
        let opener = self.posts.first().map(|first| source.author(*first));
        let earnest = self.findings.earnest(sentence);
        let telling = self.findings.telling[found.post];
        vec![
            flag(at == 0),
            flag(post.place == 0),
            flag(at == 1 || at == 2),
            (1.0 + at as f64).ln() / 2.0,
            flag(post.sentences.start == sentence),
            (1.0 + (sentence - post.sentences.start) as f64).ln(),
            earnest,
            flag(earnest > 0.5 && post.place == 0),
            flag(self.answered.contains(&sentence)),
            telling.worth,
            telling.idle,
            flag(post.message.reply_to.is_some()),
            flag(opener == Some(source.author(found.post))),
            flag(span.text.chars().any(|c| c.is_ascii_digit() || "_/$\"'".contains(c))),
        ]
    }
}

/// What terms weigh in a conversation, however many words they stand among.
fn mass(central: &HashMap<u32, f64>, terms: &[u32]) -> f64 {
    terms.iter().filter_map(|term| central.get(term)).sum()
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
