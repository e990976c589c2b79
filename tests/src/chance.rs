//! What a command that kills again and again is told, and the numbers that it draws.

use anyhow::Context;

/// Numbers from a seed, by Marsaglia's xorshift ("Xorshift RNGs", 2003): the same seed, the same run.
#[derive(Debug, Clone)]
pub struct Die(u64);

impl Die {
    /// Numbers from a seed above 0.
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// How often to kill (`default` unless told otherwise), the seed, and its numbers, from the words `[KILLS [SEED]]` that the
/// command was called with.
///
/// # Errors
/// A word that is no number.
pub fn kills_and_seed(default: u64) -> anyhow::Result<(u64, u64, Die)> {
    let mut words = std::env::args().skip(1);
    let mut number = |name: &'static str, default: u64| {
        words.next().map_or(Ok(default), |text| text.parse()).context(name)
    };
    let kills = number("KILLS is a number", default)?;
    // Nought stays nought.
    let seed = number("SEED is a number above 0", 1)?.max(1);
    Ok((kills, seed, Die(seed)))
}
