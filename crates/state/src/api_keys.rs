//! Keys of tenants for the HTTP gateway.
//!
//! Invariant: no secret is here, only its hash. Who looks for a presented key sees that row alone, by a policy of the table
//! (migration 32), and everything else of a tenant as that tenant.

use crate::{AuditChange, Error, Store, audit, batch::KNOW_TENANT};
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

pub(crate) const PRESENT: &str = "SELECT set_config('app.api_key', $1, true)";

pub(crate) const FIND: &str = "
SELECT tenant_id, scopes, secret_hash, revoked_at IS NULL AND coalesce(expires_at > now(), true) AS holds,
    coalesce(last_used_at < now() - interval '1 minute', true) AS is_stale
FROM api_keys WHERE prefix = $1";

pub(crate) const TOUCH: &str = "
UPDATE api_keys SET last_used_at = now()
WHERE prefix = $1 AND coalesce(last_used_at < now() - interval '1 minute', true)";

pub(crate) const PUT: &str = "
INSERT INTO api_keys (prefix, tenant_id, name, scopes, secret_hash, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))";

pub(crate) const LIST: &str = "
SELECT prefix, name, scopes, created_by, (extract(epoch FROM created_at) * 1000)::bigint AS created_ms,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_ms,
    (extract(epoch FROM revoked_at) * 1000)::bigint AS revoked_ms,
    (extract(epoch FROM last_used_at) * 1000)::bigint AS used_ms
FROM api_keys WHERE tenant_id = $1 AND created_at > '-infinity' ORDER BY created_at, prefix";

pub(crate) const REVOKE: &str = "
UPDATE api_keys SET revoked_at = now() WHERE prefix = $1 AND tenant_id = $2 AND revoked_at IS NULL";

/// A key that is to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewApiKey<'a> {
    /// Whose it is.
    pub tenant_id: &'a str,
    /// What is shown of it; no other key has it.
    pub prefix: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// What it may be used for.
    pub scopes: &'a [String],
    /// SHA-256 of its secret.
    pub secret_hash: &'a [u8; 32],
    /// Who made it.
    pub created_by: &'a str,
    /// Seconds until it ends; none for never.
    pub expires_in_s: Option<f64>,
}

/// A key as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// What is shown of it.
    pub prefix: String,
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When, in ms.
    pub created_at: i64,
    /// When it ends or ended, in ms.
    pub expires_at: Option<i64>,
    /// When it was revoked, in ms.
    pub revoked_at: Option<i64>,
    /// When it was used last, in ms, to the minute.
    pub last_used_at: Option<i64>,
}

/// What is known of a key that somebody presents, before it is known whether they have its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedKey {
    /// Whose it is.
    pub tenant_id: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// SHA-256 of its secret.
    pub secret_hash: Vec<u8>,
    /// Neither revoked nor ended.
    pub holds: bool,
    /// It has not been noted as used for a minute.
    pub is_stale: bool,
}

impl Store {
    /// Keeps a key, and notes in the audit log that there is one.
    ///
    /// # Errors
    /// Those of any write; a prefix that another key has is refused by Postgres.
    pub async fn put_api_key(&self, key: &NewApiKey<'_>) -> Result<(), Error> {
        let what = "keep an api key";
        let mut transaction = self.begin_for(key.tenant_id).await?;
        sqlx::query(KNOW_TENANT)
            .bind(key.tenant_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        sqlx::query(PUT)
            .bind(key.prefix)
            .bind(key.tenant_id)
            .bind(key.name)
            .bind(key.scopes)
            .bind(&key.secret_hash[..])
            .bind(key.created_by)
            .bind(key.expires_in_s)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let after =
            serde_json::json!({ "name": key.name, "scopes": key.scopes, "expires_in_s": key.expires_in_s });
        let change = AuditChange {
            tenant_id: key.tenant_id,
            actor: key.created_by,
            action: "gateway key create",
            subject: key.prefix,
            before: None,
            after: Some(&after),
        };
        audit::append(&mut transaction, &change).await?;
        transaction.commit().await.map_err(Error::query(what))
    }

    /// A tenant's keys, revoked ones too, the oldest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn api_keys(&self, tenant_id: &str) -> Result<Vec<ApiKey>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(LIST).bind(tenant_id).fetch_all(&mut *transaction).await;
        Ok(rows.map_err(Error::query("list api keys"))?.iter().map(api_key).collect())
    }

    /// Revokes a key from now on, and notes it in the audit log. False when the tenant has none of that prefix that was not
    /// revoked before.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn revoke_api_key(&self, tenant_id: &str, prefix: &str, actor: &str) -> Result<bool, Error> {
        let what = "revoke an api key";
        let mut transaction = self.begin_for(tenant_id).await?;
        let done = sqlx::query(REVOKE).bind(prefix).bind(tenant_id).execute(&mut *transaction).await;
        if done.map_err(Error::query(what))?.rows_affected() == 0 {
            return Ok(false);
        }
        let (action, subject) = ("gateway key revoke", prefix);
        let change = AuditChange { tenant_id, actor, action, subject, before: None, after: None };
        audit::append(&mut transaction, &change).await?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(true)
    }

    /// What is known of a presented key; none where no key has this prefix.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn presented_api_key(&self, prefix: &str) -> Result<Option<PresentedKey>, Error> {
        let what = "look for an api key";
        let mut transaction = self.begin().await?;
        sqlx::query(PRESENT).bind(prefix).execute(&mut *transaction).await.map_err(Error::query(what))?;
        let row = sqlx::query(FIND).bind(prefix).fetch_optional(&mut *transaction).await;
        Ok(row.map_err(Error::query(what))?.map(|row| PresentedKey {
            tenant_id: row.get("tenant_id"),
            scopes: row.get("scopes"),
            secret_hash: row.get("secret_hash"),
            holds: row.get("holds"),
            is_stale: row.get("is_stale"),
        }))
    }

    /// Notes that a tenant's key was used now, at most once a minute.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn touch_api_key(&self, tenant_id: &str, prefix: &str) -> Result<(), Error> {
        let what = "note that an api key was used";
        let mut transaction = self.begin_for(tenant_id).await?;
        sqlx::query(TOUCH).bind(prefix).execute(&mut *transaction).await.map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }
}

fn api_key(row: &PgRow) -> ApiKey {
    ApiKey {
        prefix: row.get("prefix"),
        name: row.get("name"),
        scopes: row.get("scopes"),
        created_by: row.get("created_by"),
        created_at: row.get("created_ms"),
        expires_at: row.get("expires_ms"),
        revoked_at: row.get("revoked_ms"),
        last_used_at: row.get("used_ms"),
    }
}
