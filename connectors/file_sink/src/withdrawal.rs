//! Takes back what was delivered before a newer version of its window was blocked, and what is too old to be kept.
//!
//! Invariant: files go first, then the ledger and the event say so, in one transaction that is alone with the window. A
//! crash in between leaves the ledger as it was, and the same is done again: a file that is gone already is no error.

use crate::{paths::stem, plan::CHANNEL, removal};
use delivery::{DELIVERED, Ended, delivered};
use runtime::SinkError;
use schemas::{DigestBlocked, WindowRef, digest_id};
use state::{Batch, Delivery, DeliveryStatus, Ledger, LedgerVersion};
use std::path::{Path, PathBuf};

/// A window's files, and what is to be known to judge its versions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) out_dir: &'a Path,
    /// Where files lie on their way out.
    pub(crate) partial_dir: &'a Path,
    pub(crate) window: &'a WindowRef,
    pub(crate) versions_kept: u32,
    pub(crate) now_ms: i64,
}

fn failed(error: state::Error) -> SinkError {
    SinkError::of_state("the ledger of withdrawals", error)
}

impl Place<'_> {
    /// The files of some versions.
    fn files<'k>(
        &self,
        of: &Delivery<'_>,
        versions: impl Iterator<Item = &'k LedgerVersion>,
    ) -> Vec<PathBuf> {
        versions
            .flat_map(|known| {
                let path = stem(of.tenant_id, of.group_id, self.window, known.version.revision);
                let path = self.out_dir.join(path);
                ["md", "json"].map(|extension| path.with_added_extension(extension))
            })
            .collect()
    }

    /// Writes down that a version was blocked, and withdraws the older ones.
    pub(crate) async fn block(&self, batch: &mut Batch, blocked: &DigestBlocked) -> Result<(), SinkError> {
        let digest_id = digest_id(&blocked.window_id, &blocked.version);
        let Some(delivery) = delivery::of_blocked(blocked, &digest_id, (CHANNEL, "")) else { return Ok(()) };
        batch.mark_blocked(&delivery).await.map_err(failed)?;
        self.settle(batch, &delivery).await.map(drop)
    }

    /// Removes what is withdrawn, before or while its files were written, and what is too old to be kept. True when this
    /// version was withdrawn.
    pub(crate) async fn settle(&self, batch: &mut Batch, of: &Delivery<'_>) -> Result<bool, SinkError> {
        let ledger = batch.ledger(of).await.map_err(failed)?;
        if ledger.blocked().is_some() {
            self.withdraw(batch, of, &ledger).await?;
        }
        let past = ledger.past(self.versions_kept);
        if let Some(newest) = past.last() {
            let own = past.iter().filter(|known| !ledger.has_revision_after(known.version.revision, past));
            self.remove(batch, of, self.files(of, own)).await?;
            batch.forget_delivery(of, newest).await.map_err(failed)?;
        }
        Ok(ledger.is_withdrawn(of.version))
    }

    /// Removes files of the window. That this transaction is alone with it is asked once more when they have been looked
    /// at: what was seen is then what the ledger knew, and nothing that comes later is removed.
    async fn remove(
        &self,
        batch: &mut Batch,
        of: &Delivery<'_>,
        paths: Vec<PathBuf>,
    ) -> Result<(), SinkError> {
        if paths.is_empty() {
            return Ok(());
        }
        let seen = removal::look(self.partial_dir.to_owned(), paths).await?;
        batch.ledger(of).await.map_err(failed)?;
        removal::remove(seen).await
    }

    async fn withdraw(&self, batch: &mut Batch, of: &Delivery<'_>, ledger: &Ledger) -> Result<(), SinkError> {
        // The file of a revision belongs to its newest attempt.
        let own = ledger.withdrawn().filter(|known| !ledger.is_overtaken(known.version));
        self.remove(batch, of, self.files(of, own)).await?;
        for known in ledger.withdrawn().filter(|known| known.status != DeliveryStatus::Withdrawn) {
            let delivery = Delivery { version: known.version, digest_id: &known.digest_id, ..*of };
            batch.mark_delivery(&delivery, DeliveryStatus::Withdrawn, None).await.map_err(failed)?;
            // Who was never told that it was delivered need not hear that it is gone.
            if known.status == DeliveryStatus::Sent {
                let event = delivered(&delivery, Ended::Withdrawn(ledger.blocked()), self.now_ms);
                batch.append_outbox(DELIVERED, &event).await.map_err(failed)?;
            }
        }
        Ok(())
    }
}
