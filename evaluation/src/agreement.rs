//! Measures of predicted links, conversations and clusters against gold.
//!
//! Invariant: pure functions; a perfect prediction scores 1, and sums run in sorted order.

use std::collections::{BTreeMap, BTreeSet};

/// Precision, recall and their harmonic mean, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Share of predictions that are right.
    pub precision: f64,
    /// Share of gold that is predicted.
    pub recall: f64,
    /// 2PR / (P + R).
    pub f1: f64,
}

impl Scores {
    /// From counts of right, predicted and gold items.
    pub fn of(right: usize, predicted: usize, gold: usize) -> Self {
        let share = |whole: usize| if whole == 0 { 0.0 } else { right as f64 / whole as f64 };
        let f1 = if right == 0 { 0.0 } else { 2.0 * right as f64 / (predicted + gold) as f64 };
        Self { precision: share(predicted), recall: share(gold), f1 }
    }
}

/// Agreement of two sets of links.
pub fn links<T: Ord>(predicted: &BTreeSet<T>, gold: &BTreeSet<T>) -> Scores {
    Scores::of(predicted.intersection(gold).count(), predicted.len(), gold.len())
}

/// Connected components of `links`, as the smallest member by item; `items` without links stand alone.
pub fn components<T: Ord + Copy>(items: &[T], links: &BTreeSet<(T, T)>) -> BTreeMap<T, T> {
    let mut parent: BTreeMap<T, T> = items.iter().map(|&item| (item, item)).collect();
    for &(a, b) in links {
        let (a, b) = (find(&mut parent, a), find(&mut parent, b));
        parent.insert(a.max(b), a.min(b));
    }
    let members: Vec<T> = parent.keys().copied().collect();
    members.into_iter().map(|item| (item, find(&mut parent, item))).collect()
}

fn find<T: Ord + Copy>(parent: &mut BTreeMap<T, T>, item: T) -> T {
    let mut root = item;
    while let Some(&up) = parent.get(&root).filter(|&&up| up != root) {
        root = up;
    }
    parent.insert(item, root);
    root
}

/// Counts of items by (predicted cluster, gold cluster).
#[derive(Debug, Clone, Default)]
pub struct Contingency {
    cells: BTreeMap<(usize, usize), usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
    total: usize,
}

impl Contingency {
    /// Counts pairs of (predicted, gold) labels.
    pub fn of<A: Ord, B: Ord>(pairs: impl IntoIterator<Item = (A, B)>) -> Self {
        let (mut predicted, mut gold) = (BTreeMap::new(), BTreeMap::new());
        let mut table = Self::default();
        for (a, b) in pairs {
            let next = predicted.len();
            let row = *predicted.entry(a).or_insert(next);
            let next = gold.len();
            let column = *gold.entry(b).or_insert(next);
            table.rows.resize(predicted.len(), 0);
            table.columns.resize(gold.len(), 0);
            *table.cells.entry((row, column)).or_insert(0) += 1;
            table.rows[row] += 1;
            table.columns[column] += 1;
            table.total += 1;
        }
        table
    }

    fn mutual_information(&self) -> f64 {
        let total = self.total as f64;
        let term = |(&(row, column), &count): (&(usize, usize), &usize)| {
            let count = count as f64;
            count / total * (count * total / (self.rows[row] as f64 * self.columns[column] as f64)).ln()
        };
        self.cells.iter().map(term).sum()
    }

    /// 1 − variation of information / log N (Meilă 2007); 1 for a single item.
    pub fn one_minus_vi(&self) -> f64 {
        if self.total < 2 {
            return 1.0;
        }
        let total = self.total as f64;
        let variation =
            entropy(&self.rows, total) + entropy(&self.columns, total) - 2.0 * self.mutual_information();
        1.0 - variation / total.ln()
    }

    /// Share of items in the best one-to-one pairing of clusters (maximum-weight matching).
    pub fn one_to_one(&self) -> f64 {
        if self.total == 0 {
            return 1.0;
        }
        crate::matching::maximum_weight(&self.cells) as f64 / self.total as f64
    }

