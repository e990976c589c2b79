//! Two versions of a window's digest, side by side.

use super::{
    super::{entry::Visit, frame::page, settings::settings_of},
    digest::{stored, view, window},
    lines::version_line,
};
use crate::{
    app::App,
    extract::{Path, Query},
    problem::Problem,
};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Side, Versions, text_lines};
use schemas::GroupSettings;
use serde::Deserialize;
use state::StoredDigest;

#[derive(Debug, Deserialize)]
pub(in super::super) struct Wanted {
    #[serde(default)]
    with: String,
}

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Problem> {
    let new = stored(&app, visit.tenant(), &id).await?;
    let window_id = new.summary.window_id.clone();
    let mut versions = app.0.store.digest_versions(visit.tenant(), &window_id).await?;
    versions.retain(|version| !version.withdrawn);
    let at = versions.iter().position(|version| version.digest_id == new.summary.digest_id);
    let older = at.and_then(|at| versions.get(at + 1));
    let with = match (wanted.with.as_str(), older) {
        ("", Some(older)) => older.digest_id.clone(),
        ("", None) => new.summary.digest_id.clone(),
        (with, _) => with.to_owned(),
    };
    let old = stored(&app, visit.tenant(), &with).await?;
    if old.summary.window_id != window_id {
        return Err(Problem::not_found("it is no version of this digest"));
    }
    let settings = settings_of(&app, &visit.caller, &new.summary.group_id).await;
    let view = Versions {
        group_id: new.summary.group_id.clone(),
        window_id,
        language: new.summary.language.clone(),
        time_zone: settings.time_zone.clone(),
        window_start_ms: new.summary.window_start,
        window_end_ms: new.summary.window_end,
        old: side(&old, &settings),
        new: side(&new, &settings),
        versions: versions.into_iter().map(version_line).collect(),
    };
    page(&visit.frame, &view)
}

fn side(of: &StoredDigest, settings: &GroupSettings) -> Side {
    Side {
        digest_id: of.summary.digest_id.clone(),
        version: of.summary.version.clone(),
        lines: text_lines(&view(of, &window(of, settings))),
    }
}
