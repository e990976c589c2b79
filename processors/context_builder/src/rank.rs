//! How important each message is, in [0, 1].
//!
//! Invariant: the rank is a weighted mean of parts in [0, 1], summed in a fixed order and rounded, so that equal
//! windows have equal ranks.

use schemas::ContextMessage;
use std::collections::HashMap;
use text::TfIdf;

/// Weights of what a message says, who answers, who reacts, whether it asks or decides, whether it links.
const WEIGHTS: [f64; 5] = [0.50, 0.20, 0.10, 0.12, 0.08];
/// Sum of term weights (a term of one message weighs 1) at which half of the first part is reached: a full sentence.
const TERMS_HALF: f64 = 6.0;
/// Answers at which half of the second part is reached.
const REPLIES_HALF: f64 = 2.0;
/// Reactions at which half of the third part is reached.
const REACTIONS_HALF: f64 = 4.0;
/// Bots report, people talk.
const BOT_FACTOR: f64 = 0.3;
/// A repetition says nothing new.
const DUPLICATE_FACTOR: f64 = 0.1;
const DIGITS: f64 = 1e6;

/// Beginnings of words with which people decide and promise, in folded text.
const DECISION_CUES: [&str; 28] = [
    "action item",
    "agreed",
    "approved",
    "asap",
    "assigned",
    "deadline",
    "decided",
    "decision",
    "i will",
    "i'll",
    "let's",
    "todo",
    "we will",
    "we'll",
    "беру на себя",
    "возьму",
    "давайте",
    "дедлайн",
    "договорились",
    "задача",
    "надо будет",
    "напомн",
    "перенос",
    "решили",
    "решено",
    "сделаю",
    "срочно",
    "утверди",
];

/// Ranks messages; `lemmas` are their content words, one list a message.
pub(crate) fn rank(messages: &mut [ContextMessage], lemmas: &[Vec<String>]) {
    let originals: Vec<&[String]> = messages
        .iter()
        .zip(lemmas)
        .filter(|(message, _)| !message.is_bot && message.duplicate_of.is_none())
        .map(|(_, lemmas)| lemmas.as_slice())
        .collect();
    let model = TfIdf::fit_specific(&originals);
    let rarest = (f64::from(model.documents() + 1) / 2.0).ln().max(0.0) + 1.0;
    let answers = answers(messages);
    for (message, lemmas) in messages.iter_mut().zip(lemmas) {
        let terms: f64 = model.vector(lemmas).entries().iter().map(|(_, weight)| weight / rarest).sum();
        let replies = answers.get(&message.id).copied().unwrap_or_default();
        let parts = [
            saturated(terms, TERMS_HALF),
            saturated(f64::from(replies), REPLIES_HALF),
            saturated(f64::from(message.reactions.max(0)), REACTIONS_HALF),
            f64::from(u8::from(asks_or_decides(&message.text))),
            f64::from(u8::from(!message.links.is_empty())),
        ];
        let mean: f64 = WEIGHTS.iter().zip(parts).map(|(weight, part)| weight * part).sum();
        let bot = if message.is_bot { BOT_FACTOR } else { 1.0 };
        let duplicate = if message.duplicate_of.is_some() { DUPLICATE_FACTOR } else { 1.0 };
        message.rank = (mean * bot * duplicate * DIGITS).round() / DIGITS;
    }
}

/// Answers that each message got from others.
fn answers(messages: &[ContextMessage]) -> HashMap<i64, u32> {
    let authors: HashMap<i64, &str> =
        messages.iter().map(|message| (message.id, message.author_id.as_str())).collect();
    let mut answers = HashMap::new();
    for message in messages {
        if let Some(parent) = message.reply_to
            && authors.get(&parent).is_some_and(|author| author.is_empty() || *author != message.author_id)
        {
            *answers.entry(parent).or_default() += 1;
        }
    }
    answers
}

fn saturated(value: f64, half: f64) -> f64 {
    value / (value + half)
}

fn asks_or_decides(text: &str) -> bool {
    let folded = text::fold(text);
    let begins_word = |at: usize| !folded[..at].ends_with(char::is_alphanumeric);
    let cued = |cue: &&str| folded.match_indices(*cue).any(|(at, _)| begins_word(at));
    text::is_question(text) || DECISION_CUES.iter().any(cued)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{message::lemmas, tests::said};

    fn ranked(mut messages: Vec<ContextMessage>) -> Vec<f64> {
        let lemmas = lemmas(&messages);
        rank(&mut messages, &lemmas);
        messages.iter().map(|message| message.rank).collect()
    }

    #[test]
    fn content_answers_reactions_cues_and_links_raise_the_rank() {
        let plain = "release pipeline failed because certificate expired";
        let ranks = ranked(vec![
            said(1, "ann", "ok"),
            said(2, "ann", plain),
            ContextMessage { reactions: 4, ..said(3, "ann", plain) },
            ContextMessage { links: vec!["https://a.example".to_owned()], ..said(4, "ann", plain) },
            said(5, "ann", &format!("decided: {plain}")),
            said(6, "bob", plain),
            ContextMessage { reply_to: Some(6), ..said(7, "ann", "ok") },
            ContextMessage { is_bot: true, ..said(8, "bot", plain) },
            ContextMessage { duplicate_of: Some(2), ..said(9, "ann", plain) },
        ]);
        assert!(ranks[0] < ranks[1]);
        for better in [2, 3, 4, 5] {
            assert!(ranks[better] > ranks[1], "message {better}");
        }
        assert!(ranks[7] < ranks[1] && ranks[8] < ranks[7]);
        assert!((ranks[5] - ranks[1] - WEIGHTS[1] / 3.0).abs() < 1e-5);
    }

    #[test]
    fn answers_to_oneself_do_not_count() {
        let own = ContextMessage { reply_to: Some(1), ..said(2, "ann", "ok") };
        assert!(answers(&[said(1, "ann", "x"), own]).is_empty());
    }

    #[test]
    fn cues_begin_words_in_both_languages() {
        assert!(asks_or_decides("Решили: катим завтра"));
        assert!(asks_or_decides("ok, I’ll do it"));
        assert!(asks_or_decides("кто дежурит?"));
        assert!(!asks_or_decides("indecisions"));
    }
}
