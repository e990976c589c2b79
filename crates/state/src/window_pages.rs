//! Windows and digests page by page, the newest first, as programs read them.
//!
//! Invariant: the order is total (start, size, group, id), so that a page begins after the last row of the one before,
//! whatever came meanwhile.

use crate::{DigestSummary, Error, Store, StoredDigest, digest_reads::summary};
use schemas::{GroupSettings, WindowRef};
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

/// The last row of a page of windows or digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowPlace {
    /// Start in ms.
    pub start_ms: i64,
    /// Size in hours.
    pub size_hours: i32,
    /// Group.
    pub group_id: String,
    /// Id of the window.
    pub window_id: String,
}

/// Which page of windows or digests.
#[derive(Debug, Clone, Default)]
pub struct WindowPage {
    /// Tenant.
    pub tenant_id: String,
    /// Group; all of the tenant's when absent.
    pub group_id: Option<String>,
    /// Only those that somebody asked for, or only the others; all when absent.
    pub asked: Option<bool>,
    /// After this row; from the newest when absent.
    pub after: Option<WindowPlace>,
    /// Most rows.
    pub limit: u32,
}

/// A window of which something came.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSeen {
    /// Group.
    pub group_id: String,
    /// Id of the window.
    pub window_id: String,
    /// `<window revision>.<attempt>` of the newest version.
    pub version: String,
    /// Size in hours; 0 for one that somebody asked for.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Messages in it.
    pub message_count: i32,
    /// Its digest; none where it was blocked.
    pub digest_id: Option<String>,
    /// Headline of the digest.
    pub headline: Option<String>,
    /// Score of the digest in [0, 1], also of one that was blocked for it.
    pub quality_score: Option<f64>,
    /// Why the newest version was blocked.
    pub blocked: Option<String>,
}

/// A version of a window's digest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DigestVersion {
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Score in [0, 1].
    pub quality_score: f64,
    /// Its headline; empty once it was withdrawn.
    pub headline: String,
    /// When it was stored, in ms.
    pub created_at: i64,
    /// A newer version was blocked, and this one was taken back.
    pub withdrawn: bool,
}

impl StoredDigest {
    /// The window that it is about, as far as it is stored: of its settings nothing is.
    pub fn window(&self) -> WindowRef {
        let summary = &self.summary;
        let revision = summary.version.split('.').next().and_then(|revision| revision.parse().ok());
        WindowRef {
            size_hours: summary.size_hours,
            window_start: summary.window_start,
            window_end: summary.window_end,
            revision: revision.unwrap_or_default(),
            lane: summary.lane.clone(),
            message_count: summary.message_count,
            participant_count: summary.participant_count,
            settings: GroupSettings::default(),
            source_partition: self.source_partition,
            source_offset: self.source_offset,
        }
    }
}

/// Of each kind a page, read by its index as in [`DIGESTS`], then the page of both. A blocked version is listed where nothing
/// of its window is newer, looked for in one order: of two conditions the planner would first try the one that it takes for
/// the cheaper one.
pub(crate) const WINDOWS: &str = "
SELECT * FROM (
    (SELECT group_id, window_id, version, size_hours, window_start_ms, window_end_ms, message_count, digest_id, headline,
        quality_score, NULL::text AS reason
    FROM digests AS shown
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id || '' = $2) AND ($8::boolean IS NULL OR (size_hours + 0 = 0) = $8)
        AND payload IS NOT NULL AND window_start_ms <= $3::bigint AND (window_start_ms + 0) IS NOT NULL
        AND (window_start_ms, size_hours, group_id, window_id) < ($3::bigint, $4, $5, $6)
        AND NOT EXISTS (
            SELECT FROM digests AS newer
            WHERE newer.tenant_id = $1 AND newer.window_id = shown.window_id
                AND (newer.revision, newer.attempt) > (shown.revision, shown.attempt)
            OFFSET 0
        )
    ORDER BY window_start_ms DESC, size_hours DESC, group_id DESC, window_id DESC LIMIT $7)
    UNION ALL
    (SELECT group_id, window_id, version, size_hours, window_start_ms, window_end_ms, message_count, NULL, NULL,
        quality_score, reason
    FROM blocked_digests AS shown
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id || '' = $2) AND ($8::boolean IS NULL OR (size_hours + 0 = 0) = $8)
        AND window_start_ms <= $3::bigint AND (window_start_ms + 0) IS NOT NULL
        AND (window_start_ms, size_hours, group_id, window_id) < ($3::bigint, $4, $5, $6)
        AND NOT EXISTS (
            SELECT 1 FROM blocked_digests AS newer
            WHERE newer.tenant_id = $1 AND newer.window_id = shown.window_id
                AND (newer.revision, newer.attempt) > (shown.revision, shown.attempt)
            UNION ALL
            SELECT 1 FROM digests AS newer
            WHERE newer.tenant_id = $1 AND newer.window_id = shown.window_id
                AND (newer.revision, newer.attempt) >= (shown.revision, shown.attempt)
            OFFSET 0
        )
    ORDER BY window_start_ms DESC, size_hours DESC, group_id DESC, window_id DESC LIMIT $7)
) AS known
ORDER BY window_start_ms DESC, size_hours DESC, group_id DESC, window_id DESC LIMIT $7";

