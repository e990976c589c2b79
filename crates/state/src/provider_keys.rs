//! Keys of tenants and users for providers of language models, as sealed bytes.
//!
//! Invariant: nothing here opens one. A row is replaced as a whole when a key is set, changed only if it is still the one that was
//! read when it is sealed anew, and emptied when it is revoked.

use crate::{Error, Store, batch::KNOW_TENANT};
use sqlx::{Row, postgres::PgRow};

pub(crate) const PUT: &str = "
INSERT INTO provider_keys AS kept (tenant_id, owner, provider, id, master_id, salt, nonce, ciphertext, purpose)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id, owner, provider) DO UPDATE SET id = excluded.id, master_id = excluded.master_id,
    salt = excluded.salt, nonce = excluded.nonce, ciphertext = excluded.ciphertext, purpose = excluded.purpose,
    consented_at = now(), sealed_at = now(), revoked_at = NULL, revoked_for = NULL";

pub(crate) const LIST: &str = "
SELECT owner, provider, id, master_id, salt, nonce, ciphertext, purpose,
    (extract(epoch FROM consented_at) * 1000)::bigint, (extract(epoch FROM revoked_at) * 1000)::bigint
FROM provider_keys WHERE tenant_id = $1 ORDER BY tenant_id, owner, provider";

pub(crate) const REVOKE: &str = "
UPDATE provider_keys SET salt = '', nonce = '', ciphertext = '', revoked_at = now()
WHERE tenant_id = $1 AND owner = $2 AND provider = $3 AND revoked_at IS NULL";

pub(crate) const RESEAL: &str = "
UPDATE provider_keys SET master_id = $6, salt = $7, nonce = $8, ciphertext = $9, sealed_at = now()
WHERE tenant_id = $1 AND owner = $2 AND provider = $3 AND id = $4 AND master_id = $5 AND revoked_at IS NULL";

/// Whose key, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    /// Tenant.
    pub tenant_id: String,
    /// User inside the tenant; empty for the tenant's own.
    pub owner: String,
    /// Provider that it opens.
    pub provider: String,
}

/// A key as sealed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Id of the row: another one each time that a key is set.
    pub id: Vec<u8>,
    /// Name of the master key.
    pub master_id: String,
    /// Salt.
    pub salt: Vec<u8>,
    /// Nonce.
    pub nonce: Vec<u8>,
    /// The sealed key; empty once it is revoked.
    pub ciphertext: Vec<u8>,
}

/// A key and what was agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderKey {
    /// Whose, for whom.
    pub name: KeyName,
    /// The key.
    pub key: SealedKey,
    /// What it may be used for.
    pub purpose: String,
    /// When that was agreed to, in ms.
    pub consented_at: i64,
    /// When it was revoked, in ms.
    pub revoked_at: Option<i64>,
}

impl Store {
    /// Keeps a key, instead of the one before it if there is one, with what its owner agreed to as of now.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn put_provider_key(
        &self,
        name: &KeyName,
        key: &SealedKey,
        purpose: &str,
    ) -> Result<(), Error> {
        let what = "keep a key of a provider";
        let mut transaction = self.begin_for(&name.tenant_id).await?;
        sqlx::query(KNOW_TENANT)
            .bind(&name.tenant_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        sqlx::query(PUT)
            .bind(&name.tenant_id)
            .bind(&name.owner)
            .bind(&name.provider)
            .bind(&key.id)
            .bind(&key.master_id)
            .bind(&key.salt)
            .bind(&key.nonce)
            .bind(&key.ciphertext)
            .bind(purpose)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }

    /// A tenant's keys, revoked ones too, by owner and provider.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn provider_keys(&self, tenant_id: &str) -> Result<Vec<ProviderKey>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(LIST).bind(tenant_id).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(Error::query("list keys of providers"))?;
        Ok(rows.iter().map(|row| provider_key(tenant_id, row)).collect())
    }

    /// Revokes a key and empties its bytes. False when there is none that holds.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn revoke_provider_key(&self, name: &KeyName) -> Result<bool, Error> {
        let what = "revoke a key of a provider";
        let mut transaction = self.begin_for(&name.tenant_id).await?;
        let done = sqlx::query(REVOKE)
            .bind(&name.tenant_id)
            .bind(&name.owner)
            .bind(&name.provider)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }

    /// Replaces the bytes of a key that is still the one that was read: false when it was set, revoked or sealed anew meanwhile.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn reseal_provider_key(
        &self,
        name: &KeyName,
        read: &SealedKey,
        resealed: &SealedKey,
    ) -> Result<bool, Error> {
        let what = "seal a key of a provider anew";
        let mut transaction = self.begin_for(&name.tenant_id).await?;
        let done = sqlx::query(RESEAL)
            .bind(&name.tenant_id)
            .bind(&name.owner)
            .bind(&name.provider)
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
}

fn provider_key(tenant_id: &str, row: &PgRow) -> ProviderKey {
    ProviderKey {
        name: KeyName { tenant_id: tenant_id.to_owned(), owner: row.get(0), provider: row.get(1) },
        key: SealedKey {
            id: row.get(2),
            master_id: row.get(3),
            salt: row.get(4),
            nonce: row.get(5),
            ciphertext: row.get(6),
        },
        purpose: row.get(7),
        consented_at: row.get(8),
        revoked_at: row.get(9),
    }
}
