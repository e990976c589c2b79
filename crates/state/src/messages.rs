//! Message states on their way into the append-only table, in bulk.
//!
//! Invariant: a state becomes a row only when it differs from the newest one of its (id, revision) before it in the log,
//! so that the same batch, written twice or cut elsewhere, gives the same rows.

use crate::{
    Batch, Error, Store, author_names,
    json::{storable, to_jsonb},
    staging::{Staged, stage},
};
use schemas::{Entity, Forward, Media, Message, Reaction};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row};
use std::borrow::Cow;

/// A message state and its place in the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MessageRow<'a> {
    /// Tenant.
    pub tenant_id: &'a str,
    /// Group.
    pub group_id: &'a str,
    /// Partition of `group.message.ingested`.
    pub source_partition: i32,
    /// Offset of the record that holds the state.
    pub source_offset: i64,
    /// The state.
    pub message: &'a Message,
}

impl<'a> MessageRow<'a> {
    /// What the states of one revision of a message share.
    pub(crate) fn state(&self) -> (&'a str, &'a str, i64, i64) {
        (self.tenant_id, self.group_id, self.message.id, self.message.revision)
    }

    pub(crate) fn key(&self) -> ((&'a str, &'a str, i64, i64), i64) {
        (self.state(), self.source_offset)
    }
}

/// What a message has that no column holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Extra<'a> {
    #[serde(default, skip_serializing_if = "<[Entity]>::is_empty")]
    pub(crate) entities: Cow<'a, [Entity]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media: Option<Cow<'a, Media>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forward: Option<Cow<'a, Forward>>,
    #[serde(default, skip_serializing_if = "<[Reaction]>::is_empty")]
    pub(crate) reactions: Cow<'a, [Reaction]>,
}

/// JSON of the column `extra`; none when there is nothing to say.
fn extra(message: &Message) -> Result<Option<String>, Error> {
    let extra = Extra {
        entities: Cow::Borrowed(&message.entities),
        media: message.media.as_ref().map(Cow::Borrowed),
        forward: message.forward.as_ref().map(Cow::Borrowed),
        reactions: Cow::Borrowed(&message.reactions),
    };
    let empty = extra.entities.is_empty() && extra.media.is_none();
    if empty && extra.forward.is_none() && extra.reactions.is_empty() {
        return Ok(None);
    }
    to_jsonb("message", &extra).map(Some)
}

/// Rows of one tenant as arrays, in one round trip. A COPY into a temporary table first is no faster (1,000 to 60,000 rows,
/// Postgres 18 on loopback), and below 1,000 rows it waits 40 ms: the driver writes its last two packets apart and does
/// not set `TCP_NODELAY`.
const APPEND: &str = "
INSERT INTO messages (tenant_id, group_id, id, revision, source_offset, source_partition, kind, sent_at_ms,
    author_id, author_name, author_is_bot, text, reply_to, topic_id, extra)
SELECT $1, s.group_id, s.id, s.revision, s.source_offset, s.source_partition, s.kind, s.sent_at_ms,
    s.author_id, s.author_name, s.author_is_bot, s.text, s.reply_to, s.topic_id, s.extra::jsonb
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[], $7::text[], $8::bigint[],
    $9::text[], $10::text[], $11::boolean[], $12::text[], $13::bigint[], $14::bigint[], $15::text[], $16::boolean[])
    AS s (group_id, id, revision, source_offset, source_partition, kind, sent_at_ms,
        author_id, author_name, author_is_bot, text, reply_to, topic_id, extra, is_first)
WHERE NOT (s.is_first AND EXISTS (
    SELECT FROM (
        SELECT * FROM messages m
        WHERE m.tenant_id = $1 AND m.group_id = s.group_id AND m.id = s.id AND m.revision = s.revision
            AND m.source_offset < s.source_offset
        ORDER BY m.source_offset DESC LIMIT 1
    ) AS newest
    WHERE (newest.kind, newest.sent_at_ms, newest.author_id, newest.author_name, newest.author_is_bot, newest.text,
            newest.reply_to, newest.topic_id, newest.extra)
        IS NOT DISTINCT FROM
        (s.kind, s.sent_at_ms, s.author_id, s.author_name, s.author_is_bot, s.text, s.reply_to, s.topic_id,
            s.extra::jsonb)))
