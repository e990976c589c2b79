//! Near-duplicate signatures: the hashed word shingles of a text.
//!
//! Invariant: a signature depends on folded words only, so case, punctuation and `ё` do not matter.

use crate::token::tokens;

/// Words in a shingle; shorter texts are one shingle.
const SHINGLE_WORDS: usize = 3;

/// Sorted hashes of the shingles of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    shingles: Vec<u64>,
}

impl Signature {
    /// The signature of a text; empty for one without words.
    pub fn of(text: &str) -> Self {
        let words = tokens(text);
        if words.is_empty() {
            return Self::default();
        }
        let mut shingles: Vec<u64> = words.windows(SHINGLE_WORDS.min(words.len())).map(hash).collect();
        shingles.sort_unstable();
        shingles.dedup();
        Self { shingles }
    }

    /// True for a text without words.
    pub fn is_empty(&self) -> bool {
        self.shingles.is_empty()
    }

    /// The hashes, ascending; for an index over many texts.
    pub fn shingles(&self) -> &[u64] {
        &self.shingles
    }

    /// Jaccard similarity in [0, 1]; 0 when either is empty.
    pub fn similarity(&self, other: &Self) -> f64 {
        let shared = self.shingles.iter().filter(|hash| other.shingles.binary_search(hash).is_ok()).count();
        let union = self.shingles.len() + other.shingles.len() - shared;
        if union == 0 { 0.0 } else { shared as f64 / union as f64 }
    }
}

/// A number that stands for a term, the same on every machine and in every version.
pub fn term_hash(term: &str) -> u32 {
    let wide = hash(&[term.to_owned()]);
    (wide ^ (wide >> 32)) as u32
}

/// FNV-1a, 64 bits, over words parted by a zero byte.
fn hash(words: &[String]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_punctuation_do_not_matter() {
        let left = Signature::of("Всё упало, чиним!");
        assert!((left.similarity(&Signature::of("все упало чиним")) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn jaccard_by_hand() {
        // Shingles abc bcd against abc bce: one of three is shared.
        let similarity = Signature::of("a b c d").similarity(&Signature::of("a b c e"));
        assert!((similarity - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_resembles_nothing() {
        assert!(Signature::of("...").is_empty());
        assert!(Signature::of("...").similarity(&Signature::of("!!!")).abs() < f64::EPSILON);
    }
}
