//! The subject that a conversation comes back to: the name of a product, a tool or a part.
//!
//! Invariant: a name is printed as somebody wrote it.

use crate::source::Source;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};
use text::{Token, TokenKind, fold, tokenize};

/// A subject is named in so many posts at least, and in one of so many.
const SUBJECT_POSTS_MIN: usize = 2;
const SUBJECT_SHARE: usize = 8;
const NAME_CHARS_MIN: usize = 3;
/// The name of a product, a tool or a part that the posts of a conversation come back to, as it is written most.
pub(super) fn subject(source: &Source<'_>, central: &HashMap<u32, f64>, posts: &[usize]) -> Option<String> {
    let mut spelled: BTreeMap<u32, BTreeMap<&str, usize>> = BTreeMap::new();
    for post in posts.iter().map(|post| &source.posts[*post]).filter(|post| post.quotable) {
        let text = post.message.text.as_str();
        let mut seen = BTreeSet::new();
        for token in tokenize(text).iter().filter(|token| is_name(text, token)) {
            let (terms, _) = source.terms(&token.text);
            let [term] = terms.as_slice() else { continue };
            if seen.insert(*term) {
                *spelled.entry(*term).or_default().entry(&text[token.range.clone()]).or_default() += 1;
            }
        }
    }
    let least = SUBJECT_POSTS_MIN.max(posts.len().div_ceil(SUBJECT_SHARE));
    let weight = |term: &u32| central.get(term).copied().unwrap_or(0.0);
    let (_, spellings) = spelled
        .into_iter()
        .filter(|(_, spellings)| spellings.values().sum::<usize>() >= least)
        .max_by(|a, b| weight(&a.0).total_cmp(&weight(&b.0)).then(b.0.cmp(&a.0)))?;
    let most = spellings.into_iter().max_by_key(|(spelling, count)| (*count, Reverse(*spelling)));
    most.map(|(spelling, _)| spelling.to_owned())
}

/// A word that is written like a name wherever it stands: with a capital after its start, or in Latin letters among
/// Cyrillic ones.
fn is_name(text: &str, token: &Token) -> bool {
    let word = &text[token.range.clone()];
    let latin = word.chars().all(|c| c.is_ascii_alphanumeric()) && word.chars().any(char::is_alphabetic);
    let among_cyrillic = text.chars().any(text::is_cyrillic);
    let capital = word.chars().skip(1).any(char::is_uppercase)
        || (word.starts_with(char::is_uppercase)
            && token.range.start > 0
            && !ends_sentence(text, token.range.start));
    token.kind == TokenKind::Word
        && word.chars().count() >= NAME_CHARS_MIN
        && latin
        && (among_cyrillic || capital)
}

fn ends_sentence(text: &str, at: usize) -> bool {
    text[..at].trim_end().ends_with(['.', '!', '?', ':', '\n'])
}

/// Whether a title names a subject in some form.
pub(super) fn names(title: &str, subject: &str) -> bool {
    let stem = text::stem(&fold(subject));
    tokenize(title).iter().any(|token| text::stem(&token.text) == stem)
}

/// `Subject: title`, with the title's first letter small where its word is written so elsewhere.
pub(super) fn within_subject(subject: &str, title: &str) -> String {
    let mut letters = subject.chars();
    let subject: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let word = title.split_whitespace().next().unwrap_or_default();
    let plain = word.chars().skip(1).all(char::is_lowercase) && word.chars().all(text::is_cyrillic);
    let mut letters = title.chars();
    let title: String = match letters.next().filter(|_| plain) {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => title.to_owned(),
    };
    format!("{subject}: {title}")
}
