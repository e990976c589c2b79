//! What the index of vectors has passed: bounds of items below which nothing is taken, and collections that are being filled.
//!
//! Invariant: a bound only rises, in the transaction that commits the offset of what raised it.

use crate::{Batch, Error, Store};
use sqlx::{Row, postgres::PgRow};
use std::collections::BTreeSet;

pub(crate) const FIND: &str = "
SELECT wanted.item
FROM unnest($3::text[]) AS wanted (item)
CROSS JOIN LATERAL (
    SELECT FROM index_bounds
    WHERE tenant_id = $1 AND group_id = $2 AND index_bounds.item = wanted.item LIMIT 1
) AS bound";

/// Of equal revision is what raised the bound, read again.
pub(crate) const RAISE: &str = "
INSERT INTO index_bounds AS bound (tenant_id, group_id, item, revision) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, group_id, item) DO UPDATE SET revision = excluded.revision
WHERE bound.revision <= excluded.revision
RETURNING revision";

/// How far a sink had come, unless that is noted already; and, of no topic, that there is something to be told at all.
pub(crate) const BEGIN_FILLING: &str = "
INSERT INTO index_fillings (collection, consumer_group, topic, partition, until_offset)
SELECT $1, $2, '', 0, 0
UNION ALL
SELECT $1, consumer_group, topic, partition, next_offset FROM sink_offsets WHERE consumer_group = $2
ON CONFLICT DO NOTHING";

pub(crate) const REWIND: &str = "
UPDATE sink_offsets SET next_offset = 0, epoch = epoch + 1, updated_at = now() WHERE consumer_group = $1";

pub(crate) const FILLING: &str = "
SELECT count(*), count(*) FILTER (WHERE passed.next_offset < filling.until_offset)
FROM index_fillings AS filling
LEFT JOIN LATERAL (
    SELECT next_offset FROM sink_offsets
    WHERE sink_offsets.consumer_group = filling.consumer_group AND sink_offsets.topic = filling.topic
        AND sink_offsets.partition = filling.partition
    LIMIT 1
) AS passed ON true
WHERE filling.collection = $1 AND filling.consumer_group = $2";

pub(crate) const END_FILLING: &str =
    "DELETE FROM index_fillings WHERE collection = $1 AND consumer_group = $2";

/// How far a collection is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// It was never filled anew, or that has been confirmed.
    None,
    /// It lacks what an earlier one held.
    Behind,
    /// It holds what an earlier one held.
    Done,
}

impl Batch {
    /// Those of a group's items that have a bound, whatever it is: messages that were deleted.
    pub async fn bounded_items(
        &mut self,
        (tenant_id, group_id): (&str, &str),
        items: &[String],
    ) -> Result<BTreeSet<String>, Error> {
        let rows = sqlx::query(FIND)
            .bind(tenant_id)
            .bind(group_id)
            .bind(items)
            .fetch_all(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("look for what the index must not take"))?;
        Ok(rows.iter().map(|row: &PgRow| row.get(0)).collect())
    }

    /// Raises the bound of an item; false where it is higher already. Others who raise it wait for this transaction to end.
    pub async fn raise_bound(
        &mut self,
        (tenant_id, group_id): (&str, &str),
        item: &str,
        revision: i64,
    ) -> Result<bool, Error> {
        let raised = sqlx::query(RAISE)
            .bind(tenant_id)
            .bind(group_id)
            .bind(item)
            .bind(revision)
            .fetch_optional(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("raise a bound of the index"))?;
        Ok(raised.is_some())
    }
}

impl Store {
    /// Makes a sink begin anew, to fill a collection that is empty, and notes how far it had come. Whoever holds a partition of
    /// it is fenced. Done again before the end, it changes nothing but that.
    pub async fn begin_filling(&self, collection: &str, consumer_group: &str) -> Result<(), Error> {
        let what = "begin to fill a collection";
        let mut transaction = self.begin().await?;
        let noted = sqlx::query(BEGIN_FILLING).bind(collection).bind(consumer_group);
        noted.execute(&mut *transaction).await.map_err(Error::query(what))?;
        let rewound = sqlx::query(REWIND).bind(consumer_group);
        rewound.execute(&mut *transaction).await.map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }

    /// How far a sink has filled a collection.
    pub async fn filling(&self, collection: &str, consumer_group: &str) -> Result<Filling, Error> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query(FILLING)
            .bind(collection)
            .bind(consumer_group)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query("look how far a collection is filled"))?;
        Ok(match (row.get::<i64, _>(0), row.get::<i64, _>(1)) {
            (0, _) => Filling::None,
            (_, 0) => Filling::Done,
            _ => Filling::Behind,
        })
    }

    /// Forgets that a collection was filled anew.
    pub async fn end_filling(&self, collection: &str, consumer_group: &str) -> Result<(), Error> {
        let what = "end the filling of a collection";
        let mut transaction = self.begin().await?;
        let ended = sqlx::query(END_FILLING).bind(collection).bind(consumer_group);
        ended.execute(&mut *transaction).await.map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }
}
