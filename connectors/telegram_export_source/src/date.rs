//! Dates as exports and feeds write them, in ms since the epoch.
//!
//! Invariant: every date given out lies after the start of 1970 and before the year 10000.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// End of the year 9999, in ms.
const LATEST_MS: i64 = 253_402_300_799_999;
/// Dates from here on (the year 2100, in ms) are mistakes: kept, counted, and not taken for the present. A fixed
/// bound because an import may not depend on the day it runs.
pub(crate) const FUTURE_FROM_MS: i64 = 4_102_444_800_000;

/// `date_unixtime`: seconds since the epoch.
pub(crate) fn from_unix(seconds: i64) -> Option<i64> {
    in_range(seconds.checked_mul(1000)?)
}

/// `date`: local time of whoever exported, without a zone; taken as UTC.
pub(crate) fn from_local(text: &str) -> Option<i64> {
    let local: DateTime = text.parse().ok()?;
    in_range(local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// RFC 3339 with its offset.
pub(crate) fn from_rfc3339(text: &str) -> Option<i64> {
    let stamp: Timestamp = text.parse().ok()?;
    in_range(stamp.as_millisecond())
}

/// ms since the epoch, if they are a usable date. 0 is what exports write for "none".
pub(crate) fn in_range(ms: i64) -> Option<i64> {
    (1..=LATEST_MS).contains(&ms).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_or_refused() {
        assert_eq!(from_unix(1_542_895_468), Some(1_542_895_468_000));
        assert_eq!(from_unix(0), None);
        assert_eq!(from_unix(-1), None);
        assert_eq!(from_unix(i64::MAX), None);
        assert_eq!(from_unix(253_402_300_800), None);
        assert_eq!(from_local("2018-11-22T18:04:28"), Some(1_542_909_868_000));
        assert_eq!(from_local("3000-01-01T00:00:00"), Some(32_503_680_000_000));
        assert_eq!(from_local("1970-01-01T00:00:00"), None);
        assert_eq!(from_local(""), None);
        assert_eq!(from_rfc3339("2026-03-02T10:00:00+03:00"), Some(1_772_434_800_000));
        assert_eq!(from_rfc3339("2026-03-02T10:00:00"), None);
    }
}
