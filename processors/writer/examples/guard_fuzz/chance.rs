//! Numbers from a seed.
//!
//! Invariant: the same seed, the same numbers.

/// Numbers by Vigna's `SplitMix64` (`OOPSLA` 2014): seeds beside each other give numbers that have nothing in common.
#[derive(Debug, Clone)]
pub(crate) struct Die(u64);

impl Die {
    /// The numbers of a case.
    pub(crate) fn of(case: u64) -> Self {
        Self(case)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number below `sides`, which is above 0.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        (self.next() % sides.max(1) as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }

    /// One of these.
    pub(crate) fn of_these<'t, T>(&mut self, these: &'t [T]) -> Option<&'t T> {
        if these.is_empty() { None } else { these.get(self.roll(these.len())) }
    }
}
