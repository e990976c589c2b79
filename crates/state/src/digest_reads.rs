//! Digests as the operator reads them. Invariant: always sorted, the canonical form by (tenant, group, window start,
//! size) and free of partitions, offsets, times of writing, traces and schema ids. A window has its newest digest, or is
//! among the blocked ones where its newest version was blocked, never both.

use crate::{Error, Store, json::from_json};
use schemas::{Digest, StageRun};
use serde::Serialize;
use sqlx::{
    Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};

/// Which digests.
#[derive(Debug, Clone, Default)]
pub struct DigestFilter {
    /// Tenant.
    pub tenant_id: String,
    /// Group; all of the tenant's when absent.
    pub group_id: Option<String>,
    /// Those that somebody asked for, and not those of the group's windows.
    pub asked: bool,
    /// Most windows, the newest of them; all when absent.
    pub limit: Option<u32>,
}

/// A digest in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DigestSummary {
    /// Id of the digest: of window and version.
    pub digest_id: String,
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// Id of the window.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Window size in hours.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Lane whose close made the revision.
    pub lane: String,
    /// Score in [0, 1].
    pub quality_score: f64,
    /// Language.
    pub language: String,
    /// One line.
    pub headline: String,
    /// Messages in the window.
    pub message_count: i32,
    /// People in the window.
    pub participant_count: i32,
}

/// A digest with everything that is stored of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredDigest {
    /// In one line.
    #[serde(flatten)]
    pub summary: DigestSummary,
    /// Trace id: 32 hex digits.
    pub trace_id: String,
    /// Partition of `group.message.ingested` that holds the group.
    pub source_partition: i32,
    /// The digest was made as of this offset.
    pub source_offset: i64,
    /// Channels to deliver to.
    pub channels: Vec<String>,
    /// Runs of all stages, in order.
    pub runs: Vec<StageRun>,
    /// The digest.
    pub digest: Digest,
}

/// The newest version of a window's digest, as two runs over the same input agree on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CanonicalDigest {
    /// In one line.
    #[serde(flatten)]
    pub summary: DigestSummary,
    /// Channels to deliver to.
    pub channels: Vec<String>,
    /// Runs of all stages, in order.
    pub runs: Vec<StageRun>,
    /// The digest.
    pub digest: Digest,
}

/// What is known of a digest that was asked for by its id or its window's.
#[derive(Debug, Clone, PartialEq)]
pub enum DigestFound {
    /// It is there.
    Stored(Box<StoredDigest>),
    /// It was there, and was withdrawn, since a newer version of its window was blocked.
    Withdrawn {
        /// Its version.
        version: String,
        /// The newest version that was blocked.
        blocked_version: String,
        /// Why that one was blocked.
        reason: String,
    },
}

/// A window that got no digest, or whose digest was withdrawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockedSummary {
    /// Group.
    pub group_id: String,
    /// Id of the window.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Window size in hours.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Why.
    pub reason: String,
    /// Score in [0, 1], once there was a digest.
    pub quality_score: Option<f64>,
    /// Scopes the group lacks.
    pub missing_scopes: Vec<String>,
    /// What the score held against the digest, by name, worst first.
    pub weaknesses: Vec<String>,
    /// Messages in the window.
    pub message_count: i32,
}

pub(crate) const LIST: &str = "
SELECT * FROM (
    SELECT * FROM digests_current
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND (size_hours = 0) = $3
    ORDER BY window_start_ms DESC, size_hours DESC, group_id DESC, window_id DESC LIMIT $4
) AS newest ORDER BY group_id, window_start_ms, size_hours, window_id";

pub(crate) const SHOW: &str = "
SELECT *, payload::text AS payload_text, runs::text AS runs_text FROM digests
WHERE tenant_id = $1 AND digest_id = $2";

pub(crate) const SHOW_WINDOW: &str = "
SELECT *, payload::text AS payload_text, runs::text AS runs_text FROM digests
WHERE tenant_id = $1 AND window_id = $2
ORDER BY revision DESC, attempt DESC LIMIT 1";

pub(crate) const BLOCKED_NEWEST: &str = "
SELECT version, reason FROM blocked_digests
WHERE tenant_id = $1 AND window_id = $2
ORDER BY revision DESC, attempt DESC LIMIT 1";

pub(crate) const EXPORT: &str = "
SELECT *, payload::text AS payload_text, runs::text AS runs_text FROM digests_current
WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND (size_hours = 0) = $3
ORDER BY group_id, window_start_ms, size_hours, window_id";

pub(crate) const BLOCKED: &str = "
SELECT newest.* FROM (
    SELECT DISTINCT ON (group_id, window_start_ms, size_hours, window_id) *
    FROM blocked_digests
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND (size_hours = 0) = $3
    ORDER BY group_id, window_start_ms, size_hours, window_id, revision DESC, attempt DESC
) AS newest
LEFT JOIN LATERAL (
    SELECT revision, attempt FROM digests
    WHERE tenant_id = $1 AND window_id = newest.window_id
    ORDER BY revision DESC, attempt DESC LIMIT 1
) AS digest ON true
WHERE digest.revision IS NULL OR (digest.revision, digest.attempt) < (newest.revision, newest.attempt)
ORDER BY newest.group_id, newest.window_start_ms, newest.size_hours, newest.window_id";

