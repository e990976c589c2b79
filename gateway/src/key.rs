//! A key as it is presented: `gm_<prefix>_<secret>`.
//!
//! Invariant: a secret is 256 bits from the system's random numbers. Only its SHA-256 is kept; it is compared in constant time.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    error::Unspecified,
    hmac, rand,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::fmt;

const MARK: &str = "gm_";
const PREFIX_BYTES: usize = 8;
const PREFIX_CHARS: usize = 2 * PREFIX_BYTES;
const SECRET_BYTES: usize = 32;

/// A key that somebody presents.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    prefix: String,
    secret: [u8; SECRET_BYTES],
}

impl fmt::Debug for Key {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// A key that was made: its text is told once.
#[derive(Clone)]
pub struct Minted {
    /// What is shown of it, and what it is found by.
    pub prefix: String,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// The key itself.
    pub text: String,
}

impl fmt::Debug for Minted {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Key {
    /// Makes a key.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn mint() -> Result<Minted, Unspecified> {
        let (mut name, mut secret) = ([0; PREFIX_BYTES], [0; SECRET_BYTES]);
        rand::fill(&mut name)?;
        rand::fill(&mut secret)?;
        let prefix = operate::hex(&name);
        let text = format!("{MARK}{prefix}_{}", BASE64_URL_SAFE_NO_PAD.encode(secret));
        Ok(Minted { prefix, hash: hash(&secret), text })
    }

    /// Reads a key; none where the text is none.
    pub fn read(text: &str) -> Option<Self> {
        let (prefix, rest) = text.strip_prefix(MARK)?.split_at_checked(PREFIX_CHARS)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let secret = BASE64_URL_SAFE_NO_PAD.decode(rest.strip_prefix('_')?).ok()?;
        let secret = secret.try_into().ok()?;
        prefix.bytes().all(is_digit).then(|| Self { prefix: prefix.to_owned(), secret })
    }

    /// What it is found by.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A token that only who has the key can make, and that tells nothing of it: HMAC-SHA256 of what it is for.
    pub(crate) fn token(&self, purpose: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        operate::hex(hmac::sign(&key, purpose.as_bytes()).as_ref())
    }

    /// Whether it is the key with this hash. As much work for no hash: nobody learns from the time whether a prefix is known.
    pub fn is(&self, kept: Option<&[u8]>) -> bool {
        let compared = verify_slices_are_equal(&hash(&self.secret), kept.unwrap_or(&[0; 32]));
        compared.is_ok() && kept.is_some()
    }
}

fn hash(secret: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, secret).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_secret_alone() {
        let (minted, other) = (Key::mint().unwrap(), Key::mint().unwrap());
        let key = Key::read(&minted.text).unwrap();
        assert_eq!((key.prefix(), minted.text.len()), (&*minted.prefix, 63));
        assert!(key.is(Some(&minted.hash)));
        assert!(!key.is(Some(&other.hash)) && !key.is(None) && !key.is(Some(&[])));
        assert_ne!(minted.text, other.text);
    }

    #[test]
    fn what_is_no_key_is_not_read_and_no_secret_is_shown() {
        let minted = Key::mint().unwrap();
        let short = &minted.text[..minted.text.len() - 1];
        let upper = minted.text.to_uppercase();
        for text in ["", "gm_", "gm_é_", short, upper.as_str(), "gm_0011223344556677_", "Bearer x"] {
            assert_eq!(Key::read(text), None, "{text}");
        }
        let shown = format!("{:?} {minted:?}", Key::read(&minted.text).unwrap());
        assert!(!shown.contains(&minted.text[20..]), "{shown}");
    }
}
