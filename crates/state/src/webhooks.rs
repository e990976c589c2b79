//! Where digests are posted to, and what requests are signed with, as sealed bytes.
//!
//! Invariant: nothing here opens a secret; one that is replaced holds until its end and is gone after it.

use crate::{Batch, Error, SealedKey, Store, batch::KNOW_TENANT};
use sqlx::{PgConnection, Row, postgres::PgRow};

pub(crate) const FIND: &str = "
SELECT group_id FROM webhooks WHERE tenant_id = $1 AND group_id IN ('', $2) ORDER BY tenant_id DESC, group_id DESC LIMIT 1";

pub(crate) const LIST: &str = "
SELECT group_id, url, (extract(epoch FROM set_at) * 1000)::bigint FROM webhooks
WHERE tenant_id = $1 ORDER BY tenant_id, group_id";

pub(crate) const GET: &str = "SELECT url FROM webhooks WHERE tenant_id = $1 AND group_id = $2";

pub(crate) const SECRETS: &str = "
SELECT id, master_id, salt, nonce, ciphertext, (extract(epoch FROM ends_at) * 1000)::bigint
FROM webhook_secrets WHERE tenant_id = $1 AND group_id = $2 AND (ends_at IS NULL OR ends_at > now())
ORDER BY made_at DESC";

pub(crate) const SET: &str = "
INSERT INTO webhooks (tenant_id, group_id, url) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, group_id) DO UPDATE SET url = excluded.url, set_at = now()";

pub(crate) const ADD_SECRET: &str = "
INSERT INTO webhook_secrets (tenant_id, group_id, id, master_id, salt, nonce, ciphertext)
VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(crate) const END_SECRETS: &str = "
UPDATE webhook_secrets SET ends_at = least(ends_at, now() + make_interval(hours => $3))
WHERE tenant_id = $1 AND group_id = $2";

pub(crate) const FORGET_SECRETS: &str = "
DELETE FROM webhook_secrets WHERE tenant_id = $1 AND group_id = $2 AND ends_at <= now()";

pub(crate) const RESEAL: &str = "
UPDATE webhook_secrets SET master_id = $5, salt = $6, nonce = $7, ciphertext = $8
WHERE tenant_id = $1 AND group_id = $2 AND id = $3 AND master_id = $4";

pub(crate) const REMOVE: &str = "DELETE FROM webhooks WHERE tenant_id = $1 AND group_id = $2";

/// Where digests are posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Group; empty for all groups of the tenant that have none of their own.
    pub group_id: String,
    /// Address.
    pub url: String,
    /// When it was set, in ms.
    pub set_at: i64,
}

/// A secret that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    /// The secret.
    pub key: SealedKey,
    /// When it holds no more, in ms; none for the newest.
    pub ends_at: Option<i64>,
}

impl Batch {
    /// Whose webhook gets a group's digests: the group's own name, or an empty one for the tenant's; `None` where there is none.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn webhook_of(&mut self, tenant_id: &str, group_id: &str) -> Result<Option<String>, Error> {
        sqlx::query_scalar(FIND)
            .bind(tenant_id)
            .bind(group_id)
            .fetch_optional(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("look for a webhook"))
    }
}

