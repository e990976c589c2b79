//! Dates as exports and feeds write them, in ms since the epoch.
//!
//! Invariant: every date given out lies after the start of 1970 and before the year 10000.

use jiff::{
    Timestamp, Zoned,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// End of the year 9999, in ms.
const LATEST_MS: i64 = 253_402_300_799_999;
/// Dates from here on (the year 2100, in ms) are mistakes: kept, counted, and not taken for the present. A fixed
/// bound because an import may not depend on the day it runs.
pub const FUTURE_FROM_MS: i64 = 4_102_444_800_000;
/// Numbers from here on are ms, below it seconds: as seconds it is the year 5138, as ms March 1973.
const MS_FROM: i64 = 100_000_000_000;

/// Where the zone of a date comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The date tells it.
    Told,
    /// A local time, taken in the zone of the import.
    Assumed,
    /// The same, when the clock was set back and showed it twice; the first is taken.
    Twice,
}

/// A number of seconds or ms since the epoch, as digits; seconds may have a fraction.
pub fn from_epoch(text: &str) -> Option<i64> {
    in_range(epoch(text)?)
}

/// True for what [`from_epoch`] reads, in range or not.
pub fn is_number(text: &str) -> bool {
    epoch(text).is_some()
}

/// A number of seconds or ms since the epoch.
pub fn from_number(number: i64) -> Option<i64> {
    in_range(scaled(number, 0)?)
}

/// RFC 3339 with its offset, or as [`from_epoch`].
pub fn from_told(text: &str) -> Option<i64> {
    in_range(epoch(text).or_else(|| instant(text.trim()))?)
}

/// As [`from_told`], or a local time in `zone`.
pub fn read(text: &str, zone: &TimeZone) -> Option<(i64, Zone)> {
    if let Some(ms) = epoch(text).or_else(|| instant(text.trim())) {
        return in_range(ms).map(|ms| (ms, Zone::Told));
    }
    local(text.trim().parse().ok()?, zone)
}

/// A local time in `zone`.
pub fn local(time: DateTime, zone: &TimeZone) -> Option<(i64, Zone)> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let is_twice = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
    // Of two the earlier; a time that the clock skipped goes as far beyond the gap as it lies in it.
    let ms = in_range(ambiguous.compatible().ok()?.as_millisecond())?;
    Some((ms, if is_twice { Zone::Twice } else { Zone::Assumed }))
}

/// ms since the epoch, if they are a usable date. 0 is what exports write for "none".
pub fn in_range(ms: i64) -> Option<i64> {
    (1..=LATEST_MS).contains(&ms).then_some(ms)
}

fn instant(text: &str) -> Option<i64> {
    let stamp = text.parse::<Timestamp>().or_else(|_| text.parse::<Zoned>().map(|zoned| zoned.timestamp()));
    stamp.ok().map(Timestamp::as_millisecond)
}

/// ms of a number; `None` when the text is none.
fn epoch(text: &str) -> Option<i64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole.trim_start_matches('-')) || !digits(fraction) {
        return None;
    }
    let ms: String = fraction.chars().chain("000".chars()).take(3).collect();
    scaled(whole.parse().ok()?, ms.parse().ok()?)
}

fn scaled(number: i64, ms: i64) -> Option<i64> {
    if number < MS_FROM { number.checked_mul(1000)?.checked_add(ms) } else { Some(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_zone(text: &str, zone: &str) -> Option<(i64, Zone)> {
        read(text, &TimeZone::get(zone).expect("a zone"))
    }

    #[test]
    fn numbers_are_seconds_or_ms() {
        for text in ["1542895468", "1542895468000", " 1542895468.000 ", "1542895468."] {
            assert_eq!(from_epoch(text), Some(1_542_895_468_000), "{text}");
        }
        assert_eq!(from_epoch("1542895468.25"), Some(1_542_895_468_250));
        assert_eq!(from_epoch("1542895468.9999"), Some(1_542_895_468_999));
        assert_eq!(
            (from_number(1_542_895_468), from_number(1_542_895_468_001)),
            (Some(1_542_895_468_000), Some(1_542_895_468_001))
        );
        for text in ["0", "-1", "9223372036854775807", "253402300800000", "", "1e9", "12a", "1.2.3", "--1"] {
            assert_eq!(from_epoch(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_with_its_zone_is_read_whole() {
        let table = [
            ("2026-03-02T09:01:00.248Z", 1_772_442_060_248),
            ("2026-03-02T12:02:00+03:00", 1_772_442_120_000),
            ("2026-03-02t12:02:00+03", 1_772_442_120_000),
            ("2026-03-02 12:02:00+0300", 1_772_442_120_000),
            ("2026-03-02T12:02:00[Europe/Moscow]", 1_772_442_120_000),
            ("1772442060", 1_772_442_060_000),
            ("1772442060248", 1_772_442_060_248),
        ];
        for (text, ms) in table {
            assert_eq!(in_zone(text, "Asia/Tokyo"), Some((ms, Zone::Told)), "{text}");
            assert_eq!(from_told(text), Some(ms), "{text}");
        }
        assert_eq!(from_told("2026-03-02T10:00:00"), None);
    }

    #[test]
    fn a_local_time_is_taken_in_a_zone() {
        let utc = |text| in_zone(text, "UTC");
        assert_eq!(utc("2018-11-22T18:04:28"), Some((1_542_909_868_000, Zone::Assumed)));
        assert_eq!(utc("2018-11-22 18:04:28"), Some((1_542_909_868_000, Zone::Assumed)));
        assert_eq!(utc("3000-01-01T00:00:00"), Some((32_503_680_000_000, Zone::Assumed)));
        assert_eq!((utc("1970-01-01T00:00:00"), utc(""), utc("yesterday")), (None, None, None));
        let berlin = |text| in_zone(text, "Europe/Berlin");
        let utc = |text| from_told(text).expect("a date");
        assert_eq!(berlin("2021-10-31T01:59:00"), Some((utc("2021-10-30T23:59:00Z"), Zone::Assumed)));
        assert_eq!(berlin("2021-10-31T02:30:00"), Some((utc("2021-10-31T00:30:00Z"), Zone::Twice)));
        assert_eq!(berlin("2021-10-31T03:10:00"), Some((utc("2021-10-31T02:10:00Z"), Zone::Assumed)));
        assert_eq!(berlin("2021-03-28T02:30:00"), Some((utc("2021-03-28T01:30:00Z"), Zone::Assumed)));
    }
}
