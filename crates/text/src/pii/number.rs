//! Cards, phones and Russian identity numbers among the digit runs of a text.

use super::{
    Kind, Span,
    candidate::Candidate,
    checksum, context,
    digits::{self, Run},
    phone,
};

/// Fewer digits than this in a text are no personal number.
pub(super) const DIGITS_MIN: usize = 7;
const GROUPS_MAX: usize = 7;

/// Every number that is personal.
pub(super) fn find(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    for run in digits::runs(text) {
        let mut first = 0;
        while first < run.groups.len() {
            match recognise(text, &run, first) {
                Some((span, count)) => {
                    found.push(span);
                    first += count;
                }
                None => first += 1,
            }
        }
    }
    found
}

/// The longest number that begins at group `first`.
fn recognise(text: &str, run: &Run, first: usize) -> Option<(Span, usize)> {
    let left = run.groups[first].start;
    let start = if first == 0 { run.start } else { left };
    if !digits::is_left_edge(text, start) {
        return None;
    }
    (1..=GROUPS_MAX).rev().find_map(|count| {
        let candidate = Candidate::new(text, run, first, count)?;
        if candidate.digits.len() < DIGITS_MIN || !digits::is_right_edge(text, candidate.end()) {
            return None;
        }
        let kind = kind_of(&candidate)?;
        Some((Span { start: candidate.start, end: candidate.end(), kind }, count))
    })
}

fn kind_of(candidate: &Candidate<'_>) -> Option<Kind> {
    if candidate.plus {
        return phone::is_international(candidate).then_some(Kind::Phone);
    }
    if is_card(candidate) {
        return Some(Kind::Card);
    }
    if is_snils(candidate) {
        return Some(Kind::Snils);
    }
    if is_passport(candidate) {
        return Some(Kind::Passport);
    }
    if is_inn(candidate) {
        return Some(Kind::Inn);
    }
    phone::is_national(candidate).then_some(Kind::Phone)
}

/// A card of a known system, in one piece or in its usual groups, with a right check digit.
fn is_card(candidate: &Candidate<'_>) -> bool {
    let (digits, shape) = (&candidate.digits, candidate.shape.as_slice());
    let has_shape = match shape {
        [16] | [4, 4, 4, 4] | [4, 4, 4, 4, 2 | 3] => true,
        [15] | [4, 6, 5] => digits.starts_with(b"34") || digits.starts_with(b"37"),
        _ => false,
    };
    let head = digits.iter().take(4).fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let is_issued = matches!(head, 2200..=2204 | 2221..=2720 | 3000..=6999);
    has_shape && is_issued && checksum::luhn(digits)
}

/// 112-233-445 95 with a right control number, or eleven digits after the word.
fn is_snils(candidate: &Candidate<'_>) -> bool {
    let named = || {
        context::word_before(candidate.text, candidate.start, 3, |word| {
            word.starts_with("снилс") || word == "snils"
        })
    };
    match candidate.shape.as_slice() {
        [3, 3, 3, 2] if candidate.separator(0) == "-" => checksum::snils(&candidate.digits) || named(),
        [3, 3, 3, 2] | [11] => named(),
        _ => false,
    }
}

/// Series and number after the word.
fn is_passport(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.shape.as_slice(), [10] | [4, 6] | [2, 2, 6])
        && context::word_before(candidate.text, candidate.start, 5, context::is_passport)
}

/// Ten digits (organisation) or twelve (person) after the word.
fn is_inn(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.shape.as_slice(), [10 | 12])
        && context::word_before(candidate.text, candidate.start, 3, |word| matches!(word, "инн" | "inn"))
}
