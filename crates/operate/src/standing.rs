//! Where a reader stands in a partition, and how what lies before it comes to be known.

use std::collections::BTreeMap;

/// Longest distance that is counted by reading; beyond it the distance stands for the count.
pub const COUNT_OFFSETS_MAX: i64 = 10_000;

/// Where a reader stands in a partition, and where the partition ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Next offset to read; none when it has none.
    pub(super) position: Option<i64>,
    pub(super) low: i64,
    pub(super) stable: i64,
    pub(super) high: i64,
}

/// How the records before a reader come to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// There are none.
    Nothing,
    /// Read all of them.
    Count,
    /// Read the first for its age, and take the distance.
    Estimate,
}

impl Standing {
    /// Where reading would go on: what is gone from the topic cannot be read.
    pub(super) fn start(self) -> i64 {
        self.position.unwrap_or(self.low).max(self.low)
    }

    pub(super) fn to_stable(self) -> i64 {
        (self.stable - self.start()).max(0)
    }

    pub(super) fn to_end(self) -> i64 {
        (self.high - self.start()).max(0)
    }

    pub(super) fn measure(self) -> Measure {
        match self.to_stable() {
            0 => Measure::Nothing,
            1..=COUNT_OFFSETS_MAX => Measure::Count,
            _ => Measure::Estimate,
        }
    }

    pub(super) fn problem(self, unit: &str) -> Option<String> {
        match self.position {
            None => Some(format!(
                "no committed offset: a new group gets its offsets from `gistmill topology apply`, an expired one \
                 from `gistmill reset {unit}`"
            )),
            Some(position) if position < self.low => Some(format!(
                "next offset {position} is gone, the topic begins at {}: data expired, see `gistmill reset {unit}`",
                self.low
            )),
            Some(position) if position > self.high => Some(format!(
                "next offset {position} is past the topic's end {}: the topic was made anew, see `gistmill reset \
                 {unit}`",
                self.high
            )),
            Some(_) => None,
        }
    }
}

/// What reading before a reader has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) count: u64,
    /// Append time of the first record, in ms.
    pub(super) first_ms: Option<i64>,
    /// Records by tenant, as their keys tell.
    pub(super) tenants: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(position: Option<i64>, stable: i64, high: i64) -> Standing {
        Standing { position, low: 10, stable, high }
    }

    #[test]
    fn positions_outside_the_topic_are_problems() {
        let problem = |position| standing(position, 50, 50).problem("topic").unwrap_or_default();
        assert!(problem(None).starts_with("no committed offset"));
        assert!(
            problem(Some(9)).contains("the topic begins at 10: data expired, see `gistmill reset topic`")
        );
        assert!(problem(Some(51)).contains("past the topic's end 50"));
        assert_eq!(problem(Some(50)), "");
        assert_eq!(standing(None, 50, 50).to_stable(), 40);
        assert_eq!(standing(Some(60), 50, 50).to_end(), 0);
    }
}
