//! Phone numbers, international and as Russians and Americans write them at home.

use super::{candidate::Candidate, context};

const INTERNATIONAL_DIGITS_MIN: usize = 9;
/// ITU-T E.164, section 6.2.
const INTERNATIONAL_DIGITS_MAX: usize = 15;

/// Digits of a whole number by country code, for those where all numbers have the same length.
const LENGTHS: [(&[u8], usize); 13] = [
    (b"7", 11),
    (b"1", 11),
    (b"380", 12),
    (b"375", 12),
    (b"998", 12),
    (b"996", 12),
    (b"992", 12),
    (b"374", 11),
    (b"995", 12),
    (b"994", 12),
    (b"373", 11),
    (b"48", 11),
    (b"33", 11),
];

/// A number after `+`. What follows a number of known length (`+7 999 123-45-67 12:30`) is not part of it.
pub(super) fn is_international(candidate: &Candidate<'_>) -> bool {
    let digits = &candidate.digits;
    let lengths = INTERNATIONAL_DIGITS_MIN..=INTERNATIONAL_DIGITS_MAX;
    match LENGTHS.iter().find(|(code, _)| digits.starts_with(code)) {
        Some((_, length)) => digits.len() == *length,
        None => lengths.contains(&digits.len()) && !digits.starts_with(b"0"),
    }
}

/// A number without `+`, told by its grouping, or by a word before it.
pub(super) fn is_national(candidate: &Candidate<'_>) -> bool {
    let parenthesis = candidate.text[candidate.start..].starts_with('(');
    let is_written_as_phone = parenthesis
        || (0..candidate.shape.len())
            .any(|index| candidate.separator(index).contains(['-', '–', '(', '\u{2011}']));
    let is_alone = candidate.is_first || is_written_as_phone || candidate.shape.len() == 1;
    is_alone && (is_russian(candidate) || is_local(candidate, parenthesis) || is_announced(candidate))
}

/// Eleven digits that begin with the trunk prefix 8 or the country code 7.
fn is_russian(candidate: &Candidate<'_>) -> bool {
    let digits = &candidate.digits;
    if digits.len() != 11 || !matches!(digits[0], b'7' | b'8') {
        return false;
    }
    match candidate.shape.as_slice() {
        [11] => matches!(digits[1], b'9' | b'4') || digits.starts_with(b"8800"),
        [1, 3..=5, rest @ ..] | [4, rest @ ..] => {
            matches!(digits[1], b'3' | b'4' | b'8' | b'9') && !rest.is_empty() && rest.len() <= 4
        }
        _ => false,
    }
}

/// Ten digits: (495) 123-45-67, 916 123-45-67, (555) 123-4567, 555-123-4567; and 1-800-555-0199.
fn is_local(candidate: &Candidate<'_>, parenthesis: bool) -> bool {
    let hyphens =
        |range: std::ops::Range<usize>| range.into_iter().all(|index| candidate.separator(index) == "-");
    let first = candidate.digits[0];
    match candidate.shape.as_slice() {
        [3..=5, 1..=7] | [3..=5, 2..=4, 2..=4] | [3..=5, 1..=3, 2, 2] if parenthesis => {
            candidate.digits.len() == 10 && candidate.separator(0).starts_with(')')
        }
        [3, 3, 2, 2] => first == b'9' && candidate.separator(2) == "-",
        [3, 3, 4] => first >= b'2' && hyphens(0..2),
        [1, 3, 3, 4] => first == b'1' && hyphens(0..3),
        _ => false,
    }
}

/// 123-45-67 or ten digits after a word like `тел.`
fn is_announced(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.shape.as_slice(), [7 | 10] | [3, 4] | [3, 2, 2] | [3, 3, 4] | [3, 3, 2, 2])
        && context::word_before(candidate.text, candidate.start, 2, context::is_phone)
}
