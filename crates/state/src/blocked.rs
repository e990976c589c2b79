//! Windows that got no digest, and why. Invariant: as for digests, the last word in the order of the log counts; older
//! digests of the window have lost their words when the transaction ends.

use crate::{Batch, Error, json::storable, refusal::version};
use schemas::DigestBlocked;

pub(crate) const PUT: &str = "
INSERT INTO blocked_digests (tenant_id, window_id, revision, attempt, group_id, size_hours, window_start_ms,
    window_end_ms, lane, trace_id, reason, quality_score, missing_scopes, message_count, participant_count,
    weaknesses)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (tenant_id, window_id, revision, attempt) DO UPDATE SET
    group_id = excluded.group_id, size_hours = excluded.size_hours, window_start_ms = excluded.window_start_ms,
    window_end_ms = excluded.window_end_ms, lane = excluded.lane, trace_id = excluded.trace_id,
    reason = excluded.reason, quality_score = excluded.quality_score, missing_scopes = excluded.missing_scopes,
    message_count = excluded.message_count, participant_count = excluded.participant_count,
    weaknesses = excluded.weaknesses";

/// Digests older than the blocked version: what they say may be of messages that are gone.
pub(crate) const WITHDRAW: &str = "
UPDATE digests SET headline = '', payload = NULL
WHERE tenant_id = $1 AND window_id = $2 AND (revision, attempt) < ($3, $4) AND payload IS NOT NULL";

impl Batch {
    /// Stores that a version of a window's digest was blocked, and takes the words of older versions away.
    ///
    /// # Errors
    /// [`Error::Refused`] for a version that is none; see [`crate::accept_blocked`] for what else Postgres refuses.
    pub async fn put_blocked(&mut self, record: &DigestBlocked) -> Result<(), Error> {
        let version = version(&record.version)?;
        let window = &record.window;
        let scopes: Vec<_> = record.missing_scopes.iter().map(|scope| storable(scope)).collect();
        let weaknesses: Vec<_> = record.weaknesses.iter().map(|name| storable(name)).collect();
        self.be_alone().await?;
        self.know_tenant(&record.tenant_id).await?;
        sqlx::query(PUT)
            .bind(&record.tenant_id)
            .bind(&record.window_id)
            .bind(version.revision)
            .bind(version.attempt)
            .bind(&record.group_id)
            .bind(window.size_hours)
            .bind(window.window_start)
            .bind(window.window_end)
            .bind(storable(&window.lane))
            .bind(storable(&record.trace_id))
            .bind(storable(&record.reason))
            .bind(record.quality_score)
            .bind(scopes)
            .bind(window.message_count)
            .bind(window.participant_count)
            .bind(weaknesses)
            .execute(self.acting_for(&record.tenant_id).await?)
            .await
            .map_err(Error::query("write a blocked digest"))?;
        sqlx::query(WITHDRAW)
            .bind(&record.tenant_id)
            .bind(&record.window_id)
            .bind(version.revision)
            .bind(version.attempt)
            .execute(self.acting_for(&record.tenant_id).await?)
            .await
            .map_err(Error::query("withdraw the digests of a window"))?;
        Ok(())
    }
}
