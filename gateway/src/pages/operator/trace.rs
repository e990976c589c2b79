//! The way of a window or digest through the topics.

use super::{
    super::{entry::Visit, frame::page},
    steps::step,
};
use crate::{api::name, app::App, blocking::look, extract::Path, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::TracePage;
use operate::TraceOptions;
use state::DigestFound;

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let none = || Problem::not_found("there is no such window or digest");
    name("window", &id)?;
    let group = group(&app, visit.tenant(), &id).await?;
    let options = TraceOptions { id, group };
    let found = look(&app, move |config, map| operate::trace(config, map, &options)).await?;
    let found = found.filter(|trace| trace.tenant_id == visit.tenant()).ok_or_else(none)?;
    let stored = app.0.store.digest_show(visit.tenant(), &found.digest_id).await?;
    let view = TracePage {
        group_id: found.group_id,
        window_id: found.window_id,
        digest_id: found.digest_id,
        version: found.version,
        trace_id: found.trace_id,
        window_start_ms: found.window.0,
        window_end_ms: found.window.1,
        steps: found.steps.into_iter().map(step).collect(),
        missing: found.missing,
        has_digest: matches!(stored, Some(DigestFound::Stored(_))),
    };
    page(&visit.frame, &view)
}

/// Tenant and group of a window or digest of which something is stored: then one partition is read.
async fn group(app: &App, tenant: &str, id: &str) -> Result<Option<(String, String)>, Problem> {
    let of = |group: String| Some((tenant.to_owned(), group));
    if let Some((group, _)) = app.0.store.window_bounds(tenant, id).await? {
        return Ok(of(group));
    }
    Ok(match app.0.store.digest_show(tenant, id).await? {
        Some(DigestFound::Stored(stored)) => of(stored.summary.group_id),
        _ => None,
    })
}
