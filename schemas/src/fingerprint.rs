//! Fingerprints of failures: ten thousand equal failures have one.
//!
//! Invariant: a function of what a dead letter says, so that metrics, the guard and whoever reads the letter agree.

use crate::{DigestDlq, identity_hash};
use std::{fmt, str::FromStr};

/// Longest message that counts, in characters: what comes after it are details.
const CHARACTERS_MAX: usize = 300;
/// What a letter's error says of what did not fit into it; no part of the failure.
pub const LEFT_OUT: &str = "; too large for a dead letter, left out: ";

/// What failures of one kind have in common: who gave up, of which topic, why, and the message without what differs
/// from one input to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a failure: the unit, its input's logical topic, the reason and what exactly.
    pub fn of(unit: &str, topic: &str, reason: &str, message: &str) -> Self {
        Self(identity_hash("failure", &[unit, reason, topic, &normalised(message)]).as_u64_pair().0)
    }

    /// Of a dead letter. Letters of older releases have a coarser one in their field, which is not used.
    pub fn of_letter(letter: &DigestDlq) -> Self {
        Self::of(&letter.stage, &letter.topic, &letter.error_class, &letter.error)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_one = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parsed = is_one.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        parsed.map(Self).ok_or_else(|| {
            "expected a fingerprint of 16 hex digits as `gistmill dlq stat` prints it".to_owned()
        })
    }
}

/// A message without what differs between inputs: quoted text is `"?"`, a word with a digit in it (numbers, offsets, ids,
/// versions) is `#`, several of them in a row are one.
pub fn normalised(message: &str) -> String {
    let message = message.split(LEFT_OUT).next().unwrap_or_default();
    let mut said = String::new();
    let mut rest = message;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let (taken, text) = if is_quote(first, before) {
            (quoted(rest, first), "\"?\"")
        } else if is_of_word(first) {
            let length = rest.find(|it: char| !is_of_word(it)).unwrap_or(rest.len());
            let word = &rest[..length];
            (length, if word.bytes().any(|byte| byte.is_ascii_digit()) { "#" } else { word })
        } else {
            (first.len_utf8(), &rest[..first.len_utf8()])
        };
        before = rest[..taken].chars().next_back().unwrap_or(' ');
        said.push_str(text);
        rest = &rest[taken..];
    }
    for item in ["#", "\"?\""] {
        let (twice, comma) = (format!("{item} {item}"), format!("{item}, {item}"));
        while said.contains(&twice) || said.contains(&comma) {
            said = said.replace(&twice, item).replace(&comma, item);
        }
    }
    said.chars().take(CHARACTERS_MAX).collect()
}

fn is_of_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_' || it == '-'
}

/// An apostrophe within a word opens nothing.
fn is_quote(it: char, before: char) -> bool {
    matches!(it, '"' | '`') || (it == '\'' && !before.is_alphanumeric())
}

/// Bytes up to and with the quote that closes; all of them where none does, as of a message that was cut.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, it) in text.char_indices().skip(1) {
        match it {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if it == quote => return index + it.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> Fingerprint {
        Fingerprint::of("topic", "t.v1", "undecodable", message)
    }

    #[test]
    fn what_differs_between_inputs_is_left_out() {
        for (message, expected) in [
            ("first byte is 0x7b", "first byte is #"),
            ("schema 2147483632 is not in the registry", "schema # is not in the registry"),
            ("window 6f1ed002-ab5d-5000-8000-000000000000 of -3 h", "window # of # h"),
            ("kind \"pin \\\" ned\" of message 7", "kind \"?\" of message #"),
            ("offsets 1, 2, 30 of 'a b', 'c'", "offsets # of \"?\""),
            ("the record's field", "the record's field"),
            ("key \"cut off in the midd", "key \"?\""),
            ("record of \"acme/1\" has no key: send", "record of \"?\" has no key: send"),
            ("нет поля", "нет поля"),
            ("", ""),
        ] {
            assert_eq!(normalised(message), expected, "{message}");
        }
    }

    #[test]
    fn failures_of_one_kind_have_one_and_others_have_another() {
        assert_eq!(of("offset 1 of \"acme/a\""), of("offset 20 of \"beta/b\""));
        assert_eq!(
            of("bad"),
            of("bad; too large for a dead letter, left out: its value of 9 bytes, see t.v1/0:1")
        );
        let others = [
            of("offset 1"),
            of("row 1"),
            Fingerprint::of("roles", "t.v1", "undecodable", "offset 1"),
            Fingerprint::of("topic", "u.v1", "undecodable", "offset 1"),
            Fingerprint::of("topic", "t.v1", "wrong_magic", "offset 1"),
        ];
        let distinct: std::collections::BTreeSet<_> = others.into_iter().collect();
        assert_eq!(distinct.len(), others.len());
    }

    #[test]
    fn it_is_written_and_read_as_sixteen_digits() {
        let fingerprint = of("x");
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(Fingerprint(7).to_string(), "0000000000000007");
        for text in ["", "7", "00000000000000zz", "+000000000000007", "00000000000000007"] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
