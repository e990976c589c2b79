//! The interaction graph: who answers whom, and how central that makes them.
//!
//! Invariant: people are numbered in the order of first messages, and sums run in that order.

use std::collections::BTreeMap;

const DAMPING: f64 = 0.85;
const ROUNDS_MAX: usize = 100;
const CONVERGED: f64 = 1e-12;

/// `PageRank` of `people` nodes (Brin and Page 1998): an answer passes the answerer's rank to the answered;
/// those who answer nobody pass theirs to all. Ranks add up to 1.
pub(crate) fn page_rank(people: usize, answers: &BTreeMap<(usize, usize), usize>) -> Vec<f64> {
    if people == 0 {
        return Vec::new();
    }
    let mut out = vec![0; people];
    for (&(from, _), &count) in answers {
        out[from] += count;
    }
    let even = 1.0 / people as f64;
    let mut ranks = vec![even; people];
    for _ in 0..ROUNDS_MAX {
        let idle: f64 = (0..people).filter(|&person| out[person] == 0).map(|person| ranks[person]).sum();
        let mut next = vec![(1.0 - DAMPING) * even + DAMPING * idle * even; people];
        for (&(from, to), &count) in answers {
            next[to] += DAMPING * ranks[from] * count as f64 / out[from] as f64;
        }
        let change: f64 = next.iter().zip(&ranks).map(|(new, old)| (new - old).abs()).sum();
        ranks = next;
        if change < CONVERGED {
            break;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_answer_each_other_are_equal() {
        let ranks = page_rank(2, &BTreeMap::from([((0, 1), 3), ((1, 0), 1)]));
        assert!((ranks[0] - 0.5).abs() < 1e-9 && (ranks[1] - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_answered_is_central() {
        // r0 = a + d·(r1 + r2 + r0/3), r1 = r2 = a + d·r0/3, a = .05, d = .85: r0 = 0.4864…
        let ranks = page_rank(3, &BTreeMap::from([((1, 0), 1), ((2, 0), 1)]));
        let other = 0.05 / (1.0 - 0.85 / 3.0 * 0.0) + 0.85 / 3.0 * ranks[0];
        assert!((ranks[1] - other).abs() < 1e-9 && (ranks.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(ranks[0] > ranks[1]);
    }

    #[test]
    fn nobody_has_no_rank() {
        assert!(page_rank(0, &BTreeMap::new()).is_empty());
    }
}
