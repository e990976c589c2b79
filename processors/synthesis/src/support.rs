//! Whether a statement rests on the messages it cites: terms, author, numbers, negation.
//!
//! Invariant: a sentence quoted from a cited message by its author is always supported.

use crate::{quality::Statement, source::Source};
use std::collections::BTreeSet;
use text::{Token, TokenKind, fold, sentences, tokenize};

/// What a digest scores at most that cites or states what does not exist, and one that names an unknown name: that may be
/// another spelling.
const INVENTED: f64 = 0.4;
const UNKNOWN_NAME: f64 = 0.7;
/// Share of a sentence's terms that the cited messages must hold.
const TERMS_SUPPORTED: f64 = 0.6;
/// Share of its terms found in one sentence that makes it a quotation of that sentence.
const QUOTED: f64 = 0.9;
/// A sentence of more than so many times its terms is not what is quoted.
const QUOTED_LENGTH: usize = 2;

const NEGATORS: &[&str] = &[
    "not",
    "no",
    "never",
    "none",
    "nothing",
    "nobody",
    "cannot",
    "without",
    "neither",
    "nor",
    "не",
    "нет",
    "ни",
    "никогда",
    "ничего",
    "никто",
    "нельзя",
    "без",
    "никаких",
];

/// How a statement stands to its source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Support {
    /// Its sentences.
    pub(crate) sentences: usize,
    /// Those of them that are supported; one with too few of its terms supported counts in proportion.
    pub(crate) supported: f64,
    /// What the digest may score at most for it: little when it cites a message that does not exist or states a number or
    /// an address that the source lacks, more when it names a name that the source lacks, 1 for an honest one.
    pub(crate) cap: f64,
}

/// Holds a statement against the messages it cites.
pub(crate) fn support(source: &Source<'_>, statement: &Statement<'_>) -> Support {
    let cited: Vec<usize> = if statement.message_ids.is_empty() {
        (0..source.posts.len()).collect()
    } else {
        statement.message_ids.iter().filter_map(|id| source.index(*id)).collect()
    };
    let dangling = statement.message_ids.iter().any(|id| source.post(*id).is_none());
    let ranges = sentences(statement.text);
    let count = ranges.len().max(1);
    let author = agrees_on_author(source, statement, &cited);
    let evidence = Evidence::of(source, &cited);
    let supported = if author && !dangling {
        ranges.iter().map(|range| evidence.supports(source, &statement.text[range.clone()])).sum()
    } else {
        0.0
    };
    let cap = if dangling || states_unknown_facts(source, &evidence, statement) {
        INVENTED
    } else if names(statement.text).any(|name| !is_calendar(&name) && !source.knows(&name)) {
        UNKNOWN_NAME
    } else {
        1.0
    };
    Support { sentences: count, supported, cap }
}

fn agrees_on_author(source: &Source<'_>, statement: &Statement<'_>, cited: &[usize]) -> bool {
    let Some(speaker) = statement.speaker else { return true };
    cited.iter().any(|post| source.posts[*post].message.author_name == speaker)
}

/// What the cited messages say.
struct Evidence<'s> {
    posts: Vec<usize>,
    /// Whether the statement cites them, or is held against the whole source.
    cited: bool,
    terms: BTreeSet<u32>,
    facts: BTreeSet<&'s str>,
}

impl<'s> Evidence<'s> {
    fn of(source: &'s Source<'_>, cited: &[usize]) -> Self {
        let terms = cited.iter().flat_map(|post| source.posts[*post].terms.iter().copied()).collect();
        let facts = cited.iter().flat_map(|post| &source.posts[*post].facts).map(String::as_str).collect();
        Self { posts: cited.to_vec(), cited: cited.len() < source.posts.len(), terms, facts }
    }

    /// 1 for a supported sentence, less for one with unknown terms, 0 for one that states or negates something else.
    fn supports(&self, source: &Source<'_>, sentence: &str) -> f64 {
        let (terms, unknown) = source.terms(sentence);
        let named = source.named(sentence).min(unknown);
        let held = terms.iter().filter(|term| self.terms.contains(term)).count();
        let all = terms.len() + unknown - named;
        let on_terms = if all == 0 { 1.0 } else { (held as f64 / (TERMS_SUPPORTED * all as f64)).min(1.0) };
        let agrees = stated(sentence).all(|fact| self.facts.contains(fact.as_str()))
            && (!self.cited || self.agrees_on_negation(source, sentence, &terms));
        if agrees { on_terms } else { 0.0 }
    }

