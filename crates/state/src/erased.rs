//! What sinks do with messages that an operator erased.
//!
//! Invariant: whatever the log brings again, no word of an erased message and no name of its author is written, and no digest
//! that was made before the message was deleted has words.

use crate::{Batch, Error, MessageRow};
use schemas::{DigestReadyForDelivery, Message};
use sqlx::PgConnection;
use std::collections::BTreeSet;

pub(crate) const AMONG: &str = "
SELECT wanted.position
FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS wanted (group_id, id, position)
CROSS JOIN LATERAL (
    SELECT id FROM erased_messages
    WHERE tenant_id = $1 AND erased_messages.group_id = wanted.group_id AND erased_messages.id = wanted.id LIMIT 1
) AS erased";

/// Of the messages of the window that were erased, one whose deletion the digest did not see.
pub(crate) const UNSEEN: &str = "
SELECT erased.id
FROM erased_messages AS erased
LEFT JOIN LATERAL (
    SELECT true AS seen FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = erased.id AND source_offset <= $5 AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true
WHERE erased.tenant_id = $1 AND erased.group_id = $2 AND erased.sent_at_ms >= $3 AND erased.sent_at_ms < $4
    AND gone.seen IS NULL
ORDER BY erased.sent_at_ms LIMIT 1";

/// A state of an erased message: that it was there, where and when.
fn without_words(message: &Message) -> Message {
    Message {
        revision: message.revision,
        kind: message.kind.clone(),
        reply_to: message.reply_to,
        topic_id: message.topic_id,
        ..Message::plain(message.id, message.sent_at, "")
    }
}

/// The rows of a tenant whose messages were erased, without their words, by their place among `rows`.
pub(crate) async fn blanks(
    connection: &mut PgConnection,
    rows: &[MessageRow<'_>],
) -> Result<Vec<Option<Message>>, Error> {
    let mut blanks = vec![None; rows.len()];
    let Some(first) = rows.first() else { return Ok(blanks) };
    let places: Vec<i64> = sqlx::query_scalar(AMONG)
        .bind(first.tenant_id)
        .bind(rows.iter().map(|row| row.group_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.message.id).collect::<Vec<_>>())
        .fetch_all(connection)
        .await
        .map_err(Error::query("look for erased messages"))?;
    for place in places.into_iter().collect::<BTreeSet<_>>() {
        let index = usize::try_from(place).unwrap_or_default().checked_sub(1);
        if let Some((blank, row)) = index.and_then(|index| Some((blanks.get_mut(index)?, rows.get(index)?))) {
            *blank = Some(without_words(row.message));
        }
    }
    Ok(blanks)
}

/// The rows with blanks in their places.
pub(crate) fn blanked<'a>(rows: &[MessageRow<'a>], blanks: &'a [Option<Message>]) -> Vec<MessageRow<'a>> {
    let row = |(row, blank): (&MessageRow<'a>, &'a Option<Message>)| MessageRow {
        message: blank.as_ref().unwrap_or(row.message),
        ..*row
    };
    rows.iter().zip(blanks).map(row).collect()
}

/// Before every offset: nothing was deleted as of it.
const NOWHERE: i64 = -1;

impl Batch {
    /// True when the digest was made before the deletion of a message of its window that was erased: it may hold its words.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn tells_of_erased(&mut self, record: &DigestReadyForDelivery) -> Result<bool, Error> {
        self.unseen(record, record.window.source_offset).await
    }

    /// True when a message of the digest's window was erased: older versions of it may hold its words.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn holds_erased(&mut self, record: &DigestReadyForDelivery) -> Result<bool, Error> {
        self.unseen(record, NOWHERE).await
    }

    async fn unseen(&mut self, record: &DigestReadyForDelivery, as_of: i64) -> Result<bool, Error> {
        let unseen: Option<i64> = sqlx::query_scalar(UNSEEN)
            .bind(&record.tenant_id)
            .bind(&record.group_id)
            .bind(record.window.window_start)
            .bind(record.window.window_end)
            .bind(as_of)
            .fetch_optional(self.acting_for(&record.tenant_id).await?)
            .await
            .map_err(Error::query("look for erased messages of a window"))?;
        Ok(unseen.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Author;

    #[test]
    fn of_an_erased_message_its_place_and_time_are_left() {
        let author = Author { id: "u1".to_owned(), name: "Ann".to_owned(), is_bot: false };
        let said = Message {
            author: Some(author),
            reply_to: Some(3),
            topic_id: Some(2),
            revision: 9,
            kind: "edited".to_owned(),
            ..Message::plain(7, 5, "secret")
        };
        let left = without_words(&said);
        assert_eq!((left.id, left.sent_at, left.revision, &*left.kind), (7, 5, 9, "edited"));
        assert_eq!((left.reply_to, left.topic_id), (Some(3), Some(2)));
        assert_eq!((left.text.as_str(), left.author), ("", None));
    }
}
