//! Which span of a group's time somebody asks about.
//!
//! Invariant: bounds that follow a clock lie on whole minutes, so that to ask twice within one is to ask for the same.

use std::fmt;

use anyhow::{Context, bail};
use clap::Args;
use jiff::{SpanRelativeTo, Timestamp, civil::DateTime, tz::TimeZone};

const MINUTE_MS: i64 = 60_000;

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Span {
    /// The time until now: 90m, 2h, 3d [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = length_ms)]
    since: Option<i64>,
    /// What came after the newest window that has a digest
    #[arg(long)]
    since_last: bool,
    /// From one time to before another: 2026-03-02, 2026-03-02T10:00 (in the group's zone) or 2026-03-02T10:00:00Z
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"])]
    between: Option<Vec<String>>,
}

const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Bounds in ms, as the group's clocks show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Inclusive.
    pub(super) start_ms: i64,
    /// Exclusive.
    pub(super) end_ms: i64,
    zone: TimeZone,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.start_ms, self.end_ms].map(|ms| shown(ms, &self.zone));
        write!(f, "between {from} and {to} ({})", self.zone.iana_name().unwrap_or("UTC"))
    }
}

fn shown(ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| zone.to_datetime(time).strftime("%Y-%m-%d %H:%M").to_string())
}

impl Span {
    /// The bounds at `now_ms`, in a group whose newest window with a digest ends at `last_end_ms`.
    pub(super) fn bounds(&self, now_ms: i64, last_end_ms: Option<i64>, zone: &str) -> anyhow::Result<Bounds> {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let end_ms = now_ms.div_euclid(MINUTE_MS).saturating_add(1).saturating_mul(MINUTE_MS);
        let (start_ms, end_ms) = match (&self.between, self.since_last) {
            (Some(between), _) => between_bounds(between, &zone)?,
            (None, true) => match last_end_ms {
                Some(last) if last < end_ms => (last, end_ms),
                Some(last) => bail!("the newest window with a digest ends only at {}", shown(last, &zone)),
                None => bail!("no window of the group has a digest yet; say how far to go back with --since"),
            },
            (None, false) => (end_ms.saturating_sub(self.since.unwrap_or(DAY_MS)), end_ms),
        };
        Ok(Bounds { start_ms, end_ms, zone })
    }
}

fn between_bounds(between: &[String], zone: &TimeZone) -> anyhow::Result<(i64, i64)> {
    let [from, to] = between else { bail!("give two times to --between") };
    let (start, end) = (moment(from, zone)?, moment(to, zone)?);
    if start >= end {
        bail!("there is nothing between {from} and {to}: give the earlier time first");
    }
    Ok((start, end))
}

/// A time with an offset, or one on the group's clocks.
fn moment(text: &str, zone: &TimeZone) -> anyhow::Result<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let expected = || {
        format!(
            "could not read time {text:?}: give one such as 2026-03-02, 2026-03-02T10:00 or 2026-03-02T10:00:00Z"
        )
    };
    let local: DateTime = text.parse().with_context(expected)?;
    Ok(local.to_zoned(zone.clone()).with_context(expected)?.timestamp().as_millisecond())
}

/// A length of time in ms.
fn length_ms(text: &str) -> Result<i64, String> {
    let expected = "give a length of time such as 90m, 2h or 3d";
    let span: jiff::Span = text.parse().map_err(|_| expected.to_owned())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| expected.to_owned())?;
    let length_ms = i64::try_from(length.as_millis()).map_err(|_| expected.to_owned())?;
    if length_ms < MINUTE_MS { Err(format!("{expected}, at least a minute")) } else { Ok(length_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Span = Span { since: None, since_last: false, between: None };

    fn bounds(span: &Span, now_ms: i64, last: Option<i64>) -> Result<(i64, i64), String> {
        let bounds = span.bounds(now_ms, last, "Europe/Berlin").map_err(|error| format!("{error:#}"))?;
        Ok((bounds.start_ms, bounds.end_ms))
    }

    #[test]
    fn a_length_of_time_ends_with_the_minute_that_it_is_asked_in() {
        let two_hours = Span { since: Some(length_ms("2h").unwrap()), ..NONE };
        let (start, end) = (60_000 - 7_200_000, 60_000);
        for now in [0, 1, 59_999] {
            assert_eq!(bounds(&two_hours, now, None), Ok((start, end)), "{now}");
        }
        assert_eq!(bounds(&two_hours, 60_000, None), Ok((start + 60_000, end + 60_000)));
        assert_eq!(bounds(&NONE, 0, None), Ok((60_000 - DAY_MS, 60_000)));
        let lengths = ["90m", "1h 30m", "3d", "1w"].map(|text| length_ms(text).unwrap() / MINUTE_MS);
        assert_eq!(lengths, [90, 90, 3 * 1440, 7 * 1440]);
        for wrong in ["", "2", "-2h", "30s", "soon", "1mo"] {
            assert!(length_ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_came_after_the_last_window_begins_where_that_ends() {
        let last = Span { since_last: true, ..NONE };
        assert_eq!(bounds(&last, 500_000, Some(120_000)), Ok((120_000, 540_000)));
        let ahead = bounds(&last, 0, Some(3_600_000)).unwrap_err();
        assert_eq!(ahead, "the newest window with a digest ends only at 1970-01-01 02:00");
        assert!(bounds(&last, 0, None).unwrap_err().contains("--since"));
    }

    #[test]
    fn times_without_an_offset_are_those_of_the_groups_clocks() {
        let between = |from: &str, to: &str| {
            let span = Span { between: Some(vec![from.to_owned(), to.to_owned()]), ..NONE };
            bounds(&span, 0, None)
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let day = (at("2026-03-01T23:00:00Z"), at("2026-03-02T23:00:00Z"));
        assert_eq!(between("2026-03-02", "2026-03-03"), Ok(day));
        assert_eq!(between("2026-03-02T00:00", "2026-03-02T23:00:00Z"), Ok(day));
        let wrong = between("2026-03-03", "2026-03-02").unwrap_err();
        assert_eq!(wrong, "there is nothing between 2026-03-03 and 2026-03-02: give the earlier time first");
        assert!(
            between("yesterday", "2026-03-02").unwrap_err().starts_with("could not read time \"yesterday\"")
        );
    }
}
