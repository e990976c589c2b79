//! How many versions of a window are kept. Invariant: the newest always are, and a version that is too old to be kept is not
//! new when it comes again, so that a reset announces nothing twice.

use crate::{
    Batch, Delivery, Error, LedgerVersion,
    deliveries::{BLOCKED_PART, of_delivery},
    refusal::version,
};
use sqlx::{Row, postgres::PgRow};

/// Versions of a window that are kept where nobody says otherwise.
pub const VERSIONS_KEPT: u32 = 10;

pub(crate) const DIGESTS: &str = "
DELETE FROM digests
WHERE tenant_id = $1 AND window_id = $2 AND (revision, attempt) < (
    SELECT revision, attempt FROM digests WHERE tenant_id = $1 AND window_id = $2
    ORDER BY revision DESC, attempt DESC OFFSET $3 LIMIT 1
)
RETURNING revision, attempt";

pub(crate) const BLOCKED: &str = "
DELETE FROM blocked_digests
WHERE tenant_id = $1 AND window_id = $2 AND (revision, attempt) < (
    SELECT revision, attempt FROM blocked_digests WHERE tenant_id = $1 AND window_id = $2
    ORDER BY revision DESC, attempt DESC OFFSET $3 LIMIT 1
)";

pub(crate) const DELIVERIES: &str = "
DELETE FROM deliveries
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 AND part = ANY ($5)
    AND (revision, attempt) <= ($6, $7)";

impl Batch {
    /// Deletes all but the newest `kept` digests of a window; true when the one with this `version` was among them.
    ///
    /// # Errors
    /// [`Error::Refused`] for a version that is none.
    pub async fn forget_digests(
        &mut self,
        (tenant_id, window_id): (&str, &str),
        of: &str,
        kept: u32,
    ) -> Result<bool, Error> {
        let of = version(of)?;
        let rows = sqlx::query(DIGESTS)
            .bind(tenant_id)
            .bind(window_id)
            .bind(i64::from(kept.max(1)) - 1)
            .fetch_all(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("forget old digests of a window"))?;
        let is_it = |row: &PgRow| (row.get::<i32, _>(0), row.get::<i32, _>(1)) == (of.revision, of.attempt);
        Ok(rows.iter().any(is_it))
    }

    /// Deletes all but the newest `kept` blocked versions of a window.
    pub async fn forget_blocked(&mut self, tenant_id: &str, window_id: &str, kept: u32) -> Result<(), Error> {
        sqlx::query(BLOCKED)
            .bind(tenant_id)
            .bind(window_id)
            .bind(i64::from(kept.max(1)) - 1)
            .execute(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("forget old blocked versions of a window"))?;
        Ok(())
    }

    /// Takes a version of a delivery, and all older ones, out of the ledger.
    pub async fn forget_delivery(
        &mut self,
        delivery: &Delivery<'_>,
        newest: &LedgerVersion,
    ) -> Result<(), Error> {
        of_delivery(DELIVERIES, delivery)
            .bind(vec![BLOCKED_PART, delivery.part])
            .bind(newest.version.revision)
            .bind(newest.version.attempt)
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("forget old deliveries of a window"))?;
        Ok(())
    }
}
