//! Forum topics, and which of them messages belong to as of a place in the log.
//!
//! Invariant: a topic is a row with the first record that told of it, however batches are cut; what is found as of an
//! offset is the same for ever.

use crate::{Batch, Error, MessageRow};
use processor::MessagesAsOf;
use schemas::{Message, Place, Places};
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// A forum topic that a record tells of, and the record's place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicRow<'a> {
    /// Tenant.
    pub tenant_id: &'a str,
    /// Group.
    pub group_id: &'a str,
    /// Partition of `group.message.ingested`.
    pub source_partition: i32,
    /// Offset of the record.
    pub source_offset: i64,
    /// Id of the message that created the topic.
    pub topic_id: i64,
}

pub(crate) const APPEND: &str = "
INSERT INTO topics (tenant_id, group_id, source_partition, topic_id, source_offset)
SELECT $1, t.group_id, t.source_partition, t.topic_id, t.source_offset
FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[])
    AS t (group_id, source_partition, topic_id, source_offset)
ON CONFLICT DO NOTHING";

/// Whether a group is a forum, as far as is known at the offset.
pub(crate) const IS_FORUM: &str = "
SELECT EXISTS (
    SELECT FROM topics WHERE tenant_id = $1 AND group_id = $2 AND source_partition = $3 AND source_offset <= $4
)";

/// The places of messages, and in a forum those of the messages that they answer, and so on. Each is asked of all states
/// of a message: an edit that does not tell takes nothing away, and a deleted message leads where it led.
pub(crate) const PLACES: &str = "
WITH RECURSIVE wanted (id) AS (
    SELECT id FROM unnest($5::bigint[]) AS given (id)
    UNION
    SELECT answered.reply_to FROM wanted
    CROSS JOIN LATERAL (
        SELECT reply_to FROM messages
        WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset <= $4
            AND source_partition = $3 AND reply_to IS NOT NULL AND NOT deleted
        ORDER BY revision DESC, source_offset DESC LIMIT 1
    ) AS answered
    WHERE $6
)
SELECT wanted.id, topic.topic_id IS NOT NULL AS is_topic, told.topic_id, answered.reply_to
FROM wanted
LEFT JOIN LATERAL (
    SELECT topic_id FROM topics
    WHERE tenant_id = $1 AND group_id = $2 AND source_partition = $3 AND topics.topic_id = wanted.id
        AND source_offset <= $4
    LIMIT 1
) AS topic ON true
LEFT JOIN LATERAL (
    SELECT topic_id FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset <= $4
        AND source_partition = $3 AND topic_id IS NOT NULL AND NOT deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS told ON true
LEFT JOIN LATERAL (
    SELECT reply_to FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset <= $4
        AND source_partition = $3 AND reply_to IS NOT NULL AND NOT deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS answered ON true";

impl<'a> TopicRow<'a> {
    /// The topic that a message's state tells.
    fn told(row: &MessageRow<'a>) -> Option<Self> {
        let topic_id = row.message.topic_id.filter(|_| !row.message.is_deletion())?;
        let MessageRow { tenant_id, group_id, source_partition, source_offset, .. } = *row;
        Some(Self { tenant_id, group_id, source_partition, source_offset, topic_id })
    }
}

impl Batch {
    /// Adds the topics that are new.
    pub async fn insert_topics(&mut self, rows: &[TopicRow<'_>]) -> Result<(), Error> {
        for of_tenant in rows.chunk_by(|left, right| left.tenant_id == right.tenant_id) {
            let tenant = of_tenant[0].tenant_id;
            self.know_tenant(tenant).await?;
            let connection = self.acting_for(tenant).await?;
            append(connection, tenant, of_tenant.iter().copied()).await?;
        }
        Ok(())
    }
}

/// Adds the topics that messages of a tenant tell.
pub(crate) async fn append_told(
    connection: &mut PgConnection,
    tenant: &str,
    rows: &[MessageRow<'_>],
) -> Result<(), Error> {
    let of_tenant = rows.iter().filter(|row| row.tenant_id == tenant);
    append(connection, tenant, of_tenant.filter_map(TopicRow::told)).await
}

async fn append<'a>(
    connection: &mut PgConnection,
    tenant: &str,
    rows: impl Iterator<Item = TopicRow<'a>>,
) -> Result<(), Error> {
    let mut first: BTreeMap<(&str, i32, i64), i64> = BTreeMap::new();
    for row in rows {
        let offset = first.entry((row.group_id, row.source_partition, row.topic_id)).or_insert(i64::MAX);
        *offset = row.source_offset.min(*offset);
    }
    if first.is_empty() {
        return Ok(());
    }
    sqlx::query(APPEND)
        .bind(tenant)
        .bind(first.keys().map(|(group_id, ..)| *group_id).collect::<Vec<_>>())
        .bind(first.keys().map(|(_, partition, _)| *partition).collect::<Vec<_>>())
        .bind(first.keys().map(|(.., topic_id)| *topic_id).collect::<Vec<_>>())
        .bind(first.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await
        .map_err(Error::query("write topics"))?;
    Ok(())
}

/// Puts messages into the topics that they are known to belong to as of the question's offset.
pub(crate) async fn place(
    connection: &mut PgConnection,
    question: &MessagesAsOf,
    messages: &mut [Message],
) -> Result<(), Error> {
    let may_be_placed = |message: &&mut Message| {
        message.topic_id.is_none() && (message.reply_to.is_some() || message.revision != 0)
    };
    let mut open: Vec<&mut Message> = messages.iter_mut().filter(may_be_placed).collect();
    if open.is_empty() {
        return Ok(());
    }
    let is_forum = is_forum(connection, question).await?;
    // Elsewhere an edit may leave out whom it answers, and nothing else is to be found.
    open.retain(|message| is_forum || message.reply_to.is_none());
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = open.iter().map(|message| message.id).collect();
    let mut places = places(connection, question, (ids, is_forum)).await?;
    for message in open {
        places.settle(message);
    }
    Ok(())
}

async fn is_forum(connection: &mut PgConnection, question: &MessagesAsOf) -> Result<bool, Error> {
    sqlx::query_scalar(IS_FORUM)
        .bind(&question.tenant_id)
        .bind(&question.group_id)
        .bind(question.partition)
        .bind(question.offset)
        .fetch_one(connection)
        .await
        .map_err(Error::query("look for topics"))
}

/// Places of messages with these ids; with those that they answer, if that is asked.
async fn places(
    connection: &mut PgConnection,
    question: &MessagesAsOf,
    (ids, with_answered): (Vec<i64>, bool),
) -> Result<Places, Error> {
    let rows = sqlx::query(PLACES)
        .bind(&question.tenant_id)
        .bind(&question.group_id)
        .bind(question.partition)
        .bind(question.offset)
        .bind(ids)
        .bind(with_answered)
        .fetch_all(connection)
        .await
        .map_err(Error::query("read the topics of messages"))?;
    let mut places = Places::default();
    for row in rows {
        let place = Place {
            is_topic: row.get("is_topic"),
            topic: row.get("topic_id"),
            reply_to: row.get("reply_to"),
        };
        places.know(row.get("id"), place);
    }
    Ok(places)
}
