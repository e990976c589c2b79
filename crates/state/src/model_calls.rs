//! What a stage asked of language models about a group in a time, for whoever wants to know where that time went.

use crate::{Error, Store};
use sqlx::Row;

pub(crate) const ANSWERED: &str = "
SELECT created_at_ms, (extract(epoch FROM ended_at) * 1000)::bigint AS ended_at_ms, tokens_in + tokens_out AS tokens
FROM llm_requests
WHERE tenant_id = $1 AND created_at_ms >= $4 AND created_at_ms <= $5 AND group_id = $2 AND stage = $3
    AND status = 'settled' AND ended_at IS NOT NULL
ORDER BY created_at_ms";

/// A call that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnsweredCall {
    /// When it was made, in ms.
    pub asked_at_ms: i64,
    /// When its answer was there, in ms.
    pub answered_at_ms: i64,
    /// Of question and answer.
    pub tokens: i64,
}

impl Store {
    /// Calls of a stage about a group that were made and answered between two times, in ms, the first one first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn answered_calls(
        &self,
        (tenant_id, group_id, stage): (&str, &str, &str),
        (from_ms, until_ms): (i64, i64),
    ) -> Result<Vec<AnsweredCall>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(ANSWERED)
            .bind(tenant_id)
            .bind(group_id)
            .bind(stage)
            .bind(from_ms)
            .bind(until_ms)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read calls to language models"))?;
        let call = |row: &sqlx::postgres::PgRow| AnsweredCall {
            asked_at_ms: row.get("created_at_ms"),
            answered_at_ms: row.get("ended_at_ms"),
            tokens: row.get("tokens"),
        };
        Ok(rows.iter().map(call).filter(|call| call.answered_at_ms <= until_ms).collect())
    }
}
