//! The period of a window in its group's time zone.

use jiff::{Timestamp, Zoned, tz::TimeZone};
use schemas::WindowRef;

/// `2026-03-02 (UTC)` for a whole day, else `2026-03-02 06:00–12:00 (UTC)`; milliseconds where the time has no date.
pub(crate) fn period(window: &WindowRef) -> String {
    let zone = TimeZone::get(&window.settings.time_zone).unwrap_or(TimeZone::UTC);
    let at = |ms| Timestamp::from_millisecond(ms).map(|time| time.to_zoned(zone.clone()));
    let (Ok(start), Ok(end)) = (at(window.window_start), at(window.window_end)) else {
        return format!("{}–{} ms", window.window_start, window.window_end);
    };
    let name = zone.iana_name().unwrap_or("UTC");
    let midnight = |time: &Zoned| time.hour() == 0 && time.minute() == 0;
    let next_day = start.date().tomorrow().is_ok_and(|day| day == end.date());
    if midnight(&start) && midnight(&end) && next_day {
        format!("{} ({name})", start.date())
    } else if start.date() == end.date() || (next_day && midnight(&end)) {
        format!("{} {}–{} ({name})", start.date(), clock(&start), clock(&end))
    } else {
        format!("{} {} – {} {} ({name})", start.date(), clock(&start), end.date(), clock(&end))
    }
}

fn clock(time: &Zoned) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}
