//! What is stored, for whoever holds it against the log.
//!
//! Invariant: rows as they are, those without words too; nothing is changed by looking.

use crate::{
    Error, Store, StoredDigest,
    digest_reads::{stored, summary},
    erased::AMONG,
};
use schemas::Version;
use sqlx::{Row, postgres::PgRow};
use std::collections::BTreeSet;

/// A row of the digests.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestRow {
    /// Its id.
    pub digest_id: String,
    /// Group.
    pub group_id: String,
    /// Window.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// When it was written, in ms.
    pub created_at: i64,
    /// What it holds; none where its words were taken back.
    pub stored: Option<Box<StoredDigest>>,
}

/// A state of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedMessage {
    /// Message.
    pub id: i64,
    /// Revision.
    pub revision: i64,
    /// True for a deletion.
    pub deleted: bool,
    /// Text.
    pub text: String,
    /// Partition of `group.message.ingested`.
    pub partition: i32,
    /// Offset of the record that told it.
    pub offset: i64,
}

pub(crate) const DIGESTS: &str = "
SELECT *, payload::text AS payload_text, runs::text AS runs_text,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at_ms
FROM digests WHERE tenant_id = $1 ORDER BY tenant_id, digest_id";

/// Of each id the state that counts at an offset: of those that there were, the deletion, else the newest.
pub(crate) const STATES: &str = "
SELECT state.id, state.revision, state.deleted OR gone.deleted IS NOT NULL AS deleted, state.text,
    state.source_partition, state.source_offset
FROM unnest($3::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset <= $5
        AND source_partition = $4
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS state
LEFT JOIN LATERAL (
    SELECT deleted FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset <= $5
        AND source_partition = $4 AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true";

impl Store {
    /// Every digest of a tenant, all versions, by id.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn digest_rows(&self, tenant_id: &str) -> Result<Vec<DigestRow>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(DIGESTS).bind(tenant_id).fetch_all(&mut *transaction).await;
        rows.map_err(Error::query("read digests"))?.iter().map(digest_row).collect()
    }

    /// The states of messages of a group as of a place in its log; ids of which there is none are left out.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn states_as_of(
        &self,
        (tenant_id, group_id): (&str, &str),
        (partition, offset): (i32, i64),
        ids: &[i64],
    ) -> Result<Vec<StatedMessage>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(STATES)
            .bind(tenant_id)
            .bind(group_id)
            .bind(ids)
            .bind(partition)
            .bind(offset)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read states of messages"))?;
        Ok(rows.iter().map(stated).collect())
    }

    /// Those of the ids that an operator erased.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn erased_among(
        &self,
        (tenant_id, group_id): (&str, &str),
        ids: &[i64],
    ) -> Result<BTreeSet<i64>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let places: Vec<i64> = sqlx::query_scalar(AMONG)
            .bind(tenant_id)
            .bind(vec![group_id; ids.len()])
            .bind(ids)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("look for erased messages"))?;
        let id = |place: i64| ids.get(usize::try_from(place).ok()?.checked_sub(1)?).copied();
        Ok(places.into_iter().filter_map(id).collect())
    }
}

fn digest_row(row: &PgRow) -> Result<DigestRow, Error> {
    let has_words = row.get::<Option<&str>, _>("payload_text").is_some();
    let summary = summary(row);
    Ok(DigestRow {
        digest_id: summary.digest_id,
        group_id: summary.group_id,
        window_id: summary.window_id,
        version: summary.version,
        created_at: row.get("created_at_ms"),
        stored: has_words.then(|| stored(row)).transpose()?.map(Box::new),
    })
}

fn stated(row: &PgRow) -> StatedMessage {
    StatedMessage {
        id: row.get("id"),
        revision: row.get("revision"),
        deleted: row.get("deleted"),
        text: row.get("text"),
        partition: row.get("source_partition"),
        offset: row.get("source_offset"),
    }
}

impl DigestRow {
    /// Its version as numbers.
    pub fn order(&self) -> Option<Version> {
        self.version.parse().ok()
    }
}
