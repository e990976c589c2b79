//! The transaction of a sink's batch: rows, outbox and offset, or nothing.
//!
//! Invariant: the partition's offset row is locked first and compared with the claim, so that a zombie touches nothing
//! and a batch whose commit was lost on the wire is not written twice.

use crate::{ClaimedPartition, Error, SinkPartition, Store, store::act_for};
use sqlx::{PgConnection, Postgres, Row, Transaction};
use std::collections::BTreeMap;

/// Which records a batch stands for.
#[derive(Debug, Clone)]
pub struct BatchBounds {
    /// Partition they come from.
    pub partition: SinkPartition,
    /// The right to write it; `next_offset` is where the batch begins.
    pub claim: ClaimedPartition,
    /// One past the last offset of the batch.
    pub end_offset: i64,
}

/// What a batch found.
#[derive(Debug)]
pub enum Opened {
    /// Its offset is passed already under the same claim: an earlier commit succeeded although its answer was lost.
    Written,
    /// It is to be written.
    Batch(Box<Batch>),
}

/// A transaction under way. Dropped without [`Batch::commit`], nothing of it remains.
#[derive(Debug)]
pub struct Batch {
    transaction: Transaction<'static, Postgres>,
    bounds: BatchBounds,
    begin_offset: i64,
    tenant: Option<String>,
    known_tenant: Option<String>,
    /// What retention took of each tenant, as of the first look.
    pub(crate) marks: BTreeMap<String, Option<i64>>,
    is_alone: bool,
}

impl Store {
    /// Begins the transaction of a batch.
    ///
    /// # Errors
    /// [`Error::Fenced`] when the partition was claimed anew or its offset was moved.
    pub async fn open_batch(&self, bounds: &BatchBounds) -> Result<Opened, Error> {
        let mut transaction = self.begin().await?;
        let stored = lock_offset(&mut transaction, &bounds.partition).await?;
        match stored {
            Some((epoch, _)) if epoch != bounds.claim.epoch => Err(Error::Fenced),
            Some((_, next_offset)) if next_offset < bounds.claim.next_offset => Err(Error::Fenced),
            Some((_, next_offset))
                if next_offset >= bounds.end_offset && next_offset > bounds.claim.next_offset =>
            {
                Ok(Opened::Written)
            }
            Some((_, begin_offset)) => Ok(Opened::Batch(Box::new(Batch {
                transaction,
                bounds: bounds.clone(),
                begin_offset,
                tenant: None,
                known_tenant: None,
                marks: BTreeMap::new(),
                is_alone: false,
            }))),
            None => Err(Error::Fenced),
        }
    }
}

pub(crate) const LOCK_OFFSET: &str = "
SELECT epoch, next_offset FROM sink_offsets
WHERE consumer_group = $1 AND topic = $2 AND partition = $3 FOR UPDATE";

async fn lock_offset(
    connection: &mut PgConnection,
    partition: &SinkPartition,
) -> Result<Option<(i64, i64)>, Error> {
    let row = sqlx::query(LOCK_OFFSET)
        .bind(&partition.consumer_group)
        .bind(&partition.topic)
        .bind(partition.partition)
        .fetch_optional(connection)
        .await
        .map_err(Error::query("lock the offset of a partition"))?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

pub(crate) const MOVE_OFFSET: &str = "
UPDATE sink_offsets SET next_offset = $6, updated_at = now()
WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND next_offset = $5";

/// Held to the end of the transaction. A collision of hashes makes somebody wait, nothing more.
pub(crate) const LOCK_PARTITION: &str =
    "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '/' || $1), $2)";

/// The test first: an insert that conflicts would write a dead row's worth of log for every batch.
pub(crate) const KNOW_TENANT: &str = "
INSERT INTO tenants (tenant_id) SELECT $1 WHERE NOT EXISTS (SELECT FROM tenants WHERE tenant_id = $1)
ON CONFLICT DO NOTHING";

impl Batch {
    /// Records below this offset are written already: a shorter batch over the same place was committed before.
    pub fn begin_offset(&self) -> i64 {
        self.begin_offset
    }

    /// Writes the offset and commits.
    ///
    /// # Errors
    /// After a transient error it is unknown whether the batch was written: open it again to find out.
    pub async fn commit(mut self) -> Result<(), Error> {
        let what = "write the offset of a partition";
        let partition = &self.bounds.partition;
        let done = sqlx::query(MOVE_OFFSET)
            .bind(&partition.consumer_group)
            .bind(&partition.topic)
            .bind(partition.partition)
            .bind(self.bounds.claim.epoch)
            .bind(self.begin_offset)
            .bind(self.bounds.end_offset)
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query(what))?;
        if done.rows_affected() != 1 {
            return Err(Error::Fenced);
        }
        self.transaction.commit().await.map_err(Error::query("commit a batch"))
    }

    /// Commits what was written so far without moving the offset: the ledger's `sending`, before an effect.
    pub async fn commit_without_offset(self) -> Result<(), Error> {
        self.transaction.commit().await.map_err(Error::query("commit a plan"))
    }

    /// Undoes what was written so far, and ends.
    pub async fn abandon(self) -> Result<(), Error> {
        self.transaction.rollback().await.map_err(Error::query("roll a batch back"))
    }

    /// Waits until no other batch of this sink is open over the same partition number: a group lies in the same one in
    /// every topic, so that what one topic says of a window is seen by those who write what another says of it, whoever
    /// comes first. A row lock could not do that for a row that is not there yet.
    pub(crate) async fn be_alone(&mut self) -> Result<(), Error> {
        if self.is_alone {
            return Ok(());
        }
        sqlx::query(LOCK_PARTITION)
            .bind(&self.bounds.partition.consumer_group)
            .bind(self.bounds.partition.partition)
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::query("wait for the other topics of a partition"))?;
        self.is_alone = true;
        Ok(())
    }

    /// The connection, acting for `tenant`.
    pub(crate) async fn acting_for(&mut self, tenant: &str) -> Result<&mut PgConnection, Error> {
        if self.tenant.as_deref() != Some(tenant) {
            act_for(&mut self.transaction, tenant).await?;
            self.tenant = Some(tenant.to_owned());
        }
        Ok(&mut self.transaction)
    }

    /// Adds `tenant` to the names of tenants.
    pub(crate) async fn know_tenant(&mut self, tenant: &str) -> Result<(), Error> {
        if self.known_tenant.as_deref() == Some(tenant) {
            return Ok(());
        }
        let connection = self.acting_for(tenant).await?;
        sqlx::query(KNOW_TENANT)
            .bind(tenant)
            .execute(connection)
            .await
            .map_err(Error::query("add a tenant's name"))?;
        self.known_tenant = Some(tenant.to_owned());
        Ok(())
    }
}