/// The index by page serves only who says of the start what it says. The start is compared alone too: from there the index
/// is read. `OFFSET 0`: the planner does not join all versions, but looks for a newer one of each row of the page. Group and
/// size are compared as expressions: as columns they would be conditions of the index where the values are known to the
/// planner, and not where they are not.
pub(crate) const DIGESTS: &str = "
SELECT digest_id, tenant_id, group_id, window_id, version, size_hours, window_start_ms, window_end_ms, lane, quality_score,
    language, headline, message_count, participant_count
FROM digests AS shown
WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id || '' = $2) AND ($8::boolean IS NULL OR (size_hours + 0 = 0) = $8)
    AND payload IS NOT NULL AND window_start_ms <= $3::bigint AND (window_start_ms + 0) IS NOT NULL
    AND (window_start_ms, size_hours, group_id, window_id) < ($3::bigint, $4, $5, $6)
    AND NOT EXISTS (
        SELECT FROM digests AS newer
        WHERE newer.tenant_id = $1 AND newer.window_id = shown.window_id
            AND (newer.revision, newer.attempt) > (shown.revision, shown.attempt)
        OFFSET 0
    )
ORDER BY window_start_ms DESC, size_hours DESC, group_id DESC, window_id DESC LIMIT $7";

pub(crate) const VERSIONS: &str = "
SELECT digest_id, version, quality_score, headline, (extract(epoch FROM created_at) * 1000)::bigint AS created_ms,
    payload IS NULL AS withdrawn
FROM digests WHERE tenant_id = $1 AND window_id = $2
ORDER BY revision DESC, attempt DESC LIMIT 100";

pub(crate) const BOUNDS: &str = "
SELECT group_id, window_start_ms, window_end_ms FROM digests WHERE tenant_id = $1 AND window_id = $2
ORDER BY revision DESC, attempt DESC LIMIT 1";

pub(crate) const BLOCKED_BOUNDS: &str = "
SELECT group_id, window_start_ms, window_end_ms FROM blocked_digests WHERE tenant_id = $1 AND window_id = $2
ORDER BY revision DESC, attempt DESC LIMIT 1";

impl Store {
    /// The group of a window that has a digest or was blocked, and its bounds in ms.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn window_bounds(
        &self,
        tenant_id: &str,
        window_id: &str,
    ) -> Result<Option<(String, (i64, i64))>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        for sql in [BOUNDS, BLOCKED_BOUNDS] {
            let row =
                sqlx::query(sql).bind(tenant_id).bind(window_id).fetch_optional(&mut *transaction).await;
            if let Some(row) = row.map_err(Error::query("look for a window"))? {
                return Ok(Some((row.get(0), (row.get(1), row.get(2)))));
            }
        }
        Ok(None)
    }

    /// Windows that have a digest or were blocked.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn window_page(&self, page: &WindowPage) -> Result<Vec<WindowSeen>, Error> {
        let rows = self.paged("list windows", (WINDOWS, page)).await?;
        Ok(rows.iter().map(window).collect())
    }

    /// The newest version of each window's digest.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn digest_page(&self, page: &WindowPage) -> Result<Vec<DigestSummary>, Error> {
        let rows = self.paged("list digests", (DIGESTS, page)).await?;
        Ok(rows.iter().map(summary).collect())
    }

    /// The versions of a window's digest that are kept, the newest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn digest_versions(
        &self,
        tenant_id: &str,
        window_id: &str,
    ) -> Result<Vec<DigestVersion>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(VERSIONS).bind(tenant_id).bind(window_id).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(Error::query("list the versions of a digest"))?;
        let version = |row: &PgRow| DigestVersion {
            digest_id: row.get("digest_id"),
            version: row.get("version"),
            quality_score: row.get("quality_score"),
            headline: row.get("headline"),
            created_at: row.get("created_ms"),
            withdrawn: row.get("withdrawn"),
        };
        Ok(rows.iter().map(version).collect())
    }

    async fn paged(
        &self,
        what: &'static str,
        (sql, page): (&'static str, &WindowPage),
    ) -> Result<Vec<PgRow>, Error> {
        let mut transaction = self.begin_for(&page.tenant_id).await?;
        let first = WindowPlace {
            start_ms: i64::MAX,
            size_hours: i32::MAX,
            group_id: String::new(),
            window_id: String::new(),
        };
        let after = page.after.as_ref().unwrap_or(&first);
        let query = sqlx::query(sql)
            .bind(&page.tenant_id)
            .bind(&page.group_id)
            .bind(after.start_ms)
            .bind(after.size_hours)
            .bind(&after.group_id)
            .bind(&after.window_id)
            .bind(i64::from(page.limit))
            .bind(page.asked);
        query.fetch_all(&mut *transaction).await.map_err(Error::query(what))
    }
}

fn window(row: &PgRow) -> WindowSeen {
    WindowSeen {
        group_id: row.get("group_id"),
        window_id: row.get("window_id"),
        version: row.get("version"),
        size_hours: row.get("size_hours"),
        window_start: row.get("window_start_ms"),
        window_end: row.get("window_end_ms"),
        message_count: row.get("message_count"),
        digest_id: row.get("digest_id"),
        headline: row.get("headline"),
        quality_score: row.get("quality_score"),
        blocked: row.get("reason"),
    }
}
