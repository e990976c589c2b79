//! Finds words that name a topic, in the form in which people wrote them.
//!
//! Invariant: a label never holds a stopword, small talk or a name of somebody present, and nothing of a bot's or
//! a repeated post.

use crate::unit::{Unit, is_content};
use std::collections::{BTreeMap, BTreeSet};
use text::{Token, TokenKind};

/// Most keywords of a topic.
const KEYWORDS_MAX: usize = 10;
/// Most keywords of a label.
const LABEL_WORDS: usize = 3;
/// Longest word of a label, in characters: longer ones are paths or dumps.
const WORD_CHARS_MAX: usize = 30;
/// What a phrase of two words gains over its words.
const PHRASE_GAIN: f64 = 1.3;
/// Factor for words that only one message has.
const ONCE_FACTOR: f64 = 0.7;
/// Longest word in capitals that is not shouting.
const ACRONYM_CHARS_MAX: usize = 4;
/// Longest label made of a topic's first words.
const OPENING_CHARS: usize = 40;
/// Factor for words that look like verbs: poor names.
const VERB_FACTOR: f64 = 0.4;

/// A name of a topic and its best terms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Label {
    pub(crate) label: String,
    pub(crate) keywords: Vec<String>,
}

/// How often, by how many and in which forms a term was written.
#[derive(Debug, Default)]
struct Uses {
    messages: usize,
    people: BTreeSet<String>,
    forms: BTreeMap<String, usize>,
}

/// Endings of Russian verb forms.
const VERB_ENDINGS: [&str; 25] = [
    "ть", "ться", "тся", "лся", "лась", "лись", "лось", "ешь", "ете", "ите", "ает", "яет", "ают", "яют",
    "ует", "уют", "аем", "аю", "яю", "ишу", "жите", "лял", "сал", "вал", "дали",
];

type Counts = BTreeMap<Vec<String>, Uses>;

/// Labels of all topics of a window, in their order; empty where only bots spoke.
pub(crate) fn labels(units: &[Unit], topics: &[Vec<usize>]) -> Vec<Label> {
    let names = names(units);
    let counts: Vec<Counts> = topics.iter().map(|topic| count(units, topic, &names)).collect();
    let mut spread: BTreeMap<&[String], usize> = BTreeMap::new();
    for term in counts.iter().flat_map(BTreeMap::keys) {
        *spread.entry(term).or_insert(0) += 1;
    }
    let named = counts.iter().zip(topics).map(|(counts, topic)| {
        let label = label(counts, &spread, topics.len());
        if label.label.is_empty() { Label { label: opening(units, topic), ..label } } else { label }
    });
    named.collect()
}

/// The first words of a topic that nothing names.
fn opening(units: &[Unit], topic: &[usize]) -> String {
    let texts = topic.iter().flat_map(|&at| &units[at].messages).filter(|message| is_content(message));
    let first = texts.map(|message| message.text.trim()).find(|text| text.chars().any(char::is_alphabetic));
    first.map(|text| text::truncate(&text.replace('\n', " "), OPENING_CHARS)).unwrap_or_default()
}

/// Stems of the words of people's names: whoever is addressed is not what the talk is about.
fn names(units: &[Unit]) -> BTreeSet<String> {
    let authors = units.iter().flat_map(|unit| &unit.messages).map(|message| message.author_name.as_str());
    authors.flat_map(text::tokens).map(|word| text::stem(&word)).collect()
}

/// Whether a token may be part of a label.
fn is_nameable(token: &Token) -> bool {
    let word = token.text.as_ref();
    token.kind == TokenKind::Word
        && (2..=WORD_CHARS_MAX).contains(&word.chars().count())
        && !text::is_stopword(word)
        && !text::is_small_talk(word)
        && word.chars().filter(|c| c.is_numeric()).count() * 2 < word.chars().count()
}

fn count(units: &[Unit], topic: &[usize], names: &BTreeSet<String>) -> Counts {
    let mut counts = Counts::new();
    for message in topic.iter().flat_map(|&at| &units[at].messages).filter(|message| is_content(message)) {
        let tokens = text::tokenize(&message.text);
        let mut seen = BTreeSet::new();
        for at in 0..tokens.len() {
            for length in 1..=2 {
                let Some(words) = tokens.get(at..at + length) else { continue };
                if !words.iter().all(is_nameable) || !is_phrase(&message.text, words) {
                    continue;
                }
                let stems: Vec<String> = words.iter().map(|word| text::stem(&word.text)).collect();
                if stems.iter().any(|stem| names.contains(stem)) {
                    continue;
                }
                let uses = counts.entry(stems.clone()).or_default();
                *uses.forms.entry(written(&message.text, words)).or_insert(0) += 1;
                if seen.insert(stems) {
                    uses.messages += 1;
                    uses.people.insert(message.author_id.clone());
                }
            }
        }
    }
    counts
}

