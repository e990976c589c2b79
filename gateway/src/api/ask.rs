//! A digest that somebody asks for, as `gistmill digest now` does.
//!
//! Invariant: a tenant that may have no digests writes nothing; to ask for the same again is to ask once.

use super::settings::{group, newest};
use crate::{
    app::App,
    extract::{Json, MaybeJson, Path},
    guard::Caller,
    problem::{Problem, Refusals},
    produce::drive,
    times,
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use digest_request_source::{DigestRequestSource, asking};
use schemas::{DigestGenerateRequested, GroupSettings};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// The longest time that one digest tells of: a stage holds all messages of it.
pub(crate) const SPAN_MAX_MS: i64 = 31 * DAY_MS;

/// Which span of a group's time is asked about.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = DigestRequest)]
pub(crate) struct Request {
    /// From this time; a day before the end where it is not given.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Before this time; the end of this minute where it is not given.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Deliver it by the group's channels too; otherwise it is only here.
    deliver: bool,
}

impl Request {
    /// Start and end in ms: what follows the clock lies on whole minutes, so that to ask twice within one is to ask once.
    fn bounds(&self, now_ms: i64) -> Result<(i64, i64), Problem> {
        let minute = now_ms.div_euclid(MINUTE_MS).saturating_add(1).saturating_mul(MINUTE_MS);
        let end = times::read("until", self.until.as_deref())?.unwrap_or(minute);
        let start = times::read("since", self.since.as_deref())?.unwrap_or(end.saturating_sub(DAY_MS));
        match end.saturating_sub(start) {
            ..=0 => Err(Problem::unprocessable("empty_span", "there is nothing between since and until")),
            1..=SPAN_MAX_MS => Ok((start, end)),
            _ => Err(Problem::unprocessable("long_span", "one digest tells of 31 days at most")),
        }
    }
}

/// A digest that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestAsked)]
pub(crate) struct ShownRequest {
    /// Id that the digest has once it is there.
    digest_id: String,
    /// Id of the span as a window.
    window_id: String,
    /// Start, inclusive.
    #[schema(format = DateTime)]
    start: String,
    /// End, exclusive.
    #[schema(format = DateTime)]
    end: String,
    /// Messages in it.
    message_count: i32,
    /// People in it.
    participant_count: i32,
    /// The same was asked before, and is answered.
    already: bool,
}

/// Ask for a digest now
///
/// To ask for the same again (span, what is stored of it, key) is to ask once. The digest, or why there is none, is at `Location`
/// once it is made, and in the listing of windows.
#[utoipa::path(
    operation_id = "ask_digest",
    post, path = "/api/v1/groups/{group_id}/digest", tag = "digests", security(("key" = ["DIGEST_ADMIN"])),
    params(("group_id" = String, Path, description = "Group")),
    request_body(content = Option<Request>, description = "The last day where it is empty"),
    responses((status = 202, description = "It is asked for", body = ShownRequest), Refusals)
)]
pub(crate) async fn ask(
    State(app): State<App>,
    caller: Caller,
    Path(group_id): Path<String>,
    MaybeJson(asked): MaybeJson<Request>,
) -> Result<Response, Problem> {
    let bounds = asked.bounds(times::now_ms())?;
    let (request, already) = request(&app, &caller, (&group_id, bounds), asked.deliver).await?;
    Ok(accepted(&request, already))
}

/// Asks for the digest of a span in ms; whether the same was asked before, and is answered.
pub(crate) async fn request(
    app: &App,
    caller: &Caller,
    (group_id, bounds): (&str, (i64, i64)),
    deliver: bool,
) -> Result<(DigestGenerateRequested, bool), Problem> {
    is_enabled(app, caller)?;
    let group = group(caller, group_id)?;
    let names = (group.tenant_id(), group.group_id());
    let Some(held) = app.0.store.held(names, bounds).await? else {
        let detail = "nobody wrote in that time, as far as it is stored";
        return Err(Problem::unprocessable("no_messages", detail));
    };
    let settings = newest(app, &group).await?.unwrap_or_default();
    let settings = if deliver { settings } else { GroupSettings { channels: Vec::new(), ..settings } };
    let request = asking(names, (bounds, held), &caller.actor(), settings);
    let already = app.0.store.answered(&request).await?.is_some();
    if !already {
        drive(app, DigestRequestSource::new(request.clone())).await?;
        info!(
            tenant = &*caller.tenant_id,
            digest_id = request.digest_id(),
            trace = request.trace_id,
            "digest asked for"
        );
    }
    Ok((request, already))
}

/// Digests are for tenants that the flag or the canary list names; for others nothing is written.
fn is_enabled(app: &App, caller: &Caller) -> Result<(), Problem> {
    if app.0.trigger.is_enabled_for(&caller.tenant_id) {
        return Ok(());
    }
    app.0.metrics.blocked_by_flag();
    warn!(tenant = &*caller.tenant_id, "Group digest rollout blocked for tenant");
    let detail = "digests are not switched on for this tenant";
    Err(Problem::forbidden("feature_flag", detail))
}

fn accepted(request: &DigestGenerateRequested, already: bool) -> Response {
    let digest_id = request.digest_id();
    let location = HeaderValue::from_str(&format!("/api/v1/digests/{digest_id}"));
    let window = &request.window;
    let shown = ShownRequest {
        digest_id,
        window_id: request.window_id.clone(),
        start: times::told(window.window_start),
        end: times::told(window.window_end),
        message_count: window.message_count,
        participant_count: window.participant_count,
        already,
    };
    let headers: Vec<(HeaderName, HeaderValue)> = location.into_iter().map(|to| (LOCATION, to)).collect();
    (StatusCode::ACCEPTED, HeaderMap::from_iter(headers), Json(shown)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_ask_twice_within_a_minute_is_to_ask_once() {
        let now = |ms| Request::default().bounds(ms).ok();
        assert_eq!(now(0), Some((MINUTE_MS - DAY_MS, MINUTE_MS)));
        assert_eq!(now(0), now(59_999));
        assert_ne!(now(0), now(60_000));
    }

    #[test]
    fn a_span_is_not_empty_and_no_longer_than_one_digest_can_tell_of() {
        let code = |since: &str, until: &str| {
            let (since, until) = (Some(since.to_owned()), Some(until.to_owned()));
            Request { since, until, deliver: false }.bounds(0).err().map(|problem| problem.code())
        };
        let end = "2026-03-02T10:00:00Z";
        assert_eq!(code(end, end), Some("empty_span"));
        assert_eq!(code("2026-01-30T10:00:00Z", end), None);
        assert_eq!(code("2026-01-30T09:59:59Z", end), Some("long_span"));
        assert_eq!(code("0001-01-01T00:00:00Z", "9999-12-30T00:00:00Z"), Some("long_span"));
    }
}
