//! Chats that users' own sessions read, and how sessions end.
//!
//! Invariant: a chat is read by one account or by a bot, never by both; it is a group's all the while.

use crate::{
    Error, KeyName, Store, TelegramChat,
    telegram_chats::{FIND, LINK},
};
use sqlx::{Row, postgres::PgRow};
use std::collections::{BTreeMap, BTreeSet};

/// A chat that a session reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionChat {
    /// The chat, as bots see it, and its group.
    pub chat: TelegramChat,
    /// The account's number.
    pub user_id: i64,
    /// What proves to Telegram that the account knows the chat; 0 for a basic group.
    pub access_hash: i64,
    /// What the chat is called.
    pub title: String,
    /// Count of its updates when it was taken; none for a basic group.
    pub begin_pts: Option<i32>,
    /// Id of its newest message then.
    pub begin_message: i64,
    /// From when on what was before is read, in ms; none: it is not.
    pub history_from: Option<i64>,
    /// When it was taken, in ms. Not looked at when it is.
    pub taken_at: i64,
}

/// What came of taking a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatTaken {
    /// The session reads it from now on; `from_bot`: a bot did until now.
    Read {
        /// It was linked before.
        from_bot: bool,
    },
    /// It is another group's.
    OfAnotherGroup(TelegramChat),
    /// A session of this account reads it.
    ReadBy(i64),
    /// The group is another chat's already, and their messages have the same ids.
    GroupHasChat(i64),
}

/// Links are looked up one by one, however many chats of bots there are.
pub(crate) const SESSION_CHATS: &str = "
SELECT taken.chat_id, linked.tenant_id, linked.group_id, taken.user_id, taken.access_hash, taken.title, taken.begin_pts,
    taken.begin_message, taken.history_from_ms, (extract(epoch FROM taken.taken_at) * 1000)::bigint
FROM telegram_session_chats AS taken
CROSS JOIN LATERAL (SELECT tenant_id, group_id FROM telegram_chats WHERE chat_id = taken.chat_id LIMIT 1) AS linked
ORDER BY taken.chat_id";

pub(crate) const TAKE: &str = "
INSERT INTO telegram_session_chats
    (chat_id, user_id, access_hash, title, begin_pts, begin_message, history_from_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

pub(crate) const TAKEN: &str = "SELECT chat_id, user_id FROM telegram_session_chats WHERE chat_id = ANY($1)";

pub(crate) const OTHERS: &str = "
SELECT chat_id FROM telegram_chats WHERE tenant_id = $1 AND group_id = $2 AND chat_id <> $3 ORDER BY chat_id LIMIT 1";

pub(crate) const SESSION_ENDED: &str = "
UPDATE provider_keys SET salt = '', nonce = '', ciphertext = '', revoked_at = now(), revoked_for = $5
WHERE tenant_id = $1 AND owner = $2 AND provider = $3 AND id = $4 AND revoked_at IS NULL";

pub(crate) const WHY_ENDED: &str = "
SELECT owner, revoked_for FROM provider_keys
WHERE tenant_id = $1 AND revoked_for IS NOT NULL ORDER BY tenant_id, owner, provider";

pub(crate) const PLACED: &str = "
SELECT DISTINCT ON (id) id, sent_at_ms, revision, deleted FROM messages
WHERE tenant_id = $1 AND group_id = $2 AND id = ANY($3)
ORDER BY id, deleted DESC, revision DESC";

fn session_chat(row: &PgRow) -> SessionChat {
    SessionChat {
        chat: TelegramChat { chat_id: row.get(0), tenant_id: row.get(1), group_id: row.get(2) },
        user_id: row.get(3),
        access_hash: row.get(4),
        title: row.get(5),
        begin_pts: row.get(6),
        begin_message: row.get(7),
        history_from: row.get(8),
        taken_at: row.get(9),
    }
}

impl Store {
    /// All chats that sessions read, by id.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn session_chats(&self) -> Result<Vec<SessionChat>, Error> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(SESSION_CHATS).fetch_all(&mut *transaction).await;
        Ok(rows
            .map_err(Error::query("list the chats that sessions read"))?
            .iter()
            .map(session_chat)
            .collect())
    }

    /// Those of the chats that sessions read, which no bot tells messages of.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn chats_of_sessions(&self, chats: &[i64]) -> Result<BTreeSet<i64>, Error> {
        if chats.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(TAKEN).bind(chats).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(Error::query("look which chats are read by sessions"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Lets a session read a chat, which is linked to its group with that. `follows` is a chat that has become this one.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn take_chat(&self, wanted: &SessionChat, follows: Option<i64>) -> Result<ChatTaken, Error> {
        let what = "let a session read a chat";
        let mut transaction = self.begin().await?;
        let TelegramChat { chat_id, tenant_id, group_id } = &wanted.chat;
        let other = sqlx::query(OTHERS)
            .bind(tenant_id)
            .bind(group_id)
            .bind(chat_id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query(what))?
            .map(|row| row.get::<i64, _>(0));
        if let Some(other) = other.filter(|other| Some(*other) != follows) {
            return Ok(ChatTaken::GroupHasChat(other));
        }
        let linked = sqlx::query(LINK)
            .bind(chat_id)
            .bind(tenant_id)
            .bind(group_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let found = sqlx::query(FIND).bind(vec![*chat_id]).fetch_optional(&mut *transaction).await;
        if let Some(row) = found.map_err(Error::query(what))? {
            let found = TelegramChat { chat_id: row.get(0), tenant_id: row.get(1), group_id: row.get(2) };
            if found != wanted.chat {
                return Ok(ChatTaken::OfAnotherGroup(found));
            }
        }
        let taken = sqlx::query(TAKE)
            .bind(chat_id)
            .bind(wanted.user_id)
            .bind(wanted.access_hash)
            .bind(&wanted.title)
            .bind(wanted.begin_pts)
            .bind(wanted.begin_message)
            .bind(wanted.history_from)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        if taken.rows_affected() == 0 {
            let row = sqlx::query(TAKEN).bind(vec![*chat_id]).fetch_one(&mut *transaction).await;
            return Ok(ChatTaken::ReadBy(row.map_err(Error::query(what))?.get(1)));
        }
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(ChatTaken::Read { from_bot: linked.rows_affected() == 0 })
    }

    /// Keeps why a session is over, and empties its bytes, if it is still the one with this id.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn end_session(&self, name: &KeyName, id: &[u8], why: &str) -> Result<bool, Error> {
        let what = "keep why a session is over";
        let mut transaction = self.begin_for(&name.tenant_id).await?;
        let done = sqlx::query(SESSION_ENDED)
            .bind(&name.tenant_id)
            .bind(&name.owner)
            .bind(&name.provider)
            .bind(id)
            .bind(why)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }

    /// Why keys of a tenant are used no more, by owner.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn ended_sessions(&self, tenant_id: &str) -> Result<BTreeMap<String, String>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(WHY_ENDED).bind(tenant_id).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(Error::query("look why sessions are over"))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// When messages of a group were sent, and their newest revision, both in ms: id, time, revision. Those that are not there or
    /// are gone are left out.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn placed_messages(
        &self,
        (tenant_id, group_id): (&str, &str),
        ids: &[i64],
    ) -> Result<Vec<(i64, i64, i64)>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows =
            sqlx::query(PLACED).bind(tenant_id).bind(group_id).bind(ids).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(Error::query("look when messages were sent"))?;
        let there = rows.iter().filter(|row| !row.get::<bool, _>(3));
        Ok(there.map(|row| (row.get(0), row.get(1), row.get(2))).collect())
    }
}
