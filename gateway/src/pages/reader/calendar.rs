//! A month of a group.

use super::{
    super::{entry::Visit, frame::page, settings::settings_of},
    lines::{before, civil, known, line, moment, zone},
};
use crate::{
    app::App,
    extract::{Path, Query},
    problem::Problem,
};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{BlockedLine, Calendar};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::Deserialize;
use state::WindowSeen;

/// Windows of a month that are shown.
const WINDOWS_MAX: u32 = 800;

#[derive(Debug, Deserialize)]
pub(in super::super) struct Wanted {
    #[serde(default)]
    month: String,
}

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(group_id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Problem> {
    known(&app, visit.tenant(), &group_id).await?;
    let time_zone = settings_of(&app, &visit.caller, &group_id).await.time_zone;
    let (store, zone) = (&app.0.store, zone(&time_zone));
    let newest = store.window_page(&before(visit.tenant(), &group_id, (i64::MAX, 1))).await?;
    let newest_ms = newest.first().map(|window| window.window_start);
    let first = match first_of(&wanted.month) {
        Some(first) => first,
        None => civil(newest_ms.unwrap_or(visit.frame.now_ms), &zone).date().first_of_month(),
    };
    let (start_ms, end_ms) = bounds(first, &zone).ok_or_else(|| Problem::bad_request(""))?;
    let mut windows =
        store.window_page(&before(visit.tenant(), &group_id, (end_ms, WINDOWS_MAX + 1))).await?;
    let has_earlier =
        windows.iter().any(|window| window.window_start < start_ms) || windows.len() > WINDOWS_MAX as usize;
    windows.retain(|window| window.window_start >= start_ms);
    let digests = super::lines::between(&app, visit.tenant(), (&group_id, (start_ms, end_ms))).await?;
    let view = Calendar {
        group_id,
        time_zone,
        year: first.year(),
        month: first.month(),
        digests: digests.into_iter().map(line).collect(),
        blocked: windows.into_iter().filter_map(blocked).collect(),
        has_earlier,
        has_later: newest_ms.is_some_and(|newest| newest >= end_ms),
    };
    page(&visit.frame, &view)
}

/// The first day of a month that is written as `2026-05`.
pub(in super::super) fn first_of(month: &str) -> Option<Date> {
    let (year, month) = month.split_once('-')?;
    Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()
}

/// When a month begins and ends in a zone, in ms.
pub(in super::super) fn bounds(first: Date, zone: &TimeZone) -> Option<(i64, i64)> {
    let next = first.checked_add(1.month()).ok()?;
    Some((moment(first.at(0, 0, 0, 0), zone)?, moment(next.at(0, 0, 0, 0), zone)?))
}

fn blocked(window: WindowSeen) -> Option<BlockedLine> {
    Some(BlockedLine {
        window_id: window.window_id,
        window_start_ms: window.window_start,
        window_end_ms: window.window_end,
        reason: window.blocked?,
        message_count: window.message_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_as_links_write_it() {
        assert_eq!(first_of("2026-05"), Date::new(2026, 5, 1).ok());
        for wrong in ["", "2026", "2026-13", "2026-00", "x-05", "99999-01"] {
            assert_eq!(first_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_month_begins_when_the_groups_clock_says_so() {
        let first = Date::new(2026, 3, 1).unwrap();
        let (start, end) = bounds(first, &zone("Europe/Berlin")).unwrap();
        // 31 days, and an hour less for the summer.
        assert_eq!((start, end - start), (1_772_319_600_000, (31 * 24 - 1) * 3_600_000));
    }
}
