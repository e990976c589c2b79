//! Digests as lists show them, and which of them lie in a time.

use crate::{api::name, app::App, problem::Problem};
use console_pages::{DigestLine, VersionLine};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use state::{DigestSummary, DigestVersion, WindowPage, WindowPlace};

/// Digests of a time that are listed: a month of a window an hour.
pub(super) const DIGESTS_MAX: u32 = 800;

pub(super) fn line(of: DigestSummary) -> DigestLine {
    DigestLine {
        digest_id: of.digest_id,
        group_id: of.group_id,
        window_id: of.window_id,
        version: of.version,
        size_hours: of.size_hours,
        window_start_ms: of.window_start,
        window_end_ms: of.window_end,
        language: of.language,
        headline: of.headline,
        message_count: of.message_count,
        participant_count: of.participant_count,
        quality_score: of.quality_score,
    }
}

pub(super) fn version_line(of: DigestVersion) -> VersionLine {
    VersionLine { digest_id: of.digest_id, version: of.version, stored_at_ms: of.created_at }
}

/// A page of what a group has before a time, the newest first.
pub(super) fn before(tenant_id: &str, group_id: &str, (end_ms, limit): (i64, u32)) -> WindowPage {
    WindowPage {
        tenant_id: tenant_id.to_owned(),
        group_id: Some(group_id.to_owned()),
        asked: None,
        // No window has that size: those that begin at the end are not before it.
        after: Some(WindowPlace {
            start_ms: end_ms,
            size_hours: i32::MIN,
            group_id: String::new(),
            window_id: String::new(),
        }),
        limit,
    }
}

/// Digests of a group whose windows begin in a time, the newest first.
pub(super) async fn between(
    app: &App,
    tenant_id: &str,
    (group_id, (start_ms, end_ms)): (&str, (i64, i64)),
) -> Result<Vec<DigestSummary>, Problem> {
    let page = before(tenant_id, group_id, (end_ms, DIGESTS_MAX));
    let mut found = app.0.store.digest_page(&page).await?;
    found.retain(|digest| digest.window_start >= start_ms);
    Ok(found)
}

/// A group of which the tenant has messages.
pub(super) async fn known(app: &App, tenant_id: &str, group_id: &str) -> Result<(), Problem> {
    name("group", group_id)?;
    let known = app.0.store.group_known(tenant_id, group_id).await?;
    known.map(drop).ok_or_else(|| Problem::not_found("there is no such group"))
}

/// A zone by its name; UTC for what is none.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// A moment in ms, on the clock of a zone.
pub(super) fn civil(ms: i64, zone: &TimeZone) -> DateTime {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone()).datetime()
}

/// When a clock of a zone shows a time, in ms; none beyond what calendars have.
pub(super) fn moment(at: DateTime, zone: &TimeZone) -> Option<i64> {
    Some(at.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}
