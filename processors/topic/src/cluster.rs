//! Gathers units into topics: agglomerative clustering with average linkage.
//!
//! Invariant: units of different forum topics never meet, ties go to the earlier units, and work is bounded by
//! [`UNITS_MAX`] whatever the window.

use crate::unit::Unit;

/// More units than this are first joined, neighbour by neighbour, within their forum topic.
const UNITS_MAX: usize = 400;
/// Similarity from which two clusters are one topic.
const SIMILAR_MIN: f64 = 0.3;
/// Smaller clusters look for a larger one to join.
const SMALL_MESSAGES: usize = 4;
/// Similarity from which a small cluster joins a larger one.
const SMALL_SIMILAR_MIN: f64 = 0.16;
/// Similarity of units that must not meet; no sum of others outweighs it.
const APART: f64 = -1e6;
const WEIGHT_TERMS: f64 = 1.0;
const WEIGHT_PEOPLE: f64 = 0.18;
const WEIGHT_TIME: f64 = 0.14;
const WEIGHT_THREAD: f64 = 0.15;
const WEIGHT_FORUM: f64 = 0.2;
/// Silence after which nearness in time has halved.
const NEAR_MINUTES: f64 = 30.0;

/// Topics as lists of unit indices, each ascending.
pub(crate) fn cluster(units: &[Unit]) -> Vec<Vec<usize>> {
    let mut clusters = groups(units);
    let mut similar = matrix(units, &clusters);
    merge(units, &mut clusters, &mut similar, |_, _| SIMILAR_MIN);
    merge(units, &mut clusters, &mut similar, |a, b| {
        if a.min(b) < SMALL_MESSAGES { SMALL_SIMILAR_MIN } else { SIMILAR_MIN }
    });
    clusters
}

/// One cluster per unit; in huge windows, runs of neighbours of one forum topic.
fn groups(units: &[Unit]) -> Vec<Vec<usize>> {
    let run = units.len().div_ceil(UNITS_MAX).max(1);
    let mut order: Vec<usize> = (0..units.len()).collect();
    if run > 1 {
        order.sort_by_key(|&at| (units[at].forum_topic, at));
    }
    let same_topic = order.chunk_by(|&a, &b| units[a].forum_topic == units[b].forum_topic || run == 1);
    let mut groups: Vec<Vec<usize>> =
        same_topic.flat_map(|topic| topic.chunks(run).map(<[usize]>::to_vec)).collect();
    for group in &mut groups {
        group.sort_unstable();
    }
    groups.sort();
    groups
}

fn similarity(a: &Unit, b: &Unit) -> f64 {
    if a.forum_topic != b.forum_topic {
        return APART;
    }
    let flag = |holds: bool| f64::from(u8::from(holds));
    WEIGHT_TERMS * a.terms.cosine(&b.terms)
        + WEIGHT_PEOPLE * a.shared_people(b)
        + WEIGHT_TIME / (1.0 + a.minutes_apart(b) / NEAR_MINUTES)
        + WEIGHT_THREAD * flag(a.thread_id == b.thread_id)
        + WEIGHT_FORUM * flag(a.forum_topic.is_some())
}

/// Mean similarity of the units of each two clusters.
fn matrix(units: &[Unit], clusters: &[Vec<usize>]) -> Vec<Vec<f64>> {
    let mean = |a: &[usize], b: &[usize]| {
        // The first unit stands for a run of a huge window: all pairs would be quadratic in its messages.
        let (Some(&a), Some(&b)) = (a.first(), b.first()) else { return APART };
        similarity(&units[a], &units[b])
    };
    clusters.iter().map(|a| clusters.iter().map(|b| mean(a, b)).collect()).collect()
}

/// Joins the most similar two clusters while they reach the bar for their sizes in messages.
fn merge(
    units: &[Unit],
    clusters: &mut Vec<Vec<usize>>,
    similar: &mut Vec<Vec<f64>>,
    bar: impl Fn(usize, usize) -> f64,
) {
    let size = |cluster: &[usize]| cluster.iter().map(|&at| units[at].messages.len()).sum::<usize>();
    let mut sizes: Vec<usize> = clusters.iter().map(|cluster| size(cluster)).collect();
    loop {
        let mut best: Option<(f64, usize, usize)> = None;
        for a in 0..clusters.len() {
            for b in a + 1..clusters.len() {
                let value = similar[a][b];
                if value >= bar(sizes[a], sizes[b]) && best.is_none_or(|(top, _, _)| value > top) {
                    best = Some((value, a, b));
                }
            }
        }
        let Some((_, a, b)) = best else { return };
        let (left, right) = (clusters[a].len() as f64, clusters[b].len() as f64);
        let means: Vec<f64> = similar[a]
            .iter()
            .zip(&similar[b])
            .map(|(to_a, to_b)| (left * to_a + right * to_b) / (left + right))
            .collect();
        for (row, mean) in similar.iter_mut().zip(&means) {
            row[a] = *mean;
        }
        similar[a] = means;
        let joined = clusters.remove(b);
        clusters[a].extend(joined);
        clusters[a].sort_unstable();
        sizes[a] += sizes.remove(b);
        similar.remove(b);
        for row in similar.iter_mut() {
            row.remove(b);
        }
    }
}
