//! The only chance in the simulation.

/// A die from a seed, which falls on no fault any more once the world has calmed down.
#[derive(Debug)]
pub(crate) struct Dice {
    random: u64,
    calm: bool,
}

impl Dice {
    pub(crate) fn from(seed: u64) -> Self {
        Self { random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, calm: false }
    }

    /// xorshift64*: Marsaglia, "Xorshift RNGs", with Vigna's multiplier.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    /// True once in so many times, until the world has calmed down.
    pub(crate) fn fault(&mut self, one_in: u64) -> bool {
        !self.calm && self.roll(one_in) == 0
    }

    pub(crate) fn calm_down(&mut self, calm: bool) {
        self.calm = calm;
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm
    }
}
