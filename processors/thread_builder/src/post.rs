//! Messages prepared for scoring: who, when, about what, and how they open.
//!
//! Invariant: posts stand in the order of (`sent_at`, id), and everything about a post comes from the window.

use crate::names::{AuthorNumber, Named, Names};
use schemas::ContextMessage;
use std::collections::BTreeMap;
use text::{SparseVector, TfIdf};

/// Words that open an answer, sorted.
const ANSWER_OPENERS: [&str; 46] = [
    "actually",
    "agree",
    "ah",
    "and",
    "because",
    "but",
    "exactly",
    "hmm",
    "i",
    "it",
    "lol",
    "maybe",
    "nah",
    "no",
    "nope",
    "oh",
    "ok",
    "okay",
    "probably",
    "sure",
    "that",
    "true",
    "well",
    "yeah",
    "yep",
    "yes",
    "you",
    "а",
    "ага",
    "видимо",
    "вроде",
    "да",
    "именно",
    "конечно",
    "можно",
    "не",
    "нет",
    "ну",
    "ок",
    "потому",
    "поэтому",
    "так",
    "там",
    "тогда",
    "угу",
    "это",
];
/// Words that greet a room, sorted.
const GREETINGS: [&str; 20] = [
    "all",
    "anyone",
    "evening",
    "everybody",
    "everyone",
    "folks",
    "guys",
    "hello",
    "hey",
    "hi",
    "morning",
    "всем",
    "господа",
    "добрый",
    "здравствуйте",
    "коллеги",
    "парни",
    "подскажите",
    "привет",
    "ребята",
];
/// Words that thank, sorted.
const THANKS: [&str; 10] =
    ["cheers", "thank", "thanks", "thx", "ty", "благодарю", "сенкс", "спасиб", "спасибо", "спс"];

/// A message as the scorer sees it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations of one message, each a feature")]
pub(crate) struct Post {
    pub(crate) author: Option<AuthorNumber>,
    pub(crate) is_bot: bool,
    pub(crate) at_ms: i64,
    pub(crate) named: Named,
    pub(crate) terms: SparseVector,
    pub(crate) norm: f64,
    pub(crate) words: usize,
    pub(crate) asks: bool,
    pub(crate) opens_answer: bool,
    pub(crate) greets: bool,
    pub(crate) thanks: bool,
    pub(crate) has_link: bool,
    pub(crate) has_media: bool,
}

/// Prepares all messages of a window; they must be sorted by (`sent_at`, id).
pub(crate) fn prepare(messages: &[&ContextMessage]) -> Vec<Post> {
    let mut numbers = BTreeMap::new();
    let mut names = Names::default();
    for message in messages.iter().filter(|message| !message.author_id.is_empty()) {
        let next = numbers.len() as AuthorNumber;
        let number = *numbers.entry(message.author_id.as_str()).or_insert(next);
        if number == next {
            names.add(number, &message.author_name, &message.author_id);
        }
    }
    let lemmas: Vec<Vec<String>> = messages.iter().map(|message| text::lemmas(&message.text)).collect();
    let model = TfIdf::fit_specific(&lemmas);
    let authors = messages.iter().map(|message| numbers.get(message.author_id.as_str()).copied());
    messages
        .iter()
        .zip(authors)
        .zip(&lemmas)
        .map(|((message, author), lemmas)| {
            post(message, author, names.find(&message.text), model.vector(lemmas))
        })
        .collect()
}

fn post(
    message: &ContextMessage,
    author: Option<AuthorNumber>,
    mut named: Named,
    terms: SparseVector,
) -> Post {
    // Naming oneself addresses nobody.
    named.addressed.retain(|&other| Some(other) != author);
    named.mentioned.retain(|&other| Some(other) != author);
    let words = text::tokens(&message.text);
    let body = if named.addressed.is_empty() { &words[..] } else { words.get(1..).unwrap_or_default() };
    let opens = |list: &[&str], among: usize| {
        body.iter().take(among).any(|word| list.binary_search(&word.as_str()).is_ok())
    };
    Post {
        author,
        is_bot: message.is_bot,
        at_ms: message.sent_at,
        norm: terms.norm(),
        words: words.len(),
        asks: text::is_question(&message.text),
        opens_answer: opens(&ANSWER_OPENERS, 1),
        greets: opens(&GREETINGS, 3),
        thanks: opens(&THANKS, 6),
        has_link: !message.links.is_empty() || message.text.contains("://"),
        has_media: message.media_kind.is_some(),
        named,
        terms,
    }
}

impl Post {
    /// Cosine of content words.
    pub(crate) fn cosine(&self, other: &Self) -> f64 {
        let scale = self.norm * other.norm;
        if scale > 0.0 { self.terms.dot(&other.terms) / scale } else { 0.0 }
    }

    /// True for two posts of one known author.
    pub(crate) fn same_author(&self, other: &Self) -> bool {
        self.author.is_some() && self.author == other.author
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_lists_are_sorted() {
        assert!(ANSWER_OPENERS.is_sorted() && GREETINGS.is_sorted() && THANKS.is_sorted());
    }
}
