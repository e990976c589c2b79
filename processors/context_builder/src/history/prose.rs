//! What a message says in words: its stems without those of code and courtesy, and whether it asks.
//!
//! Invariant: pure. Pasted code is alike wherever one tool is used, whatever is asked about it.

use std::collections::BTreeSet;

/// Characters that lines of code, markup and configuration hold.
const CODE: [char; 8] = ['{', '}', '=', ';', '|', '<', '>', '\\'];

/// Beginnings of words with which people ask for help, greet and thank, in folded text.
const REQUESTS: [&str; 8] =
    ["подскаж", "посовет", "порекоменд", "помогит", "поделит", "recommend", "advise", "suggest"];
const COURTESY: [&str; 14] = [
    "суток",
    "утро",
    "вечер",
    "плиз",
    "плз",
    "пож",
    "пжл",
    "пжс",
    "здравств",
    "приветств",
    "ребят",
    "реб",
    "колле",
    "товарищ",
];

/// Stems that logs hold whatever happened.
const LOGS: [&str; 5] = ["error", "except", "main", "uncaught", "warn"];

/// The words of a text that tell what it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// Their stems, each once.
    pub(super) stems: BTreeSet<String>,
    /// Stems that stand beside each other, in order of the alphabet.
    beside: BTreeSet<(String, String)>,
}

impl Words {
    /// Those of the lines that are no code, without courtesy, names of classes and files.
    pub(super) fn of(text: &str) -> Self {
        let tells =
            |stem: &String| !is_courtesy(stem) && !LOGS.contains(&stem.as_str()) && !stem.contains('.');
        let mut words = Self::default();
        for line in text.lines().filter(|line| !is_code(line)) {
            let stems: Vec<String> = text::lemmas(line).into_iter().filter(tells).collect();
            words.beside.extend(stems.windows(2).map(|pair| ordered(&pair[0], &pair[1])));
            words.stems.extend(stems);
        }
        words
    }

    /// How many things two texts share, and by how many stems of those that `counts`: stems that stand beside each other in both are a
    /// name of one thing, as are those of a dialog, a setting or a class; a long run of them, such as a message of an error,
    /// is worth one more for every so many.
    pub(super) fn in_common(&self, other: &Self, counts: impl Fn(&str) -> bool) -> (usize, usize) {
        let mut left: BTreeSet<&str> = self.stems.intersection(&other.stems).map(String::as_str).collect();
        left.retain(|stem| counts(stem));
        let (mut things, stems) = (0, left.len());
        while let Some(first) = left.pop_first() {
            let (mut run, mut reached) = (0, vec![first]);
            while let Some(stem) = reached.pop() {
                run += 1;
                let beside = |near: &&str| {
                    let pair = ordered(stem, near);
                    self.beside.contains(&pair) && other.beside.contains(&pair)
                };
                let near: Vec<&str> = left.iter().copied().filter(beside).collect();
                left.retain(|stem| !near.contains(stem));
                reached.extend(near);
            }
            things += 1 + (run - 1) / RUN;
        }
        (things, stems)
    }
}

/// Stems of a name that are one thing, beside its first.
const RUN: usize = 4;

fn ordered(one: &str, other: &str) -> (String, String) {
    if one <= other { (one.to_owned(), other.to_owned()) } else { (other.to_owned(), one.to_owned()) }
}

fn is_code(line: &str) -> bool {
    line.contains(CODE) || calls(line)
}

/// A name and a parenthesis without a space between: `setUp(`.
fn calls(line: &str) -> bool {
    let after = line.match_indices('(').map(|(at, _)| &line[..at]);
    after.into_iter().any(|before| before.ends_with(|c: char| c.is_ascii_alphanumeric()))
}

fn is_courtesy(stem: &str) -> bool {
    REQUESTS.iter().chain(&COURTESY).any(|begin| stem.starts_with(begin))
}

/// Whether a text asks, by a question mark or a request for help.
pub(super) fn asks(text: &str) -> bool {
    let requests = || {
        let folded = text::fold(text);
        REQUESTS.iter().any(|word| folded.contains(word))
    };
    text::is_question(text) || requests()
}
