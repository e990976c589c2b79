//! Where windows begin and end: at multiples of their size on the wall clock of the group's time zone.
//!
//! Invariant: for one zone and size, windows cover all time and do not overlap. A day on which clocks change has a
//! window of an hour more or less: the repeated hour belongs to the window that it interrupts, a boundary that the
//! clocks skip lies at the moment of the change.

use jiff::{
    Span, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// Milliseconds since the epoch: start inclusive, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// The window of `size_hours` that `at_ms` lies in.
pub(crate) fn bounds(zone: &TimeZone, size_hours: i32, at_ms: i64) -> Bounds {
    wall_clock_bounds(zone, size_hours, at_ms).unwrap_or_else(|| {
        let size_ms = i64::from(size_hours) * 3_600_000;
        let start = at_ms.div_euclid(size_ms).saturating_mul(size_ms);
        Bounds { start, end: start.saturating_add(size_ms) }
    })
}

/// `None` outside the calendar (years −9999 to 9999).
fn wall_clock_bounds(zone: &TimeZone, size_hours: i32, at_ms: i64) -> Option<Bounds> {
    let local = zone.to_datetime(Timestamp::from_millisecond(at_ms).ok()?);
    let hour = i32::from(local.hour()) / size_hours * size_hours;
    let mut from = local.date().at(i8::try_from(hour).ok()?, 0, 0, 0);
    let mut start = first_instant(zone, from)?;
    loop {
        let to = from.checked_add(Span::new().hours(size_hours)).ok()?;
        let end = first_instant(zone, to)?;
        if at_ms < end {
            return Some(Bounds { start, end });
        }
        (from, start) = (to, end);
    }
}

/// The first moment at which the clocks show `local`; if they skip it, the moment of the change.
fn first_instant(zone: &TimeZone, local: DateTime) -> Option<i64> {
    let instant = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(local).ok()?
        }
        AmbiguousOffset::Gap { after, .. } => {
            let before_change = after.to_timestamp(local).ok()?;
            zone.following(before_change).next()?.timestamp()
        }
    };
    Some(instant.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER_MS: i64 = 900_000;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("bundled")
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("timestamp").as_millisecond()
    }

    /// Steps by quarters of an hour; a window is a run of instants whose highest slot so far is the same.
    fn by_walking(zone: &TimeZone, size_hours: i32, from_ms: i64, to_ms: i64) -> Vec<Bounds> {
        let mut windows: Vec<Bounds> = Vec::new();
        let mut highest = None;
        for now in (from_ms..to_ms).step_by(QUARTER_MS as usize) {
            let local = zone.to_datetime(Timestamp::from_millisecond(now).expect("in range"));
            let slot = Some((local.date(), i32::from(local.hour()) / size_hours));
            if slot > highest {
                highest = slot;
                if let Some(last) = windows.last_mut() {
                    last.end = now;
                }
                windows.push(Bounds { start: now, end: i64::MAX });
            }
        }
        windows
    }

    #[test]
    fn windows_equal_those_found_by_walking_through_time() {
        let cases = [
            ("UTC", "2024-03-30T00:00:00Z"),
            ("Europe/Berlin", "2024-03-30T00:00:00Z"),
            ("Europe/Berlin", "2024-10-26T00:00:00Z"),
            ("America/Havana", "2024-11-02T00:00:00Z"),
            ("America/Havana", "2024-03-09T00:00:00Z"),
            ("America/Asuncion", "2023-10-01T00:00:00Z"),
            ("America/Sao_Paulo", "2018-02-17T00:00:00Z"),
            ("Australia/Lord_Howe", "2024-04-06T00:00:00Z"),
            ("Australia/Lord_Howe", "2024-10-05T00:00:00Z"),
            ("Pacific/Apia", "2011-12-29T00:00:00Z"),
            ("Asia/Kolkata", "2024-01-01T00:00:00Z"),
        ];
        for (name, from) in cases {
            for size in [1, 4, 6, 12, 24] {
                let (zone, from) = (zone(name), at(from));
                let walked = by_walking(&zone, size, from - 172_800_000, from + 432_000_000);
                for window in walked.iter().filter(|w| w.start >= from && w.end != i64::MAX) {
                    for now in (window.start..window.end).step_by(QUARTER_MS as usize) {
                        assert_eq!(bounds(&zone, size, now), *window, "{name} {size} h at {now}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_day_of_changing_clocks_has_23_or_25_hours() {
        let hours = |at_ms| {
            let window = bounds(&zone("Europe/Berlin"), 24, at_ms);
            (window.end - window.start) / 3_600_000
        };
        assert_eq!(hours(at("2024-03-31T12:00:00Z")), 23);
        assert_eq!(hours(at("2024-10-27T12:00:00Z")), 25);
        assert_eq!(hours(at("2024-10-28T12:00:00Z")), 24);
    }

    #[test]
    fn outside_the_calendar_windows_are_cut_in_utc() {
        let window = bounds(&TimeZone::UTC, 4, i64::MAX - 1);
        assert!(window.start < i64::MAX - 1);
        assert_eq!(bounds(&TimeZone::UTC, 4, -1), Bounds { start: -14_400_000, end: 0 });
    }
}
