//! What is stored of a message: its states, the windows that it fell into, and what became of these.
//!
//! Invariant: ids, times and how it ended; no word of the message or of a digest.

use crate::{Error, Store};
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

/// States of a message that are told, the newest last.
const STATES: i64 = 100;
/// Windows that are told; of a message four sizes have one each, and some people may have asked for others.
const WINDOWS: i64 = 50;

pub(crate) const SAID: &str = "
SELECT revision, kind, sent_at_ms, source_partition, source_offset FROM messages
WHERE tenant_id = $1 AND group_id = $2 AND id = $3 ORDER BY id, revision, source_offset LIMIT $4";

/// The newest version of each window around a time that has a digest, and whether that gives the message as a source. A window of
/// the clock has at most 25 hours, one that is asked for at most a month.
pub(crate) const DIGESTS: &str = "
SELECT around.window_id, around.size_hours, around.window_start_ms, around.window_end_ms, around.version, around.digest_id,
    around.payload IS NULL AS withdrawn,
    coalesce(jsonb_path_exists(around.payload, '$ ? (exists(@.summary.message_ids ? (@ == $id))
        || exists(@.decisions.message_ids ? (@ == $id)) || exists(@.questions.message_ids ? (@ == $id))
        || exists(@.actions.message_ids ? (@ == $id)) || exists(@.answers.question.message_ids ? (@ == $id))
        || exists(@.answers.answers.message_ids ? (@ == $id))
        || exists(@.topics.story.message_ids ? (@ == $id)))', jsonb_build_object('id', $4::bigint)), false) AS cites
FROM (
    SELECT * FROM digests
    WHERE tenant_id = $1 AND group_id = $2 AND window_start_ms <= $3 AND window_start_ms > $3 - 2678400000
        AND window_end_ms > $3
    ORDER BY window_start_ms DESC
) AS around
CROSS JOIN LATERAL (
    SELECT revision, attempt FROM digests
    WHERE tenant_id = $1 AND digests.window_id = around.window_id
    ORDER BY revision DESC, attempt DESC LIMIT 1
) AS newest
WHERE newest.revision = around.revision AND newest.attempt = around.attempt
LIMIT $5";

pub(crate) const BLOCKED: &str = "
SELECT blocked.window_id, size_hours, window_start_ms, window_end_ms, version, reason
FROM blocked_digests AS blocked
CROSS JOIN LATERAL (
    SELECT revision, attempt FROM blocked_digests
    WHERE tenant_id = $1 AND blocked_digests.window_id = blocked.window_id
    ORDER BY revision DESC, attempt DESC LIMIT 1
) AS newest
WHERE blocked.tenant_id = $1 AND blocked.group_id = $2 AND window_start_ms <= $3 AND window_end_ms > $3
    AND newest.revision = blocked.revision AND newest.attempt = blocked.attempt
LIMIT $4";

pub(crate) const DELIVERED: &str = "
SELECT deliveries.window_id, channel, chat, revision::text || '.' || attempt::text AS version, part, status,
    (extract(epoch FROM coalesce(finished_at, sending_at, planned_at)) * 1000)::bigint AS at_ms
FROM unnest($2::text[]) AS wanted (window_id)
CROSS JOIN LATERAL (
    SELECT * FROM deliveries WHERE tenant_id = $1 AND deliveries.window_id = wanted.window_id
    ORDER BY window_id, channel, chat, revision, attempt, part LIMIT 1000
) AS deliveries";

/// A state of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidState {
    /// Revision.
    pub revision: i64,
    /// `new`, `edited`, `deleted` and so on.
    pub kind: String,
    /// When it was sent, in ms.
    pub sent_at: i64,
    /// Partition of `group.message.ingested`.
    pub source_partition: i32,
    /// Offset of the record that told it.
    pub source_offset: i64,
}

