//! What waits for an operator: deliveries of which nobody knows whether they happened, and targets that refuse.
//!
//! Invariant: a row that is settled and what is said of it share one transaction, and only an unknown one can be settled.

use crate::{DeliveryStatus, Error, Store, outbox, queue_entry::STANDING};
use schemas::{DigestDelivered, Version};
use serde::Serialize;
use sqlx::{PgConnection, Row, postgres::PgRow};

/// A delivery that may have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownDelivery {
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// Id of the window.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Part, from 1.
    pub part: i32,
    /// Why nobody knows.
    pub error: Option<String>,
    /// When it was begun, in ms.
    pub sending_at: Option<i64>,
}

/// A target that nothing is delivered to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisabledTarget {
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Why.
    pub reason: String,
}

/// Which unknown delivery is settled, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Tenant.
    pub tenant_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms; `None` for all that are unknown.
    pub chat: Option<String>,
    /// Part, from 1.
    pub part: i32,
    /// Where it is; `None` when it is not there.
    pub reference: Option<String>,
}

/// What came of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// No such delivery is unknown.
    NotUnknown,
    /// The whole digest is delivered, and that was said.
    Delivered,
    /// This part is there, others are not.
    Partly,
    /// It is not there, and that was said; of mail, where no other recipient has it or may get it.
    NotDelivered,
}

pub(crate) const UNKNOWN: &str = "
SELECT group_id, digest_id, window_id, revision, attempt, channel, chat, part, error,
    (extract(epoch FROM sending_at) * 1000)::bigint
FROM deliveries WHERE tenant_id = $1 AND status = 'unknown'
ORDER BY tenant_id, window_id, channel, chat, revision, attempt, part";

pub(crate) const DISABLED: &str = "
SELECT channel, chat, disabled FROM delivery_targets WHERE tenant_id = $1 AND disabled IS NOT NULL
ORDER BY tenant_id, channel, chat";

pub(crate) const ENABLE: &str = "
UPDATE delivery_targets SET disabled = NULL, updated_at = now()
WHERE tenant_id = $1 AND channel = $2 AND chat = $3 AND disabled IS NOT NULL";

pub(crate) const SETTLE: &str = "
UPDATE deliveries SET status = $5, reference = CASE WHEN $5 = 'sent' THEN coalesce(reference, $6) END, error = $7, finished_at = now()
WHERE tenant_id = $1 AND digest_id = $2 AND channel = $3 AND part = $4 AND status = 'unknown'
    AND chat || '' = coalesce($8, chat)
RETURNING group_id, window_id, revision, attempt";

pub(crate) const IS_PARTLY_SENT: &str = "
SELECT coalesce((SELECT true FROM deliveries
    WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND digest_id = $4 AND part > 0 AND status <> 'sent'
    LIMIT 1), false)";

const NOT_THERE: &str = "an operator found that it was not delivered";
/// The channel of which each target counts for itself: a digest is delivered where one has it, and failed where none does.
const OF_EACH: &str = "email";