ORDER BY s.group_id, s.id, s.revision, s.source_offset
ON CONFLICT DO NOTHING";

/// One column of rows, as a bind parameter.
fn column<'a, T>(staged: &[Staged<'a>], field: impl Fn(&'a Message) -> T) -> Vec<T> {
    staged.iter().map(|staged| field(staged.row.message)).collect()
}

fn author<'a, T>(message: &'a Message, field: impl Fn(&'a schemas::Author) -> T) -> Option<T> {
    message.author.as_ref().map(field)
}

async fn append(connection: &mut PgConnection, rows: &[Staged<'_>]) -> Result<u64, Error> {
    let extras = rows.iter().map(|staged| extra(staged.row.message)).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = rows.first() else { return Ok(0) };
    let done = sqlx::query(APPEND)
        .bind(first.row.tenant_id)
        .bind(rows.iter().map(|staged| staged.row.group_id).collect::<Vec<_>>())
        .bind(column(rows, |message| message.id))
        .bind(column(rows, |message| message.revision))
        .bind(rows.iter().map(|staged| staged.row.source_offset).collect::<Vec<_>>())
        .bind(rows.iter().map(|staged| staged.row.source_partition).collect::<Vec<_>>())
        .bind(column(rows, |message| storable(&message.kind)))
        .bind(column(rows, |message| message.sent_at))
        .bind(column(rows, |message| author(message, |author| storable(&author.id))))
        .bind(column(rows, |message| author(message, |author| storable(&author.name))))
        .bind(column(rows, |message| author(message, |author| author.is_bot)))
        .bind(column(rows, |message| storable(&message.text)))
        .bind(column(rows, |message| message.reply_to))
        .bind(column(rows, |message| message.topic_id))
        .bind(extras)
        .bind(rows.iter().map(|staged| staged.first).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map_err(Error::query("write messages"))?;
    Ok(done.rows_affected())
}

impl Batch {
    /// Adds the states that are new; returns how many those are.
    pub async fn insert_messages(&mut self, rows: &[MessageRow<'_>]) -> Result<u64, Error> {
        let staged = stage(rows);
        let mut added = 0;
        for of_tenant in staged.chunk_by(|left, right| left.row.tenant_id == right.row.tenant_id) {
            let tenant = of_tenant[0].row.tenant_id;
            self.know_tenant(tenant).await?;
            let connection = self.acting_for(tenant).await?;
            added += append(connection, of_tenant).await?;
            author_names::append(connection, tenant, rows).await?;
        }
        Ok(added)
    }
}

/// How much of a group is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupCount {
    /// Group.
    pub group_id: String,
    /// Messages that are not deleted.
    pub messages: i64,
    /// Deleted messages.
    pub deleted: i64,
    /// States of messages: each edit or deletion adds one.
    pub states: i64,
}

impl Store {
    /// Counts the messages of each group of a tenant, by group.
    pub async fn message_counts(&self, tenant_id: &str) -> Result<Vec<GroupCount>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(
            "SELECT group_id, count(*) FILTER (WHERE NOT gone), count(*) FILTER (WHERE gone), sum(states)::bigint
             FROM (SELECT group_id, id, bool_or(deleted) AS gone, count(*) AS states
                   FROM messages WHERE tenant_id = $1 GROUP BY group_id, id) AS message
             GROUP BY group_id ORDER BY group_id",
        )
        .bind(tenant_id)
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::query("count messages"))?;
        let count = |row: &sqlx::postgres::PgRow| GroupCount {
            group_id: row.get(0),
            messages: row.get(1),
            deleted: row.get(2),
            states: row.get(3),
        };
        Ok(rows.iter().map(count).collect())
    }
}
