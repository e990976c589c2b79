//! Which messages a group had before a place in the log.

use crate::{Error, Store};

/// How many of the ids have a state below the offset.
pub(crate) const COUNT: &str = "
SELECT count(*)
FROM unnest($3::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT FROM messages
    WHERE tenant_id = $1 AND group_id = $2 AND messages.id = wanted.id AND source_offset < $4
        AND source_partition = $5
    ORDER BY revision, source_offset LIMIT 1
) AS known";

impl Store {
    /// Of `ids`, counted as often as they are given, how many the group had in this partition before the offset.
    pub async fn count_known(
        &self,
        (tenant_id, group_id): (&str, &str),
        (partition, before_offset): (i32, i64),
        ids: &[i64],
    ) -> Result<u64, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let known: i64 = sqlx::query_scalar(COUNT)
            .bind(tenant_id)
            .bind(group_id)
            .bind(ids)
            .bind(before_offset)
            .bind(partition)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query("count known messages"))?;
        Ok(known.unsigned_abs())
    }
}