    /// Adjusted Rand index (Hubert and Arabie 1985); 1 when both are one cluster or all single.
    pub fn adjusted_rand(&self) -> f64 {
        let pairs = |count: usize| count as f64 * (count as f64 - 1.0) / 2.0;
        let both: f64 = self.cells.values().map(|&count| pairs(count)).sum();
        let rows: f64 = self.rows.iter().map(|&count| pairs(count)).sum();
        let columns: f64 = self.columns.iter().map(|&count| pairs(count)).sum();
        let expected = if self.total < 2 { 0.0 } else { rows * columns / pairs(self.total) };
        let highest = f64::midpoint(rows, columns);
        if (highest - expected).abs() < f64::EPSILON { 1.0 } else { (both - expected) / (highest - expected) }
    }

    /// Normalised mutual information with the arithmetic mean; 1 when both are one cluster.
    pub fn normalized_mutual_information(&self) -> f64 {
        let total = self.total as f64;
        let mean = f64::midpoint(entropy(&self.rows, total), entropy(&self.columns, total));
        if mean > 0.0 { self.mutual_information() / mean } else { 1.0 }
    }
}

fn entropy(counts: &[usize], total: f64) -> f64 {
    let term = |&count: &usize| {
        let share = count as f64 / total;
        -share * share.ln()
    };
    counts.iter().filter(|&&count| count > 0).map(term).sum()
}

/// Mean F1 over the classes that occur in gold or prediction, of (predicted, gold) pairs.
pub fn macro_f1<T: Ord>(pairs: &[(T, T)]) -> f64 {
    let classes: BTreeSet<&T> = pairs.iter().flat_map(|(predicted, gold)| [predicted, gold]).collect();
    let f1 = |class: &&T| {
        let right = pairs.iter().filter(|(predicted, gold)| predicted == *class && gold == *class).count();
        let predicted = pairs.iter().filter(|(predicted, _)| predicted == *class).count();
        let gold = pairs.iter().filter(|(_, gold)| gold == *class).count();
        Scores::of(right, predicted, gold).f1
    };
    if classes.is_empty() { 0.0 } else { classes.iter().map(f1).sum::<f64>() / classes.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-9, "{left} is not {right}");
    }

    #[test]
    fn links_by_hand() {
        let scores = links(&BTreeSet::from([1, 2, 3]), &BTreeSet::from([2, 3, 4, 5]));
        close(scores.precision, 2.0 / 3.0);
        close(scores.recall, 0.5);
        close(scores.f1, 4.0 / 7.0);
    }

    #[test]
    fn components_merge_over_unlisted_items() {
        let found = components(&[5, 6, 7], &BTreeSet::from([(5, 1), (6, 1), (7, 7)]));
        assert_eq!(found, BTreeMap::from([(1, 1), (5, 1), (6, 1), (7, 7)]));
    }

    #[test]
    fn equal_clusterings_are_perfect() {
        let table = Contingency::of([(0, 'a'), (0, 'a'), (1, 'b')]);
        close(table.one_minus_vi(), 1.0);
        close(table.one_to_one(), 1.0);
        close(table.adjusted_rand(), 1.0);
        close(table.normalized_mutual_information(), 1.0);
    }

    #[test]
    fn one_cluster_against_two_halves() {
        // H(U) = 0, H(V) = ln 2, I = 0, N = 4: VI / ln 4 = 1/2.
        let table = Contingency::of([(0, 'a'), (0, 'a'), (0, 'b'), (0, 'b')]);
        close(table.one_minus_vi(), 0.5);
        close(table.one_to_one(), 0.5);
        close(table.adjusted_rand(), 0.0);
        close(table.normalized_mutual_information(), 0.0);
    }

    #[test]
    fn rand_by_hand() {
        // Cells 2, 1, 1, 2: both = 2, rows = columns = 6, of 15 pairs; expected 2.4, highest 6.
        let pairs = [(0, 0), (0, 0), (0, 1), (1, 0), (1, 1), (1, 1)];
        close(Contingency::of(pairs).adjusted_rand(), (2.0 - 2.4) / (6.0 - 2.4));
    }

    #[test]
    fn macro_f1_by_hand() {
        // a: P 1, R 1/2; b: P 1/2, R 1; both 2/3.
        close(macro_f1(&[("a", "a"), ("b", "a"), ("b", "b")]), 2.0 / 3.0);
    }
}
