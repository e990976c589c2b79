//! Drafts as a good model would write them of what it was shown: the messages' own words under their numbers.
//!
//! Invariant: each fits the schema that it was asked for by.

use crate::chance::Die;
use serde_json::{Value, json};

/// What a question shows: numbers and texts, and the subjects.
struct Shown {
    lines: Vec<(i64, String, String)>,
    subjects: Vec<i64>,
}

impl Shown {
    fn of(question: &str) -> Self {
        let (mut lines, mut subjects) = (Vec::new(), Vec::new());
        for line in question.lines() {
            if let Some(number) = line.strip_prefix("# subject ").and_then(|rest| rest.parse().ok()) {
                subjects.push(number);
            }
            let Some((number, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            let (author, text) = rest.split_once(": ").unwrap_or(("", rest));
            lines.push((number, author.to_owned(), text.to_owned()));
        }
        Self { lines, subjects }
    }
}

/// A good answer to a question, in the form that its schema wants.
pub(crate) fn good(question: &str, schema: &str, die: &mut Die) -> Value {
    let shown = Shown::of(question);
    let line = |die: &mut Die, numbers: &str| {
        let (number, author, text) = die.of_these(&shown.lines).cloned().unwrap_or_default();
        let words: Vec<&str> = text.split(' ').collect();
        let kept = if die.once_in(3) { words.len().div_ceil(2) } else { words.len() };
        let text = words[..kept].join(" ");
        (author, json!({ "text": text, numbers: [number] }))
    };
    if schema.contains("\"lines\": {\"type\": \"array\", \"items\": {\"type\": \"integer\"") {
        let summary: Vec<Value> = (0..=die.roll(4)).map(|_| line(die, "lines").1).collect();
        return json!({ "summary": summary });
    }
    let lines = |die: &mut Die, most: usize| -> Vec<Value> {
        (0..die.roll(most + 1)).map(|_| line(die, "messages").1).collect()
    };
    let topics: Vec<Value> = shown
        .subjects
        .iter()
        .map(|number| {
            let title = line(die, "messages").1["text"].as_str().unwrap_or_default().to_owned();
            json!({ "topic": number, "title": title, "lines": lines(die, 3) })
        })
        .collect();
    let actions: Vec<Value> = (0..die.roll(3))
        .map(|_| {
            let (author, mut action) = line(die, "messages");
            action["owner"] = if die.once_in(3) { Value::Null } else { json!(author) };
            action["due"] =
                json!(die.of_these(&[Some("by Thursday"), Some("до пятницы"), None]).copied().flatten());
            action
        })
        .collect();
    let mut summary = lines(die, 5);
    summary.push(line(die, "messages").1);
    json!({ "topics": topics, "summary": summary, "decisions": lines(die, 2), "actions": actions, "open": lines(die, 2) })
}
