//! Which sentences are understood and worth a line without the talk around them: what is known of a sentence, weighed
//! by a trained regression.
//!
//! Invariant: pure, from one window; no name, product or subject of any chat is a feature.

use crate::{
    acts::{self, Family},
    findings::Findings,
    sentence::Sentence,
    source::{Post, Source},
    story::best_alone,
    title::POINTING,
};

/// Number of features of a sentence.
pub const LONE_FEATURES: usize = 31;
/// Features of a sentence, in the order of [`lone_candidates`].
pub type LoneFeatures = [f64; LONE_FEATURES];

/// Posts of one author so close together are one utterance in pieces.
const BURST_MS: i64 = 3 * 60 * 1000;

/// Speaks of oneself, and joins what is said to what was said; folded and between spaces.
const FIRST_PERSON: &[&str] = &[
    " я ",
    " мне ",
    " меня ",
    " мой ",
    " у меня ",
    " мы ",
    " нас ",
    " нам ",
    " i ",
    " me ",
    " my ",
    " we ",
    " i'm ",
];
const JOINING: &[&str] = &[
    " ну ",
    " же ",
    " ведь ",
    " вот ",
    " вообще ",
    " кстати ",
    " хотя ",
    " типа ",
    " блин ",
    " правда ",
    " видимо ",
    " наверно ",
    " наверное ",
    " скорее ",
    " well ",
    " actually ",
    " anyway ",
    " though ",
    " maybe ",
    " guess ",
];

/// The sentence by which each quotable post would be told alone, with what is known of it.
pub fn lone_candidates(source: &Source<'_>) -> Vec<(usize, LoneFeatures)> {
    let findings = Findings::of(source);
    let posts = (0..source.posts.len()).filter(|post| source.posts[*post].quotable);
    let told = posts.filter_map(|post| best_alone(source, &findings, post));
    told.map(|sentence| (sentence, features(source, &findings, sentence))).collect()
}

/// The probability that a reader understands a sentence alone and wants to know it.
pub(crate) fn stands(source: &Source<'_>, findings: &Findings, sentence: usize) -> f64 {
    acts::probability(&acts::LONE[..], &features(source, findings, sentence))
}

/// What is known of a sentence.
pub(crate) fn features(source: &Source<'_>, findings: &Findings, number: usize) -> LoneFeatures {
    let sentence = &source.sentences[number];
    let post = &source.posts[sentence.post];
    let mut values = [0.0; LONE_FEATURES];
    values[0] = 1.0;
    let parts =
        [words(source, sentence), within(source, post, number), place(source, sentence.post, findings)];
    for (slot, value) in values[1..].iter_mut().zip(parts.into_iter().flatten()) {
        *slot = value;
    }
    values
}

/// What its words are (13).
fn words(source: &Source<'_>, sentence: &Sentence) -> Vec<f64> {
    let text = source.text(sentence);
    let holds = |known: &[&str]| known.iter().filter(|word| sentence.padded.contains(**word)).count() as f64;
    let specific: f64 = sentence.terms.iter().map(|term| source.specificity[*term as usize]).sum();
    let latin = text.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    let words = text.split_whitespace().count().max(1) as f64;
    vec![
        (1.0 + sentence.length as f64).ln() / 2.0,
        flag(sentence.length < 8),
        (specific / 5.0).min(3.0),
        (source.weight(&sentence.terms) / (sentence.length as f64 + 8.0).sqrt() / 5.0).min(3.0),
        (holds(POINTING) / 2.0).min(2.0),
        flag(sentence.phrases.has(Family::SecondPerson)),
        holds(FIRST_PERSON).min(2.0),
        holds(JOINING).min(2.0),
        flag(sentence.asks),
        latin.count() as f64 / words,
        flag(text.chars().any(|c| c.is_ascii_digit())),
        flag(text.contains(')') || text.contains("...") || text.contains('…')),
        flag(sentence.negations > 0),
    ]
}

/// Its place in its message (5).
fn within(source: &Source<'_>, post: &Post<'_>, number: usize) -> Vec<f64> {
    let sentences = post.sentences.len() as f64;
    vec![
        flag(number == post.sentences.start),
        sentences.ln() / 2.0,
        flag(number + 1 == post.sentences.end),
        flag(!post.message.links.is_empty()),
        flag(source.text(&source.sentences[number]).trim_end().ends_with([':', ','])),
    ]
}

/// The place of its message in the talk (12).
fn place(source: &Source<'_>, at: usize, findings: &Findings) -> Vec<f64> {
    let post = &source.posts[at];
    let author = source.author(at);
    let near = |other: usize| {
        let apart = source.posts[other].message.sent_at.abs_diff(post.message.sent_at);
        source.author(other) == author && apart <= BURST_MS as u64
    };
    let earlier = source.earlier(at);
    let later = source.later(at);
    let parent = post.message.reply_to.and_then(|id| source.index(id));
    let opener = source.threads[post.thread].first().map(|first| source.author(*first));
    let replies =
        later.iter().filter(|other| source.posts[**other].message.reply_to == Some(post.message.id));
    let told = findings.telling[at];
    vec![
        flag(post.place == 0),
        (1.0 + post.place as f64).ln() / 2.0,
        (source.threads[post.thread].len() as f64).ln() / 3.0,
        flag(parent.is_some_and(|parent| source.author(parent) != author)),
        flag(earlier.last().is_some_and(|other| near(*other))),
        flag(later.first().is_some_and(|other| near(*other))),
        flag(opener == Some(author)),
        (replies.count() as f64).min(3.0),
        f64::from(post.message.reactions.min(4)) / 2.0,
        told.worth,
        told.idle,
        source.working(),
    ]
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
