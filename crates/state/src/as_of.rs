//! Messages of a window as of a place in the log. Invariant: what is appended after that place is never seen, so the
//! same question has the same answer for ever.

use crate::{Error, Store, author_names, json::from_json, messages::Extra};
use processor::MessagesAsOf;
use schemas::{Author, Message};
use sqlx::{Row, postgres::PgRow};

/// Candidates are the states inside the window; each id counts by its newest state at the offset, and not at all when it
/// is deleted there. Both inner orders are those of an index: right after an import the table has no statistics, and an
/// index that also gives the order is then the only one that the planner is sure to take.
const AS_OF: &str = "
SELECT DISTINCT ON (newest.sent_at_ms, newest.id) newest.id, newest.revision, newest.kind, newest.sent_at_ms,
    newest.author_id, newest.author_name, newest.author_is_bot, newest.text, newest.reply_to, newest.topic_id,
    newest.extra::text AS extra
FROM (
    SELECT id FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND sent_at_ms >= $3 AND sent_at_ms < $4 AND source_offset <= $5
        AND source_partition = $6
    ORDER BY sent_at_ms
) AS candidate
CROSS JOIN LATERAL (
    SELECT * FROM messages AS state
    WHERE state.tenant_id = $1 AND state.group_id = $2 AND state.id = candidate.id AND state.source_offset <= $5
        AND state.source_partition = $6
    ORDER BY state.revision DESC, state.source_offset DESC LIMIT 1
) AS newest
WHERE newest.sent_at_ms >= $3 AND newest.sent_at_ms < $4 AND NOT EXISTS (
    SELECT FROM messages AS gone
    WHERE gone.tenant_id = $1 AND gone.group_id = $2 AND gone.id = candidate.id AND gone.deleted
        AND gone.source_offset <= $5 AND gone.source_partition = $6
)
ORDER BY newest.sent_at_ms, newest.id";

impl Store {
    /// Answers [`MessagesAsOf`]. The caller has made sure that `postgres_sink` has passed the offset.
    pub async fn messages_as_of(&self, question: &MessagesAsOf) -> Result<Vec<Message>, Error> {
        let mut transaction = self.begin_for(&question.tenant_id).await?;
        let mut messages = sqlx::query(AS_OF)
            .bind(&question.tenant_id)
            .bind(&question.group_id)
            .bind(question.start_ms)
            .bind(question.end_ms)
            .bind(question.offset)
            .bind(question.partition)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read the messages of a window"))?
            .iter()
            .map(message)
            .collect::<Result<Vec<_>, Error>>()?;
        author_names::fill(&mut transaction, question, &mut messages).await?;
        Ok(messages)
    }
}

fn message(row: &PgRow) -> Result<Message, Error> {
    let extra: Option<String> = row.get("extra");
    let extra: Extra<'static> = match extra {
        Some(json) => from_json("message", &json)?,
        None => Extra::default(),
    };
    let author = row.get::<Option<String>, _>("author_id").map(|id| Author {
        id,
        name: row.get::<Option<String>, _>("author_name").unwrap_or_default(),
        is_bot: row.get::<Option<bool>, _>("author_is_bot").unwrap_or_default(),
    });
    Ok(Message {
        id: row.get("id"),
        revision: row.get("revision"),
        kind: row.get("kind"),
        author,
        sent_at: row.get("sent_at_ms"),
        text: row.get("text"),
        entities: extra.entities.into_owned(),
        reply_to: row.get("reply_to"),
        topic_id: row.get("topic_id"),
        media: extra.media.map(std::borrow::Cow::into_owned),
        forward: extra.forward.map(std::borrow::Cow::into_owned),
        reactions: extra.reactions.into_owned(),
    })
}
