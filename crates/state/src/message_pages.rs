//! Groups and their messages page by page, and the messages that a statement rests on, as programs read them.
//!
//! Invariant: a message is there once, in its newest state, and not at all once it is deleted.

use crate::{Error, Store, stored_message::stored_message};
use schemas::Message;
use sqlx::{Row, postgres::PgRow};

/// A group that has messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKnown {
    /// Group.
    pub group_id: String,
    /// When the newest of its messages was sent, in ms.
    pub last_sent_at: i64,
}

/// Which page of a group's messages.
#[derive(Debug, Clone)]
pub struct MessagePage {
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// Sent at or after this time in ms.
    pub since_ms: i64,
    /// Sent before this time in ms.
    pub until_ms: i64,
    /// After the message of this time and id; from the first when absent.
    pub after: Option<(i64, i64)>,
    /// Most messages.
    pub limit: u32,
}

/// The groups by name: from each to the next by the primary key, since a tenant has few groups and many messages. A time
/// is compared with the least there is, so that the index by time serves: deletions have none.
pub(crate) const GROUPS: &str = "
WITH RECURSIVE known AS (
    (SELECT group_id FROM messages WHERE tenant_id = $1 AND group_id > $2 ORDER BY group_id LIMIT 1)
    UNION ALL
    SELECT next.group_id FROM known CROSS JOIN LATERAL (
        SELECT group_id FROM messages WHERE tenant_id = $1 AND messages.group_id > known.group_id
        ORDER BY group_id LIMIT 1
    ) AS next
)
SELECT known.group_id, newest.sent_at_ms FROM known CROSS JOIN LATERAL (
    SELECT sent_at_ms FROM messages
    WHERE tenant_id = $1 AND messages.group_id = known.group_id AND sent_at_ms > -9223372036854775808
    ORDER BY sent_at_ms DESC LIMIT 1
) AS newest
LIMIT $3";

pub(crate) const GROUP: &str = "
SELECT group_id, sent_at_ms FROM messages
WHERE tenant_id = $1 AND group_id = $2 AND sent_at_ms > -9223372036854775808
ORDER BY sent_at_ms DESC LIMIT 1";

/// States by time, of which each message's newest is let through: the page ends the walk.
pub(crate) const PAGE: &str = "
SELECT state.id, state.revision, state.kind, state.sent_at_ms, state.author_id, state.author_name,
    state.author_is_bot, state.text, state.reply_to, state.topic_id, state.extra::text AS extra
FROM (
    SELECT id, revision, source_offset, sent_at_ms FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND sent_at_ms >= $3 AND sent_at_ms < $4 AND (sent_at_ms, id) > ($5, $6)
    ORDER BY sent_at_ms, id
) AS inside
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = inside.id
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS state
LEFT JOIN LATERAL (
    SELECT deleted FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = inside.id AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true
WHERE state.revision = inside.revision AND state.source_offset = inside.source_offset AND gone.deleted IS NULL
ORDER BY inside.sent_at_ms, inside.id LIMIT $7";

/// As of a place in the log, as a digest saw them; without those that were deleted since.
pub(crate) const CITED: &str = "
SELECT state.id, state.revision, state.kind, state.sent_at_ms, state.author_id, state.author_name,
    state.author_is_bot, state.text, state.reply_to, state.topic_id, state.extra::text AS extra
FROM unnest($3::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_partition = $4
        AND source_offset <= $5
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS state
LEFT JOIN LATERAL (
    SELECT deleted FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true
WHERE gone.deleted IS NULL
ORDER BY state.sent_at_ms, state.id";

impl Store {
    /// Groups of a tenant that have messages, by name, after `after`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn group_page(
        &self,
        tenant_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<GroupKnown>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(GROUPS).bind(tenant_id).bind(after.unwrap_or_default()).bind(i64::from(limit));
        let rows = rows.fetch_all(&mut *transaction).await.map_err(Error::query("list groups"))?;
        Ok(rows.iter().map(group).collect())
    }

    /// A group, if it has messages.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn group_known(&self, tenant_id: &str, group_id: &str) -> Result<Option<GroupKnown>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let row = sqlx::query(GROUP).bind(tenant_id).bind(group_id).fetch_optional(&mut *transaction).await;
        Ok(row.map_err(Error::query("look for a group"))?.as_ref().map(group))
    }

    /// Messages of a group by time, the oldest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn message_page(&self, page: &MessagePage) -> Result<Vec<Message>, Error> {
        let (after_ms, after_id) = page.after.unwrap_or((i64::MIN, i64::MIN));
        let mut transaction = self.begin_for(&page.tenant_id).await?;
        let rows = sqlx::query(PAGE)
            .bind(&page.tenant_id)
            .bind(&page.group_id)
            .bind(page.since_ms.max(after_ms))
            .bind(page.until_ms)
            .bind(after_ms)
            .bind(after_id)
            .bind(i64::from(page.limit))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("list messages"))?;
        rows.iter().map(stored_message).collect()
    }

    /// Messages with these ids as of a place in a group's log, by time; those that were deleted since are left out.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn cited_messages(
        &self,
        (tenant_id, group_id): (&str, &str),
        (partition, offset): (i32, i64),
        ids: &[i64],
    ) -> Result<Vec<Message>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(CITED)
            .bind(tenant_id)
            .bind(group_id)
            .bind(ids)
            .bind(partition)
            .bind(offset)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read cited messages"))?;
        rows.iter().map(stored_message).collect()
    }
}

fn group(row: &PgRow) -> GroupKnown {
    GroupKnown { group_id: row.get("group_id"), last_sent_at: row.get("sent_at_ms") }
}
