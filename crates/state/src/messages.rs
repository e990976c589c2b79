//! Message states on their way into the append-only table, in bulk.
//!
//! Invariant: what reports of one revision make known adds up in the order of the log, and a report becomes a row only
//! when it adds to the newest one of its (id, revision) or contradicts it, so that the same batch, written twice or cut
//! elsewhere, gives the same rows.

use crate::{
    Batch, Error, MessageRow, Store, author_names, erased,
    json::storable,
    retention,
    staging::{New, add_up, sorted},
    stored_message::{extra, stored_message},
    topics,
};
use futures_util::TryStreamExt;
use schemas::Message;
use serde::Serialize;
use sqlx::{PgConnection, Row};

/// States of messages in one statement: well below a second each on a busy machine, however large the batch.
const STATES_MAX: usize = 4_000;

/// The newest state before each of a batch's, by its position in the arrays. One plan is possible: `LIMIT` makes a loop
/// of the lookup, and only the primary key has the order that it asks for.
pub(crate) const NEWEST_BEFORE: &str = "
SELECT wanted.position, state.id, state.revision, state.kind, state.sent_at_ms, state.author_id, state.author_name,
    state.author_is_bot, state.text, state.reply_to, state.topic_id, state.extra::text AS extra
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY
    AS wanted (group_id, id, revision, source_offset, position)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND messages.group_id = wanted.group_id AND messages.id = wanted.id
        AND messages.revision = wanted.revision AND messages.source_offset < wanted.source_offset
    ORDER BY messages.source_offset DESC LIMIT 1
) AS state";

/// Rows of one tenant as arrays, in one round trip. A COPY into a temporary table first is no faster (1,000 to 60,000 rows,
/// Postgres 18 on loopback), and below 1,000 rows it waits 40 ms: the driver writes its last two packets apart and does
/// not set `TCP_NODELAY`.
///
/// Words go beside the state that was added (`search.rs`); of a text longer than any messenger allows, the beginning.
pub(crate) const APPEND: &str = "
WITH added AS (
INSERT INTO messages (tenant_id, group_id, id, revision, source_offset, source_partition, kind, sent_at_ms,
    author_id, author_name, author_is_bot, text, reply_to, topic_id, extra)
SELECT $1, s.group_id, s.id, s.revision, s.source_offset, s.source_partition, s.kind, s.sent_at_ms,
    s.author_id, s.author_name, s.author_is_bot, s.text, s.reply_to, s.topic_id, s.extra::jsonb
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[], $7::text[], $8::bigint[],
    $9::text[], $10::text[], $11::boolean[], $12::text[], $13::bigint[], $14::bigint[], $15::text[])
    AS s (group_id, id, revision, source_offset, source_partition, kind, sent_at_ms,
        author_id, author_name, author_is_bot, text, reply_to, topic_id, extra)
ON CONFLICT DO NOTHING
RETURNING group_id, id, revision, source_offset, sent_at_ms, text
), searchable AS (
INSERT INTO message_words (tenant_id, group_id, id, revision, source_offset, sent_at_ms, words)
SELECT $1, group_id, id, revision, source_offset, sent_at_ms,
    to_tsvector('pg_catalog.russian', left(text, 65536)) || array_to_tsvector(ARRAY[' ' || $1::text])
FROM added WHERE text <> ''
)
SELECT count(*) FROM added";

/// One column of rows, as a bind parameter.
fn column<'r, R, T>(rows: &'r [R], field: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(field).collect()
}

fn author<'r, T>(new: &'r New<'_>, field: impl Fn(&'r schemas::Author) -> T) -> Option<T> {
    new.message.author.as_ref().map(field)
}

