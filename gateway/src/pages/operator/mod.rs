//! What operators look at and settle: each page is of the key's tenant, but for what all tenants share.

pub(super) mod audit;
pub(super) mod cost;
pub(super) mod deliveries;
pub(super) mod letter;
pub(super) mod letters;
pub(super) mod looks;
pub(super) mod map;
pub(super) mod positions;
pub(super) mod replay;
pub(super) mod schemas;
mod steps;
pub(super) mod trace;
pub(super) mod transactions;
pub(super) mod windows;

use crate::app::App;
use state::AuditChange;
use tracing::error;

/// Puts on record what somebody changed; that it could not is told in the log, and undoes nothing.
async fn put_on_record(app: &App, change: &AuditChange<'_>) {
    if let Err(why) = app.0.store.audit(change).await {
        error!(
            why = why.describe(),
            action = change.action,
            subject = change.subject,
            "it is done, and not in the audit log"
        );
    }
}
