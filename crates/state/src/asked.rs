//! Digests that somebody asks for: what a span of a group's time holds now, and what came of the request.
//!
//! Invariant: what is told of a span is what a read as of the place that is told with it gives, then and later.

use crate::{DigestFound, Error, Store, StoredDigest, as_of};
use processor::MessagesAsOf;
use schemas::DigestGenerateRequested;
use sqlx::Row;
use std::collections::BTreeSet;

/// The newest place that told something of a message of the span. One plan is possible: an aggregate in a `LATERAL` is
/// worked out for each candidate.
pub(crate) const NEWEST: &str = "
WITH candidate AS MATERIALIZED (
    SELECT DISTINCT inside.id FROM (
        SELECT id FROM messages
        WHERE tenant_id = $1 AND group_id = $2 AND sent_at_ms >= $3 AND sent_at_ms < $4
        ORDER BY sent_at_ms
    ) AS inside
)
SELECT max(state.newest_partition), max(state.newest_offset)
FROM candidate
CROSS JOIN LATERAL (
    SELECT max(source_partition) AS newest_partition, max(source_offset) AS newest_offset FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = candidate.id
) AS state";

/// What a span of a group's time holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Partition of `group.message.ingested` that holds the group.
    pub source_partition: i32,
    /// The newest offset that told something of the span's messages.
    pub source_offset: i64,
    /// Messages that are not deleted.
    pub messages: usize,
    /// Distinct known authors of those messages.
    pub participants: usize,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// The digest.
    Digest(Box<StoredDigest>),
    /// There is none: why, and the score it would have had.
    Blocked {
        /// As in `digest.blocked`.
        reason: String,
        /// Score in [0, 1], once there was a digest.
        quality_score: Option<f64>,
        /// Scopes the group lacks.
        missing_scopes: Vec<String>,
    },
}

pub(crate) const BLOCKED: &str = "
SELECT reason, quality_score, missing_scopes FROM blocked_digests
WHERE tenant_id = $1 AND window_id = $2
ORDER BY revision DESC, attempt DESC LIMIT 1";

impl Store {
    /// What is stored of a group from `start_ms` to before `end_ms`; none where that is no message.
    pub async fn held(
        &self,
        (tenant_id, group_id): (&str, &str),
        (start_ms, end_ms): (i64, i64),
    ) -> Result<Option<Held>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let newest = sqlx::query(NEWEST)
            .bind(tenant_id)
            .bind(group_id)
            .bind(start_ms)
            .bind(end_ms)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query("look for the newest of some messages"))?;
        let (Some(partition), Some(offset)) = (newest.get(0), newest.get(1)) else { return Ok(None) };
        let (tenant_id, group_id) = (tenant_id.to_owned(), group_id.to_owned());
        let question =
            MessagesAsOf { tenant_id, group_id, start_ms, end_ms, partition, offset, whole: false };
        let messages = as_of::read(&mut transaction, &question).await?;
        let authors = messages.iter().filter_map(|message| message.author.as_ref().map(|author| &author.id));
        let participants = authors.collect::<BTreeSet<_>>().len();
        let held = Held {
            source_partition: partition,
            source_offset: offset,
            messages: messages.len(),
            participants,
        };
        Ok(Some(held).filter(|held| held.messages > 0))
    }

    /// What has come of a request by now; none while it is on its way.
    pub async fn answered(&self, request: &DigestGenerateRequested) -> Result<Option<Answered>, Error> {
        let tenant_id = &request.tenant_id;
        if let Some(DigestFound::Stored(digest)) = self.digest_show(tenant_id, &request.digest_id()).await? {
            return Ok(Some(Answered::Digest(digest)));
        }
        let mut transaction = self.begin_for(tenant_id).await?;
        let blocked = sqlx::query(BLOCKED)
            .bind(tenant_id)
            .bind(&request.window_id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query("read why a digest was blocked"))?;
        Ok(blocked.map(|row| Answered::Blocked {
            reason: row.get("reason"),
            quality_score: row.get("quality_score"),
            missing_scopes: row.get("missing_scopes"),
        }))
    }
}