/// What is stored before each row of one tenant: its newest state of the same revision, if it has one.
async fn newest_before(
    connection: &mut PgConnection,
    rows: &[MessageRow<'_>],
) -> Result<Vec<Option<Message>>, Error> {
    let mut newest = vec![None; rows.len()];
    let Some(first) = rows.first() else { return Ok(newest) };
    let mut found = sqlx::query(NEWEST_BEFORE)
        .bind(first.tenant_id)
        .bind(column(rows, |row| row.group_id))
        .bind(column(rows, |row| row.message.id))
        .bind(column(rows, |row| row.message.revision))
        .bind(column(rows, |row| row.source_offset))
        .fetch(connection);
    while let Some(row) =
        found.try_next().await.map_err(Error::query("read the newest states of messages"))?
    {
        let position = usize::try_from(row.get::<i64, _>("position")).unwrap_or_default();
        if let Some(newest) = position.checked_sub(1).and_then(|index| newest.get_mut(index)) {
            *newest = Some(stored_message(&row)?);
        }
    }
    Ok(newest)
}

async fn append(connection: &mut PgConnection, rows: &[New<'_>]) -> Result<u64, Error> {
    let extras = rows.iter().map(|new| extra(&new.message)).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = rows.first() else { return Ok(0) };
    let added: i64 = sqlx::query_scalar(APPEND)
        .bind(first.row.tenant_id)
        .bind(column(rows, |new| new.row.group_id))
        .bind(column(rows, |new| new.message.id))
        .bind(column(rows, |new| new.message.revision))
        .bind(column(rows, |new| new.row.source_offset))
        .bind(column(rows, |new| new.row.source_partition))
        .bind(column(rows, |new| storable(&new.message.kind)))
        .bind(column(rows, |new| new.message.sent_at))
        .bind(column(rows, |new| author(new, |author| storable(&author.id))))
        .bind(column(rows, |new| author(new, |author| storable(&author.name))))
        .bind(column(rows, |new| author(new, |author| author.is_bot)))
        .bind(column(rows, |new| storable(&new.message.text)))
        .bind(column(rows, |new| new.message.reply_to))
        .bind(column(rows, |new| new.message.topic_id))
        .bind(extras)
        .fetch_one(connection)
        .await
        .map_err(Error::query("write messages"))?;
    Ok(added.unsigned_abs())
}

/// What the sorted reports of some states of one tenant's messages add to what is stored.
async fn news<'a>(
    connection: &mut PgConnection,
    states: &[&[MessageRow<'a>]],
) -> Result<Vec<New<'a>>, Error> {
    let first: Vec<_> = states.iter().map(|reports| reports[0]).collect();
    let known = newest_before(connection, &first).await?;
    let mut news = Vec::with_capacity(states.len());
    for (reports, known) in states.iter().zip(known) {
        add_up(reports, known, &mut news)?;
    }
    Ok(news)
}

impl Batch {
    /// Adds what is new in states of messages that retention did not take; returns how many rows that makes.
    pub async fn insert_messages(&mut self, rows: &[MessageRow<'_>]) -> Result<u64, Error> {
        let sorted = sorted(rows);
        let mut added = 0;
        for of_tenant in sorted.chunk_by(|left, right| left.tenant_id == right.tenant_id) {
            let tenant = of_tenant[0].tenant_id;
            self.know_tenant(tenant).await?;
            let connection = self.acting_for(tenant).await?;
            let of_tenant = &retention::kept(of_tenant, retention::mark(connection, tenant).await?)[..];
            let blanks = erased::blanks(connection, of_tenant).await?;
            let of_tenant = &erased::blanked(of_tenant, &blanks)[..];
            let states: Vec<_> = of_tenant.chunk_by(|left, right| left.state() == right.state()).collect();
            for states in states.chunks(STATES_MAX) {
                let news = news(connection, states).await?;
                added += append(connection, &news).await?;
            }
            author_names::append(connection, tenant, of_tenant).await?;
            topics::append_told(connection, tenant, rows).await?;
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

pub(crate) const COUNTS: &str = "
SELECT group_id, count(*) FILTER (WHERE NOT gone), count(*) FILTER (WHERE gone), sum(states)::bigint
FROM (SELECT group_id, id, bool_or(deleted) AS gone, count(*) AS states
      FROM messages WHERE tenant_id = $1 GROUP BY group_id, id) AS message
GROUP BY group_id ORDER BY group_id";

impl Store {
    /// Counts the messages of each group of a tenant, by group.
    pub async fn message_counts(&self, tenant_id: &str) -> Result<Vec<GroupCount>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(COUNTS)
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
