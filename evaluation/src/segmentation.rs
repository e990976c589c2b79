//! Pk and `WindowDiff`, and the score of a segmentation.
//!
//! Invariant: a boundary stands on the last utterance of each segment but the final one, as in quality
//! benchmarks of dialogue segmentation; window arithmetic follows NLTK.

/// Measures of one segmentation; errors are lower the better.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Segmentation {
    /// Beeferman's Pk.
    pub(crate) pk: f64,
    /// `WindowDiff` (Pevzner and Hearst 2002).
    pub(crate) window_diff: f64,
    /// F1 of boundaries; 0 when there is none in common.
    pub(crate) f1: f64,
}

impl Segmentation {
    /// Compares boundaries of a conversation of equal length.
    pub(crate) fn of(predicted: &[bool], gold: &[bool]) -> Self {
        let count = |marks: &[bool]| marks.iter().filter(|&&mark| mark).count();
        let right = predicted.iter().zip(gold).filter(|&(&p, &g)| p && g).count();
        let k = window(gold.len(), count(gold) + 1);
        let windows = predicted.windows(k).zip(gold.windows(k));
        let (mut pk, mut window_diff, mut total) = (0, 0, 0);
        for (ours, theirs) in windows {
            let (ours, theirs) = (count(ours), count(theirs));
            pk += usize::from((ours > 0) != (theirs > 0));
            window_diff += usize::from(ours != theirs);
            total += 1;
        }
        let share = |errors: usize| if total == 0 { 0.0 } else { errors as f64 / f64::from(total) };
        Self {
            pk: share(pk),
            window_diff: share(window_diff),
            f1: crate::agreement::Scores::of(right, count(predicted), count(gold)).f1,
        }
    }

    /// .5·F1 + .25·(1 − Pk) + .25·(1 − WD).
    pub(crate) fn score(&self) -> f64 {
        0.5 * self.f1 + 0.25 * (1.0 - self.pk) + 0.25 * (1.0 - self.window_diff)
    }

    /// Mean over conversations.
    pub(crate) fn mean(all: &[Self]) -> Self {
        let of = |value: fn(&Self) -> f64| all.iter().map(value).sum::<f64>() / all.len().max(1) as f64;
        Self { pk: of(|one| one.pk), window_diff: of(|one| one.window_diff), f1: of(|one| one.f1) }
    }
}

/// max(2, n / segments / 2), rounded half to even.
fn window(length: usize, segments: usize) -> usize {
    ((length as f64 / segments as f64 / 2.0).round_ties_even() as usize).max(2)
}

/// Boundary marks of segments of these lengths.
pub(crate) fn marks(lengths: &[usize]) -> Vec<bool> {
    let mut marks: Vec<bool> =
        lengths.iter().flat_map(|&length| (1..=length).map(move |at| at == length)).collect();
    if let Some(last) = marks.last_mut() {
        *last = false;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_by_hand() {
        assert_eq!(marks(&[2, 1, 2]), [false, true, true, false, false]);
    }

    #[test]
    fn window_rounds_half_to_even() {
        assert_eq!([window(10, 1), window(10, 2), window(14, 2), window(3, 3)], [5, 2, 4, 2]);
    }

    #[test]
    fn measures_by_hand() {
        // n = 6, 2 segments, k = 2, five windows. Gold counts 0 1 1 0 0, ours 1 1 0 0 0.
        let gold = marks(&[3, 3]);
        let ours = marks(&[2, 4]);
        let found = Segmentation::of(&ours, &gold);
        assert!((found.pk - 0.4).abs() < 1e-12 && (found.window_diff - 0.4).abs() < 1e-12);
        assert!(found.f1.abs() < 1e-12 && (found.score() - 0.3).abs() < 1e-12);
        assert!((Segmentation::of(&gold, &gold).score() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn window_diff_counts_near_misses_that_pk_forgives() {
        // k = 2 over 4: windows of gold hold 1 1 0, ours 1 2 1.
        let gold = [false, true, false, false];
        let ours = [false, true, true, false];
        let found = Segmentation::of(&ours, &gold);
        assert!((found.pk - 1.0 / 3.0).abs() < 1e-12 && (found.window_diff - 2.0 / 3.0).abs() < 1e-12);
    }
}
