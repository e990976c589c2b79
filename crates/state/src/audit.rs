//! What operators changed. Invariant: rows are only added, which a trigger of the table holds; none has the text of a message,
//! a secret, or the id of somebody who was erased.

use crate::{Error, Store, batch::KNOW_TENANT};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, Row, postgres::PgRow};

pub(crate) const APPEND: &str = "
INSERT INTO audit_log (tenant_id, actor, action, subject, before, after) VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb)";

pub(crate) const LIST: &str = "
SELECT seq, (extract(epoch FROM at) * 1000)::bigint AS at_ms, tenant_id, actor, action, subject, before::text AS before,
    after::text AS after
FROM audit_log WHERE tenant_id = $1 AND at >= to_timestamp($2::bigint / 1000.0)
ORDER BY tenant_id, seq";

/// Something that an operator changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AuditChange<'a> {
    /// Tenant that it concerns; empty for none.
    pub tenant_id: &'a str,
    /// Who changed it.
    pub actor: &'a str,
    /// What was done, such as `group set`.
    pub action: &'a str,
    /// What it was done to, such as a group.
    pub subject: &'a str,
    /// How it was before.
    pub before: Option<&'a Value>,
    /// How it is after.
    pub after: Option<&'a Value>,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its number, ascending.
    pub seq: i64,
    /// When, in ms.
    pub at: i64,
    /// Tenant; empty for none.
    pub tenant_id: String,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Before.
    pub before: Option<Value>,
    /// After.
    pub after: Option<Value>,
}

/// Adds a row, in the transaction of the change; the connection acts for the tenant. A tenant of whom nothing else is stored is
/// known from then on: whoever lists the log of all walks those that are.
pub(crate) async fn append(connection: &mut PgConnection, change: &AuditChange<'_>) -> Result<(), Error> {
    let what = "write the audit log";
    if !change.tenant_id.is_empty() {
        let know = sqlx::query(KNOW_TENANT).bind(change.tenant_id).execute(&mut *connection);
        know.await.map_err(Error::query(what))?;
    }
    sqlx::query(APPEND)
        .bind(change.tenant_id)
        .bind(change.actor)
        .bind(change.action)
        .bind(change.subject)
        .bind(change.before.map(ToString::to_string))
        .bind(change.after.map(ToString::to_string))
        .execute(connection)
        .await
        .map_err(Error::query(what))?;
    Ok(())
}

pub(crate) fn entry(row: &PgRow) -> AuditEntry {
    let json = |name| row.get::<Option<&str>, _>(name).and_then(|text: &str| serde_json::from_str(text).ok());
    AuditEntry {
        seq: row.get("seq"),
        at: row.get("at_ms"),
        tenant_id: row.get("tenant_id"),
        actor: row.get("actor"),
        action: row.get("action"),
        subject: row.get("subject"),
        before: json("before"),
        after: json("after"),
    }
}

impl Store {
    /// Adds a row for a change that is no row of this database, such as a record in the log.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn audit(&self, change: &AuditChange<'_>) -> Result<(), Error> {
        let mut transaction = self.begin_for(change.tenant_id).await?;
        append(&mut transaction, change).await?;
        transaction.commit().await.map_err(Error::query("write the audit log"))
    }

    /// What was changed of a tenant since a time in ms, the oldest first; the empty tenant is what concerns none.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn audit_entries(&self, tenant_id: &str, since_ms: i64) -> Result<Vec<AuditEntry>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(LIST)
            .bind(tenant_id)
            .bind(since_ms)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read the audit log"))?;
        Ok(rows.iter().map(entry).collect())
    }
}
