//! The subject that a conversation comes back to: the name of a product, a tool or a part.
//!
//! Invariant: a name is printed as somebody wrote it.

use super::generic::GENERIC;
use crate::source::Source;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use text::{Token, TokenKind, fold, tokenize};

const NAME_CHARS_MIN: usize = 3;
/// Names that a title may be led by.
const SUBJECTS_MAX: usize = 2;

/// A name that a conversation comes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// As it is written most.
    pub(super) name: String,
    /// Posts that name it.
    pub(super) posts: usize,
    /// Whether the first post of the conversation does.
    pub(super) opens: bool,
    /// Posts of other conversations that do.
    pub(super) elsewhere: usize,
}

/// Names of products, tools or parts that the first post of a conversation or several others have, most named first.
pub(super) fn subjects(source: &Source<'_>, posts: &[usize]) -> Vec<Subject> {
    let mut spelled: BTreeMap<u32, (BTreeMap<&str, usize>, bool)> = BTreeMap::new();
    for (at, post) in posts.iter().map(|post| &source.posts[*post]).enumerate() {
        let text = post.message.text.as_str();
        let mut seen = BTreeSet::new();
        for token in tokenize(text).iter().filter(|token| post.quotable && is_name(text, token)) {
            let (terms, _) = source.terms(&token.text);
            let [term] = terms.as_slice() else { continue };
            if source.specificity[*term as usize] < 1.0 {
                continue;
            }
            if source.named(&token.text) == 0 && seen.insert(*term) {
                let (spellings, opens) = spelled.entry(*term).or_default();
                *spellings.entry(&text[token.range.clone()]).or_default() += 1;
                *opens |= at == 0;
            }
        }
    }
    let subject = |(term, (spellings, opens)): (u32, (BTreeMap<&str, usize>, bool))| {
        let posts = spellings.values().sum::<usize>();
        let most = spellings.into_iter().max_by_key(|(spelling, count)| (*count, Reverse(*spelling)));
        let elsewhere = frequency(source, term).saturating_sub(posts);
        most.map(|(name, _)| Subject { name: name.to_owned(), posts, opens, elsewhere })
    };
    let mut found: Vec<Subject> = spelled.into_iter().filter_map(subject).collect();
    found.retain(|subject| {
        let again = subject.posts > 1 && (subject.opens || subject.posts * 4 >= posts.len());
        again || subject.opens && subject.elsewhere > 1
    });
    found.sort_by_key(|subject| Reverse((subject.posts + 2 * usize::from(subject.opens), subject.opens)));
    found.truncate(SUBJECTS_MAX);
    found
}

/// Posts of the window that have a term, by its weight.
fn frequency(source: &Source<'_>, term: u32) -> usize {
    let posts = source.posts.len() as f64 + 1.0;
    (posts / (source.idf[term as usize] - 1.0).exp() - 1.0).round().max(0.0) as usize
}

/// Whether a word of a title is in Latin letters and long enough to name something.
pub(super) fn latin_name(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.chars().count() >= NAME_CHARS_MIN
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
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
        && GENERIC.binary_search(&token.text.as_ref()).is_err()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    #[test]
    fn words_that_name_nothing_lead_no_title() {
        assert!(GENERIC.is_sorted());
        let texts =
            ["Как в url отправить json через JMeter?", "В JMeter параметры url кодируются сами", "json тоже"];
        let messages: Vec<_> = (1..).zip(texts).map(|(id, text)| message(id, "Аня", text)).collect();
        let source = Source::new(&messages, None);
        let found: Vec<String> = subjects(&source, &[0, 1, 2]).into_iter().map(|it| it.name).collect();
        assert_eq!(found, ["JMeter"]);
    }
}
