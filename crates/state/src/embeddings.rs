//! Vectors that an endpoint of embeddings gave, so that none is asked for twice.
//!
//! Invariant: a row is of one tenant, model and text, and never changes; of the text there is a hash only.

use crate::{Error, Store};
use sqlx::Row;
use std::collections::HashMap;

pub(crate) const KNOWN: &str = "
SELECT known.text_hash, known.vector
FROM unnest($3::bytea[]) AS wanted (text_hash)
CROSS JOIN LATERAL (
    SELECT text_hash, vector FROM embeddings
    WHERE tenant_id = $1 AND model = $2 AND embeddings.text_hash = wanted.text_hash LIMIT 1
) AS known";

pub(crate) const KEEP: &str = "
INSERT INTO embeddings (tenant_id, model, text_hash, vector)
SELECT $1, $2, given.text_hash, given.vector FROM unnest($3::bytea[], $4::bytea[]) AS given (text_hash, vector)
ON CONFLICT DO NOTHING";

/// SHA-256 of a text.
pub type TextHash = [u8; 32];

impl Store {
    /// The vectors of a tenant's texts that a model gave before, of those with so many numbers.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn known_vectors(
        &self,
        (tenant_id, model): (&str, &str),
        texts: &[TextHash],
        dimension: usize,
    ) -> Result<HashMap<TextHash, Vec<f32>>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(KNOWN)
            .bind(tenant_id)
            .bind(model)
            .bind(texts.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read vectors of texts"))?;
        let known = rows.iter().filter_map(|row| {
            let vector = numbers(row.get("vector"));
            let hash = <TextHash>::try_from(row.get::<&[u8], _>("text_hash")).ok()?;
            (vector.len() == dimension).then_some((hash, vector))
        });
        Ok(known.collect())
    }

    /// Keeps the vectors that a model gave of a tenant's texts.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn keep_vectors(
        &self,
        (tenant_id, model): (&str, &str),
        vectors: &[(TextHash, Vec<f32>)],
    ) -> Result<(), Error> {
        let what = "keep vectors of texts";
        let mut transaction = self.begin_for(tenant_id).await?;
        sqlx::query(KEEP)
            .bind(tenant_id)
            .bind(model)
            .bind(vectors.iter().map(|(hash, _)| hash.to_vec()).collect::<Vec<_>>())
            .bind(vectors.iter().map(|(_, vector)| bytes(vector)).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }
}

/// Little-endian, four bytes a number.
fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect()
}
