//! What was changed of the tenant, by whom and when.

use super::{Page, limit};
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
use state::AuditEntry;
use utoipa::{IntoParams, ToSchema};

const KIND: &str = "audit";

/// A change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct Shown {
    /// Its number, ascending.
    seq: i64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who: an operator, or `key-PREFIX`.
    actor: String,
    /// What was done.
    action: String,
    /// To what.
    subject: String,
    /// Before.
    #[schema(value_type = Option<Object>)]
    before: Option<serde_json::Value>,
    /// After.
    #[schema(value_type = Option<Object>)]
    after: Option<serde_json::Value>,
}

impl From<AuditEntry> for Shown {
    fn from(entry: AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            at: times::told(entry.at),
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            before: entry.before,
            after: entry.after,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Where the page before ended
    cursor: Option<String>,
    /// Most rows
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// What was changed of the tenant, the newest first
#[utoipa::path(
    operation_id = "list_audit",
    get, path = "/api/v1/audit", tag = "operation", params(Asked), security(("key" = ["DIGEST_ADMIN"])),
    responses((status = 200, description = "A page of changes", body = Page<Shown>), Refusals)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, before) = (limit(asked.limit)?, cursor::read::<i64>(KIND, asked.cursor.as_deref())?);
    let mut entries = app.0.store.audit_page(&caller.tenant_id, before, limit + 1).await?;
    let next = cursor::cut(&mut entries, limit, (KIND, |entry: &AuditEntry| entry.seq));
    Ok(Json(Page { items: entries.into_iter().map(Shown::from).collect(), next }))
}
