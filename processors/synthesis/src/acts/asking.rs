//! Which questions are asked in earnest: what is known of a sentence that asks, weighed by a trained regression.
//!
//! Invariant: pure, from one window; no name, product or subject of any chat is a feature.

use super::{agreement::declines_to_answer, code::looks_like_code, lexis, phrases::Family};
use crate::{
    sentence::Sentence,
    source::{Post, Source},
};

/// Number of features of a question.
pub const QUESTION_FEATURES: usize = 26;
/// Features of a question, in the order of [`features`].
pub type QuestionFeatures = [f64; QUESTION_FEATURES];

/// Number of features of a question that may have stayed open.
pub const OPEN_FEATURES: usize = QUESTION_FEATURES + 9;
/// Features of a question that may have stayed open, in the order of [`open_features`].
pub type OpenFeatures = [f64; OPEN_FEATURES];

/// Posts before a question that are its talk.
const TALK: usize = 4;
/// Posts after it that tell whether anybody took it up.
const SOON: usize = 6;

/// Asks somebody to say more of what was said.
pub(super) const ASKS_BACK: &[&str] = &[
    " а что ",
    " а как ",
    " а какой ",
    " а какая ",
    " а зачем ",
    " а почему ",
    " в смысле ",
    " то есть ",
    " это ",
    " ты ",
    " вы ",
    " у тебя ",
    " у вас ",
    " тебе ",
    " вам ",
    " do you ",
    " did you ",
    " are you ",
    " your ",
    " you mean ",
    " which one ",
    " what exactly ",
];

/// Says that what was advised did not help.
pub(super) const IN_VAIN: &[&str] = &[
    " не помогло ",
    " не помогает ",
    " не работает ",
    " не получается ",
    " не получилось ",
    " то же самое ",
    " тоже самое ",
    " все равно ",
    " пробовал ",
    " пробовала ",
    " didn't help ",
    " doesn't help ",
    " doesn't work ",
    " didn't work ",
    " no luck ",
    " still the same ",
    " tried that ",
];

/// How a question is asked and where.
pub(super) fn features(source: &Source<'_>, number: usize) -> QuestionFeatures {
    let sentence = &source.sentences[number];
    let at = sentence.post;
    let post = &source.posts[at];
    let mut values = [0.0; QUESTION_FEATURES];
    values[0] = 1.0;
    let parts = [wording(source, post, sentence), place(source, at, post)];
    for (slot, value) in values[1..].iter_mut().zip(parts.into_iter().flatten()) {
        *slot = value;
    }
    values
}

/// How it is asked (13).
fn wording(source: &Source<'_>, post: &Post<'_>, sentence: &Sentence) -> Vec<f64> {
    let text = post.message.text.as_str();
    let sentences = &source.sentences[post.sentences.clone()];
    let length: usize = sentences.iter().map(|sentence| sentence.length).sum();
    vec![
        flag(sentence.asks),
        flag(sentence.phrases.has(Family::Broadcast)),
        flag(sentence.phrases.has(Family::Unsettled)),
        flag(sentence.phrases.has(Family::Rhetorical)),
        flag(sentence.length < 4),
        (sentence.terms.len() as f64 / 8.0).min(1.5),
        (length as f64 / 30.0).min(3.0),
        flag(sentences.iter().any(|sentence| sentence.phrases.has(Family::Deferred))),
        flag(lexis::manner::LAUGHS.iter().any(|laugh| text.contains(laugh))),
        flag(sentence.phrases.has(Family::AsksBack)),
        flag(looks_like_code(text)),
        flag(sentence.noise.is_some()),
        flag(text.contains('@')),
    ]
}

/// Where it stands in the talk (12).
fn place(source: &Source<'_>, at: usize, post: &Post<'_>) -> Vec<f64> {
    let author = source.author(at);
    let earlier = source.earlier(at);
    let recent = &earlier[earlier.len().saturating_sub(TALK)..];
    let later = source.later(at);
    let soon = &later[..later.len().min(SOON)];
    let parent = post.message.reply_to.and_then(|id| source.index(id));
    let asked = |post: &usize| {
        source.sentences[source.posts[*post].sentences.clone()].iter().any(|sentence| sentence.asks)
    };
    let opener = source.threads[post.thread].first().map(|first| source.author(*first));
    let first_word = !earlier.iter().any(|before| source.author(*before) == author);
    let replies =
        later.iter().filter(|after| source.posts[**after].message.reply_to == Some(post.message.id));
    let others = soon.iter().any(|after| source.author(*after) != author);
    vec![
        flag(post.place == 0),
        flag(parent.is_some_and(|parent| source.author(parent) != author)),
        flag(parent.is_some_and(|parent| source.author(parent) == author)),
        flag(parent.is_some_and(|parent| source.author(parent) != author && asked(&parent))),
        flag(recent.iter().any(|before| source.author(*before) != author && asked(before))),
        flag(recent.last().is_some_and(|before| source.author(*before) != author)),
        flag(opener == Some(author)),
        flag(first_word),
        (replies.count() as f64).min(3.0),
        flag(others),
        flag(later.is_empty()),
        source.working(),
    ]
}

/// What became of a question, beside how it was asked. `answers` are later posts of its thread with the probability
/// that they answer.
pub(super) fn open_features(
    source: &Source<'_>,
    number: usize,
    earnest: f64,
    answers: &[(usize, f64)],
) -> OpenFeatures {
    let mut values = [0.0; OPEN_FEATURES];
    values[..QUESTION_FEATURES].copy_from_slice(&features(source, number));
    let at = source.sentences[number].post;
    let author = source.author(at);
    let best = answers.iter().map(|(_, p)| *p).fold(0.0, f64::max);
    let silent = 1.0 - answers.iter().map(|(_, p)| 1.0 - p).product::<f64>();
    let posts = |own: bool| answers.iter().filter(move |(post, _)| (source.author(*post) == author) == own);
    let declined = posts(false).any(|(post, _)| declines_to_answer(source, &source.posts[*post]));
    let asks_again = posts(true).any(|(post, _)| {
        source.sentences[source.posts[*post].sentences.clone()].iter().any(|sentence| sentence.asks)
    });
    let in_vain = posts(true).any(|(post, _)| {
        let sentences = &source.sentences[source.posts[*post].sentences.clone()];
        sentences.iter().any(|sentence| sentence.phrases.has(Family::InVain))
    });
    let after = source.posts.len() - at;
    let rest = [
        earnest,
        best,
        silent,
        flag(best >= 0.5),
        flag(declined),
        flag(asks_again),
        flag(in_vain),
        (posts(false).count() as f64 / 4.0).min(2.0),
        flag(after < 4),
    ];
    values[QUESTION_FEATURES..].copy_from_slice(&rest);
    values
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