/// Words of a phrase are parted by a single space.
fn is_phrase(text: &str, words: &[Token]) -> bool {
    words
        .windows(2)
        .all(|pair| &text[pair[0].range.end..pair[1].range.start] == " " && pair[0].text != pair[1].text)
}

/// As written, but a capital that only opens a word is lowered, since it mostly opens a sentence, and so is
/// shouting; `API` and `JMeter` stay.
fn written(text: &str, words: &[Token]) -> String {
    let form = |word: &Token| {
        let raw = &text[word.range.clone()];
        let inner = raw.chars().skip(1).any(char::is_uppercase);
        let shouted = raw.chars().all(char::is_uppercase) && raw.chars().count() > ACRONYM_CHARS_MAX;
        if inner && !shouted { raw.to_owned() } else { raw.to_lowercase() }
    };
    words.iter().map(form).collect::<Vec<_>>().join(" ")
}

fn label(counts: &Counts, spread: &BTreeMap<&[String], usize>, topics: usize) -> Label {
    let score = |term: &[String], uses: &Uses| {
        let topics_with = spread.get(term).copied().unwrap_or(1);
        let contrast = ((topics + 1) as f64 / topics_with as f64).ln() + 0.3;
        let specific = term.iter().map(|stem| text::specificity(stem)).fold(1.0, f64::min);
        let repeated = match (uses.messages, term.len()) {
            (1, 2) => ONCE_FACTOR * ONCE_FACTOR,
            (1, _) => ONCE_FACTOR,
            _ => 1.0,
        };
        let gain = if term.len() > 1 { PHRASE_GAIN } else { 1.0 };
        let verb = if uses.forms.keys().all(|form| is_verb_like(form)) { VERB_FACTOR } else { 1.0 };
        let use_weight = (1.0 + uses.messages as f64).ln() + 0.5 * (uses.people.len() as f64).ln_1p();
        use_weight * contrast * specific * specific * repeated * gain * verb
    };
    let mut ranked: Vec<(f64, &Vec<String>, &Uses)> =
        counts.iter().map(|(term, uses)| (score(term, uses), term, uses)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let mut taken: BTreeSet<&String> = BTreeSet::new();
    let mut keywords = Vec::new();
    for (_, term, uses) in ranked {
        if keywords.len() == KEYWORDS_MAX {
            break;
        }
        if term.iter().all(|stem| !taken.contains(stem)) {
            taken.extend(term);
            keywords.extend(best_form(uses));
        }
    }
    Label { label: keywords.iter().take(LABEL_WORDS).cloned().collect::<Vec<_>>().join(", "), keywords }
}

/// The most frequent form; of equals the shortest, then the first.
fn best_form(uses: &Uses) -> Option<String> {
    let rank = |form: &&String| (std::cmp::Reverse(uses.forms[*form]), form.chars().count(), (*form).clone());
    uses.forms.keys().min_by_key(rank).cloned()
}

/// Whether a Russian word ends as infinitives, reflexives and other verb forms do that few nouns share.
fn is_verb_like(form: &str) -> bool {
    let noun_like = form.ends_with("ость") || form.ends_with("сеть") || form.ends_with("память");
    VERB_ENDINGS.iter().any(|end| form.ends_with(end)) && !noun_like
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        text::tokenize(text)
    }

    #[test]
    fn small_talk_and_numbers_name_nothing() {
        let fit: Vec<String> = tokens("ok спасибо, the JMeter 3.1.2 упал https://a.example")
            .into_iter()
            .filter(is_nameable)
            .map(|token| token.text.into_owned())
            .collect();
        assert_eq!(fit, ["jmeter", "упал"]);
    }

    #[test]
    fn capitals_that_open_a_word_are_lowered() {
        let text = "Таймаут JMeter API";
        assert_eq!(written(text, &tokens(text)), "таймаут JMeter API");
    }

    #[test]
    fn the_most_frequent_form_wins() {
        let forms = BTreeMap::from([("базы".to_owned(), 2), ("база".to_owned(), 2), ("базе".to_owned(), 1)]);
        assert_eq!(best_form(&Uses { forms, ..Uses::default() }), Some("база".to_owned()));
    }

    #[test]
    fn verbs_are_poor_names() {
        assert!(is_verb_like("посмотреть") && is_verb_like("сломалась"));
        assert!(!is_verb_like("нагрузка") && !is_verb_like("доступность"));
    }
}
