//! Titles: the clause that stands best for a conversation, as it was said.
//!
//! Invariant: a title is never a greeting, code, an address, a list of keywords or a cut word.

mod lexis;
mod subject;

use crate::{
    compress::{clauses, matter, one_line, without_parentheses},
    findings::Findings,
    source::Source,
};
use lexis::{ASKING, DEPENDENT};
use std::collections::HashMap;
use subject::{names, subject, within_subject};
use text::{TokenKind, fold, is_stopword, noise, tokenize};

/// Most and least characters of a title.
const CHARS_MAX: usize = 70;
const CHARS_MIN: usize = 12;
/// Posts of a conversation that may hold its title, besides those that open its threads.
const POSTS_MAX: usize = 40;
/// Best sentences whose clauses are weighed, and clauses that a title may join.
const SENTENCES_MAX: usize = 6;
const CLAUSES_MAX: usize = 4;
/// Words that a title's weight is divided by, so that short ones do not win by their shortness.
const OVERHEAD: f64 = 6.0;

/// Factor of a title whose end was left out.
const CUT: f64 = 0.6;

/// Weight of each term for a conversation: how many of its posts have it, and how little it is everyday speech.
fn central(source: &Source<'_>, posts: &[usize]) -> HashMap<u32, f64> {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for post in posts.iter().filter(|post| source.posts[**post].quotable) {
        for term in &source.posts[*post].terms {
            *counts.entry(*term).or_insert(0) += 1;
        }
    }
    let weight = |(term, count): (u32, u32)| {
        let specific = source.specificity[term as usize];
        (term, (1.0 + f64::from(count).ln()) * specific * specific * source.idf[term as usize].sqrt())
    };
    counts.into_iter().map(weight).collect()
}

/// A title and the sentence that it is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Title {
    pub(crate) text: String,
    pub(crate) sentence: usize,
}

/// The title of a conversation: the clause that stands best for it; none where nothing in it has a subject.
pub(crate) fn title(source: &Source<'_>, findings: &Findings, posts: &[usize]) -> Option<Title> {
    let central = central(source, posts);
    let mut ranked: Vec<(f64, usize)> = posts
        .iter()
        .enumerate()
        .filter(|(at, post)| *at < POSTS_MAX || source.posts[**post].place == 0)
        .map(|(_, post)| &source.posts[*post])
        .filter(|post| post.quotable && post.noise.is_none())
        .flat_map(|post| post.sentences.clone().take(SENTENCES_MAX))
        .filter(|sentence| source.sentences[*sentence].noise.is_none())
        .map(|sentence| (standing(source, findings, &central, sentence), sentence))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(SENTENCES_MAX);
    let mut best: Option<(f64, Title)> = None;
    for (factor, sentence) in ranked.iter().map(|(_, at)| (bonus(source, findings, *at), *at)) {
        for (weight, text) in spans(source, &central, sentence) {
            if best.as_ref().is_none_or(|(known, _)| weight * factor > *known) {
                best = Some((weight * factor, Title { text, sentence }));
            }
        }
    }
    let (_, title) = best?;
    let text = match subject(source, &central, posts) {
        Some(subject) if !title.text.ends_with('?') && !names(&title.text, &subject) => {
            within_subject(&subject, &title.text)
        }
        _ => title.text,
    };
    Some(Title { text, ..title })
}

/// How well a sentence stands for the conversation.
fn standing(source: &Source<'_>, findings: &Findings, central: &HashMap<u32, f64>, sentence: usize) -> f64 {
    let found = &source.sentences[sentence];
    bonus(source, findings, sentence) * weight(central, &found.terms, found.length)
}

fn weight(central: &HashMap<u32, f64>, terms: &[u32], words: usize) -> f64 {
    let sum: f64 = terms.iter().filter_map(|term| central.get(term)).sum();
    sum / (words as f64 + OVERHEAD).sqrt()
}

/// What opens a conversation says what it is about, the more so if it asks in earnest; what tells nothing does not.
fn bonus(source: &Source<'_>, findings: &Findings, sentence: usize) -> f64 {
    let found = &source.sentences[sentence];
    let earnest = findings.earnest(sentence);
    let place = match source.posts[found.post].place {
        0 => 1.5,
        1 => 1.1,
        _ => 1.0,
    };
    let asks = found.asks || text::is_question(source.text(found));
    let asks = if asks { 0.4 + 1.6 * earnest } else { 1.0 };
    place * asks * (1.0 - findings.telling[found.post].idle)
}

/// Titles that the clauses of a sentence make, with their weights.
fn spans(source: &Source<'_>, central: &HashMap<u32, f64>, sentence: usize) -> Vec<(f64, String)> {
    let found = &source.sentences[sentence];
    let line = without_parentheses(&one_line(&plain(source.text(found))));
    let line = matter(&line);
    let clauses = clauses(line);
    let mut titles = Vec::new();
    for from in 0..clauses.len().min(SENTENCES_MAX) {
        for to in from..clauses.len().min(from + CLAUSES_MAX) {
            let span = line[clauses[from].start..clauses[to].end].trim();
            let Some((title, cut)) = shaped(span, found.asks && to + 1 == clauses.len()) else { continue };
            let first = first_word(&title);
            let mut factor = if from > 0 && !ASKING.contains(&first.as_str()) { 0.75 } else { 1.0 };
            if cut {
                factor *= CUT;
            }
            if DEPENDENT.contains(&first.as_str()) {
                factor *= 0.4;
            }
            if ASKING.contains(&first.as_str()) {
                factor *= 1.15;
            }
            let (terms, _) = source.terms(&title);
            let weight = factor * weight(central, &terms, tokenize(&title).len());
            if weight > 0.0 {
                titles.push((weight, title));
            }
        }
    }
    titles
}

fn first_word(text: &str) -> String {
    tokenize(text).into_iter().next().map(|token| token.text.into_owned()).unwrap_or_default()
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
    if body.contains(['{', '}', '<', '>', ';', '=', '\\', '`', '|']) || noise(body).is_some() {
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
    let question = ASKING.contains(&first_word(&title).as_str()) && span.ends_with('?');
    if (asks || question) && !cut {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn titled(texts: &[&str]) -> Option<String> {
        let messages: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(at, text)| message(at as i64 + 1, if at % 2 == 0 { "A" } else { "B" }, text))
            .collect();
        let source = Source::new(&messages, None);
        title(&source, &Findings::of(&source), &(0..messages.len()).collect::<Vec<_>>())
            .map(|title| title.text)
    }

    #[test]
    fn the_question_stands_for_its_conversation() {
        for (texts, wanted) in [
            (
                &["Всем привет! Как передать JMeter список значений?", "через CSV"][..],
                "Как передать JMeter список значений?",
            ),
            (
                &["hi all", "quick question: does the gateway restart at noon?", "Yes, at noon."],
                "Does the gateway restart at noon?",
            ),
            (
                &["Morning!", "the admin bundle went from 1.9 MB to 1.1 MB", "nice"],
                "The admin bundle went from 1.9 MB to 1.1 MB",
            ),
        ] {
            assert_eq!(titled(texts).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn greetings_code_and_links_are_no_titles() {
        for texts in [
            &["Всем привет!", "Доброе утро"][..],
            &["String url = vars.get(\"url\");", "{\"a\": 1, \"b\": 2}"],
            &["https://a.example/x", "https://b.example/y"],
            &["😂", "ахахах", "спасибо!"],
        ] {
            assert_eq!(titled(texts), None);
        }
    }
}
