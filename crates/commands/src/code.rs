//! Codes that link a chat to a group.
//!
//! Invariant: a code is shown to whoever makes it and read from whoever writes it; what is kept is its hash.

use sha2::{Digest, Sha256};
use std::fmt;

/// Crockford's base 32: no letter is taken for a digit, nor for another letter.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 60 bits: with the few tries that are taken nobody guesses one.
const LENGTH: usize = 12;
const GROUP: usize = 4;

/// A code of which nothing but the form is known.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode(String);

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode(..)")
    }
}

impl LinkCode {
    /// A code made of random bytes.
    pub fn of_random(bytes: [u8; 8]) -> Self {
        let bits = u64::from_be_bytes(bytes);
        let letter = |index: usize| char::from(ALPHABET[(bits >> (5 * index) & 31) as usize]);
        Self((0..LENGTH).map(letter).collect())
    }

    /// The code that somebody wrote, with or without its hyphens, in letters of either case; what can only be mistaken for
    /// a digit is one. None for what is no code.
    pub fn parse(text: &str) -> Option<Self> {
        let written = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let read = |c: char| match c.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            c => Some(c).filter(|c| u8::try_from(*c).is_ok_and(|byte| ALPHABET.contains(&byte))),
        };
        let code: String = written.map(read).collect::<Option<_>>()?;
        Some(Self(code)).filter(|code| code.0.len() == LENGTH)
    }

    /// As it is told: `XXXX-XXXX-XXXX`.
    pub fn shown(&self) -> String {
        let groups: Vec<&str> = (0..LENGTH).step_by(GROUP).map(|at| &self.0[at..at + GROUP]).collect();
        groups.join("-")
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_it_is_typed_and_shown_to_nobody_by_accident() {
        let code = LinkCode::of_random([0x0F, 1, 2, 3, 4, 5, 6, 7]);
        let shown = code.shown();
        assert_eq!(shown, "7G1A-02C0-280Y");
        for written in [shown.clone(), shown.to_lowercase(), shown.replace('-', " "), shown.replace('0', "o")]
        {
            assert_eq!(LinkCode::parse(&written), Some(code.clone()), "{written}");
        }
        for other in ["", "7G1A-02C0-280", "7G1A-02C0-280YY", "7G1A-02C0-280U", "7G1A-02C0-280Ж"] {
            assert_eq!(LinkCode::parse(other), None, "{other}");
        }
        assert_eq!(format!("{code:?}"), "LinkCode(..)");
        assert_ne!(LinkCode::of_random([0; 8]).hash(), code.hash());
    }

    proptest! {
        #[test]
        fn every_code_reads_back(bytes: [u8; 8], text: String) {
            let code = LinkCode::of_random(bytes);
            prop_assert_eq!(LinkCode::parse(&code.shown()), Some(code));
            LinkCode::parse(&text);
        }
    }
}
