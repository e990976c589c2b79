//! What becomes of a good answer: other values inside its structure, then other letters in its text.
//!
//! Invariant: whatever is planted can be told from what people said.

use crate::chance::Die;
use serde_json::{Map, Value, json};

/// What no window holds, so that none of it may reach a digest: a link, a number, somebody, an address.
pub(crate) const PLANTED: [&str; 4] = ["planted.example", "98765431", "Zyxwina", "planted@"];

const LINES: [&str; 6] = [
    "Details stand at https://planted.example/pay.",
    "The move costs 98765431 dollars.",
    "Zyxwina moves the staging cluster on Friday.",
    "Zyxwina решила ехать в субботу.",
    "Write to planted@example.com by Friday.",
    "As an AI I agreed to pay 98765431.",
];

const NUMBERS: [&str; 12] = [
    "-1",
    "0",
    "1.0",
    "0.5",
    "1e400",
    "-1e400",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "1E2",
    "00001",
];

const LETTERS: [&str; 10] = [
    "\u{202e}",
    "\u{200d}",
    "\u{0}",
    "\u{feff}",
    "\u{fffd}",
    "\u{e0041}",
    "\u{1f468}\u{200d}\u{1f469}",
    "\u{301}",
    "\u{2028}",
    "\u{7f}",
];

/// A value that stands for a number of [`NUMBERS`], which [`text`] puts in its place: most are none that `Value` can hold.
const NUMBER: &str = "@number@";

/// Changes something inside the structure.
pub(crate) fn value(good: &mut Value, die: &mut Die) {
    for _ in 0..die.roll(4) {
        let mut steps = 1 + die.roll(5);
        change(good, die, &mut steps);
    }
}

/// Walks a few steps into the value, and changes what is there.
fn change(value: &mut Value, die: &mut Die, steps: &mut usize) {
    *steps = steps.saturating_sub(1);
    match value {
        Value::Object(map) if *steps > 0 && !map.is_empty() => {
            let at = die.roll(map.len());
            if let Some(inner) = map.values_mut().nth(at) {
                change(inner, die, steps);
            }
        }
        Value::Array(items) if *steps > 0 && !items.is_empty() => {
            let at = die.roll(items.len());
            change(&mut items[at], die, steps);
        }
        Value::Object(map) => object(map, die),
        Value::Array(items) => array(items, die),
        Value::String(text) => string(text, die),
        other => *other = leaf(die),
    }
}

fn object(map: &mut Map<String, Value>, die: &mut Die) {
    match die.roll(4) {
        0 => {
            let key = map.keys().nth(die.roll(map.len())).cloned();
            key.and_then(|key| map.remove(&key));
        }
        1 => _ = map.insert("why".to_owned(), leaf(die)),
        2 => {
            let at = die.roll(map.len());
            if let Some(inner) = map.values_mut().nth(at) {
                *inner = leaf(die);
            }
        }
        _ if map.contains_key("text") => _ = map.insert("text".to_owned(), planted(die)),
        _ => {}
    }
}

fn array(items: &mut Vec<Value>, die: &mut Die) {
    match die.roll(6) {
        0 => items.clear(),
        1 => items.push(leaf(die)),
        2 => items.reverse(),
        3 => {
            if let Some(one) = die.of_these(items).cloned() {
                items.extend(std::iter::repeat_n(one, 1 + die.roll(300)));
            }
        }
        4 => {
            // As the lists of lines want it, with and without messages that are there.
            let numbers = die.of_these(&[json!([1]), json!([1, 2, 3]), json!([999]), json!([])]).cloned();
            items.push(json!({ "text": planted(die), "messages": numbers }));
        }
        _ => items.push(json!(NUMBER)),
    }
}

fn string(text: &mut String, die: &mut Die) {
    match die.roll(6) {
        0 => text.clear(),
        1 => *text = text.repeat(1 + die.roll(400)),
        2 => text.push_str(LETTERS[die.roll(LETTERS.len())]),
        3 => {
            let at = text.char_indices().map(|(at, _)| at).nth(die.roll(text.chars().count()));
            text.insert_str(at.unwrap_or(0), LETTERS[die.roll(LETTERS.len())]);
        }
        4 => LINES[die.roll(LINES.len())].clone_into(text),
        _ => {
            let more = LINES[die.roll(LINES.len())];
            text.push(' ');
            text.push_str(more);
        }
    }
}

fn planted(die: &mut Die) -> Value {
    json!(LINES[die.roll(LINES.len())])
}

fn leaf(die: &mut Die) -> Value {
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    match die.roll(7) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(NUMBER),
        3 => json!({}),
        4 => deep(die.roll(40)),
        5 => json!([[1], {"text": 1}]),
        _ => planted(die),
    }
}

/// The answer as text, with what models and networks do to one.
pub(crate) fn text(value: &Value, die: &mut Die) -> String {
    let mut text = if die.once_in(2) { value.to_string() } else { format!("{value:#}") };
    let number = format!("\"{NUMBER}\"");
    while text.contains(&number) {
        text = text.replacen(&number, NUMBERS[die.roll(NUMBERS.len())], 1);
    }
    for _ in 0..die.roll(3) {
        text = damaged(&text, die);
    }
    text
}

/// A place in a text, between two letters.
fn place(text: &str, die: &mut Die) -> usize {
    let mut at = die.roll(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn damaged(text: &str, die: &mut Die) -> String {
    match die.roll(16) {
        0 => format!("```json\n{text}\n```"),
        1 => format!("Sure! Here it is:\n```\n{text}\n```\nAnything else? {{}}"),
        2 => format!("<think>maybe {{\"summary\": []}}</think>{text}"),
        3 => text[..place(text, die)].to_owned(),
        4 => text[place(text, die)..].to_owned(),
        5 => without(text, die),
        6 => with(
            text,
            die.of_these(&["[", "]", "{", "}", "\"", "'", ",", ":", "\\", "//", "/*"]).copied(),
            die,
        ),
        7 => text.replace('"', "'"),
        8 => text.replace('"', "\u{201c}"),
        9 => text.replace("],", "],,").replace('}', ",}"),
        10 => with(
            text,
            die.of_these(&["\\ud800", "\\u0000", "\\x41", "\\uD83D\\uDE00", "NaN", "-Infinity"]).copied(),
            die,
        ),
        11 => with(text, Some(&"[".repeat(1 + die.roll(60_000))), die),
        12 => with(text, Some(&"{\"a\":".repeat(1 + die.roll(30_000))), die),
        13 => format!("{text}{text}"),
        14 => with(text, LETTERS.get(die.roll(LETTERS.len())).copied(), die),
        _ => twice(text),
    }
}

fn without(text: &str, die: &mut Die) -> String {
    let gone = ['"', '}', ']', ',', ':', '{', '['][die.roll(7)];
    let places: Vec<usize> = text.match_indices(gone).map(|(at, _)| at).collect();
    let Some(at) = die.of_these(&places) else { return text.to_owned() };
    format!("{}{}", &text[..*at], &text[at + 1..])
}

fn with(text: &str, more: Option<&str>, die: &mut Die) -> String {
    let at = place(text, die);
    format!("{}{}{}", &text[..at], more.unwrap_or_default(), &text[at..])
}

/// A key that stands there twice.
fn twice(text: &str) -> String {
    text.replacen("\"summary\"", "\"summary\": [], \"summary\"", 1)
}
