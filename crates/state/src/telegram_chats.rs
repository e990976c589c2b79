//! Which group a Telegram chat is.
//!
//! Invariant: a chat is one group at most, and stays it until somebody says otherwise.

use crate::{Error, Store};
use sqlx::{Row, postgres::PgRow};

/// A chat and its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramChat {
    /// The chat's id, as bots see it.
    pub chat_id: i64,
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
}

pub(crate) const FIND: &str = "
SELECT wanted.chat_id, linked.tenant_id, linked.group_id
FROM unnest($1::bigint[]) AS wanted (chat_id)
CROSS JOIN LATERAL (
    SELECT tenant_id, group_id FROM telegram_chats WHERE telegram_chats.chat_id = wanted.chat_id LIMIT 1
) AS linked";

pub(crate) const LIST: &str = "SELECT chat_id, tenant_id, group_id FROM telegram_chats ORDER BY chat_id";

pub(crate) const LINK: &str = "
INSERT INTO telegram_chats (chat_id, tenant_id, group_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

pub(crate) const UNLINK: &str = "
DELETE FROM telegram_chats WHERE chat_id = $1 RETURNING chat_id, tenant_id, group_id";

fn chat(row: &PgRow) -> TelegramChat {
    TelegramChat { chat_id: row.get(0), tenant_id: row.get(1), group_id: row.get(2) }
}

impl Store {
    /// Those of the chats that are linked.
    pub async fn telegram_chats(&self, chats: &[i64]) -> Result<Vec<TelegramChat>, Error> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(FIND).bind(chats).fetch_all(&mut *transaction).await;
        Ok(rows.map_err(Error::query("look for the groups of chats"))?.iter().map(chat).collect())
    }

    /// All linked chats, by id.
    pub async fn all_telegram_chats(&self) -> Result<Vec<TelegramChat>, Error> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(LIST).fetch_all(&mut *transaction).await;
        Ok(rows.map_err(Error::query("list the chats that are linked"))?.iter().map(chat).collect())
    }

    /// Links a chat that is not linked. True when it was not.
    pub async fn link_telegram_chat(&self, chat: &TelegramChat) -> Result<bool, Error> {
        let what = "link a chat";
        let mut transaction = self.begin().await?;
        let done = sqlx::query(LINK)
            .bind(chat.chat_id)
            .bind(&chat.tenant_id)
            .bind(&chat.group_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a chat's link away; gives it, if there was one.
    pub async fn unlink_telegram_chat(&self, chat_id: i64) -> Result<Option<TelegramChat>, Error> {
        let what = "unlink a chat";
        let mut transaction = self.begin().await?;
        let row = sqlx::query(UNLINK).bind(chat_id).fetch_optional(&mut *transaction).await;
        let unlinked = row.map_err(Error::query(what))?.as_ref().map(chat);
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(unlinked)
    }
}
