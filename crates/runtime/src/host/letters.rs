//! How many inputs a unit has given up as dead letters, and when the log is to hear of it.

use std::time::{Duration, Instant};

/// Inputs that a unit has given up since it was started.
#[derive(Debug, Default)]
pub(super) struct Letters {
    count: u64,
    last: String,
    /// When they were last told, and how many there were then.
    told: Option<(Instant, u64)>,
}

/// Time between two words of the log about dead letters of one unit.
const LETTERS_EVERY: Duration = Duration::from_mins(1);

impl Letters {
    /// Takes one more in; how many are new since the log was told, when it is time to tell it.
    pub(super) fn add(&mut self, last: &str, now: Instant) -> Option<u64> {
        self.count += 1;
        last.clone_into(&mut self.last);
        let before = match self.told {
            Some((at, _)) if now.saturating_duration_since(at) < LETTERS_EVERY => return None,
            told => told.map_or(0, |(_, count)| count),
        };
        self.told = Some((now, self.count));
        Some(self.count - before)
    }

    /// What the unit's line says of them; nothing while there are none.
    pub(super) fn told(&self) -> String {
        match self.count {
            0 => String::new(),
            count => {
                format!("; dead letters since its start: {count}, last {} (`gistmill dlq ls`)", self.last)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_told_once_a_minute_by_the_log() {
        let (mut letters, start) = (Letters::default(), Instant::now());
        let told =
            [0, 1, 59, 60, 61, 121].map(|second| letters.add("x", start + Duration::from_secs(second)));
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
