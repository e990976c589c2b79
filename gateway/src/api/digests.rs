//! Digests: listed, and shown in the form that is asked for.

use super::{
    Page, limit, name,
    windows::{Place, page},
};
use crate::{
    app::App,
    cursor,
    extract::{Json, Path, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::{
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use rendering::{Extent, View};
use serde::{Deserialize, Serialize};
use state::{DigestFound, DigestSummary, StoredDigest};
use utoipa::{IntoParams, ToSchema};

const KIND: &str = "digests";

/// A digest in one line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestSummary)]
pub(crate) struct Summary {
    /// Id: of window and version.
    digest_id: String,
    /// Group.
    group_id: String,
    /// Id of the window.
    window_id: String,
    /// `<window revision>.<attempt>`.
    version: String,
    /// Window size in hours; 0 for one that somebody asked for.
    size_hours: i32,
    /// Start of the window, inclusive.
    #[schema(format = DateTime)]
    start: String,
    /// End of the window, exclusive.
    #[schema(format = DateTime)]
    end: String,
    /// Score in [0, 1].
    quality_score: f64,
    /// `ru` or `en`.
    language: String,
    /// One line.
    headline: String,
    /// Messages in the window.
    message_count: i32,
    /// People in the window.
    participant_count: i32,
}

impl From<DigestSummary> for Summary {
    fn from(of: DigestSummary) -> Self {
        Self {
            digest_id: of.digest_id,
            group_id: of.group_id,
            window_id: of.window_id,
            version: of.version,
            size_hours: of.size_hours,
            start: times::told(of.window_start),
            end: times::told(of.window_end),
            quality_score: of.quality_score,
            language: of.language,
            headline: of.headline,
            message_count: of.message_count,
            participant_count: of.participant_count,
        }
    }
}

/// A version of a window's digest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestVersion)]
pub(crate) struct ShownVersion {
    /// Id of the digest.
    digest_id: String,
    /// `<window revision>.<attempt>`.
    version: String,
    /// Score in [0, 1].
    quality_score: f64,
    /// When it was stored.
    #[schema(format = DateTime)]
    stored_at: String,
    /// A newer version was blocked, and this one was taken back.
    withdrawn: bool,
}

/// A digest with what it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Digest)]
pub(crate) struct Shown {
    #[serde(flatten)]
    summary: Summary,
    /// Id of its trace.
    trace_id: String,
    /// Channels that it is delivered by.
    channels: Vec<String>,
    /// The digest, as `digest.ready_for_delivery.v1` has it; its statements by number are at `claims/{number}`.
    #[schema(value_type = Object)]
    digest: serde_json::Value,
    /// Versions of the window's digest that are kept, the newest first.
    versions: Vec<ShownVersion>,
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

/// The newest version of each window's digest, the newest window first
#[utoipa::path(
    operation_id = "list_digests",
    get, path = "/api/v1/digests", tag = "digests", params(Wanted), security(("key" = ["DIGEST_READ"])),
    responses((status = 200, description = "A page of digests", body = Page<Summary>), Refusals)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Summary>>, Problem> {
    let (limit, after) = (limit(wanted.limit)?, cursor::read(KIND, wanted.cursor.as_deref())?);
    let page = page(&caller, (wanted.group_id, wanted.asked), (after, limit))?;
    let mut found = app.0.store.digest_page(&page).await?;
    let place = |of: &DigestSummary| -> Place {
        (of.window_start, of.size_hours, of.group_id.clone(), of.window_id.clone())
    };
    let next = cursor::cut(&mut found, limit, (KIND, place));
    Ok(Json(Page { items: found.into_iter().map(Summary::from).collect(), next }))
}

/// A form that a digest is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Markdown,
    Html,
}

impl Form {
    /// The form that `Accept` likes best; JSON where it likes all alike.
    fn wanted(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else {
            return Ok(Self::Json);
        };
        let mut best: Option<(f32, Self)> = None;
        for part in accept.split(',') {
            let mut words = part.split(';').map(str::trim);
            let form = match words.next().map(str::to_ascii_lowercase).as_deref() {
                Some("application/json" | "application/*" | "*/*") => Self::Json,
                Some("text/markdown") => Self::Markdown,
                Some("text/html" | "text/*") => Self::Html,
                _ => continue,
            };
            let quality = words.find_map(|word| word.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if quality > 0.0 && best.is_none_or(|(before, _)| quality > before) {
                best = Some((quality, form));
            }
        }
        let none = || {
            let detail = "a digest is shown as application/json, text/markdown or text/html";
            Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
        };
        best.map(|(_, form)| form).ok_or_else(none)
    }
}

/// The digest with this id, or the newest one of the window with this id.
pub(super) async fn stored(app: &App, caller: &Caller, id: &str) -> Result<StoredDigest, Problem> {
    name("digest", id)?;
    match app.0.store.digest_show(&caller.tenant_id, id).await? {
        Some(DigestFound::Stored(digest)) => Ok(*digest),
        Some(DigestFound::Withdrawn { version, blocked_version, reason }) => {
            let detail = format!(
                "version {version} was taken back: version {blocked_version} was blocked as {reason}"
            );
            Err(Problem::new(StatusCode::GONE, "withdrawn", detail))
        }
        None => Err(Problem::not_found("there is no digest or window with this id")),
    }
}

/// One digest, by its id or its window's
#[utoipa::path(
    operation_id = "show_digest",
    get, path = "/api/v1/digests/{id}", tag = "digests", security(("key" = ["DIGEST_READ"])),
    params(("id" = String, Path, description = "Id of the digest, or of a window for its newest")),
    responses(
        (status = 200, description = "The digest, in the form that Accept names", content(
            (Shown = "application/json"), (String = "text/markdown"), (String = "text/html")
        )),
        Refusals
    )
)]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let form = Form::wanted(&headers)?;
    let stored = stored(&app, &caller, &id).await?;
    if form == Form::Json {
        return Ok(Json(shown(&app, &caller, stored).await?).into_response());
    }
    let (window, summary) = (stored.window(), &stored.summary);
    let view = View {
        tenant_id: &summary.tenant_id,
        group_id: &summary.group_id,
        digest_id: &summary.digest_id,
        version: &summary.version,
        window: &window,
        digest: &stored.digest,
        extent: Extent::Page,
    };
    let (media_type, text) = match form {
        Form::Html => ("text/html; charset=utf-8", rendering::html(&view)),
        Form::Markdown | Form::Json => ("text/markdown; charset=utf-8", rendering::markdown(&view)),
    };
    Ok(([(CONTENT_TYPE, media_type)], text).into_response())
}

async fn shown(app: &App, caller: &Caller, stored: StoredDigest) -> Result<Shown, Problem> {
    let window_id = &stored.summary.window_id;
    let versions = app.0.store.digest_versions(&caller.tenant_id, window_id).await?;
    let versions = versions.into_iter().map(|of| ShownVersion {
        digest_id: of.digest_id,
        version: of.version,
        quality_score: of.quality_score,
        stored_at: times::told(of.created_at),
        withdrawn: of.withdrawn,
    });
    let StoredDigest { summary, trace_id, channels, digest, .. } = stored;
    let digest = serde_json::to_value(&digest).map_err(|error| Problem::internal(&error))?;
    Ok(Shown { summary: summary.into(), trace_id, channels, digest, versions: versions.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_form_is_the_one_that_is_liked_best() {
        let wanted = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            Form::wanted(&headers).ok()
        };
        assert_eq!(Form::wanted(&HeaderMap::new()).ok(), Some(Form::Json));
        assert_eq!(wanted("text/markdown"), Some(Form::Markdown));
        assert_eq!(wanted("text/html,application/xhtml+xml,*/*;q=0.8"), Some(Form::Html));
        assert_eq!(wanted("text/markdown;q=0.5, application/json"), Some(Form::Json));
        assert_eq!(wanted("*/*"), Some(Form::Json));
        assert_eq!((wanted("image/png"), wanted("text/html;q=0")), (None, None));
    }
}
