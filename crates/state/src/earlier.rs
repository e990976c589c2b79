//! Earlier messages of a group as of a place in the log: those that an index found, and how its people write. Invariant: what is
//! appended after that place is never seen; a message of another tenant or group is not there, whoever names its id.

use crate::{Error, Store, stored_message::stored_message};
use processor::{BeforeAsOf, EarlierAsOf};
use schemas::Message;

/// The newest state of each id at the offset, without those that are deleted there.
pub(crate) const MESSAGES: &str = "
SELECT state.id, state.revision, state.kind, state.sent_at_ms, state.author_id, state.author_name,
    state.author_is_bot, state.text, state.reply_to, state.topic_id, state.extra::text AS extra
FROM unnest($3::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset <= $4
        AND source_partition = $5
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS state
LEFT JOIN LATERAL (
    SELECT deleted FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset <= $4
        AND source_partition = $5 AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true
WHERE gone.deleted IS NULL AND state.sent_at_ms < $6";

/// What was said last before an id, in all its states: they are counted, not shown.
pub(crate) const BEFORE: &str = "
SELECT text FROM messages
WHERE tenant_id = $1 AND group_id = $2 AND id < $3 AND source_offset <= $4 AND source_partition = $5
ORDER BY id DESC, revision DESC, source_offset DESC LIMIT $6";

impl Store {
    /// Reads the messages with these ids that were sent before the window, in the order of ids, once `sink` has passed the
    /// offset in its `topic`; `None` while it has not, or no longer has.
    pub async fn earlier_messages(
        &self,
        question: &EarlierAsOf,
        ids: &[i64],
        (sink, topic): (&str, &str),
    ) -> Result<Option<Vec<Message>>, Error> {
        let place = (question.partition, question.offset);
        let Some(mut transaction) = self.begin_passed(&question.tenant_id, place, (sink, topic)).await?
        else {
            return Ok(None);
        };
        if ids.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let rows = sqlx::query(MESSAGES)
            .bind(&question.tenant_id)
            .bind(&question.group_id)
            .bind(ids)
            .bind(question.offset)
            .bind(question.partition)
            .bind(question.before_ms)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read earlier messages"))?;
        let mut messages: Vec<Message> = rows.iter().map(stored_message).collect::<Result<_, _>>()?;
        messages.sort_by_key(|message| message.id);
        Ok(Some(messages))
    }

    /// Answers [`BeforeAsOf`] once `sink` has passed the offset in its `topic`; `None` while it has not.
    pub async fn said_before(
        &self,
        question: &BeforeAsOf,
        (sink, topic): (&str, &str),
    ) -> Result<Option<Vec<String>>, Error> {
        let place = (question.partition, question.offset);
        let Some(mut transaction) = self.begin_passed(&question.tenant_id, place, (sink, topic)).await?
        else {
            return Ok(None);
        };
        let texts = sqlx::query_scalar(BEFORE)
            .bind(&question.tenant_id)
            .bind(&question.group_id)
            .bind(question.before_id)
            .bind(question.offset)
            .bind(question.partition)
            .bind(i64::from(question.texts_max))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read what was said before a message"))?;
        Ok(Some(texts))
    }
}
