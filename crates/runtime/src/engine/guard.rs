//! The blast-radius guard: when nearly everything is rejected, the fault is ours, and a topic must not be drained
//! into the dead letters.
//!
//! Invariant: it trips on a streak, or on a ratio over at least [`Guard::WINDOW`] inputs; one poison in a quiet
//! topic never trips it.

/// Watches the share of rejected inputs.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    streak: u32,
    seen: u32,
    rejected: u32,
}

/// Why the guard tripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tripped {
    /// Inputs looked at.
    pub(crate) seen: u32,
    /// Inputs rejected among them.
    pub(crate) rejected: u32,
}

impl Guard {
    /// Rejections in a row that trip it.
    const STREAK: u32 = 100;
    /// Inputs over which the ratio is taken.
    const WINDOW: u32 = 200;

    pub(crate) fn new() -> Self {
        Self { streak: 0, seen: 0, rejected: 0 }
    }

    /// Counts one input. The window is tumbling: two counters, no memory of single inputs.
    pub(crate) fn observe(&mut self, rejected: bool) -> Result<(), Tripped> {
        self.seen += 1;
        self.streak = if rejected { self.streak + 1 } else { 0 };
        self.rejected += u32::from(rejected);
        if self.streak >= Self::STREAK {
            return Err(Tripped { seen: self.streak, rejected: self.streak });
        }
        if self.seen < Self::WINDOW {
            return Ok(());
        }
        let verdict = Tripped { seen: self.seen, rejected: self.rejected };
        (self.seen, self.rejected) = (0, 0);
        if verdict.rejected * 2 > verdict.seen { Err(verdict) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_trip(pattern: impl Iterator<Item = bool>) -> Option<usize> {
        let mut guard = Guard::new();
        pattern.take(10_000).position(|rejected| guard.observe(rejected).is_err())
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
