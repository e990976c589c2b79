//! What operators did.

use super::super::{entry::Visit, frame::page};
use crate::{app::App, extract::Query, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Audit, AuditLine};
use serde::Deserialize;
use state::AuditEntry;

const ENTRIES_MAX: u32 = 500;
const DAYS: u32 = 30;
const DAYS_MAX: u32 = 3_650;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, Deserialize)]
pub(in super::super) struct Wanted {
    #[serde(default)]
    days: String,
}

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Problem> {
    let days = wanted.days.parse().unwrap_or(DAYS).clamp(1, DAYS_MAX);
    let since_ms = visit.frame.now_ms - i64::from(days) * DAY_MS;
    let mut entries = app.0.store.audit_page(visit.tenant(), None, ENTRIES_MAX).await?;
    entries.retain(|entry| entry.at >= since_ms);
    page(&visit.frame, &Audit { entries: entries.into_iter().map(line).collect(), days })
}

fn line(of: AuditEntry) -> AuditLine {
    let json = |value: Option<serde_json::Value>| value.map(|value| value.to_string()).unwrap_or_default();
    AuditLine {
        seq: of.seq,
        at_ms: of.at,
        actor: of.actor,
        action: of.action,
        subject: of.subject,
        before: json(of.before),
        after: json(of.after),
    }
}
