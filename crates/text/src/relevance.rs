//! How well a text answers a query: weights of words, and lists of hits made one.
//!
//! Invariant: pure, so that what a search ranks by and what is measured are the same.

use std::{collections::HashMap, hash::Hash};

/// Texts with a word from which on the word is a common one: it weighs as if no more had it, and nobody counts on.
pub const COMMON: u32 = 2_000;
/// Texts that the words of a query may bring, so that a long one is answered as soon as a short one.
const BROUGHT_MAX: u32 = 5_000;
/// Texts that words are weighed against, whatever the number of texts: nobody has to count them.
const TEXTS: f64 = 100_000.0;
/// Of reciprocal rank fusion: Cormack, Clarke and Büttcher 2009 found 60 good for many collections.
const FUSION_K: f64 = 60.0;

/// What a word of a query is worth that so many texts hold. The usual logarithm (Robertson and Spärck Jones), raised to
/// 1.5: of the powers 1, 1.5 and 2 it found most answers to questions of a large group.
pub fn word_weight(texts: u32) -> f64 {
    (TEXTS / (f64::from(texts.clamp(1, COMMON)) + 0.5)).ln_1p().powf(1.5)
}

/// Places of the words that bring hits, of which a hit has to have one; the others only add to its score. `texts` counts
/// the texts that hold each word. The rarest come first, as far as they bring no more than 5,000 in all, and common ones
/// not at all. Empty where every word is common: then a hit has to have all of them.
pub fn bringing(texts: &[u32]) -> Vec<usize> {
    let mut places: Vec<usize> =
        (0..texts.len()).filter(|&place| (1..=COMMON).contains(&texts[place])).collect();
    places.sort_by_key(|&place| texts[place]);
    let mut brought = 0;
    places.retain(|&place| {
        brought += texts[place];
        brought <= BROUGHT_MAX
    });
    places
}

/// The score of a text: the weights of the query's words in it, less the more different words it has.
pub fn score(weights: f64, words: u32) -> f64 {
    weights / (1.0 + f64::from(words).ln_1p())
}

/// One list of several, best first (reciprocal rank fusion): each adds 1 / (60 + its place) for what it holds. What is
/// equal there keeps the order in which the lists name it. Each with its sum.
pub fn fuse<K: Eq + Hash + Clone>(lists: &[Vec<K>]) -> Vec<(K, f64)> {
    let mut found: Vec<(K, f64)> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    let longest = lists.iter().map(Vec::len).max().unwrap_or_default();
    for rank in 0..longest {
        for key in lists.iter().filter_map(|list| list.get(rank)) {
            let place = *places.entry(key.clone()).or_insert_with(|| {
                found.push((key.clone(), 0.0));
                found.len() - 1
            });
            found[place].1 += 1.0 / (FUSION_K + 1.0 + rank as f64);
        }
    }
    found.sort_by(|left, right| right.1.total_cmp(&left.1));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_word_weighs_more_and_a_long_text_scores_less() {
        assert!((word_weight(1) - 37.028).abs() < 0.01, "{}", word_weight(1));
        assert!(word_weight(10) > word_weight(100) && word_weight(100) > word_weight(COMMON));
        assert_eq!((word_weight(0), word_weight(u32::MAX)), (word_weight(1), word_weight(COMMON)));
        // ln(1 + 1) is .693 and ln(1 + 9) 2.303.
        assert!((score(1.0, 1) - 0.5906).abs() < 1e-4 && (score(1.0, 9) - 0.3028).abs() < 1e-4);
    }

    #[test]
    fn rare_words_bring_hits_up_to_a_bound() {
        assert_eq!(bringing(&[COMMON + 1, 3, 0, 2_000]), [1, 3]);
        assert_eq!(bringing(&[2_000, 1_900, 1_800, 7, 1_700]), [3, 4, 2], "8,407 in all");
        assert_eq!(bringing(&[COMMON + 1, COMMON + 1]), [0; 0]);
        assert_eq!(bringing(&[COMMON]), [0]);
    }

    #[test]
    fn what_two_lists_hold_comes_before_what_one_holds() {
        let fused = fuse(&[vec!["a", "b", "c"], vec!["b", "c", "d"]]);
        let sums = [
            ("b", 1.0 / 62.0 + 1.0 / 61.0),
            ("c", 1.0 / 63.0 + 1.0 / 62.0),
            ("a", 1.0 / 61.0),
            ("d", 1.0 / 63.0),
        ];
        assert_eq!(fused.iter().map(|(key, _)| *key).collect::<Vec<_>>(), sums.map(|(key, _)| key));
        assert!(fused.iter().zip(sums).all(|(found, sum)| (found.1 - sum.1).abs() < 1e-12), "{fused:?}");
        // Equal sums: by place, then in the order of the lists.
        let equal = fuse(&[vec![1, 2], vec![3, 4]]).into_iter().map(|(key, _)| key);
        assert_eq!(equal.collect::<Vec<_>>(), [1, 3, 2, 4]);
        assert_eq!(fuse::<u8>(&[]), []);
    }
}
