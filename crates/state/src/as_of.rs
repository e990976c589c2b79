//! Messages of a window as of a place in the log. Invariant: what is appended after that place is never seen, so the
//! same question has the same answer for ever.

use crate::{Error, Store, author_names, offsets::passed, retention, stored_message::stored_message, topics};
use futures_util::TryStreamExt;
use processor::MessagesAsOf;
use schemas::Message;
use sqlx::{Postgres, Transaction};

/// What a window holds.
#[derive(Debug, Clone, PartialEq)]
pub enum AsOf {
    /// Its messages.
    Messages(Vec<Message>),
    /// Retention took some of them, and what is left would not do.
    Taken,
}

/// Candidates are the ids with a state inside the window; each counts by its newest state at the offset, and not at all
/// when it is deleted there. One plan is possible: the order of the states inside the window is that of
/// `messages_by_time`, the order of an id's states that of the primary key, and `LIMIT` makes a loop of each lookup.
pub(crate) const AS_OF: &str = "
WITH candidate AS MATERIALIZED (
    SELECT DISTINCT inside.id FROM (
        SELECT id FROM messages
        WHERE tenant_id = $1 AND group_id = $2 AND sent_at_ms >= $3 AND sent_at_ms < $4 AND source_offset <= $5
            AND source_partition = $6
        ORDER BY sent_at_ms
    ) AS inside
)
SELECT state.id, state.revision, state.kind, state.sent_at_ms, state.author_id, state.author_name,
    state.author_is_bot, state.text, state.reply_to, state.topic_id, state.extra::text AS extra
FROM candidate
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = candidate.id AND source_offset <= $5
        AND source_partition = $6
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS state
LEFT JOIN LATERAL (
    SELECT deleted FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = candidate.id AND source_offset <= $5
        AND source_partition = $6 AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true
WHERE state.sent_at_ms >= $3 AND state.sent_at_ms < $4 AND gone.deleted IS NULL
ORDER BY state.sent_at_ms, state.id";

impl Store {
    /// Answers [`MessagesAsOf`] once `sink` has passed the offset in its `topic`; `None` while it has not. That is asked in
    /// the transaction that reads: a database that was set back does not hold what it once held. What retention took is asked
    /// after the messages are read: it is told before a message is taken.
    pub async fn messages_passed_by(
        &self,
        question: &MessagesAsOf,
        (sink, topic): (&str, &str),
    ) -> Result<Option<AsOf>, Error> {
        let place = (question.partition, question.offset);
        match self.begin_passed(&question.tenant_id, place, (sink, topic)).await? {
            Some(mut transaction) => {
                let messages = read(&mut transaction, question).await?;
                let mark = retention::mark(&mut transaction, &question.tenant_id).await?;
                let is_taken = question.whole && mark.is_some_and(|mark| question.start_ms < mark);
                Ok(Some(if is_taken { AsOf::Taken } else { AsOf::Messages(messages) }))
            }
            None => Ok(None),
        }
    }

    /// A transaction of a tenant in which `sink` has passed a partition's offset in its `topic`.
    pub(crate) async fn begin_passed(
        &self,
        tenant_id: &str,
        (partition, offset): (i32, i64),
        (sink, topic): (&str, &str),
    ) -> Result<Option<Transaction<'static, Postgres>>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let offsets = passed(&mut transaction, sink, topic).await?;
        let is_passed = offsets.get(&partition).is_some_and(|next| *next > offset);
        Ok(is_passed.then_some(transaction))
    }

    /// Answers [`MessagesAsOf`] from what is there. The caller has made sure that it is all that will ever be.
    pub async fn messages_as_of(&self, question: &MessagesAsOf) -> Result<Vec<Message>, Error> {
        let mut transaction = self.begin_for(&question.tenant_id).await?;
        read(&mut transaction, question).await
    }
}

pub(crate) async fn read(
    transaction: &mut Transaction<'static, Postgres>,
    question: &MessagesAsOf,
) -> Result<Vec<Message>, Error> {
    let what = "read the messages of a window";
    let mut rows = sqlx::query(AS_OF)
        .bind(&question.tenant_id)
        .bind(&question.group_id)
        .bind(question.start_ms)
        .bind(question.end_ms)
        .bind(question.offset)
        .bind(question.partition)
        .fetch(&mut **transaction);
    // Row by row: a busy day is in memory once, not as rows and as messages.
    let mut messages = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(Error::query(what))? {
        messages.push(stored_message(&row)?);
    }
    drop(rows);
    author_names::fill(transaction, question, &mut messages).await?;
    topics::place(transaction, question, &mut messages).await?;
    Ok(messages)
}
