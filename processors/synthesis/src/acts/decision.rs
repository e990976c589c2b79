//! Decisions: sentences that settle something for the group.
//!
//! Invariant: a question, a doubt or a promise about oneself alone is no decision; an announcement counts by its words,
//! a plain conclusion only together with its place in the discussion.

use super::{
    Features, Found, agreement::agrees, features::features, phrases::Family, poll::is_form,
    promise::own_words, weights,
};
use crate::{
    sentence::Sentence,
    source::{Post, Source},
};
use std::collections::BTreeSet;

/// Least score of a candidate.
const CANDIDATE: f64 = 1.5;
/// Least probability of a decision: where precision on windows left out of the training reaches its target.
const CERTAIN: f64 = 0.5;
/// Posts before and after that make up the discussion.
const DISCUSSION: usize = 8;
const REACTIONS: usize = 4;
/// How long before a post something is still part of the same talk, in ms.
const BESIDE_MS: i64 = 20 * 60 * 1000;

/// Decisions of the window by time, at most one per post.
pub fn decisions(source: &Source<'_>) -> Vec<Found> {
    let judged = decision_candidates(source).into_iter().map(|(found, features)| Found {
        score: weights::probability(&weights::DECISION[..], &features),
        ..found
    });
    judged.filter(|found| found.score >= CERTAIN).collect()
}

/// Probability that a candidate is a decision.
pub fn decision_probability(features: &Features) -> f64 {
    weights::probability(&weights::DECISION[..], features)
}

/// Sentences that may settle something, the best of each post, with what is known of them.
pub fn decision_candidates(source: &Source<'_>) -> Vec<(Found, Features)> {
    let posts = source.posts.iter().enumerate();
    let spoken = posts.filter(|(_, post)| post.quotable && !post.message.forwarded && !is_form(post.message));
    let found = spoken.filter_map(|(at, post)| best(source, at, post));
    found.map(|found| (found, features(source, found, false))).collect()
}

fn best(source: &Source<'_>, at: usize, post: &Post<'_>) -> Option<Found> {
    let context = context(source, at, post);
    let settled =
        post.sentences.clone().filter(|number| !source.sentences[*number].phrases.has(Family::Undecided));
    let found = settled.map(|number| {
        let sentence = &source.sentences[number];
        let opening = if number == post.sentences.start { 0.0 } else { -0.25 };
        Found { sentence: number, score: wording(source, sentence) + context + opening }
    });
    found
        .filter(|found| found.score >= CANDIDATE)
        .max_by(|a, b| a.score.total_cmp(&b.score).then(b.sentence.cmp(&a.sentence)))
}

/// What the words of a sentence tell.
fn wording(source: &Source<'_>, sentence: &Sentence) -> f64 {
    let padded = sentence.padded.as_str();
    let mut score = 0.0;
    if sentence.phrases.has(Family::Decided) {
        score += 2.5;
    }
    if sentence.phrases.starts(Family::Concluded) {
        score += 1.25;
    } else if padded.ends_with(" then ") || padded.contains(" тогда ") {
        score += 0.75;
    }
    if sentence.phrases.has(Family::WeDo) {
        score += 1.0;
    }
    if sentence.verbs.plural {
        score += 1.5;
    }
    if sentence.phrases.has(Family::Particular) {
        score += 0.25;
    }
    // A number, a time, a date: decisions are about particulars.
    if sentence.time.is_some() || source.text(sentence).chars().any(|c| c.is_ascii_digit()) {
        score += 0.75;
    }
    if sentence.phrases.has(Family::Tentative) {
        score -= 1.25;
    }
    if sentence.phrases.has(Family::Reported) {
        score -= 0.75;
    }
    if own_words(sentence, sentence.time.is_some()) > 0.0 {
        score -= 1.5;
    }
    if sentence.asks {
        score -= 2.5;
    }
    if sentence.length < 3 {
        score -= 2.0;
    }
    score
}