    /// A quotation negates as often as the sentence that it quotes; a paraphrase may negate in other words.
    fn agrees_on_negation(&self, source: &Source<'_>, sentence: &str, terms: &[u32]) -> bool {
        let cited = self.posts.iter().flat_map(|post| source.posts[*post].sentences.clone());
        let quotes = |number: &usize| {
            let found = &source.sentences[*number].terms;
            let shared = terms.iter().filter(|term| found.binary_search(term).is_ok()).count();
            shared as f64 >= QUOTED * terms.len().max(1) as f64 && found.len() <= terms.len() * QUOTED_LENGTH
        };
        let own = negations(sentence);
        let cut = sentence.ends_with('…');
        let mut quoted = cited.filter(quotes).map(|number| source.sentences[number].negations).peekable();
        quoted.peek().is_none() || quoted.any(|other| if cut { own <= other } else { own == other })
    }
}

/// Negating words of a text.
pub(crate) fn negations(text: &str) -> usize {
    negations_of(&tokenize(text))
}

/// Negating words of a text that is split already.
pub(crate) fn negations_of(tokens: &[Token<'_>]) -> usize {
    let negates = |word: &str| NEGATORS.contains(&word) || word.ends_with("n't");
    tokens.iter().filter(|token| negates(&token.text)).count()
}

/// Numbers and addresses of a text that is split already, folded; `18th` states 18.
pub(crate) fn facts_of<'t>(tokens: &'t [Token<'_>]) -> impl Iterator<Item = String> + 't {
    tokens.iter().filter_map(|token| {
        let ordinal = token.text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        match token.kind {
            TokenKind::Number | TokenKind::Address => Some(token.text.to_string()),
            TokenKind::Word if !ordinal.is_empty() && ordinal.chars().all(|c| c.is_ascii_digit()) => {
                Some(ordinal.to_owned())
            }
            _ => None,
        }
    })
}

/// Facts that a text states in full: the last one of a cut text may be cut itself.
pub(crate) fn stated(text: &str) -> impl Iterator<Item = String> {
    let mut stated: Vec<String> = facts_of(&tokenize(text)).collect();
    if text.ends_with('…') {
        stated.pop();
    }
    stated.into_iter()
}

/// A text without the numbers and addresses that neither its messages nor any other of the source hold, an ellipsis in
/// the place of each, and how many were struck.
pub(crate) fn strike(source: &Source<'_>, text: &str, message_ids: &[i64]) -> (String, i32) {
    let cited: Vec<usize> = message_ids.iter().filter_map(|id| source.index(*id)).collect();
    let evidence = Evidence::of(source, &cited);
    let unknown: BTreeSet<String> =
        stated(text).filter(|fact| !evidence.facts.contains(fact.as_str())).collect();
    if unknown.is_empty() {
        return (text.to_owned(), 0);
    }
    let (mut out, mut at, mut struck) = (String::with_capacity(text.len()), 0, 0);
    for token in tokenize(text) {
        if facts_of(std::slice::from_ref(&token)).any(|fact| unknown.contains(&fact)) {
            out.push_str(&text[at..token.range.start]);
            out.push('…');
            at = token.range.end;
            struck += 1;
        }
    }
    out.push_str(&text[at..]);
    (out, struck)
}

/// A number or an address that the source does not have.
fn states_unknown_facts(source: &Source<'_>, evidence: &Evidence<'_>, statement: &Statement<'_>) -> bool {
    let in_source = |fact: &str| {
        evidence.facts.contains(fact) || source.posts.iter().any(|post| post.facts.contains(fact))
    };
    stated(statement.text).any(|fact| !in_source(&fact))
}

/// English names of months and days, which a text may write out where the source has a number.
pub(crate) fn is_calendar(name: &str) -> bool {
    const NAMES: [&str; 19] = [
        "april",
        "august",
        "december",
        "february",
        "friday",
        "january",
        "july",
        "june",
        "march",
        "may",
        "monday",
        "november",
        "october",
        "saturday",
        "september",
        "sunday",
        "thursday",
        "tuesday",
        "wednesday",
    ];
    NAMES.binary_search(&name).is_ok()
}

/// Capitalised words that do not start a sentence: names, unless all are capitals.
pub(crate) fn names(text: &str) -> impl Iterator<Item = String> {
    let tokens = tokenize(text);
    let starts: Vec<usize> = sentences(text).iter().map(|range| range.start).collect();
    let mut found = Vec::new();
    for token in tokens {
        let word = &text[token.range.clone()];
        let mut letters = word.chars();
        let capital =
            letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase);
        if token.kind == TokenKind::Word && capital && !starts.contains(&token.range.start) {
            found.push(fold(word).trim_end_matches("'s").to_owned());
        }
    }
    found.into_iter()
}
