//! Takes back what was delivered before a newer version of its window was blocked.
//!
//! Invariant: files go first, then the ledger and the event say so, in one transaction that is alone with the window. A
//! crash in between leaves the ledger as it was, and the same is done again: a file that is gone already is no error.

use crate::{
    DELIVERED, files,
    paths::stem,
    plan::{CHANNEL, Planned},
};
use runtime::SinkError;
use schemas::{DigestBlocked, DigestDelivered, WindowRef, digest_id};
use state::{Batch, Delivery, DeliveryStatus, Ledger, LedgerVersion};
use std::path::{Path, PathBuf};

/// Where the versions of a window lie, and who they are of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) out_dir: &'a Path,
    pub(crate) window: &'a WindowRef,
}

impl Place<'_> {
    /// The files of withdrawn versions, but for those that belong to a newer attempt by now.
    fn files(&self, of: &Delivery<'_>, ledger: &Ledger) -> Vec<PathBuf> {
        let own = ledger.withdrawn().filter(|known| !ledger.is_overtaken(known.version));
        own.flat_map(|known| {
            let path = stem(of.tenant_id, of.group_id, self.window, known.version.revision);
            let path = self.out_dir.join(path);
            ["md", "json"].map(|extension| path.with_added_extension(extension))
        })
        .collect()
    }
}

fn failed(error: state::Error) -> SinkError {
    SinkError::of_state("the ledger of withdrawals", error)
}

/// Writes down that a version was blocked, and withdraws the older ones. What the ledger cannot hold was never delivered
/// by it, and is `postgres_sink`'s to dead-letter.
pub(crate) async fn block(
    batch: &mut Batch,
    blocked: &DigestBlocked,
    out_dir: &Path,
    now_ms: i64,
) -> Result<(), SinkError> {
    let (Ok(()), Ok(version)) = (state::accept_blocked(blocked), blocked.version.parse()) else {
        return Ok(());
    };
    let digest_id = digest_id(&blocked.window_id, &blocked.version);
    let delivery = Delivery {
        tenant_id: &blocked.tenant_id,
        group_id: &blocked.group_id,
        window_id: &blocked.window_id,
        digest_id: &digest_id,
        version,
        channel: CHANNEL,
        chat: "",
        part: 1,
    };
    batch.mark_blocked(&delivery).await.map_err(failed)?;
    let ledger = batch.ledger(&delivery).await.map_err(failed)?;
    withdraw(batch, &delivery, &ledger, Place { out_dir, window: &blocked.window }, now_ms).await
}

/// True when a digest of this batch was withdrawn, before or while its files were written: they are removed.
pub(crate) async fn is_withdrawn(
    batch: &mut Batch,
    planned: &Planned<'_>,
    out_dir: &Path,
    now_ms: i64,
) -> Result<bool, SinkError> {
    let ledger = batch.ledger(&planned.delivery).await.map_err(failed)?;
    if !ledger.is_withdrawn(planned.delivery.version) {
        return Ok(false);
    }
    let place = Place { out_dir, window: &planned.ready.window };
    withdraw(batch, &planned.delivery, &ledger, place, now_ms).await?;
    Ok(true)
}

async fn withdraw(
    batch: &mut Batch,
    of: &Delivery<'_>,
    ledger: &Ledger,
    place: Place<'_>,
    now_ms: i64,
) -> Result<(), SinkError> {
    files::remove(place.files(of, ledger)).await?;
    for known in ledger.withdrawn().filter(|known| known.status != DeliveryStatus::Withdrawn) {
        let delivery = Delivery { version: known.version, digest_id: &known.digest_id, ..*of };
        batch.mark_delivery(&delivery, DeliveryStatus::Withdrawn, None).await.map_err(failed)?;
        // Who was never told that it was delivered need not hear that it is gone.
        if known.status == DeliveryStatus::Sent {
            let event = event(of, known, ledger, now_ms);
            batch.append_outbox(DELIVERED, &event).await.map_err(failed)?;
        }
    }
    Ok(())
}

fn event(of: &Delivery<'_>, known: &LedgerVersion, ledger: &Ledger, now_ms: i64) -> DigestDelivered {
    DigestDelivered {
        tenant_id: of.tenant_id.to_owned(),
        group_id: of.group_id.to_owned(),
        digest_id: known.digest_id.clone(),
        window_id: of.window_id.to_owned(),
        version: known.version.to_string(),
        status: "withdrawn".to_owned(),
        channel: CHANNEL.to_owned(),
        delivered_at: now_ms,
        error: None,
        withdrawn_by: ledger.blocked().map(|version| version.to_string()),
    }
}
