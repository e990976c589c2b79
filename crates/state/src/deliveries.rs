//! The ledger of deliveries. Invariant: `sending` is committed before an effect and never left but by how it ended, so
//! that a crash in between is seen.

use crate::{Batch, Error, json::storable};
use schemas::Version;
use sqlx::Row;

/// An effect: a delivery (window, channel, chat), its version and part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Tenant.
    pub tenant_id: &'a str,
    /// Group.
    pub group_id: &'a str,
    /// Id of the window.
    pub window_id: &'a str,
    /// Id of the digest: of window and version.
    pub digest_id: &'a str,
    /// Version of the digest.
    pub version: Version,
    /// Channel, such as `file`.
    pub channel: &'a str,
    /// Target in the channel's own terms; empty where there is but one.
    pub chat: &'a str,
    /// Part of a digest that is delivered in several, from 1.
    pub part: i32,
}

/// State of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryStatus {
    /// To be done.
    Planned,
    /// Begun.
    Sending,
    /// Done.
    Sent,
    /// Not done, for good.
    Failed,
    /// Begun, and nobody knows how it ended.
    Unknown,
    /// Not done, since a newer version was there first.
    Superseded,
}

impl DeliveryStatus {
    const ALL: [Self; 6] =
        [Self::Planned, Self::Sending, Self::Sent, Self::Failed, Self::Unknown, Self::Superseded];

    /// The name in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Superseded => "superseded",
        }
    }
}

/// What the ledger knew before an effect was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryBefore {
    /// State of this effect; `None` when it is new.
    pub status: Option<DeliveryStatus>,
    /// Newest version of the same delivery and part that was begun, this one included.
    pub newest: Option<Version>,
}

pub(crate) const BEFORE: &str = "
SELECT revision, attempt, status FROM deliveries
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 AND part = $5
ORDER BY revision, attempt";

pub(crate) const MARK: &str = "
INSERT INTO deliveries AS old (tenant_id, window_id, channel, chat, revision, attempt, part, group_id, digest_id,
    status, error, sending_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
    CASE WHEN $10 = 'sending' THEN now() END, CASE WHEN $10 NOT IN ('planned', 'sending') THEN now() END)
ON CONFLICT (tenant_id, window_id, channel, chat, revision, attempt, part) DO UPDATE SET
    status = excluded.status, error = excluded.error, sending_at = coalesce(excluded.sending_at, old.sending_at),
    finished_at = excluded.finished_at";

impl Batch {
    /// What the ledger knows of an effect and of its delivery.
    pub async fn delivery_before(&mut self, delivery: &Delivery<'_>) -> Result<DeliveryBefore, Error> {
        let rows = sqlx::query(BEFORE)
            .bind(delivery.tenant_id)
            .bind(delivery.window_id)
            .bind(delivery.channel)
            .bind(storable(delivery.chat))
            .bind(delivery.part)
            .fetch_all(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("read the ledger of deliveries"))?;
        let mut before = DeliveryBefore { status: None, newest: None };
        for row in &rows {
            let version = Version { revision: row.get(0), attempt: row.get(1) };
            let name: &str = row.get(2);
            let status = DeliveryStatus::ALL.into_iter().find(|status| status.as_str() == name);
            if version == delivery.version {
                before.status = status;
            }
            if matches!(
                status,
                Some(DeliveryStatus::Sending | DeliveryStatus::Sent | DeliveryStatus::Unknown)
            ) {
                before.newest = before.newest.max(Some(version));
            }
        }
        Ok(before)
    }

    /// Writes the state of an effect, with the reason of one that failed.
    pub async fn mark_delivery(
        &mut self,
        delivery: &Delivery<'_>,
        status: DeliveryStatus,
        error: Option<&str>,
    ) -> Result<(), Error> {
        self.know_tenant(delivery.tenant_id).await?;
        sqlx::query(MARK)
            .bind(delivery.tenant_id)
            .bind(delivery.window_id)
            .bind(delivery.channel)
            .bind(storable(delivery.chat))
            .bind(delivery.version.revision)
            .bind(delivery.version.attempt)
            .bind(delivery.part)
            .bind(delivery.group_id)
            .bind(delivery.digest_id)
            .bind(status.as_str())
            .bind(error.map(storable))
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("write the ledger of deliveries"))?;
        Ok(())
    }
}
