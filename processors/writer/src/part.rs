//! A window cut into parts that a model can read: whole subjects where they fit, by time where they do not.
//!
//! Invariant: each message that is shown stands in exactly one part, under a number of its own; what is not shown is
//! counted.

use crate::hostile::is_hostile;
use schemas::{ContextMessage, Digest};
use std::collections::{BTreeMap, BTreeSet};
use text::token_estimate;

/// Tokens of a line beside its text: number, author, answered message.
const LINE_TOKENS: usize = 12;
/// Most characters of a message that a model is shown.
const TEXT_CHARS_MAX: usize = 1_000;

/// A message as a model is shown it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown<'a> {
    /// From 1, over all parts.
    pub(crate) number: usize,
    /// Index of its topic in the digest; none for one that is in no topic.
    pub(crate) topic: Option<usize>,
    pub(crate) message: &'a ContextMessage,
    /// At most [`TEXT_CHARS_MAX`] characters, on one line.
    pub(crate) text: String,
}

/// Parts of a window.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Parts<'a> {
    pub(crate) each: Vec<Vec<Shown<'a>>>,
    /// Messages that speak to the model.
    pub(crate) withheld: usize,
    /// Messages, the least important, that no part has room for.
    pub(crate) left_out: usize,
    /// Messages of which a part is shown.
    pub(crate) cut: usize,
}

impl<'a> Parts<'a> {
    /// Cuts the messages of a window, of people and not repeated, into at most `parts_max` parts of about `tokens_max`
    /// tokens.
    pub(crate) fn of(
        messages: &'a [ContextMessage],
        digest: &Digest,
        (tokens_max, parts_max): (usize, usize),
    ) -> Self {
        let mut parts = Self::default();
        let topics: BTreeMap<i64, usize> = digest
            .topics
            .iter()
            .enumerate()
            .flat_map(|(number, topic)| topic.message_ids.iter().map(move |id| (*id, number)))
            .collect();
        let mut lines: Vec<(Option<usize>, &ContextMessage, String, usize)> = Vec::new();
        for message in messages.iter().filter(|message| is_told(message)) {
            if is_hostile(&message.text) || is_hostile(&message.author_name) {
                parts.withheld += 1;
                continue;
            }
            let text = one_line(&message.text);
            parts.cut += usize::from(text.ends_with(CUT));
            let tokens = token_estimate(&text) + LINE_TOKENS;
            lines.push((topics.get(&message.id).copied(), message, text, tokens));
        }
        let room = tokens_max.saturating_mul(parts_max);
        let kept = most_important(&lines, room);
        parts.left_out = lines.len() - kept.len();
        let mut order: Vec<usize> = kept.into_iter().collect();
        // Subjects in the digest's order, then what is in none; in each by time, as the messages are.
        order.sort_by_key(|at| (lines[*at].0.unwrap_or(usize::MAX), *at));
        let mut used = tokens_max;
        for at in order {
            let (topic, message, text, tokens) = &lines[at];
            if used + tokens > tokens_max && parts.each.len() < parts_max {
                parts.each.push(Vec::new());
                used = 0;
            }
            used += tokens;
            let number = 1 + parts.each.iter().map(Vec::len).sum::<usize>();
            if let Some(part) = parts.each.last_mut() {
                part.push(Shown { number, topic: *topic, message, text: text.clone() });
            }
        }
        parts
    }

    /// Message ids by number, from 1.
    pub(crate) fn ids(&self) -> Vec<i64> {
        self.each.iter().flatten().map(|shown| shown.message.id).collect()
    }

    /// Ids of all that is shown.
    pub(crate) fn shown(&self) -> BTreeSet<i64> {
        self.ids().into_iter().collect()
    }
}

const CUT: &str = " [cut]";

fn is_told(message: &ContextMessage) -> bool {
    !message.is_bot && message.duplicate_of.is_none() && !message.text.trim().is_empty()
}

/// A text on one line, without control characters, cut where it is long.
fn one_line(text: &str) -> String {
    let words: Vec<String> =
        text.split_whitespace().map(|word| word.chars().filter(|c| !c.is_control()).collect()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}{CUT}", &line[..end]),
        None => line,
    }
}

/// Indices of the lines that fit, the most important first; of equal ones the earlier.
fn most_important(lines: &[(Option<usize>, &ContextMessage, String, usize)], room: usize) -> BTreeSet<usize> {
    let all: usize = lines.iter().map(|line| line.3).sum();
    if all <= room {
        return (0..lines.len()).collect();
    }
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*b].1.rank.total_cmp(&lines[*a].1.rank).then(a.cmp(b)));
    let mut left = room;
    let mut kept = BTreeSet::new();
    for at in order {
        if lines[at].3 <= left {
            left -= lines[at].3;
            kept.insert(at);
        }
    }
    kept
}
