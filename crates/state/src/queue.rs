//! What waits to be delivered by channels whose targets may be away for days: a row for each window and target.
//!
//! Invariant: who changes how a delivery stands holds its row of the queue, so that what is planned and what is tried are judged
//! one after the other; and a row whose time has not come is nobody's to try.

use crate::{
    Batch, Delivery, Due, Error, Store, deliveries::of_delivery, json::storable, queue_entry::QueueEntry,
};
use schemas::Version;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

/// Says that the rest of the transaction looks at what is due of all tenants.
pub(crate) const COURIER: &str = "SELECT set_config('app.courier', 'on', true)";

pub(crate) const DUE: &str = "
SELECT tenant_id, window_id, chat FROM delivery_queue
WHERE channel = $1 AND next_at <= now() AND NOT tenant_id || '/' || chat = ANY ($2)
ORDER BY channel, next_at LIMIT $3";

pub(crate) const FREE: &str = "
UPDATE delivery_queue SET worker = NULL, next_at = now()
WHERE channel = $1 AND worker = $2 AND next_at > '-infinity'";

pub(crate) const HOLD: &str = "
SELECT revision, attempt FROM delivery_queue
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 FOR UPDATE";

pub(crate) const PUT: &str = "
INSERT INTO delivery_queue AS old (tenant_id, window_id, channel, chat, revision, attempt, group_id, digest_id, kind, payload,
    appended_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id, window_id, channel, chat) DO UPDATE SET revision = excluded.revision, attempt = excluded.attempt,
    digest_id = excluded.digest_id, kind = excluded.kind, payload = excluded.payload, appended_ms = excluded.appended_ms,
    tries = 0, said = NULL, planned_at = now()";

pub(crate) const DROP: &str = "
DELETE FROM delivery_queue WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4";

pub(crate) const WAITING: &str = "
SELECT channel, chat, group_id, digest_id, revision, attempt, tries, said,
    (extract(epoch FROM planned_at) * 1000)::bigint, (extract(epoch FROM next_at) * 1000)::bigint
FROM delivery_queue WHERE tenant_id = $1 ORDER BY tenant_id, window_id, channel, chat";

/// What is to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToQueue<'a> {
    /// The delivery.
    pub delivery: Delivery<'a>,
    /// What it is, where that does not depend on what becomes of older versions.
    pub kind: Option<&'a str>,
    /// What is delivered, in the channel's own terms.
    pub payload: &'a str,
    /// When the broker got the record, in ms.
    pub appended_ms: i64,
}

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingDelivery {
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// How often it was tried.
    pub tries: i32,
    /// Why it was not delivered then.
    pub said: Option<String>,
    /// Since when it waits, in ms.
    pub since: i64,
    /// When it is tried next, in ms.
    pub next_at: i64,
}

impl Batch {
    /// Version that waits for a delivery's window and target. From here on nobody else changes how the delivery stands: neither
    /// who tries it nor, as after [`Batch::effects`], another batch.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn hold_queued(&mut self, delivery: &Delivery<'_>) -> Result<Option<Version>, Error> {
        // First: a row that another batch is about to write cannot be held yet.
        self.be_alone().await?;
        let row = of_delivery(HOLD, delivery)
            .fetch_optional(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("hold a delivery that waits"))?;
        Ok(row.map(|row| Version { revision: row.get(0), attempt: row.get(1) }))
    }

    /// Lets a version wait, in the place of the one that waits for the same window and target.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn queue(&mut self, wanted: &ToQueue<'_>) -> Result<(), Error> {
        let ToQueue { delivery, kind, payload, appended_ms } = wanted;
        self.know_tenant(delivery.tenant_id).await?;
        of_delivery(PUT, delivery)
            .bind(delivery.version.revision)
            .bind(delivery.version.attempt)
            .bind(delivery.group_id)
            .bind(delivery.digest_id)
            .bind(kind)
            .bind(storable(payload))
            .bind(appended_ms)
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("let a delivery wait"))?;
        Ok(())
    }

    /// Takes what waits for a window and target out of the queue.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn drop_queued(&mut self, delivery: &Delivery<'_>) -> Result<(), Error> {
        of_delivery(DROP, delivery)
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("drop a delivery that waits"))?;
        Ok(())
    }
}

impl Store {
    /// Deliveries of a channel whose time has come, of all tenants but for those targets, named `tenant/target`; those that wait
    /// longest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn due_deliveries(
        &self,
        channel: &'static str,
        except: &[String],
        most: i64,
    ) -> Result<Vec<Due>, Error> {
        let what = "look for deliveries that are due";
        let mut transaction = self.begin().await?;
        sqlx::query(COURIER).execute(&mut *transaction).await.map_err(Error::query(what))?;
        let rows = sqlx::query(DUE)
            .bind(channel)
            .bind(except)
            .bind(most)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let due =
            |row: &PgRow| Due { tenant_id: row.get(0), window_id: row.get(1), channel, chat: row.get(2) };
        Ok(rows.iter().map(due).collect())
    }

    /// Gives back what a worker was trying when it ended.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn free_deliveries(&self, channel: &str, worker: &str) -> Result<u64, Error> {
        let what = "give back deliveries that were being tried";
        let mut transaction = self.begin().await?;
        sqlx::query(COURIER).execute(&mut *transaction).await.map_err(Error::query(what))?;
        let done = sqlx::query(FREE)
            .bind(channel)
            .bind(worker)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected())
    }

    /// Holds a row of the queue, to try it or to say how that ended; `None` where it is gone, and for one to try also where
    /// somebody else holds it or its time has not come.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn hold_delivery(&self, due: &Due, is_to_try: bool) -> Result<Option<QueueEntry>, Error> {
        QueueEntry::hold(self.begin_for(&due.tenant_id).await?, due, is_to_try).await
    }

    /// What waits of a tenant, by window.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn waiting_deliveries(&self, tenant_id: &str) -> Result<Vec<WaitingDelivery>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(WAITING)
            .bind(tenant_id)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("list deliveries that wait"))?;
        Ok(rows.iter().map(waiting).collect())
    }
}

fn waiting(row: &PgRow) -> WaitingDelivery {
    WaitingDelivery {
        channel: row.get(0),
        chat: row.get(1),
        group_id: row.get(2),
        digest_id: row.get(3),
        version: Version { revision: row.get(4), attempt: row.get(5) }.to_string(),
        tries: row.get(6),
        said: row.get(7),
        since: row.get(8),
        next_at: row.get(9),
    }
}
