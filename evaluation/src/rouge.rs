//! ROUGE-1, -2 and -L (Lin, 2004), stemmed, with a tokenizer that keeps Cyrillic.

use std::collections::BTreeMap;

/// F1 values in [0, 100].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rouge {
    /// Unigrams.
    pub(crate) r1: f64,
    /// Bigrams.
    pub(crate) r2: f64,
    /// Longest common subsequence.
    pub(crate) rl: f64,
}

/// Stems of all tokens, stopwords included.
pub(crate) fn stems(text: &str) -> Vec<String> {
    text::tokens(text).iter().map(|token| text::stem(token)).collect()
}

/// Compares a summary with its reference, both stemmed.
pub(crate) fn rouge(found: &[String], wanted: &[String]) -> Rouge {
    let grams = |size: usize| {
        let (found, wanted) = (counts(found, size), counts(wanted, size));
        let shared =
            found.iter().map(|(gram, count)| wanted.get(gram).map_or(0, |other| *count.min(other))).sum();
        f1(shared, found.values().sum(), wanted.values().sum())
    };
    Rouge { r1: grams(1), r2: grams(2), rl: f1(common_subsequence(found, wanted), found.len(), wanted.len()) }
}

fn counts(words: &[String], size: usize) -> BTreeMap<&[String], usize> {
    let mut counts = BTreeMap::new();
    for gram in words.windows(size) {
        *counts.entry(gram).or_insert(0) += 1;
    }
    counts
}

fn f1(shared: usize, found: usize, wanted: usize) -> f64 {
    if found + wanted == 0 { 0.0 } else { 200.0 * shared as f64 / (found + wanted) as f64 }
}

fn common_subsequence(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0_usize; b.len() + 1];
    for left in a {
        let mut diagonal = 0;
        for (at, right) in b.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if left == right { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

/// Correlation of two series (Pearson); 0 when one of them does not vary.
pub(crate) fn pearson(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum = |pick: &dyn Fn(f64, f64) -> f64| -> f64 {
        pairs.iter().map(|(x, y)| pick(x - mean_x, y - mean_y)).sum()
    };
    let deviation = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    if deviation > 0.0 { sum(&|x, y| x * y) / deviation } else { 0.0 }
}

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of theirs.
pub(crate) fn spearman(pairs: &[(f64, f64)]) -> f64 {
    let ranks = |pick: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        let rank = |value: f64| {
            let below = pairs.iter().filter(|pair| pick(pair) < value).count();
            let equal = pairs.iter().filter(|pair| pick(pair).total_cmp(&value).is_eq()).count();
            below as f64 + f64::midpoint(equal as f64, 1.0)
        };
        pairs.iter().map(|pair| rank(pick(pair))).collect()
    };
    let (left, right) = (ranks(|pair| pair.0), ranks(|pair| pair.1));
    pearson(&left.into_iter().zip(right).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn rouge_by_hand() {
        let rouge = rouge(&words("a b c d"), &words("a c b d"));
        assert!((rouge.r1 - 100.0).abs() < 1e-9);
        assert!(rouge.r2.abs() < 1e-9);
        assert!((rouge.rl - 75.0).abs() < 1e-9);
        assert_eq!(stems("Ёлки горят!"), ["елк", "гор"]);
    }

    #[test]
    fn pearson_by_hand() {
        assert!((pearson(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]) - 1.0).abs() < 1e-9);
        assert!((pearson(&[(1.0, 1.0), (2.0, 0.0), (3.0, 2.0)]) - 0.5).abs() < 1e-9);
        assert!(pearson(&[(1.0, 1.0), (1.0, 2.0)]).abs() < 1e-9);
    }

    #[test]
    fn spearman_by_hand() {
        assert!((spearman(&[(1.0, 2.0), (2.0, 40.0), (3.0, 600.0)]) - 1.0).abs() < 1e-9, "ranks only");
        let tied = [(1.0, 1.0), (2.0, 1.0), (3.0, 3.0)];
        assert!((spearman(&tied) - 0.75_f64.sqrt()).abs() < 1e-9, "ranks 1, 2, 3 beside 1.5, 1.5, 3");
    }
}
