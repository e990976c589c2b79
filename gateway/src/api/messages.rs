//! Messages of a group: read by time, and sent in lines.

use super::{Page, groups::known, limit, settings::group, shown::ShownMessage};
use crate::{
    app::App,
    cursor,
    extract::{Json, Lines, Path, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    produce::drive,
    times,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use schemas::Message;
use serde::{Deserialize, Serialize};
use state::MessagePage;
use std::collections::BTreeMap;
use telegram_export_source::{Accepted, BadPost, Posted, PostedLines};
use tracing::info;
use utoipa::{IntoParams, ToSchema};

const KIND: &str = "messages";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest name of a post.
const KEY_CHARS_MAX: usize = 255;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Sent at this time or later
    #[param(format = DateTime)]
    since: Option<String>,
    /// Sent before this time
    #[param(format = DateTime)]
    until: Option<String>,
    /// Of the time of this window, which has a digest or was blocked
    window_id: Option<String>,
    /// Where the page before ended
    cursor: Option<String>,
    /// Most rows
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Messages of a group by time, the oldest first
#[utoipa::path(
    operation_id = "list_messages",
    get, path = "/api/v1/groups/{group_id}/messages", tag = "messages", security(("key" = ["DIGEST_READ"])),
    params(("group_id" = String, Path, description = "Group"), Asked),
    responses((status = 200, description = "A page of messages", body = Page<ShownMessage>), Refusals)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(group_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<ShownMessage>>, Problem> {
    let (limit, after) = (limit(asked.limit)?, cursor::read(KIND, asked.cursor.as_deref())?);
    known(&app, &caller, &group_id).await?;
    let (start, end) = match &asked.window_id {
        Some(window_id) => bounds(&app, &caller, (&group_id, window_id)).await?,
        None => (i64::MIN, i64::MAX),
    };
    let since_ms = times::read("since", asked.since.as_deref())?.unwrap_or(i64::MIN).max(start);
    let until_ms = times::read("until", asked.until.as_deref())?.unwrap_or(i64::MAX).min(end);
    let tenant_id = caller.tenant_id.to_string();
    let page = MessagePage { tenant_id, group_id, since_ms, until_ms, after, limit: limit + 1 };
    let mut messages = app.0.store.message_page(&page).await?;
    let place = |message: &Message| (message.sent_at, message.id);
    let next = cursor::cut(&mut messages, limit, (KIND, place));
    Ok(Json(Page { items: messages.into_iter().map(ShownMessage::from).collect(), next }))
}

/// When a window of the group begins and ends, in ms.
async fn bounds(
    app: &App,
    caller: &Caller,
    (group_id, window_id): (&str, &str),
) -> Result<(i64, i64), Problem> {
    super::name("window", window_id)?;
    let found = app.0.store.window_bounds(&caller.tenant_id, window_id).await?;
    let of_group = found.filter(|(of, _)| of == group_id).map(|(_, bounds)| bounds);
    of_group
        .ok_or_else(|| Problem::not_found("the group has no such window that has a digest or was blocked"))
}

/// What became of lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct Shown {
    /// Lines that were not blank.
    lines: u64,
    /// States of messages.
    messages: u64,
    /// Lines that are nothing for the pipeline, by reason.
    skipped: BTreeMap<String, u64>,
    /// They were written by an earlier request with this key.
    already: bool,
}

/// Send messages: lines of JSON, all of them or none
///
/// A line is a message, an edit, a deletion, or says how far the group is told. Under the same `Idempotency-Key` the same lines
/// are written once; other lines are refused.
#[utoipa::path(
    operation_id = "send_messages",
    post, path = "/api/v1/groups/{group_id}/messages", tag = "messages", security(("key" = ["MESSAGES_WRITE"])),
    params(
        ("group_id" = String, Path, description = "Group; one that is new is made by its first message"),
        ("Idempotency-Key" = String, Header, description = "Name of this post in the group, known for 30 days at least",
            max_length = 255, min_length = 1)
    ),
    request_body(content = String, content_type = "application/x-ndjson", description = "At most 1,000 lines"),
    responses((status = 202, description = "They are in the log", body = Shown), Refusals)
)]
pub(crate) async fn post(
    State(app): State<App>,
    caller: Caller,
    Path(group_id): Path<String>,
    headers: HeaderMap,
    Lines(body): Lines,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let group = group(&caller, &group_id)?;
    let source = PostedLines::new(&group, key(&headers)?, &body).map_err(|bad| match bad {
        BadPost::TooMany(_) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_lines", bad.to_string()),
        BadPost::Line { .. } | BadPost::Empty => Problem::unprocessable("bad_lines", bad.to_string()),
    })?;
    let posted = drive(&app, source).await?.posted();
    let (accepted, already) = match posted {
        Some(Posted::Now(accepted)) => (accepted, false),
        Some(Posted::Before(accepted)) => (accepted, true),
        Some(Posted::OtherLines) => {
            let detail = "other lines were posted under this Idempotency-Key: give these another one";
            return Err(Problem::unprocessable("other_lines", detail));
        }
        None => return Err(Problem::internal(&"a post ended without a word")),
    };
    let Accepted { lines, messages, skipped } = accepted;
    info!(key = &*caller.prefix, tenant = &*caller.tenant_id, lines, already, "lines were posted");
    Ok((StatusCode::ACCEPTED, Json(Shown { lines, messages, skipped, already })))
}

/// The name of a post.
fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let given = headers.get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok());
    let usable = given.filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()));
    usable.ok_or_else(|| {
        let detail = "name the post in Idempotency-Key: 1 to 255 characters, the same when it is tried again";
        Problem::new(StatusCode::BAD_REQUEST, "no_idempotency_key", detail)
    })
}
