//! Where windows begin and end: at multiples of their size after the day's start, on the wall clock of the group's zone.
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

/// A wall clock, and the minutes after midnight at which its days begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid<'a> {
    pub(crate) zone: &'a TimeZone,
    pub(crate) day_start_minutes: i32,
}

/// The window of `size_hours` that `at_ms` lies in.
pub(crate) fn bounds(grid: Grid<'_>, size_hours: i32, at_ms: i64) -> Bounds {
    wall_clock_bounds(grid, size_hours, at_ms).unwrap_or_else(|| {
        let size_ms = i64::from(size_hours) * 3_600_000;
        let start = at_ms.div_euclid(size_ms).saturating_mul(size_ms);
        Bounds { start, end: start.saturating_add(size_ms) }
    })
}

/// `None` outside the calendar (years −9999 to 9999).
fn wall_clock_bounds(grid: Grid<'_>, size_hours: i32, at_ms: i64) -> Option<Bounds> {
    let (zone, day_start) = (grid.zone, Span::new().minutes(grid.day_start_minutes));
    let local = zone.to_datetime(Timestamp::from_millisecond(at_ms).ok()?);
    let since_start = local.checked_sub(day_start).ok()?;
    let hour = i32::from(since_start.hour()) / size_hours * size_hours;
    let mut from = since_start.date().at(i8::try_from(hour).ok()?, 0, 0, 0).checked_add(day_start).ok()?;
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
    fn by_walking(grid: Grid<'_>, size_hours: i32, (from_ms, to_ms): (i64, i64)) -> Vec<Bounds> {
        let mut windows: Vec<Bounds> = Vec::new();
        let mut highest = None;
        for now in (from_ms..to_ms).step_by(QUARTER_MS as usize) {
            let local = grid.zone.to_datetime(Timestamp::from_millisecond(now).expect("in range"));
            let local = local.checked_sub(Span::new().minutes(grid.day_start_minutes)).expect("in range");
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
            let starts = |size| [0, 150, 540, 1425].map(|start| (size, start));
            for (size, day_start_minutes) in [1, 2, 4, 6, 12, 24].into_iter().flat_map(starts) {
                let (zone, from) = (zone(name), at(from));
                let grid = Grid { zone: &zone, day_start_minutes };
                let walked = by_walking(grid, size, (from - 172_800_000, from + 432_000_000));
                for window in walked.iter().filter(|w| w.start >= from && w.end != i64::MAX) {
                    for now in (window.start..window.end).step_by(QUARTER_MS as usize) {
                        let found = bounds(grid, size, now);
                        assert_eq!(found, *window, "{name} {size} h from {day_start_minutes} at {now}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_day_of_changing_clocks_has_23_or_25_hours() {
        let zone = zone("Europe/Berlin");
        let hours = |at_ms| {
            let window = bounds(Grid { zone: &zone, day_start_minutes: 0 }, 24, at_ms);
            (window.end - window.start) / 3_600_000
        };
        assert_eq!(hours(at("2024-03-31T12:00:00Z")), 23);
        assert_eq!(hours(at("2024-10-27T12:00:00Z")), 25);
        assert_eq!(hours(at("2024-10-28T12:00:00Z")), 24);
    }

    #[test]
    fn a_day_that_begins_at_nine_ends_at_nine_also_when_clocks_change() {
        let zone = zone("Europe/Berlin");
        let grid = Grid { zone: &zone, day_start_minutes: 540 };
        let day = |from, to| Bounds { start: at(from), end: at(to) };
        let winter = day("2024-03-29T08:00:00Z", "2024-03-30T08:00:00Z");
        assert_eq!(bounds(grid, 24, at("2024-03-30T07:59:59Z")), winter);
        let change = day("2024-03-30T08:00:00Z", "2024-03-31T07:00:00Z");
        for inside in ["2024-03-30T08:00:00Z", "2024-03-30T23:30:00Z", "2024-03-31T06:59:59Z"] {
            assert_eq!(bounds(grid, 24, at(inside)), change, "{inside}");
        }
        let summer = day("2024-03-31T07:00:00Z", "2024-04-01T07:00:00Z");
        assert_eq!(bounds(grid, 24, at("2024-03-31T07:00:00Z")), summer);
        let six = day("2024-03-31T01:00:00Z", "2024-03-31T07:00:00Z");
        assert_eq!(
            bounds(grid, 6, at("2024-03-31T02:00:00Z")),
            six,
            "from three on, to which the clocks leap"
        );
    }

    #[test]
    fn outside_the_calendar_windows_are_cut_in_utc() {
        let grid = Grid { zone: &TimeZone::UTC, day_start_minutes: 0 };
        let window = bounds(grid, 4, i64::MAX - 1);
        assert!(window.start < i64::MAX - 1);
        assert_eq!(bounds(grid, 4, -1), Bounds { start: -14_400_000, end: 0 });
    }
}
