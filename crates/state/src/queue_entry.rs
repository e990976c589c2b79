//! The transaction of one delivery of the queue: what the ledger knows of it, and what becomes of it.
//!
//! Invariant: its row is locked from the beginning to the end of the transaction.

use crate::{
    Delivery, DeliveryStatus, Due, Effect, EffectState, Error, LedgerVersion,
    batch::LOCK_PARTITION,
    deliveries::of_delivery,
    effects::{DISABLE_TARGET, EFFECTS, FORGET, PUT, TARGET, effect},
    json::storable,
    outbox,
};
use schemas::{Record, Version};
use sqlx::{Postgres, Row, Transaction, postgres::PgRow};
use std::time::Duration;

pub(crate) const TAKE: &str = "
SELECT revision, attempt, group_id, digest_id, kind, payload, appended_ms, tries, worker,
    (extract(epoch FROM now() - planned_at) * 1000)::bigint, next_at <= now()
FROM delivery_queue
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 FOR UPDATE SKIP LOCKED";

pub(crate) const AGAIN: &str = "
SELECT revision, attempt, group_id, digest_id, kind, payload, appended_ms, tries, worker,
    (extract(epoch FROM now() - planned_at) * 1000)::bigint, true
FROM delivery_queue
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 FOR UPDATE";

pub(crate) const LEASE: &str = "
UPDATE delivery_queue SET kind = $5, worker = $6, next_at = now() + make_interval(secs => $7), tries = tries + 1
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4";

pub(crate) const POSTPONE: &str = "
UPDATE delivery_queue SET worker = NULL, next_at = now() + make_interval(secs => $5), said = coalesce($6, said)
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4";

pub(crate) const END: &str = "
DELETE FROM delivery_queue WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4";

pub(crate) const STANDING: &str = "
SELECT count(*) FILTER (WHERE status IN ('planned', 'sending', 'unknown')), count(*) FILTER (WHERE status = 'sent')
FROM deliveries
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND revision = $4 AND attempt = $5 AND part > 0";

/// How a version stands at all targets of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetCounts {
    /// Targets where it is not over, or nobody knows.
    pub open: i64,
    /// Targets that have it.
    pub sent: i64,
}

/// A row of the queue, held.
#[derive(Debug)]
pub struct QueueEntry {
    transaction: Transaction<'static, Postgres>,
    due: Due,
    /// Version that waits.
    pub version: Version,
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// What it is, once it was tried.
    pub kind: Option<String>,
    /// What is delivered; `None` for what was erased.
    pub payload: Option<String>,
    /// When the broker got its record, in ms.
    pub appended_ms: i64,
    /// How often it was tried.
    pub tries: i32,
    /// Who tries it.
    pub worker: Option<String>,
    /// How long it waits.
    pub age: Duration,
}