impl Store {
    /// The newest version of each window's digest, by (group, window start, size).
    pub async fn digest_list(&self, filter: &DigestFilter) -> Result<Vec<DigestSummary>, Error> {
        let query = listing(LIST, filter).bind(filter.limit.map(i64::from));
        let rows = self.listed("list digests", filter, query).await?;
        Ok(rows.iter().map(summary).collect())
    }

    /// The digest with this id, or the newest one of the window with this id.
    pub async fn digest_show(&self, tenant_id: &str, id: &str) -> Result<Option<DigestFound>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let mut row = None;
        for sql in [SHOW, SHOW_WINDOW] {
            if row.is_none() {
                let shown = sqlx::query(sql).bind(tenant_id).bind(id);
                row = shown.fetch_optional(&mut *transaction).await.map_err(Error::query("read a digest"))?;
            }
        }
        let Some(row) = row else { return Ok(None) };
        if row.get::<Option<&str>, _>("payload_text").is_some() {
            return Ok(Some(DigestFound::Stored(Box::new(stored(&row)?))));
        }
        let blocked = sqlx::query(BLOCKED_NEWEST)
            .bind(tenant_id)
            .bind(row.get::<&str, _>("window_id"))
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query("read why a digest was withdrawn"))?;
        Ok(Some(DigestFound::Withdrawn {
            version: row.get("version"),
            blocked_version: blocked.get("version"),
            reason: blocked.get("reason"),
        }))
    }

    /// The newest version of each window's digest in canonical form, by (group, window start, size); the limit of the
    /// filter does not apply.
    pub async fn digest_export(&self, filter: &DigestFilter) -> Result<Vec<CanonicalDigest>, Error> {
        let rows = self.listed("export digests", filter, listing(EXPORT, filter)).await?;
        rows.iter()
            .map(|row| {
                let StoredDigest { summary, channels, runs, digest, .. } = stored(row)?;
                Ok(CanonicalDigest { summary, channels, runs, digest })
            })
            .collect()
    }

    /// The newest blocked version of each window that has had no digest since, by (group, window start, size); the limit
    /// of the filter does not apply.
    pub async fn blocked_list(&self, filter: &DigestFilter) -> Result<Vec<BlockedSummary>, Error> {
        let rows = self.listed("list blocked digests", filter, listing(BLOCKED, filter)).await?;
        Ok(rows.iter().map(blocked).collect())
    }

    async fn listed(
        &self,
        what: &'static str,
        filter: &DigestFilter,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        let mut transaction = self.begin_for(&filter.tenant_id).await?;
        query.fetch_all(&mut *transaction).await.map_err(Error::query(what))
    }
}

/// `sql` with what every listing asks for: the tenant, its group, if one is named, and which of its digests.
fn listing(sql: &'static str, filter: &DigestFilter) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(sql).bind(&filter.tenant_id).bind(&filter.group_id).bind(filter.asked)
}

pub(crate) fn summary(row: &PgRow) -> DigestSummary {
    DigestSummary {
        digest_id: row.get("digest_id"),
        tenant_id: row.get("tenant_id"),
        group_id: row.get("group_id"),
        window_id: row.get("window_id"),
        version: row.get("version"),
        size_hours: row.get("size_hours"),
        window_start: row.get("window_start_ms"),
        window_end: row.get("window_end_ms"),
        lane: row.get("lane"),
        quality_score: row.get("quality_score"),
        language: row.get("language"),
        headline: row.get("headline"),
        message_count: row.get("message_count"),
        participant_count: row.get("participant_count"),
    }
}

pub(crate) fn stored(row: &PgRow) -> Result<StoredDigest, Error> {
    Ok(StoredDigest {
        summary: summary(row),
        trace_id: row.get("trace_id"),
        source_partition: row.get("source_partition"),
        source_offset: row.get("source_offset"),
        channels: row.get("channels"),
        runs: from_json("runs", row.get("runs_text"))?,
        digest: from_json("digest", row.get("payload_text"))?,
    })
}

fn blocked(row: &PgRow) -> BlockedSummary {
    BlockedSummary {
        group_id: row.get("group_id"),
        window_id: row.get("window_id"),
        version: row.get("version"),
        size_hours: row.get("size_hours"),
        window_start: row.get("window_start_ms"),
        window_end: row.get("window_end_ms"),
        reason: row.get("reason"),
        quality_score: row.get("quality_score"),
        missing_scopes: row.get("missing_scopes"),
        weaknesses: row.get("weaknesses"),
        message_count: row.get("message_count"),
    }
}
