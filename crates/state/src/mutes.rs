//! Chats that get no digests for a while.
//!
//! Invariant: what holds at a time is a function of the commands up to it: the newest one counts. The same command that comes
//! again changes nothing.

use crate::{Batch, Error, Store};
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

/// What a command says: the digests of a group are not posted to a chat from one time to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// The chat, as the group's target names it, without a topic.
    pub chat: String,
    /// When the command was sent, in ms.
    pub at_ms: i64,
    /// The message that was the command: it tells commands of the same time apart, and which came later.
    pub message_id: i64,
    /// Until when, in ms; not after `at_ms`: no longer.
    pub until_ms: i64,
}

/// A version that was not posted, since its chat was muted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MutedDelivery {
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Why, in words.
    pub error: Option<String>,
}

pub(crate) const PUT: &str = "
INSERT INTO chat_mutes (tenant_id, group_id, chat, at_ms, message_id, until_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING";

pub(crate) const UNTIL: &str = "
SELECT until_ms FROM chat_mutes WHERE tenant_id = $1 AND group_id = $2 AND chat = $3 AND at_ms <= $4
ORDER BY at_ms DESC, message_id DESC LIMIT 1";

pub(crate) const LIST: &str = "
SELECT group_id, digest_id, revision, attempt, channel, chat, error FROM deliveries
WHERE tenant_id = $1 AND status = 'muted'
ORDER BY tenant_id, window_id, channel, chat, revision, attempt, part LIMIT $2";

impl Store {
    /// Mutes a chat, or ends that.
    pub async fn mute_chat(&self, mute: &Mute) -> Result<(), Error> {
        let what = "mute a chat";
        let mut transaction = self.begin_for(&mute.tenant_id).await?;
        sqlx::query(PUT)
            .bind(&mute.tenant_id)
            .bind(&mute.group_id)
            .bind(&mute.chat)
            .bind(mute.at_ms)
            .bind(mute.message_id)
            .bind(mute.until_ms)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }

    /// Versions of a tenant's digests that muted chats did not get, by window, at most so many.
    pub async fn muted_deliveries(&self, tenant_id: &str, at_most: i64) -> Result<Vec<MutedDelivery>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(LIST).bind(tenant_id).bind(at_most).fetch_all(&mut *transaction).await;
        Ok(rows.map_err(Error::query("list what muted chats did not get"))?.iter().map(muted).collect())
    }
}

impl Batch {
    /// Until when a chat is muted at a time, in ms; none where it is not.
    pub async fn muted_until(
        &mut self,
        (tenant_id, group_id): (&str, &str),
        chat: &str,
        at_ms: i64,
    ) -> Result<Option<i64>, Error> {
        let until: Option<i64> = sqlx::query_scalar(UNTIL)
            .bind(tenant_id)
            .bind(group_id)
            .bind(chat)
            .bind(at_ms)
            .fetch_optional(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("look whether a chat is muted"))?;
        Ok(until.filter(|until| *until > at_ms))
    }
}

fn muted(row: &PgRow) -> MutedDelivery {
    MutedDelivery {
        group_id: row.get(0),
        digest_id: row.get(1),
        version: schemas::Version { revision: row.get(2), attempt: row.get(3) }.to_string(),
        channel: row.get(4),
        chat: row.get(5),
        error: row.get(6),
    }
}
