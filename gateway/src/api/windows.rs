//! Windows of which something came: a digest, or a reason why there is none.

use super::{Page, limit, name};
use crate::{
    app::App,
    cursor,
    extract::{Json, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use state::{WindowPage, WindowPlace, WindowSeen};
use utoipa::{IntoParams, ToSchema};

const KIND: &str = "windows";

/// Start, size, group and id of the last row of a page.
pub(super) type Place = (i64, i32, String, String);

/// A page after a place.
pub(super) fn page(
    caller: &Caller,
    (group_id, asked): (Option<String>, Option<bool>),
    (after, limit): (Option<Place>, u32),
) -> Result<WindowPage, Problem> {
    let names = group_id.iter().chain(after.iter().flat_map(|(_, _, group, window)| [group, window]));
    for of in names {
        name("group", of)?;
    }
    let after = after.map(|(start_ms, size_hours, group_id, window_id)| WindowPlace {
        start_ms,
        size_hours,
        group_id,
        window_id,
    });
    Ok(WindowPage { tenant_id: caller.tenant_id.to_string(), group_id, asked, after, limit: limit + 1 })
}

/// A window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Window)]
pub(crate) struct Shown {
    /// Its id.
    window_id: String,
    /// Group.
    group_id: String,
    /// `<window revision>.<attempt>` of the newest version.
    version: String,
    /// Size in hours; 0 for one that somebody asked for.
    size_hours: i32,
    /// Start, inclusive.
    #[schema(format = DateTime)]
    start: String,
    /// End, exclusive.
    #[schema(format = DateTime)]
    end: String,
    /// Messages in it.
    message_count: i32,
    /// Its digest; absent where it was blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest_id: Option<String>,
    /// One line of the digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    headline: Option<String>,
    /// Score in [0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    quality_score: Option<f64>,
    /// Why the newest version was blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<String>,
}

impl From<WindowSeen> for Shown {
    fn from(seen: WindowSeen) -> Self {
        Self {
            window_id: seen.window_id,
            group_id: seen.group_id,
            version: seen.version,
            size_hours: seen.size_hours,
            start: times::told(seen.window_start),
            end: times::told(seen.window_end),
            message_count: seen.message_count,
            digest_id: seen.digest_id,
            headline: seen.headline,
            quality_score: seen.quality_score,
            blocked: seen.blocked,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this group only
    group_id: Option<String>,
    /// Only those that somebody asked for, or only the others
    asked: Option<bool>,
    /// Where the page before ended
    cursor: Option<String>,
    /// Most rows
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Windows that have a digest or were blocked, the newest first
#[utoipa::path(
    operation_id = "list_windows",
    get, path = "/api/v1/windows", tag = "digests", params(Wanted), security(("key" = ["DIGEST_READ"])),
    responses((status = 200, description = "A page of windows", body = Page<Shown>), Refusals)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, after) = (limit(wanted.limit)?, cursor::read(KIND, wanted.cursor.as_deref())?);
    let mut seen =
        app.0.store.window_page(&page(&caller, (wanted.group_id, wanted.asked), (after, limit))?).await?;
    let place = |seen: &WindowSeen| {
        let WindowSeen { window_start, size_hours, group_id, window_id, .. } = seen;
        (*window_start, *size_hours, group_id.clone(), window_id.clone())
    };
    let next = cursor::cut(&mut seen, limit, (KIND, place));
    Ok(Json(Page { items: seen.into_iter().map(Shown::from).collect(), next }))
}
