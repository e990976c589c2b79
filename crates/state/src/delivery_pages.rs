//! Deliveries and the audit log page by page, the newest first, as programs read them.
//!
//! Invariant: the order is total, so that a page begins after the last row of the one before, whatever came meanwhile.

use crate::{AuditEntry, Error, Store, audit::entry};
use serde::{Deserialize, Serialize};
use sqlx::{Row, postgres::PgRow};

/// A row of the ledger of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySeen {
    /// Where it stands in the listing.
    pub place: DeliveryPlace,
    /// Group.
    pub group_id: String,
    /// Digest.
    pub digest_id: String,
    /// State, as the ledger names it.
    pub status: String,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was begun, in ms.
    pub sending_at: Option<i64>,
    /// When it ended, in ms.
    pub finished_at: Option<i64>,
}

/// What tells a delivery from all others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryPlace {
    /// When it was planned, in microseconds.
    pub planned_us: i64,
    /// Window.
    pub window_id: String,
    /// Channel.
    pub channel: String,
    /// Target; empty where there is but one.
    pub chat: String,
    /// Revision of the window.
    pub revision: i32,
    /// Attempt.
    pub attempt: i32,
    /// Part, from 1.
    pub part: i32,
}

/// Which page of deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryPage {
    /// Tenant.
    pub tenant_id: String,
    /// Group; all of the tenant's when absent.
    pub group_id: Option<String>,
    /// In this state; all when absent.
    pub status: Option<String>,
    /// After this row; from the newest when absent.
    pub after: Option<DeliveryPlace>,
    /// Most rows.
    pub limit: u32,
}

/// After every row: the last microsecond of the year 9999.
const NEWEST_US: i64 = 253_402_300_799_999_999;

/// The time is compared alone too, since the index by time serves only who does.
pub(crate) const DELIVERIES: &str = "
SELECT window_id, channel, chat, revision, attempt, part, group_id, digest_id, status, error,
    (extract(epoch FROM planned_at) * 1000000)::bigint AS planned_us,
    (extract(epoch FROM sending_at) * 1000)::bigint AS sending_ms,
    (extract(epoch FROM finished_at) * 1000)::bigint AS finished_ms
FROM deliveries
WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($3::text IS NULL OR status = $3) AND part > 0
    AND planned_at <= 'epoch'::timestamptz + $4::bigint * interval '1 microsecond'
    AND (planned_at, window_id, channel, chat, revision, attempt, part)
        < ('epoch'::timestamptz + $4::bigint * interval '1 microsecond', $5, $6, $7, $8, $9, $10)
ORDER BY planned_at DESC, window_id DESC, channel DESC, chat DESC, revision DESC, attempt DESC, part DESC LIMIT $11";

pub(crate) const OF_WINDOW: &str = "
SELECT window_id, channel, chat, revision, attempt, part, group_id, digest_id, status, error,
    (extract(epoch FROM planned_at) * 1000000)::bigint AS planned_us,
    (extract(epoch FROM sending_at) * 1000)::bigint AS sending_ms,
    (extract(epoch FROM finished_at) * 1000)::bigint AS finished_ms
FROM deliveries WHERE tenant_id = $1 AND window_id = $2 AND part > 0
ORDER BY planned_at DESC, channel DESC, chat DESC, revision DESC, attempt DESC, part DESC LIMIT $3";

pub(crate) const AUDIT: &str = "
SELECT seq, (extract(epoch FROM at) * 1000)::bigint AS at_ms, tenant_id, actor, action, subject, before::text AS before,
    after::text AS after
FROM audit_log WHERE tenant_id = $1 AND seq < $2
ORDER BY seq DESC LIMIT $3";

impl Store {
    /// Deliveries of a tenant, part by part.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn delivery_page(&self, page: &DeliveryPage) -> Result<Vec<DeliverySeen>, Error> {
        let first = DeliveryPlace { planned_us: NEWEST_US, ..DeliveryPlace::default() };
        let after = page.after.as_ref().unwrap_or(&first);
        let mut transaction = self.begin_for(&page.tenant_id).await?;
        let rows = sqlx::query(DELIVERIES)
            .bind(&page.tenant_id)
            .bind(&page.group_id)
            .bind(&page.status)
            .bind(after.planned_us.clamp(0, NEWEST_US))
            .bind(&after.window_id)
            .bind(&after.channel)
            .bind(&after.chat)
            .bind(after.revision)
            .bind(after.attempt)
            .bind(after.part)
            .bind(i64::from(page.limit))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("list deliveries"))?;
        Ok(rows.iter().map(delivery).collect())
    }

    /// Deliveries of a window, of all its versions, at most `limit`.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn window_deliveries(
        &self,
        tenant_id: &str,
        window_id: &str,
        limit: u32,
    ) -> Result<Vec<DeliverySeen>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(OF_WINDOW)
            .bind(tenant_id)
            .bind(window_id)
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("list a window's deliveries"))?;
        Ok(rows.iter().map(delivery).collect())
    }

    /// What was changed of a tenant, before the entry of this number; from the newest when absent.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn audit_page(
        &self,
        tenant_id: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(AUDIT)
            .bind(tenant_id)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read the audit log"))?;
        Ok(rows.iter().map(entry).collect())
    }
}

fn delivery(row: &PgRow) -> DeliverySeen {
    DeliverySeen {
        place: DeliveryPlace {
            planned_us: row.get("planned_us"),
            window_id: row.get("window_id"),
            channel: row.get("channel"),
            chat: row.get("chat"),
            revision: row.get("revision"),
            attempt: row.get("attempt"),
            part: row.get("part"),
        },
        group_id: row.get("group_id"),
        digest_id: row.get("digest_id"),
        status: row.get("status"),
        error: row.get("error"),
        sending_at: row.get("sending_ms"),
        finished_at: row.get("finished_ms"),
    }
}