impl Store {
    /// Deliveries of a tenant of which nobody knows whether they happened, by window.
    pub async fn unknown_deliveries(&self, tenant_id: &str) -> Result<Vec<UnknownDelivery>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(UNKNOWN)
            .bind(tenant_id)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("list unknown deliveries"))?;
        Ok(rows.iter().map(unknown).collect())
    }

    /// Targets of a tenant that nothing is delivered to.
    pub async fn disabled_targets(&self, tenant_id: &str) -> Result<Vec<DisabledTarget>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(DISABLED)
            .bind(tenant_id)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("list disabled targets"))?;
        let target =
            |row: &PgRow| DisabledTarget { channel: row.get(0), chat: row.get(1), reason: row.get(2) };
        Ok(rows.iter().map(target).collect())
    }

    /// Delivers to a target again; false when it was not disabled.
    pub async fn enable_target(&self, tenant_id: &str, channel: &str, chat: &str) -> Result<bool, Error> {
        let what = "enable a target";
        let mut transaction = self.begin_for(tenant_id).await?;
        let done = sqlx::query(ENABLE)
            .bind(tenant_id)
            .bind(channel)
            .bind(chat)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down how an unknown delivery ended, and tells of a digest's through the outbox, as of `now_ms`.
    pub async fn settle_delivery(&self, settlement: &Settlement, now_ms: i64) -> Result<Settled, Error> {
        let what = "settle a delivery";
        let mut transaction = self.begin_for(&settlement.tenant_id).await?;
        let is_there = settlement.reference.is_some();
        let status = if is_there { DeliveryStatus::Sent } else { DeliveryStatus::Failed };
        let row = sqlx::query(SETTLE)
            .bind(&settlement.tenant_id)
            .bind(&settlement.digest_id)
            .bind(&settlement.channel)
            .bind(settlement.part)
            .bind(status.as_str())
            .bind(settlement.reference.as_deref())
            .bind((!is_there).then_some(NOT_THERE))
            .bind(settlement.chat.as_deref())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let Some(row) = row else { return Ok(Settled::NotUnknown) };
        let (settled, is_over) = if settlement.channel == OF_EACH {
            let is_over = is_there || !is_elsewhere(&mut transaction, settlement, &row).await?;
            (if is_there { Settled::Delivered } else { Settled::NotDelivered }, is_over)
        } else {
            let settled = match (is_there, is_partly_sent(&mut transaction, settlement, &row).await?) {
                (true, true) => Settled::Partly,
                (true, false) => Settled::Delivered,
                (false, _) => Settled::NotDelivered,
            };
            (settled, settled != Settled::Partly)
        };
        // Who listens for digests does not hear of what is none.
        let is_digest = row.get::<i32, _>("revision") != Version::NO_DIGEST.revision;
        if is_over && is_digest {
            let event = event(settlement, &row, now_ms);
            outbox::append(&mut transaction, "delivered", &event).await?;
        }
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(settled)
    }
}

/// True while parts of the digest are not where they should be.
async fn is_partly_sent(
    transaction: &mut PgConnection,
    settlement: &Settlement,
    row: &PgRow,
) -> Result<bool, Error> {
    sqlx::query_scalar(IS_PARTLY_SENT)
        .bind(&settlement.tenant_id)
        .bind(row.get::<&str, _>("window_id"))
        .bind(&settlement.channel)
        .bind(&settlement.digest_id)
        .fetch_one(transaction)
        .await
        .map_err(Error::query("settle a delivery"))
}

/// True where another target has the digest, or may get it yet.
async fn is_elsewhere(
    transaction: &mut PgConnection,
    settlement: &Settlement,
    row: &PgRow,
) -> Result<bool, Error> {
    let standing = sqlx::query(STANDING)
        .bind(&settlement.tenant_id)
        .bind(row.get::<&str, _>("window_id"))
        .bind(&settlement.channel)
        .bind(row.get::<i32, _>("revision"))
        .bind(row.get::<i32, _>("attempt"))
        .fetch_one(transaction)
        .await
        .map_err(Error::query("settle a delivery"))?;
    Ok(standing.get::<i64, _>(0) > 0 || standing.get::<i64, _>(1) > 0)
}

fn event(settlement: &Settlement, row: &PgRow, now_ms: i64) -> DigestDelivered {
    let is_there = settlement.reference.is_some();
    DigestDelivered {
        tenant_id: settlement.tenant_id.clone(),
        group_id: row.get("group_id"),
        digest_id: settlement.digest_id.clone(),
        window_id: row.get("window_id"),
        version: version(row),
        status: if is_there { "success" } else { "failed" }.to_owned(),
        channel: settlement.channel.clone(),
        delivered_at: now_ms,
        error: (!is_there).then(|| NOT_THERE.to_owned()),
        withdrawn_by: None,
    }
}

fn version(row: &PgRow) -> String {
    Version { revision: row.get("revision"), attempt: row.get("attempt") }.to_string()
}

fn unknown(row: &PgRow) -> UnknownDelivery {
    UnknownDelivery {
        group_id: row.get(0),
        digest_id: row.get(1),
        window_id: row.get(2),
        version: version(row),
        channel: row.get(5),
        chat: row.get(6),
        part: row.get(7),
        error: row.get(8),
        sending_at: row.get(9),
    }
}
