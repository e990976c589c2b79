//! The ledger of deliveries. Invariant: `sending` is committed before an effect and never left but by how it ended, so
//! that a crash in between is seen. Who reads the ledger is alone with it until the transaction ends, so that versions of
//! one window that come by different topics are judged in some order.

use crate::{Batch, DeliveryStatus, EffectState, Error, json::storable};
use schemas::Version;
use sqlx::{
    Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};

/// An effect: a delivery (window, channel, chat), its version and part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Tenant.
    pub tenant_id: &'a str,
    /// Group.
    pub group_id: &'a str,
    /// Id of the window.
    pub window_id: &'a str,
    /// Id of the digest: of window and version.
    pub digest_id: &'a str,
    /// Version of the digest.
    pub version: Version,
    /// Channel, such as `file`.
    pub channel: &'a str,
    /// Target in the channel's own terms; empty where there is but one.
    pub chat: &'a str,
    /// Part of a digest that is delivered in several, from 1.
    pub part: i32,
}

/// Part of a blocked version, which has no effect of its own.
pub(crate) const BLOCKED_PART: i32 = 0;

/// One version of a delivery in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerVersion {
    /// Version.
    pub version: Version,
    /// Id of the digest.
    pub digest_id: String,
    /// State.
    pub status: DeliveryStatus,
}

/// What the ledger knows of a delivery and one of its parts: every version of it, oldest first, and those blocked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    versions: Vec<LedgerVersion>,
}

impl FromIterator<(Version, DeliveryStatus)> for Ledger {
    /// A ledger of versions whose digests have no ids.
    fn from_iter<I: IntoIterator<Item = (Version, DeliveryStatus)>>(known: I) -> Self {
        let of = |(version, status)| LedgerVersion { version, digest_id: String::new(), status };
        Self { versions: known.into_iter().map(of).collect() }
    }
}

impl Ledger {
    /// State of a version; `None` when it is new.
    pub fn status(&self, version: Version) -> Option<DeliveryStatus> {
        let of = |known: &&LedgerVersion| known.version == version && known.status != DeliveryStatus::Blocked;
        self.versions.iter().find(of).map(|known| known.status)
    }

    /// Newest version that was blocked.
    pub fn blocked(&self) -> Option<Version> {
        let blocked = self.versions.iter().filter(|known| known.status == DeliveryStatus::Blocked);
        blocked.map(|known| known.version).max()
    }

    /// True when a newer version than this one was blocked.
    pub fn is_withdrawn(&self, version: Version) -> bool {
        self.blocked() > Some(version)
    }

    /// True when a newer attempt at the same revision was begun: what is keyed by the revision is that one's.
    pub fn is_overtaken(&self, version: Version) -> bool {
        let newer = |known: &LedgerVersion| {
            known.version.revision == version.revision
                && known.version > version
                && known.status.is_begun()
                && !self.is_withdrawn(known.version)
        };
        self.versions.iter().any(newer)
    }

    /// Versions older than the newest `kept`, oldest first.
    pub fn past(&self, kept: u32) -> &[LedgerVersion] {
        let kept = usize::try_from(kept.max(1)).unwrap_or(usize::MAX);
        // A version may be there twice: delivered at one threshold and blocked at another.
        let mut versions: Vec<Version> = self.versions.iter().map(|known| known.version).collect();
        versions.dedup();
        let oldest_kept = versions.len().checked_sub(kept).map(|first| versions[first]);
        let count = self.versions.iter().take_while(|known| Some(known.version) < oldest_kept).count();
        &self.versions[..count]
    }

    /// True when the newest `kept` versions are all newer than this one, so that nothing of it is kept.
    pub fn is_past(&self, version: Version, kept: u32) -> bool {
        let mut newer: Vec<Version> =
            self.versions.iter().map(|known| known.version).filter(|known| *known > version).collect();
        newer.dedup();
        newer.len() >= usize::try_from(kept.max(1)).unwrap_or(usize::MAX)
    }

    /// True when a revision has a version that is not among `past`.
    pub fn has_revision_after(&self, revision: i32, past: &[LedgerVersion]) -> bool {
        self.versions[past.len()..].iter().any(|known| known.version.revision == revision)
    }

    /// Versions that are withdrawn or have to be, oldest first. One that was superseded has never been anywhere.
    pub fn withdrawn(&self) -> impl Iterator<Item = &LedgerVersion> {
        let undone = [DeliveryStatus::Superseded, DeliveryStatus::Blocked];
        self.versions
            .iter()
            .filter(move |known| self.is_withdrawn(known.version) && !undone.contains(&known.status))
    }
}

pub(crate) const LEDGER: &str = "
SELECT revision, attempt, status, digest_id FROM deliveries
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 AND part = ANY ($5)
ORDER BY revision, attempt";

/// A statement whose first four parameters are the key of a delivery: tenant, window, channel, chat.
pub(crate) fn of_delivery<'q>(
    sql: &'static str,
    delivery: &Delivery<'q>,
) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(sql)
        .bind(delivery.tenant_id)
        .bind(delivery.window_id)
        .bind(delivery.channel)
        .bind(storable(delivery.chat))
}

impl Batch {
    /// What the ledger knows of a delivery and its part, of all versions. From here on the transaction is alone with it:
    /// batches of the sink over the same partition number wait until this one has ended.
    pub async fn ledger(&mut self, delivery: &Delivery<'_>) -> Result<Ledger, Error> {
        self.be_alone().await?;
        let rows = of_delivery(LEDGER, delivery)
            .bind(vec![BLOCKED_PART, delivery.part])
            .fetch_all(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("read the ledger of deliveries"))?;
        let versions = rows.iter().filter_map(ledger_version).collect();
        Ok(Ledger { versions })
    }

    /// Writes down that a version was blocked, for every part of the delivery.
    pub async fn mark_blocked(&mut self, delivery: &Delivery<'_>) -> Result<(), Error> {
        let of_all = Delivery { part: BLOCKED_PART, ..*delivery };
        self.mark_delivery(&of_all, DeliveryStatus::Blocked, None).await
    }

    /// Writes the state of an effect that leaves nothing to refer to, with the reason of one that failed.
    pub async fn mark_delivery(
        &mut self,
        delivery: &Delivery<'_>,
        status: DeliveryStatus,
        error: Option<&str>,
    ) -> Result<(), Error> {
        self.put_effect(delivery, &EffectState { status, error, reference: None }).await
    }
}

/// A row with a state that this version knows.
fn ledger_version(row: &PgRow) -> Option<LedgerVersion> {
    let status = DeliveryStatus::of(row.get(2))?;
    let version = Version { revision: row.get(0), attempt: row.get(1) };
    Some(LedgerVersion { version, digest_id: row.get(3), status })
}
