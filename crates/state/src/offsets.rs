//! Offsets of sinks, beside the rows they stand for. Invariant: a claim raises the epoch, and nothing is written under
//! an older one; the offsets of another cluster or topic are never gone on from.

use crate::{Error, Store};
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// A partition as a sink knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkPartition {
    /// Name of the sink: its consumer group without prefix, since the schema stands for the prefix.
    pub consumer_group: String,
    /// Logical topic.
    pub topic: String,
    /// Topic with its prefix, as the broker names it.
    pub physical_topic: String,
    /// Partition.
    pub partition: i32,
}

/// The right to write a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedPartition {
    /// Raised by every claim.
    pub epoch: i64,
    /// One past the last offset written; 0 for a partition never claimed before.
    pub next_offset: i64,
}

/// Where a sink stands in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkOffset {
    /// Name of the sink.
    pub consumer_group: String,
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// One past the last offset written.
    pub next_offset: i64,
    /// Newest epoch.
    pub epoch: i64,
    /// Time since it was last written or taken over, in ms of the database's clock.
    pub idle_ms: i64,
}

pub(crate) const CLAIM: &str = "
INSERT INTO sink_offsets AS mine (consumer_group, topic, partition, next_offset, epoch, cluster_id, physical_topic)
VALUES ($1, $2, $3, 0, 1, $4, $5)
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET epoch = mine.epoch + 1, updated_at = now()
RETURNING epoch, next_offset, cluster_id, physical_topic";

pub(crate) const PASSED: &str =
    "SELECT partition, next_offset FROM sink_offsets WHERE consumer_group = $1 AND topic = $2";

pub(crate) const OFFSETS: &str = "
SELECT consumer_group, topic, partition, next_offset, epoch, (extract(epoch FROM now() - updated_at) * 1000)::bigint
FROM sink_offsets ORDER BY consumer_group, topic, partition";

pub(crate) const CLUSTER: &str = "SELECT cluster_id FROM installation";

pub(crate) const BIND_CLUSTER: &str =
    "INSERT INTO installation (cluster_id) VALUES ($1) ON CONFLICT (singleton) DO NOTHING";

pub(crate) const RESET: &str = "
UPDATE sink_offsets SET next_offset = $4, epoch = epoch + 1, updated_at = now()
WHERE consumer_group = $1 AND topic = $2 AND partition = $3";

impl Store {
    /// Takes a partition over: waits for a write under way to end, raises the epoch and tells where to go on.
    ///
    /// # Errors
    /// [`Error::OtherCluster`], [`Error::OtherTopic`], and those of the connection.
    pub async fn claim(
        &self,
        partition: &SinkPartition,
        cluster_id: &str,
    ) -> Result<ClaimedPartition, Error> {
        let what = "claim a partition";
        let mut transaction = self.begin().await?;
        belongs_to(&mut transaction, cluster_id).await?;
        let row = sqlx::query(CLAIM)
            .bind(&partition.consumer_group)
            .bind(&partition.topic)
            .bind(partition.partition)
            .bind(cluster_id)
            .bind(&partition.physical_topic)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let (owner, topic): (String, String) = (row.get(2), row.get(3));
        if owner != cluster_id {
            return Err(Error::OtherCluster { owner, found: cluster_id.to_owned() });
        }
        if topic != partition.physical_topic {
            return Err(Error::OtherTopic { owner: topic, found: partition.physical_topic.clone() });
        }
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(ClaimedPartition { epoch: row.get(0), next_offset: row.get(1) })
    }

    /// One past the last offset of a partition that a sink has written; `None` before its first claim.
    pub async fn passed_offset(
        &self,
        consumer_group: &str,
        topic: &str,
        partition: i32,
    ) -> Result<Option<i64>, Error> {
        Ok(self.passed_offsets(consumer_group, topic).await?.remove(&partition))
    }

    /// [`Store::passed_offset`] for every partition of a topic at once: one query serves all who wait.
    pub async fn passed_offsets(
        &self,
        consumer_group: &str,
        topic: &str,
    ) -> Result<BTreeMap<i32, i64>, Error> {
        let mut transaction = self.begin().await?;
        passed(&mut transaction, consumer_group, topic).await
    }

    /// The offsets of all sinks, sorted by group, topic and partition.
    pub async fn sink_offsets(&self) -> Result<Vec<SinkOffset>, Error> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(OFFSETS)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read the offsets of sinks"))?;
        let offset = |row: &sqlx::postgres::PgRow| SinkOffset {
            consumer_group: row.get(0),
            topic: row.get(1),
            partition: row.get(2),
            next_offset: row.get(3),
            epoch: row.get(4),
            idle_ms: row.get(5),
        };
        Ok(rows.iter().map(offset).collect())
    }

    /// The Kafka cluster whose records are stored; `None` before a sink has claimed its first partition.
    pub async fn cluster_id(&self) -> Result<Option<String>, Error> {
        let mut transaction = self.begin().await?;
        sqlx::query_scalar(CLUSTER)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query("read which cluster the database belongs to"))
    }

    /// Refuses a database that holds the records of another Kafka cluster; a fresh one belongs to nobody yet.
    ///
    /// # Errors
    /// [`Error::OtherCluster`], and those of the connection.
    pub async fn check_cluster(&self, cluster_id: &str) -> Result<(), Error> {
        match self.cluster_id().await? {
            Some(owner) if owner != cluster_id => {
                Err(Error::OtherCluster { owner, found: cluster_id.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Makes a sink go on at `next_offset`, and fences whoever holds the partition now. False if it was never claimed.
    /// Rows stay: writing them again changes nothing.
    pub async fn reset_sink(
        &self,
        consumer_group: &str,
        topic: &str,
        partition: i32,
        next_offset: i64,
    ) -> Result<bool, Error> {
        let what = "reset a sink";
        let mut transaction = self.begin().await?;
        let done = sqlx::query(RESET)
            .bind(consumer_group)
            .bind(topic)
            .bind(partition)
            .bind(next_offset)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected() == 1)
    }
}

/// One past the last offset that a sink has written, by partition.
pub(crate) async fn passed(
    connection: &mut PgConnection,
    consumer_group: &str,
    topic: &str,
) -> Result<BTreeMap<i32, i64>, Error> {
    sqlx::query_as(PASSED)
        .bind(consumer_group)
        .bind(topic)
        .fetch_all(connection)
        .await
        .map(|rows: Vec<(i32, i64)>| rows.into_iter().collect())
        .map_err(Error::query("read the offsets of a sink"))
}

/// Binds a fresh schema to the cluster; refuses another one's.
async fn belongs_to(connection: &mut PgConnection, cluster_id: &str) -> Result<(), Error> {
    let what = "read which cluster the database belongs to";
    sqlx::query(BIND_CLUSTER).bind(cluster_id).execute(&mut *connection).await.map_err(Error::query(what))?;
    let owner: String =
        sqlx::query_scalar(CLUSTER).fetch_one(&mut *connection).await.map_err(Error::query(what))?;
    if owner == cluster_id {
        Ok(())
    } else {
        Err(Error::OtherCluster { owner, found: cluster_id.to_owned() })
    }
}