/// How the newest version of a window ended that a message fell into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageWindow {
    /// The window.
    pub window_id: String,
    /// Hours; 0 where somebody asked for it.
    pub size_hours: i32,
    /// Start in ms.
    pub window_start: i64,
    /// End in ms.
    pub window_end: i64,
    /// Its newest version.
    pub version: String,
    /// Its digest; none where it was blocked.
    pub digest_id: Option<String>,
    /// Why it was blocked.
    pub reason: Option<String>,
    /// True for a digest that was taken back.
    pub withdrawn: bool,
    /// True where the digest gives the message as a source of what it says.
    pub cites: bool,
    /// The ledger of its deliveries, all versions.
    pub deliveries: Vec<LedgerLine>,
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerLine {
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Version of the window.
    pub version: String,
    /// Part of the digest.
    pub part: i32,
    /// How it stands.
    pub status: String,
    /// Since when, in ms.
    pub at: i64,
}

impl Store {
    /// A message's states and the windows that its newest one fell into; none where nothing is stored of it.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn message_way(
        &self,
        (tenant_id, group_id): (&str, &str),
        id: i64,
    ) -> Result<Option<(Vec<SaidState>, Vec<MessageWindow>)>, Error> {
        let what = "look for the way of a message";
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(SAID)
            .bind(tenant_id)
            .bind(group_id)
            .bind(id)
            .bind(STATES)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let states: Vec<SaidState> = rows.iter().map(state).collect();
        let Some(sent_at) = states.last().map(|state| state.sent_at) else { return Ok(None) };
        let rows = sqlx::query(DIGESTS)
            .bind(tenant_id)
            .bind(group_id)
            .bind(sent_at)
            .bind(id)
            .bind(WINDOWS)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let mut windows: Vec<MessageWindow> = rows.iter().map(digest).collect();
        let rows = sqlx::query(BLOCKED)
            .bind(tenant_id)
            .bind(group_id)
            .bind(sent_at)
            .bind(WINDOWS)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        for found in rows.iter().map(blocked) {
            add(&mut windows, found);
        }
        windows.sort_by_key(|window| (window.size_hours, window.window_start));
        let ids: Vec<String> = windows.iter().map(|window| window.window_id.clone()).collect();
        let rows = sqlx::query(DELIVERED)
            .bind(tenant_id)
            .bind(ids)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        for row in &rows {
            let of: String = row.get("window_id");
            if let Some(window) = windows.iter_mut().find(|window| window.window_id == of) {
                window.deliveries.push(line(row));
            }
        }
        Ok(Some((states, windows)))
    }
}

/// Of a window that has a digest and a refusal the newer version counts.
fn add(windows: &mut Vec<MessageWindow>, found: MessageWindow) {
    let order = |version: &str| version.parse::<schemas::Version>().ok();
    match windows.iter_mut().find(|window| window.window_id == found.window_id) {
        Some(window) if order(&window.version) < order(&found.version) => *window = found,
        Some(_) => {}
        None => windows.push(found),
    }
}

fn state(row: &PgRow) -> SaidState {
    SaidState {
        revision: row.get("revision"),
        kind: row.get("kind"),
        sent_at: row.get("sent_at_ms"),
        source_partition: row.get("source_partition"),
        source_offset: row.get("source_offset"),
    }
}

fn digest(row: &PgRow) -> MessageWindow {
    MessageWindow {
        digest_id: row.get("digest_id"),
        withdrawn: row.get("withdrawn"),
        cites: row.get("cites"),
        reason: None,
        ..window(row)
    }
}

fn blocked(row: &PgRow) -> MessageWindow {
    MessageWindow { reason: row.get("reason"), ..window(row) }
}

fn window(row: &PgRow) -> MessageWindow {
    MessageWindow {
        window_id: row.get("window_id"),
        size_hours: row.get("size_hours"),
        window_start: row.get("window_start_ms"),
        window_end: row.get("window_end_ms"),
        version: row.get("version"),
        digest_id: None,
        reason: None,
        withdrawn: false,
        cites: false,
        deliveries: Vec::new(),
    }
}

fn line(row: &PgRow) -> LedgerLine {
    LedgerLine {
        channel: row.get("channel"),
        chat: row.get("chat"),
        version: row.get("version"),
        part: row.get("part"),
        status: row.get("status"),
        at: row.get("at_ms"),
    }
}
