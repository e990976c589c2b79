//! When a delivery is tried again.
//!
//! Invariant: the longer it fails the longer the wait, within bounds, whatever a receiver asks for.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_hours(1);
/// The shortest wait that a receiver can ask for.
const ASKED_MIN: Duration = Duration::from_secs(1);

/// How long to wait after so many tries; as long as the receiver asked for, where it did.
pub(crate) fn wait(tries: i32, asked: Option<Duration>) -> Duration {
    if let Some(asked) = asked {
        return asked.clamp(ASKED_MIN, LONGEST);
    }
    let doublings = u32::try_from(tries.clamp(1, 12) - 1).unwrap_or_default();
    (FIRST * 3_u32.saturating_pow(doublings)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_what_is_asked_for_is_bounded() {
        let own: Vec<u64> = (0..9).map(|tries| wait(tries, None).as_secs()).collect();
        assert_eq!(own, [5, 5, 15, 45, 135, 405, 1_215, 3_600, 3_600]);
        assert_eq!(wait(i32::MAX, None), LONGEST);
        let asked: Vec<u64> =
            [0, 7, 86_400].map(|seconds| wait(3, Some(Duration::from_secs(seconds))).as_secs()).into();
        assert_eq!(asked, [1, 7, 3_600]);
    }
}
