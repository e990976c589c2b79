//! Who gets a group's digests by mail. Invariant: nobody is here whom an operator has not added.

use crate::{Batch, Error, Store, batch::KNOW_TENANT};
use sqlx::Row;

/// Most recipients of a group.
pub const RECIPIENTS_MAX: i64 = 200;

pub(crate) const OF_GROUP: &str = "
SELECT address FROM mail_recipients WHERE tenant_id = $1 AND group_id = $2 ORDER BY tenant_id, group_id, address";

pub(crate) const LIST: &str = "
SELECT group_id, address, (extract(epoch FROM added_at) * 1000)::bigint FROM mail_recipients
WHERE tenant_id = $1 ORDER BY tenant_id, group_id, address";

pub(crate) const ADD: &str = "
INSERT INTO mail_recipients (tenant_id, group_id, address)
SELECT $1, $2, $3 WHERE (SELECT count(*) FROM mail_recipients WHERE tenant_id = $1 AND group_id = $2) < $4
ON CONFLICT DO NOTHING";

pub(crate) const REMOVE: &str =
    "DELETE FROM mail_recipients WHERE tenant_id = $1 AND group_id = $2 AND address = $3";

/// Who gets a group's digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRecipient {
    /// Group.
    pub group_id: String,
    /// Address.
    pub address: String,
    /// Since when, in ms.
    pub added_at: i64,
}

impl Batch {
    /// Addresses that get a group's digests.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn mail_recipients(&mut self, tenant_id: &str, group_id: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(OF_GROUP)
            .bind(tenant_id)
            .bind(group_id)
            .fetch_all(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("look for recipients of mail"))
    }
}

impl Store {
    /// Recipients of a tenant, by group and address.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn mail_recipients(&self, tenant_id: &str) -> Result<Vec<MailRecipient>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(LIST).bind(tenant_id).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(Error::query("list recipients of mail"))?;
        let recipient = |row: &sqlx::postgres::PgRow| MailRecipient {
            group_id: row.get(0),
            address: row.get(1),
            added_at: row.get(2),
        };
        Ok(rows.iter().map(recipient).collect())
    }

    /// Whether an address gets a group's digests.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn is_mail_recipient(&self, of: (&str, &str), address: &str) -> Result<bool, Error> {
        let mut transaction = self.begin_for(of.0).await?;
        let found: Vec<String> = sqlx::query_scalar(OF_GROUP)
            .bind(of.0)
            .bind(of.1)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("look for recipients of mail"))?;
        Ok(found.iter().any(|known| known == address))
    }

    /// Adds a recipient. False where it is one already, or the group has [`RECIPIENTS_MAX`].
    ///
    /// # Errors
    /// Those of any write.
    pub async fn add_mail_recipient(
        &self,
        (tenant_id, group_id): (&str, &str),
        address: &str,
    ) -> Result<bool, Error> {
        let what = "add a recipient of mail";
        let mut transaction = self.begin_for(tenant_id).await?;
        sqlx::query(KNOW_TENANT)
            .bind(tenant_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let done = sqlx::query(ADD)
            .bind(tenant_id)
            .bind(group_id)
            .bind(address)
            .bind(RECIPIENTS_MAX)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes a recipient. False where it is none.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn remove_mail_recipient(
        &self,
        (tenant_id, group_id): (&str, &str),
        address: &str,
    ) -> Result<bool, Error> {
        let what = "remove a recipient of mail";
        let mut transaction = self.begin_for(tenant_id).await?;
        let done = sqlx::query(REMOVE)
            .bind(tenant_id)
            .bind(group_id)
            .bind(address)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }
}
