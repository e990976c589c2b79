//! What is known of a sentence that may be a decision or a promise: its words, its place in the talk, what came after.
//!
//! Invariant: pure, from one window; no name, product or subject of any chat is a feature.

use super::{
    Found,
    agreement::agrees,
    code::looks_like_code,
    lexis,
    phrases::Family,
    promise::own_words,
    verb::{is_first_plural, is_first_singular_future},
};
use crate::{
    sentence::Sentence,
    source::{Post, Source},
};
use std::collections::BTreeSet;

/// Number of features.
pub const FEATURES: usize = 40;
/// Features of a candidate, in the order of [`features`].
pub type Features = [f64; FEATURES];

/// Posts before and after a sentence that are its talk.
const TALK: usize = 8;
/// Posts after a sentence that may assent to it.
const ASSENT_WITHIN: usize = 5;
/// How long after a post an unmarked one may still assent to it, in ms.
const ASSENT_MS: i64 = 60 * 60 * 1000;

/// Features of a sentence that scored `found.score` by its words and place; `accepted` where another post takes it on.
pub(super) fn features(source: &Source<'_>, found: Found, accepted: bool) -> Features {
    let sentence = &source.sentences[found.sentence];
    let at = sentence.post;
    let post = &source.posts[at];
    let mut values = [0.0; FEATURES];
    values[0] = 1.0;
    values[1] = found.score;
    let parts: [Vec<f64>; 3] =
        [wording(source, sentence), manner(source, post, sentence), place(source, at, post, accepted)];
    for (slot, value) in values[2..].iter_mut().zip(parts.into_iter().flatten()) {
        *slot = value;
    }
    values
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// What the words of the sentence are (14).
fn wording(source: &Source<'_>, sentence: &Sentence) -> Vec<f64> {
    let padded = sentence.padded.as_str();
    let text = source.text(sentence);
    let words: Vec<&str> = padded.split_whitespace().collect();
    let due = sentence.time.is_some();
    let plural = words.iter().position(|word| is_first_plural(word));
    let singular = words.iter().position(|word| is_first_singular_future(word));
    vec![
        flag(sentence.phrases.has(Family::Decided)),
        flag(sentence.phrases.starts(Family::Concluded)),
        flag(sentence.phrases.has(Family::WeDo)),
        flag(plural.is_some()),
        flag(plural.is_some_and(|place| place <= 2)),
        flag(text.chars().any(|c| c.is_ascii_digit())),
        flag(due),
        flag(sentence.phrases.has(Family::Tentative)),
        flag(sentence.phrases.has(Family::Reported)),
        own_words(sentence, due),
        flag(singular.is_some_and(|place| place <= 3)),
        flag(sentence.phrases.has(Family::Committed)),
        flag(sentence.phrases.has(Family::NoPromise)),
        flag(sentence.asks),
    ]
}

/// How it is said (12).
fn manner(source: &Source<'_>, post: &Post<'_>, sentence: &Sentence) -> Vec<f64> {
    let padded = sentence.padded.as_str();
    let text = post.message.text.as_str();
    let words: Vec<&str> = padded.split_whitespace().collect();
    let length: usize = source.sentences[post.sentences.clone()].iter().map(|sentence| sentence.length).sum();
    let past = |word: &&&str| {
        (word.ends_with('л') || word.ends_with("ла") || word.ends_with("ли") || word.ends_with("ed"))
            && word.chars().count() > 4
    };
    vec![
        flag(words.len() < 4),
        (words.len() as f64 / 10.0).min(4.0),
        (length as f64 / 30.0).min(4.0),
        flag(sentence.phrases.has(Family::SecondPerson)),
        flag(sentence.phrases.has(Family::Condition)),
        flag(sentence.phrases.has(Family::Advice)),
        flag(sentence.phrases.has(Family::Courtesy)),
        flag(sentence.phrases.has(Family::Try)),
        flag(sentence.phrases.has(Family::Habit)),
        (words.iter().filter(past).count() as f64).min(3.0),
        flag(looks_like_code(text)),
        flag(lexis::manner::LAUGHS.iter().any(|laugh| text.contains(laugh))),
    ]
}

/// Where it stands in the talk and what followed (12).
fn place(source: &Source<'_>, at: usize, post: &Post<'_>, accepted: bool) -> Vec<f64> {
    let author = source.author(at);
    let earlier = source.earlier(at);
    let recent = &earlier[earlier.len().saturating_sub(TALK)..];
    let asks = |post: usize| {
        source.sentences[source.posts[post].sentences.clone()].iter().any(|sentence| sentence.asks)
    };
    let voices: BTreeSet<&str> = recent.iter().map(|post| source.author(*post)).collect();
    let parent = post.message.reply_to.and_then(|id| source.index(id)).or_else(|| recent.last().copied());
    let answers = parent.is_some_and(|parent| source.author(parent) != author && asks(parent));
    let offered = recent.iter().any(|post| {
        let sentences = &source.sentences[source.posts[*post].sentences.clone()];
        sentences.iter().any(|sentence| sentence.phrases.has(Family::Options))
    });
    let assents = assents(source, at);
    vec![
        flag(answers),
        flag(asks(at)),
        flag(recent.is_empty()),
        (voices.len() as f64).min(4.0),
        flag(offered),
        flag(recent.iter().any(|post| source.author(*post) == author && asks(*post))),
        (assents.0 as f64).min(3.0),
        flag(assents.1),
        flag(post.message.reactions > 1),
        flag(accepted),
        source.working(),
        flag(!post.message.links.is_empty()),
    ]
}

/// How many others assent after a post, and whether one of them answers it.
fn assents(source: &Source<'_>, at: usize) -> (usize, bool) {
    let post = &source.posts[at];
    let mut people = BTreeSet::new();
    let mut direct = false;
    for (distance, &after) in source.later(at).iter().enumerate() {
        let other = &source.posts[after];
        let replies = other.message.reply_to == Some(post.message.id);
        let near = distance < ASSENT_WITHIN
            && other.message.reply_to.is_none()
            && other.message.sent_at.saturating_sub(post.message.sent_at) <= ASSENT_MS;
        if source.author(after) != source.author(at) && (near || replies) && agrees(source, other) {
            people.insert(source.author(after));
            direct |= replies;
        }
    }
    (people.len(), direct)
}
