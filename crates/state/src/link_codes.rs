//! Codes that link a Telegram chat to a group, once.
//!
//! Invariant: a code and the chat that it linked change in one transaction, and the same command finds what it did before:
//! a source that was killed before it had said so burns no code.

use crate::{
    Error, Store, TelegramChat,
    telegram_chats::{FIND, LINK},
};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::time::Duration;

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// The chat is the group's now.
    Linked,
    /// The chat is another group's; the code can be used elsewhere.
    OfAnotherGroup,
    /// There is no such code, or no more.
    NoCode,
}

pub(crate) const MAKE: &str = "
INSERT INTO link_codes (code_hash, tenant_id, group_id, expires_at)
VALUES ($1, $2, $3, now() + make_interval(secs => $4))";

/// Two days later no command can come again: Telegram keeps updates for one.
pub(crate) const FORGET: &str = "DELETE FROM link_codes WHERE expires_at < now() - interval '2 days'";

pub(crate) const USABLE: &str = "
SELECT tenant_id, group_id, used_by IS NOT NULL FROM link_codes
WHERE code_hash = $1 AND coalesce(used_by = $2, expires_at > now())
FOR UPDATE";

pub(crate) const USE: &str = "UPDATE link_codes SET used_by = $2 WHERE code_hash = $1";

impl Store {
    /// Keeps the hash of a code that links a chat to a group within this time. Codes that are long over are forgotten.
    pub async fn make_link_code(
        &self,
        hash: &[u8],
        (tenant_id, group_id): (&str, &str),
        valid_for: Duration,
    ) -> Result<(), Error> {
        let what = "keep a code that links a chat";
        let mut transaction = self.begin().await?;
        sqlx::query(FORGET).execute(&mut *transaction).await.map_err(Error::query(what))?;
        sqlx::query(MAKE)
            .bind(hash)
            .bind(tenant_id)
            .bind(group_id)
            .bind(valid_for.as_secs_f64())
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }

    /// Links a chat by the code with this hash, which a command has brought.
    pub async fn redeem_link_code(
        &self,
        hash: &[u8],
        chat_id: i64,
        command_id: &str,
    ) -> Result<Redeemed, Error> {
        let what = "link a chat by a code";
        let mut transaction = self.begin().await?;
        let found = sqlx::query(USABLE)
            .bind(hash)
            .bind(command_id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let Some(found) = found else { return Ok(Redeemed::NoCode) };
        if found.get(2) {
            return Ok(Redeemed::Linked);
        }
        let wanted = TelegramChat { chat_id, tenant_id: found.get(0), group_id: found.get(1) };
        if !link(&mut transaction, &wanted).await.map_err(Error::query(what))? {
            return Ok(Redeemed::OfAnotherGroup);
        }
        let using = sqlx::query(USE).bind(hash).bind(command_id).execute(&mut *transaction).await;
        using.map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(Redeemed::Linked)
    }
}

/// Links a chat; false where it is another group's.
async fn link(connection: &mut PgConnection, wanted: &TelegramChat) -> Result<bool, sqlx::Error> {
    sqlx::query(LINK)
        .bind(wanted.chat_id)
        .bind(&wanted.tenant_id)
        .bind(&wanted.group_id)
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query(FIND).bind(vec![wanted.chat_id]).fetch_optional(connection).await?;
    let is_owner = |row: PgRow| (row.get(1), row.get(2)) == (&*wanted.tenant_id, &*wanted.group_id);
    Ok(row.is_some_and(is_owner))
}
