//! The blast-radius guard: when nearly everything is rejected, the fault is ours, and a topic must not be drained
//! into the dead letters.
//!
//! Invariant: it trips on a streak, or on a ratio over at least [`Guard::WINDOW`] inputs; one poison in a quiet
//! topic never trips it.

use crate::dead_letter::FailureKind;

/// An input that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Why.
    pub kind: FailureKind,
}

/// Watches the share of rejected inputs.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    streak: u32,
    seen: u32,
    rejected: u32,
    /// The first of the streak, and of the window.
    first: [Vec<Rejected>; 2],
}

/// Why the guard tripped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tripped {
    /// Inputs looked at.
    pub seen: u32,
    /// Inputs rejected among them.
    pub rejected: u32,
    /// The first of those.
    pub first: Vec<Rejected>,
}

impl Guard {
    /// Rejections in a row that trip it.
    const STREAK: u32 = 100;
    /// Inputs over which the ratio is taken.
    const WINDOW: u32 = 200;
    /// Rejected inputs that are named.
    const NAMED: usize = 3;

    /// A guard that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one input, and remembers it if it was rejected. The window is tumbling: two counters, and no memory but
    /// of the first few.
    pub fn observe(&mut self, rejected: Option<Rejected>) -> Result<(), Tripped> {
        self.seen += 1;
        if let Some(rejected) = rejected {
            self.streak += 1;
            self.rejected += 1;
            for first in self.first.iter_mut().filter(|first| first.len() < Self::NAMED) {
                first.push(rejected.clone());
            }
        } else {
            self.streak = 0;
            self.first[0].clear();
        }
        if self.streak >= Self::STREAK {
            let first = std::mem::take(&mut self.first[0]);
            return Err(Tripped { seen: self.streak, rejected: self.streak, first });
        }
        if self.seen < Self::WINDOW {
            return Ok(());
        }
        let first = std::mem::take(&mut self.first[1]);
        let verdict = Tripped { seen: self.seen, rejected: self.rejected, first };
        (self.seen, self.rejected) = (0, 0);
        if verdict.rejected * 2 > verdict.seen { Err(verdict) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Fingerprint;

    fn first_trip(pattern: impl Iterator<Item = bool>) -> Option<usize> {
        let mut guard = Guard::new();
        pattern.take(10_000).position(|rejected| guard.observe(rejected.then(|| at(0))).is_err())
    }

    fn at(offset: i64) -> Rejected {
        Rejected {
            partition: 0,
            offset,
            kind: FailureKind { reason: "wrong_magic", fingerprint: Fingerprint::default() },
        }
    }

    /// Offsets that a guard names when it trips.
    fn named(pattern: impl Iterator<Item = bool>) -> Vec<i64> {
        let mut guard = Guard::new();
        let mut trip = (0_i64..)
            .zip(pattern)
            .filter_map(|(offset, is_rejected)| guard.observe(is_rejected.then(|| at(offset))).err());
        trip.next()
            .map(|tripped| tripped.first.iter().map(|rejected| rejected.offset).collect())
            .unwrap_or_default()
    }

    #[test]
    fn the_first_of_a_streak_and_of_a_window_are_named() {
        assert_eq!(named((0..300).map(|i| i != 1)), [2, 3, 4]);
        assert_eq!(named((0..300).map(|i| i % 3 != 0)), [1, 2, 4]);
        assert_eq!(named((0..400).map(|i| i >= 200 && i % 3 != 0)), [200, 202, 203]);
    }

    #[test]
    fn a_streak_trips() {
        assert_eq!(first_trip(std::iter::repeat(true)), Some(99));
    }

    #[test]
    fn one_poison_in_a_hundred_never_trips() {
        assert_eq!(first_trip((0..).map(|i| i % 100 == 0)), None);
    }

    #[test]
    fn two_thirds_trip_at_the_end_of_the_window() {
        assert_eq!(first_trip((0..).map(|i| i % 3 != 0)), Some(199));
    }

    #[test]
    fn half_is_tolerated() {
        assert_eq!(first_trip((0..).map(|i| i % 2 == 0)), None);
    }
}
