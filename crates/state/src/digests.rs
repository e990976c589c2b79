//! Digests on their way in. Invariant: the last word in the order of the log counts, and saying the same again changes
//! nothing and is told apart, so that nothing is announced twice. A digest of which a newer version is blocked is stored
//! without its words, whichever of the two came first.

use crate::{Batch, Error, json::storable, json::to_readable, refusal::version};
use schemas::DigestReadyForDelivery;

pub(crate) const PUT: &str = "
INSERT INTO digests AS old (tenant_id, digest_id, group_id, window_id, revision, attempt, size_hours, window_start_ms,
    window_end_ms, lane, trace_id, quality_score, language, headline, message_count, participant_count,
    source_partition, source_offset, payload, channels, runs)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE WHEN newer.revision IS NULL AND $22 THEN $14 ELSE '' END,
    $15, $16, $17, $18, CASE WHEN newer.revision IS NULL AND $22 THEN $19::jsonb END, $20, $21::jsonb
FROM (VALUES (true)) AS this
LEFT JOIN LATERAL (
    SELECT revision FROM blocked_digests
    WHERE tenant_id = $1 AND window_id = $4 AND (revision, attempt) > ($5, $6) LIMIT 1
) AS newer ON true
ON CONFLICT (tenant_id, digest_id) DO UPDATE SET
    group_id = excluded.group_id, window_id = excluded.window_id, revision = excluded.revision,
    attempt = excluded.attempt, size_hours = excluded.size_hours, window_start_ms = excluded.window_start_ms,
    window_end_ms = excluded.window_end_ms, lane = excluded.lane, trace_id = excluded.trace_id,
    quality_score = excluded.quality_score, language = excluded.language, headline = excluded.headline,
    message_count = excluded.message_count, participant_count = excluded.participant_count,
    source_partition = excluded.source_partition, source_offset = excluded.source_offset,
    payload = excluded.payload, channels = excluded.channels, runs = excluded.runs
WHERE (old.group_id, old.window_id, old.revision, old.attempt, old.size_hours, old.window_start_ms, old.window_end_ms,
        old.lane, old.trace_id, old.quality_score, old.language, old.headline, old.message_count,
        old.participant_count, old.source_partition, old.source_offset, old.payload, old.channels, old.runs)
    IS DISTINCT FROM
    (excluded.group_id, excluded.window_id, excluded.revision, excluded.attempt, excluded.size_hours,
        excluded.window_start_ms, excluded.window_end_ms, excluded.lane, excluded.trace_id, excluded.quality_score,
        excluded.language, excluded.headline, excluded.message_count, excluded.participant_count,
        excluded.source_partition, excluded.source_offset, excluded.payload, excluded.channels, excluded.runs)";

impl Batch {
    /// Stores a digest; false when it is stored already, just like that.
    ///
    /// # Errors
    /// [`Error::Refused`] for a version that is none; see [`crate::accept_ready`] for what else Postgres refuses.
    pub async fn put_digest(&mut self, record: &DigestReadyForDelivery) -> Result<bool, Error> {
        self.put(record, true).await
    }

    /// [`Batch::put_digest`] of one whose words are not to be kept: see [`Batch::tells_of_erased`].
    ///
    /// # Errors
    /// As there.
    pub async fn put_digest_without_words(&mut self, record: &DigestReadyForDelivery) -> Result<bool, Error> {
        self.put(record, false).await
    }

    async fn put(&mut self, record: &DigestReadyForDelivery, with_words: bool) -> Result<bool, Error> {
        let what = "write a digest";
        let version = version(&record.version)?;
        let (window, digest) = (&record.window, &record.delivery_payload);
        let (payload, runs) = (to_readable("digest", digest)?, to_readable("runs", &record.runs)?);
        let channels: Vec<_> = record.channels.iter().map(|channel| storable(channel)).collect();
        self.be_alone().await?;
        self.know_tenant(&record.tenant_id).await?;
        let done = sqlx::query(PUT)
            .bind(&record.tenant_id)
            .bind(&record.digest_id)
            .bind(&record.group_id)
            .bind(&record.window_id)
            .bind(version.revision)
            .bind(version.attempt)
            .bind(window.size_hours)
            .bind(window.window_start)
            .bind(window.window_end)
            .bind(storable(&window.lane))
            .bind(storable(&record.trace_id))
            .bind(record.quality_score)
            .bind(storable(&digest.language))
            .bind(storable(&digest.headline))
            .bind(window.message_count)
            .bind(window.participant_count)
            .bind(window.source_partition)
            .bind(window.source_offset)
            .bind(payload)
            .bind(channels)
            .bind(runs)
            .bind(with_words)
            .execute(self.acting_for(&record.tenant_id).await?)
            .await
            .map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }
}
