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

/// Stems of the lines that are no code, without courtesy, names of classes and files.
pub(super) fn stems(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !is_code(line));
    let tells = |stem: &String| !is_courtesy(stem) && !LOGS.contains(&stem.as_str()) && !stem.contains('.');
    lines.flat_map(text::lemmas).filter(tells).collect()
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
