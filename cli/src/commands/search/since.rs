//! A moment as people write one: a day, a time, or how long ago.

use jiff::{Timestamp, civil, tz::TimeZone};

/// In ms; a day or time without a zone is one of `zone`.
pub(in crate::commands) fn parse(said: &str, now: Timestamp, zone: &TimeZone) -> Option<i64> {
    if let Some(ago) = ago_ms(said) {
        return now.as_millisecond().checked_sub(ago);
    }
    if let Ok(exact) = said.parse::<Timestamp>() {
        return Some(exact.as_millisecond());
    }
    let local: civil::DateTime = said.parse().ok()?;
    Some(local.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

fn ago_ms(said: &str) -> Option<i64> {
    let unit = match said.chars().last()? {
        'd' => 86_400_000,
        'h' => 3_600_000,
        'm' => 60_000,
        _ => return None,
    };
    let count: i64 = said[..said.len() - 1].parse().ok()?;
    if count < 0 { None } else { count.checked_mul(unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_spans_are_moments() {
        let now = Timestamp::from_millisecond(1_000_000_000_000).unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(3));
        for (said, moment) in [
            ("2001-09-09", Some(999_982_800_000)),
            ("2001-09-09T04:46", Some(999_999_960_000)),
            ("2001-09-09T01:46:40Z", Some(1_000_000_000_000)),
            ("7d", Some(999_395_200_000)),
            ("12h", Some(999_956_800_000)),
            ("0m", Some(1_000_000_000_000)),
            ("-1d", None),
            ("99999999999999999d", None),
            ("d", None),
            ("", None),
            ("я", None),
            ("2001-13-09", None),
        ] {
            assert_eq!(parse(said, now, &zone), moment, "{said}");
        }
    }
}
