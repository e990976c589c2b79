//! The built-in embedding: a text as a vector of hashed word stems and parts of them.
//!
//! Invariant: a pure function of the text. Weights are added as integers and the rest is division and square root,
//! which IEEE 754 rounds in one way, so that the bits of a vector are the same on every platform.

use std::collections::BTreeMap;

/// Numbers in a vector.
pub const DIMENSION: usize = 512;
/// Names this way of computing. Another name follows every change that makes another vector of the same text.
pub const MODEL_ID: &str = "lexical-512-v1";

/// Letters in a part of a stem.
const PART_CHARS: usize = 4;
/// Weight of a stem that is no everyday word.
const STEM_WEIGHT: f64 = 4096.0;
/// Share of a stem's weight that its parts get in all.
const PARTS_SHARE: f64 = 0.5;

/// The vector of a text: length 1, or zeros for a text without content words.
///
/// Each stem ([`text::lemmas`]) weighs its [`text::specificity`] times the square root of how often it occurs, which
/// grows as slowly as the usual logarithm and is the same everywhere. Its parts, four letters each with marks for
/// begin and end, share half as much again. A hash gives each of them a place and a sign (the "hashing trick",
/// Weinberger et al. 2009): what falls into one place by chance cancels out as often as it adds up.
///
/// The cosine of two vectors is their dot product.
pub fn embed(text: &str) -> Vec<f32> {
    let mut counts = BTreeMap::<String, u32>::new();
    for stem in text::lemmas(text) {
        *counts.entry(stem).or_default() += 1;
    }
    let mut sums = vec![0_i64; DIMENSION];
    for (stem, count) in &counts {
        let weight = STEM_WEIGHT * text::specificity(stem) * f64::from(*count).sqrt();
        add(&mut sums, b's', stem, weight);
        let marked: Vec<char> = std::iter::once('^').chain(stem.chars()).chain(['$']).collect();
        let parts = marked.windows(PART_CHARS);
        // Of n parts in common with another stem of as many, the dot product is n times the square of one's weight.
        let part_weight = weight * PARTS_SHARE / (parts.len().max(1) as f64).sqrt();
        for part in parts {
            add(&mut sums, b'p', &String::from_iter(part), part_weight);
        }
    }
    normalised(&sums)
}

/// Adds a feature's weight at its place, with its sign.
fn add(sums: &mut [i64], kind: u8, feature: &str, weight: f64) {
    let hash = hash(kind, feature);
    let weight = weight.round() as i64;
    let place = (hash % sums.len() as u64) as usize;
    sums[place] = sums[place].saturating_add(if hash >> 63 == 0 { weight } else { -weight });
}

fn normalised(sums: &[i64]) -> Vec<f32> {
    let square = sums.iter().map(|&sum| i128::from(sum) * i128::from(sum)).fold(0_i128, i128::saturating_add);
    let length = (square as f64).sqrt();
    let share = |&sum: &i64| if square == 0 { 0.0 } else { (sum as f64 / length) as f32 };
    sums.iter().map(share).collect()
}

/// FNV-1a, 64 bits, mixed once more: the low and the high bits of FNV alone depend on each other.
fn hash(kind: u8, feature: &str) -> u64 {
    let fnv = std::iter::once(kind).chain(feature.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cosine(left: &str, right: &str) -> f32 {
        embed(left).iter().zip(embed(right)).map(|(a, b)| a * b).sum()
    }

    /// A vector's bits in one number.
    fn fingerprint(vector: &[f32]) -> u64 {
        vector.iter().fold(0, |print: u64, value| {
            print.rotate_left(5).wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(value.to_bits())
        })
    }

    #[test]
    fn released_vectors_never_change() {
        let prints = ["retry storm", "Кто чинит шторм повторов?", "deploy на staging упал, deploy чинили"]
            .map(|text| fingerprint(&embed(text)));
        assert_eq!(
            prints,
            [4_029_763_879_701_767_576, 14_699_097_168_516_083_010, 3_736_290_204_319_558_361]
        );
    }

    #[test]
    fn texts_of_one_subject_are_nearer() {
        for (text, near, far) in [
            ("шардирование базы", "как мы шардируем базу?", "кто идёт на обед"),
            ("retry storm", "the retries made a storm again", "who takes the meeting room"),
            // A typo leaves most parts of a word.
            ("kubernetes", "kubernets", "postgres"),
        ] {
            assert!(cosine(text, near) > cosine(text, far) + 0.2, "{text} {near} {far}");
        }
    }

    #[test]
    fn the_order_and_case_of_words_do_not_matter() {
        assert_eq!(embed("Retry storm at NIGHT"), embed("night, storm: retry"));
    }

    #[test]
    fn a_text_without_content_words_is_zeros() {
        for text in ["", "...", "и на", "https://a.example @ivan"] {
            assert_eq!(embed(text), vec![0.0; DIMENSION], "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_vector_is_finite_and_of_length_one_or_none(text in "\\PC{0,200}") {
            let vector = embed(&text);
            prop_assert_eq!(vector.len(), DIMENSION);
            let square: f32 = vector.iter().map(|value| value * value).sum();
            prop_assert!((square - 1.0).abs() < 1e-4 || vector.iter().all(|value| *value == 0.0));
        }
    }
}
