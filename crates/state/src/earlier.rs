//! Earlier messages of a group as of a place in the log: those that an index found, and how its people write. Invariant: what is
//! appended after that place is never seen; a message of another tenant or group is not there, whoever names its id.

use crate::{Error, Store, offsets::passed, stored_message::stored_message};
use processor::EarlierAsOf;
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

/// Texts that tell how a group's people write. At 2,000 a word of one message in 300 is seen some six times.
const BEFORE_MAX: i64 = 2_000;

/// Earlier messages by id, in the order of ids, and texts from before the window, the latest first.
pub type EarlierMessages = (Vec<Message>, Vec<String>);

impl Store {
    /// Reads the messages with these ids that were sent before the window, and what was said before it, once `sink` has
    /// passed the offset in its `topic`; `None` while it has not, or no longer has.
    pub async fn earlier_messages(
        &self,
        question: &EarlierAsOf,
        ids: &[i64],
        (sink, topic): (&str, &str),
    ) -> Result<Option<EarlierMessages>, Error> {
        let what = "read earlier messages";
        let mut transaction = self.begin_for(&question.tenant_id).await?;
        let offsets = passed(&mut transaction, sink, topic).await?;
        if offsets.get(&question.partition).is_none_or(|next| *next <= question.offset) {
            return Ok(None);
        }
        if ids.is_empty() {
            return Ok(Some(EarlierMessages::default()));
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
            .map_err(Error::query(what))?;
        let mut messages: Vec<Message> = rows.iter().map(stored_message).collect::<Result<_, _>>()?;
        messages.sort_by_key(|message| message.id);
        let texts = sqlx::query_scalar(BEFORE)
            .bind(&question.tenant_id)
            .bind(&question.group_id)
            .bind(question.before_id)
            .bind(question.offset)
            .bind(question.partition)
            .bind(BEFORE_MAX)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        Ok(Some((messages, texts)))
    }
}
