//! International bank account numbers, in one piece or in groups of four.

use super::{Kind, Span, checksum};

const LENGTH_MIN: usize = 15;
const LENGTH_MAX: usize = 34;

/// Every IBAN whose check digits are right.
pub(super) fn find(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut found: Vec<Span> = Vec::new();
    for start in 0..bytes.len().saturating_sub(LENGTH_MIN - 1) {
        let is_head = bytes[start].is_ascii_uppercase()
            && bytes[start + 1].is_ascii_uppercase()
            && bytes[start + 2].is_ascii_digit()
            && bytes[start + 3].is_ascii_digit();
        let is_left_edge = || !text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        if is_head
            && is_left_edge()
            && let Some(end) = end_of(text, start)
        {
            found.push(Span { start, end, kind: Kind::Iban });
        }
    }
    found
}

/// End of the longest run from `start` that is an IBAN and stops at the edge of a word.
fn end_of(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut characters = Vec::with_capacity(LENGTH_MAX);
    let mut end = None;
    for (index, &byte) in bytes.iter().enumerate().skip(start) {
        if byte == b' ' && characters.len() % 4 == 0 && bytes.get(index - 1) != Some(&b' ') {
            continue;
        }
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit()) || characters.len() == LENGTH_MAX {
            break;
        }
        characters.push(byte);
        let is_right_edge = !text[index + 1..].chars().next().is_some_and(char::is_alphanumeric);
        if characters.len() >= LENGTH_MIN && is_right_edge && checksum::iban(&characters) {
            end = Some(index + 1);
        }
    }
    end
}
