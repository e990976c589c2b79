//! Runs of digit groups, and what may stand beside them.

use std::ops::Range;

const SEPARATORS_MAX: usize = 3;

/// Digit groups with only separators between them.
#[derive(Debug)]
pub(super) struct Run {
    /// Where a `+` or `(` before the first group is, else the first digit.
    pub(super) start: usize,
    /// A `+` stands before the first group.
    pub(super) plus: bool,
    /// Bytes of each group.
    pub(super) groups: Vec<Range<usize>>,
}

/// Every run, in order.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let bytes = text.as_bytes();
    let mut runs = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        if !bytes[index].is_ascii_digit() {
            index += 1;
            continue;
        }
        let sign = index.checked_sub(1).map(|before| bytes[before]);
        let start = if matches!(sign, Some(b'+' | b'(')) { index - 1 } else { index };
        let mut run = Run { start, plus: sign == Some(b'+'), groups: Vec::new() };
        let mut next = Some(index);
        while let Some(from) = next {
            index = from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            run.groups.push(from..index);
            next = next_group(text, index, run.plus);
        }
        runs.push(run);
    }
    runs
}

fn next_group(text: &str, from: usize, plus: bool) -> Option<usize> {
    let rest = &text[from..];
    let (offset, c) = rest.char_indices().take(SEPARATORS_MAX + 1).find(|(_, c)| !is_separator(*c, plus))?;
    (offset > 0 && c.is_ascii_digit()).then_some(from + offset)
}

fn is_separator(c: char, plus: bool) -> bool {
    matches!(c, ' ' | '\u{a0}' | '-' | '–' | '\u{2011}' | '(' | ')' | '№') || (plus && c == '.')
}

/// True when a number may begin at `start`: not inside a word, a path, a version, an amount or a time.
pub(super) fn is_left_edge(text: &str, start: usize) -> bool {
    let mut before = text[..start].chars().rev();
    match (before.next(), before.next()) {
        (Some(c), _) if c.is_alphanumeric() => false,
        (Some('_' | '/' | '\\' | '#' | '@' | '№' | '$' | '€' | '₽' | '~' | '^' | '*'), _) => false,
        (Some('-' | '–'), Some(c)) => !c.is_alphanumeric(),
        (Some('.' | ',' | ':'), Some(c)) => !c.is_ascii_digit(),
        _ => true,
    }
}

/// True when a number may end at `end`.
pub(super) fn is_right_edge(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars();
    match (after.next(), after.next()) {
        (Some(c), _) if c.is_alphanumeric() => false,
        (Some('_' | '/' | '\\' | '@' | '%' | '°' | '*' | '₽' | '$' | '€'), _) => false,
        (Some('-' | '–'), Some(c)) => !c.is_alphanumeric(),
        (Some('.' | ',' | ':'), Some(c)) => !c.is_ascii_digit(),
        _ => true,
    }
}