/// What the place in the discussion tells.
fn context(source: &Source<'_>, at: usize, post: &Post<'_>) -> f64 {
    let author = source.author(at);
    let earlier = source.earlier(at);
    let recent = &earlier[earlier.len().saturating_sub(DISCUSSION)..];
    let mut score = 0.0;
    let voices = |posts: &[usize]| {
        let others = posts.iter().map(|post| source.author(*post)).filter(|other| *other != author);
        others.collect::<BTreeSet<_>>().len()
    };
    // A thread may have been cut short: what was just said beside it counts too, for less.
    let beside = beside(source, at, post);
    score += match (voices(recent), voices(&beside)) {
        (0, 0) => -0.75,
        (0, 1) => 0.0,
        (0, _) | (1, 0 | 1) => 0.25,
        _ => 0.75,
    };
    if recent.iter().chain(&beside).any(|before| offers(source, *before)) {
        score += 0.5;
    }
    let agreed = |posts: &[usize]| {
        let mut others = posts.iter().filter(|after| source.author(**after) != author);
        others.any(|after| agrees(source, &source.posts[*after]))
    };
    let later = source.later(at);
    if agreed(&later[..later.len().min(REACTIONS)]) || agreed(&just_after(source, at, post)) {
        score += 0.75;
    }
    if post.message.reactions > 1 {
        score += 0.25;
    }
    score
}

/// Posts of any thread of the same forum topic shortly before.
fn beside(source: &Source<'_>, at: usize, post: &Post<'_>) -> Vec<usize> {
    let is_near = |before: &usize| {
        let other = source.posts[*before].message;
        other.topic_id == post.message.topic_id
            && post.message.sent_at.saturating_sub(other.sent_at) <= BESIDE_MS
    };
    (at.saturating_sub(DISCUSSION)..at).filter(is_near).collect()
}

/// Posts of any thread of the same forum topic shortly after.
fn just_after(source: &Source<'_>, at: usize, post: &Post<'_>) -> Vec<usize> {
    let is_near = |after: &usize| {
        let other = source.posts[*after].message;
        other.topic_id == post.message.topic_id
            && other.sent_at.saturating_sub(post.message.sent_at) <= BESIDE_MS
    };
    (at + 1..source.posts.len().min(at + 1 + REACTIONS)).filter(is_near).collect()
}

/// Whether a post offers or asks for a choice.
fn offers(source: &Source<'_>, post: usize) -> bool {
    let sentences = &source.sentences[source.posts[post].sentences.clone()];
    sentences.iter().any(|sentence| sentence.asks || sentence.phrases.has(Family::Options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn decided(lines: &[(&str, &str)]) -> Vec<usize> {
        let messages: Vec<_> =
            lines.iter().zip(1..).map(|((author, text), id)| message(id, author, text)).collect();
        let source = Source::new(&messages, None);
        decisions(&source).iter().map(|found| source.sentences[found.sentence].post).collect()
    }

    #[test]
    fn an_announcement_after_a_discussion() {
        let chat = [
            ("Ann", "should we meet at five or at six?"),
            ("Bob", "six is late for me"),
            ("Cid", "five is fine"),
            ("Ann", "Agreed then: we meet at 17:00 in the hall"),
            ("Bob", "ok"),
        ];
        assert_eq!(decided(&chat), [3]);
        let chat = [
            ("Аня", "мешками или машиной?"),
            ("Боря", "мешками дорого"),
            ("Вера", "машина дешевле"),
            ("Аня", "Тогда берём машину, четыре куба, на среду"),
            ("Боря", "хорошо"),
        ];
        assert_eq!(decided(&chat), [3]);
    }

    #[test]
    fn small_talk_and_proposals_decide_nothing() {
        let chat = [
            ("Ann", "lunch?"),
            ("Bob", "maybe we could go at noon"),
            ("Ann", "I'm so hungry today"),
            ("Cid", "what a nice day"),
        ];
        assert!(decided(&chat).is_empty());
        let chat =
            [("Аня", "какая погода сегодня"), ("Боря", "может, пойдём гулять?"), ("Аня", "я на работе")];
        assert!(decided(&chat).is_empty());
    }

    #[test]
    fn what_is_still_being_decided_is_no_decision() {
        let chat = [
            ("Ann", "should we meet at five or at six?"),
            ("Bob", "six is late for me"),
            ("Ann", "we are still deciding between five and six, the hall is ours until 17:00 anyway"),
            ("Cid", "ok"),
        ];
        assert!(decided(&chat).is_empty());
        let chat = [
            ("Аня", "кто будет писать тесты?"),
            ("Боря", "у нас пишут разработчики"),
            ("Вера", "пока только командой решаем, как и на чем это сделать, но это задача для двух отделов"),
            ("Боря", "понял"),
        ];
        assert!(decided(&chat).is_empty());
    }
}