impl Store {
    /// A tenant's webhooks, by group.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn webhooks(&self, tenant_id: &str) -> Result<Vec<Webhook>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(LIST).bind(tenant_id).fetch_all(&mut *transaction).await;
        let webhook = |row: &PgRow| Webhook { group_id: row.get(0), url: row.get(1), set_at: row.get(2) };
        Ok(rows.map_err(Error::query("list webhooks"))?.iter().map(webhook).collect())
    }

    /// The address of a webhook, and the secrets that hold, the newest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn webhook(
        &self,
        tenant_id: &str,
        group_id: &str,
    ) -> Result<Option<(String, Vec<WebhookSecret>)>, Error> {
        let what = "read a webhook";
        let mut transaction = self.begin_for(tenant_id).await?;
        let url: Option<String> = sqlx::query_scalar(GET)
            .bind(tenant_id)
            .bind(group_id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let Some(url) = url else { return Ok(None) };
        let rows = sqlx::query(SECRETS)
            .bind(tenant_id)
            .bind(group_id)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        Ok(Some((url, rows.iter().map(secret).collect())))
    }

    /// Sets the address of a webhook; `secret` is its first one and left out where there is one. True where it was.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn set_webhook(
        &self,
        (tenant_id, group_id): (&str, &str),
        url: &str,
        secret: &SealedKey,
    ) -> Result<bool, Error> {
        let what = "set a webhook";
        let mut transaction = self.begin_for(tenant_id).await?;
        sqlx::query(KNOW_TENANT)
            .bind(tenant_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        sqlx::query(SET)
            .bind(tenant_id)
            .bind(group_id)
            .bind(url)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let known = sqlx::query(SECRETS)
            .bind(tenant_id)
            .bind(group_id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        if known.is_none() {
            add(&mut transaction, (tenant_id, group_id), secret).await?;
        }
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(known.is_some())
    }

    /// Adds a secret; those before it hold for so many hours more at most. False where there is no such webhook.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn rotate_webhook(
        &self,
        (tenant_id, group_id): (&str, &str),
        secret: &SealedKey,
        hours: i32,
    ) -> Result<bool, Error> {
        let what = "replace the secret of a webhook";
        let mut transaction = self.begin_for(tenant_id).await?;
        let found = sqlx::query(GET)
            .bind(tenant_id)
            .bind(group_id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        if found.is_none() {
            return Ok(false);
        }
        sqlx::query(END_SECRETS)
            .bind(tenant_id)
            .bind(group_id)
            .bind(hours)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        sqlx::query(FORGET_SECRETS)
            .bind(tenant_id)
            .bind(group_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        add(&mut transaction, (tenant_id, group_id), secret).await?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(true)
    }

    /// Replaces the bytes of a secret that is still sealed as it was read.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn reseal_webhook(
        &self,
        (tenant_id, group_id): (&str, &str),
        read: &SealedKey,
        resealed: &SealedKey,
    ) -> Result<bool, Error> {
        let what = "seal the secret of a webhook anew";
        let mut transaction = self.begin_for(tenant_id).await?;
        let done = sqlx::query(RESEAL)
            .bind(tenant_id)
            .bind(group_id)
            .bind(&read.id)
            .bind(&read.master_id)
            .bind(&resealed.master_id)
            .bind(&resealed.salt)
            .bind(&resealed.nonce)
            .bind(&resealed.ciphertext)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes a webhook with its secrets. False where there is none.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn remove_webhook(&self, tenant_id: &str, group_id: &str) -> Result<bool, Error> {
        let what = "remove a webhook";
        let mut transaction = self.begin_for(tenant_id).await?;
        let done = sqlx::query(REMOVE)
            .bind(tenant_id)
            .bind(group_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }
}

async fn add(
    connection: &mut PgConnection,
    (tenant_id, group_id): (&str, &str),
    secret: &SealedKey,
) -> Result<(), Error> {
    sqlx::query(ADD_SECRET)
        .bind(tenant_id)
        .bind(group_id)
        .bind(&secret.id)
        .bind(&secret.master_id)
        .bind(&secret.salt)
        .bind(&secret.nonce)
        .bind(&secret.ciphertext)
        .execute(connection)
        .await
        .map_err(Error::query("keep the secret of a webhook"))?;
    Ok(())
}

fn secret(row: &PgRow) -> WebhookSecret {
    let key = SealedKey {
        id: row.get(0),
        master_id: row.get(1),
        salt: row.get(2),
        nonce: row.get(3),
        ciphertext: row.get(4),
    };
    WebhookSecret { key, ends_at: row.get(5) }
}
