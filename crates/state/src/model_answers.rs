//! What language models answered, so that no question is paid for twice.
//!
//! Invariant: a row is of one tenant, question and model, and never changes.

use crate::{Error, Store};
use sqlx::Row;

pub(crate) const KNOWN: &str = "
SELECT model, answer, tokens, cost_micros FROM model_answers
WHERE tenant_id = $1 AND question = $2 AND model = ANY ($3)
ORDER BY model LIMIT 1";

pub(crate) const KEEP: &str = "
INSERT INTO model_answers (tenant_id, question, model, group_id, answer, tokens, cost_micros)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING";

/// SHA-256 of a question with all that its answer depends on.
pub type QuestionHash = [u8; 32];

/// An answer that was had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The model that gave it.
    pub model: String,
    /// As it came.
    pub text: String,
    /// Tokens of question and answer.
    pub tokens: i64,
    /// Millionths of the currency of the price table.
    pub cost_micros: i64,
}

impl Store {
    /// The answer to a tenant's question that one of these models gave before: of several, the first by the model's name.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn known_answer(
        &self,
        tenant_id: &str,
        question: &QuestionHash,
        models: &[String],
    ) -> Result<Option<KeptAnswer>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let row = sqlx::query(KNOWN)
            .bind(tenant_id)
            .bind(&question[..])
            .bind(models)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query("read what a model answered"))?;
        Ok(row.map(|row| KeptAnswer {
            model: row.get("model"),
            text: row.get("answer"),
            tokens: row.get("tokens"),
            cost_micros: row.get("cost_micros"),
        }))
    }
}
