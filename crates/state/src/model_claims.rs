//! Which process asks a model something now, so that of two with the same question one waits for the other's answer.
//!
//! Invariant: no transaction and no session is held while a model is asked; a claim that its holder renews no more ends by itself.

use crate::{Error, QuestionHash, Store};

pub(crate) const CLAIM: &str = "
INSERT INTO model_claims (tenant_id, question, holder, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 second')
ON CONFLICT (tenant_id, question) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE model_claims.holder = excluded.holder OR model_claims.expires_at <= clock_timestamp()";

pub(crate) const RELEASE: &str =
    "DELETE FROM model_claims WHERE tenant_id = $1 AND question = $2 AND holder = $3";

impl Store {
    /// Claims a tenant's question for so many seconds, or renews the claim. False where another holder has it.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn claim_question(
        &self,
        tenant_id: &str,
        question: &QuestionHash,
        (holder, for_s): (&str, f64),
    ) -> Result<bool, Error> {
        let what = "claim a question to a model";
        let mut transaction = self.begin_for(tenant_id).await?;
        let claimed = sqlx::query(CLAIM)
            .bind(tenant_id)
            .bind(&question[..])
            .bind(holder)
            .bind(for_s)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(claimed.rows_affected() == 1)
    }

    /// Gives a claim back, if it is still the holder's.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn release_question(
        &self,
        tenant_id: &str,
        question: &QuestionHash,
        holder: &str,
    ) -> Result<(), Error> {
        let what = "release a question to a model";
        let mut transaction = self.begin_for(tenant_id).await?;
        sqlx::query(RELEASE)
            .bind(tenant_id)
            .bind(&question[..])
            .bind(holder)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }
}
