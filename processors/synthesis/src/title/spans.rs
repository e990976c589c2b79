//! The clauses of a sentence as titles.
//!
//! Invariant: words are only left out, at an end or as a whole clause, and an end that was left out is marked.

use super::lexis::ASKING;
use crate::{
    compress::{clauses, from_request, matter, one_line, only_asks, without_parentheses},
    source::Source,
};
use text::{TokenKind, fold, is_stopword, noise, tokenize};

/// Most and least characters of a title.
const CHARS_MAX: usize = 84;
const CHARS_MIN: usize = 12;
/// Clauses of a sentence that a title may start with, and that it may join.
const STARTS_MAX: usize = 6;
const CLAUSES_MAX: usize = 4;

/// Neighbouring clauses of a sentence as a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: String,
    /// Folded words between single spaces.
    pub(super) padded: String,
    /// Clauses before it, and after it.
    pub(super) before: usize,
    pub(super) after: usize,
    /// Whether its end was left out.
    pub(super) cut: bool,
}

/// Titles that the clauses of a sentence make.
pub(super) fn spans(source: &Source<'_>, sentence: usize) -> Vec<Span> {
    let found = &source.sentences[sentence];
    let line = without_parentheses(&one_line(&plain(source.text(found))));
    let line = from_request(&line).unwrap_or_else(|| matter(&line));
    let clauses = clauses(line);
    let mut titles: Vec<Span> = Vec::new();
    for from in 0..clauses.len().min(STARTS_MAX) {
        for to in from..clauses.len().min(from + CLAUSES_MAX) {
            let span = matter(line[clauses[from].start..clauses[to].end].trim());
            let Some((text, cut)) = shaped(span, found.asks && to + 1 == clauses.len()) else { continue };
            let mut padded = String::from(" ");
            for token in tokenize(&text) {
                padded.extend([token.text.as_ref(), " "]);
            }
            if titles.iter().all(|title| title.text != text) {
                titles.push(Span { text, padded, before: from, after: clauses.len() - 1 - to, cut });
            }
        }
    }
    titles
}

/// A text without addresses and mentions.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let gone = |kind| matches!(kind, TokenKind::Address | TokenKind::Mention);
    for token in tokenize(text).iter().filter(|token| gone(token.kind)) {
        out.push_str(&text[at..token.range.start]);
        at = token.range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// A span as a title, if it can be one, and whether its end was left out.
fn shaped(span: &str, asks: bool) -> Option<(String, bool)> {
    let body = span.trim_matches(|c: char| c.is_whitespace() || ",.!?:;…—–-".contains(c) || "()".contains(c));
    if body.contains(['{', '}', '<', '>', ';', '=', '\\', '`', '|', '$'])
        || noise(body).is_some()
        || only_asks(body)
    {
        return None;
    }
    if body.contains("//") || body.contains("''") || body.contains("(\"") {
        return None;
    }
    let (short, cut) = within(body);
    let open = short.matches(['"', '«', '(']).count() + short.matches(['»', ')']).count();
    if short.chars().count() < CHARS_MIN || open % 2 == 1 {
        return None;
    }
    let mut letters = short.chars();
    let first = letters.next()?;
    let mut title: String = first.to_uppercase().chain(letters).collect();
    let first = tokenize(&title).into_iter().next().map(|token| token.text.into_owned()).unwrap_or_default();
    let question = ASKING.contains(&first.as_str()) && span.ends_with('?');
    if cut {
        title.push('…');
    } else if asks || question {
        title.push('?');
    }
    Some((title, cut))
}

/// At most [`CHARS_MAX`] characters, ended before a word that only joins; and whether anything was left out.
fn within(body: &str) -> (String, bool) {
    if body.chars().count() <= CHARS_MAX {
        return (body.to_owned(), false);
    }
    let joins = |word: &str| is_stopword(&fold(word)) && word.chars().all(char::is_alphabetic);
    let mut end = 0;
    for token in tokenize(body) {
        if body[..token.range.start].chars().count() > CHARS_MAX {
            break;
        }
        if joins(&body[token.range.clone()]) && token.range.start > 0 {
            end = token.range.start;
        }
    }
    let mut kept = body[..end].trim_end();
    while let Some(last) = tokenize(kept).last().filter(|last| joins(&kept[last.range.clone()])) {
        kept = kept[..last.range.start].trim_end();
    }
    (kept.trim_end_matches([',', ':', '—', '–', '-']).to_owned(), true)
}