impl QueueEntry {
    pub(crate) async fn hold(
        mut transaction: Transaction<'static, Postgres>,
        due: &Due,
        is_to_try: bool,
    ) -> Result<Option<Self>, Error> {
        let row = sqlx::query(if is_to_try { TAKE } else { AGAIN })
            .bind(&due.tenant_id)
            .bind(&due.window_id)
            .bind(due.channel)
            .bind(&due.chat)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query("hold a delivery that waits"))?;
        let Some(row) = row.filter(|row| row.get(10)) else { return Ok(None) };
        let age: i64 = row.get(9);
        Ok(Some(Self {
            transaction,
            due: due.clone(),
            version: Version { revision: row.get(0), attempt: row.get(1) },
            group_id: row.get(2),
            digest_id: row.get(3),
            kind: row.get(4),
            payload: row.get(5),
            appended_ms: row.get(6),
            tries: row.get(7),
            worker: row.get(8),
            age: Duration::from_millis(age.max(0).unsigned_abs()),
        }))
    }

    /// The delivery of the version that waits.
    pub fn delivery(&self) -> Delivery<'_> {
        let of = of(&self.due, self.version);
        Delivery { group_id: &self.group_id, digest_id: &self.digest_id, ..of }
    }

    /// Every version of the delivery in the ledger, oldest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn effects(&mut self) -> Result<Vec<Effect>, Error> {
        let query = of_delivery(EFFECTS, &of(&self.due, self.version));
        let rows = query.fetch_all(&mut *self.transaction).await;
        Ok(rows.map_err(Error::query("read the ledger of effects"))?.iter().filter_map(effect).collect())
    }

    /// Writes how a version stands.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn put(
        &mut self,
        (version, digest_id): (Version, &str),
        state: &EffectState<'_>,
    ) -> Result<(), Error> {
        of_delivery(PUT, &of(&self.due, version))
            .bind(version.revision)
            .bind(version.attempt)
            .bind(1_i32)
            .bind(&self.group_id)
            .bind(digest_id)
            .bind(state.status.as_str())
            .bind(state.error.map(storable))
            .bind(state.reference)
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query("write the ledger of effects"))?;
        Ok(())
    }

    /// Writes the state of a version that leaves nothing to refer to.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn mark(
        &mut self,
        effect: &Effect,
        status: DeliveryStatus,
        why: Option<&str>,
    ) -> Result<(), Error> {
        let state = EffectState { status, reference: effect.reference.as_deref(), error: why };
        self.put((effect.version, &effect.digest_id), &state).await
    }

    /// Takes versions out of the ledger that are too old to be kept, but for what is unknown.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn forget(&mut self, newest: &LedgerVersion) -> Result<(), Error> {
        of_delivery(FORGET, &of(&self.due, newest.version))
            .bind(newest.version.revision)
            .bind(newest.version.attempt)
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query("forget old effects of a window"))?;
        Ok(())
    }

    /// Why nothing is delivered to the target.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn disabled(&mut self) -> Result<Option<String>, Error> {
        let row = sqlx::query(TARGET)
            .bind(&self.due.tenant_id)
            .bind(self.due.channel)
            .bind(&self.due.chat)
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(Error::query("read the target of a delivery"))?;
        Ok(row.and_then(|row: PgRow| row.get(1)))
    }

    /// Delivers nothing to the target any more.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn disable(&mut self, why: &str) -> Result<(), Error> {
        sqlx::query(DISABLE_TARGET)
            .bind(&self.due.tenant_id)
            .bind(self.due.channel)
            .bind(&self.due.chat)
            .bind(storable(why))
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query("write the target of a delivery"))?;
        Ok(())
    }

    /// Nobody else tries it for so long.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn lease(&mut self, kind: &str, worker: &str, length: Duration) -> Result<(), Error> {
        self.of_row(LEASE)
            .bind(kind)
            .bind(worker)
            .bind(length.as_secs_f64())
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query("take a delivery to try it"))?;
        Ok(())
    }

    /// It is tried again after so long: why.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn postpone(&mut self, wait: Duration, why: Option<&str>) -> Result<(), Error> {
        self.of_row(POSTPONE)
            .bind(wait.as_secs_f64())
            .bind(why.map(storable))
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query("put a delivery off"))?;
        Ok(())
    }

    /// Nothing is left to be done.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn end(&mut self) -> Result<(), Error> {
        let done = self.of_row(END).execute(&mut *self.transaction).await;
        done.map_err(Error::query("end a delivery"))?;
        Ok(())
    }

    fn of_row<'q>(&self, sql: &'static str) -> sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments> {
        sqlx::query(sql)
            .bind(self.due.tenant_id.clone())
            .bind(self.due.window_id.clone())
            .bind(self.due.channel)
            .bind(self.due.chat.clone())
    }

    /// How a version stands at all targets of the channel. From here on the transaction is alone with the window.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn standing(&mut self, version: Version) -> Result<TargetCounts, Error> {
        let what = "count the targets of a version";
        sqlx::query(LOCK_PARTITION)
            .bind(format!("{}/{}", self.due.channel, self.due.window_id))
            .bind(0_i32)
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query(what))?;
        let row = sqlx::query(STANDING)
            .bind(&self.due.tenant_id)
            .bind(&self.due.window_id)
            .bind(self.due.channel)
            .bind(version.revision)
            .bind(version.attempt)
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(Error::query(what))?;
        Ok(TargetCounts { open: row.get(0), sent: row.get(1) })
    }

    /// Adds a record for a port of `postgres_outbox_source`.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn say<R: Record>(&mut self, port: &str, record: &R) -> Result<(), Error> {
        outbox::append(&mut self.transaction, port, record).await
    }

    /// Commits.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await.map_err(Error::query("write how a delivery stands"))
    }
}

/// The key of a delivery's rows.
fn of(due: &Due, version: Version) -> Delivery<'_> {
    Delivery {
        tenant_id: &due.tenant_id,
        group_id: "",
        window_id: &due.window_id,
        digest_id: "",
        version,
        channel: due.channel,
        chat: &due.chat,
        part: 1,
    }
}
