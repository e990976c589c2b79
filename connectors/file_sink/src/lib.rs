//! Delivers digests as files: Markdown for people, JSON for programs.
//!
//! Invariant: a file appears whole or not at all, an older attempt never replaces a newer one, and `sent`,
//! `digest.delivered` and the offset are one Postgres transaction. A file can be written again without harm, so that a
//! crash while `sending` is repaired by doing it again, unlike a message to people. A newer version that is blocked
//! removes the files of older ones, in whichever order the two come; so does any newer version of a window of which a message
//! was erased. What a tenant's retention took is not written again.

mod files;
mod kept;
mod paths;
mod plan;
mod removal;
mod withdrawal;

pub use kept::{DigestFile, digest_file_stem, digest_files};
pub use paths::digest_stem;

use delivery::{BLOCKED, DELIVERED, Ended, READY, delivered, now_ms, put_dead_letter, ready};
use files::FileJob;
use plan::{CHANNEL, Planned, plan};
use rendering::View;
use runtime::{Claim, InputSpec, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery, WindowRef};
use state::{Batch, DeliveryStatus, Error, Opened, Store, VERSIONS_KEPT};
use std::path::{Path, PathBuf};
use withdrawal::Place;

/// The sink.
#[derive(Debug, Clone)]
pub struct FileSink {
    store: Store,
    cluster_id: String,
    out_dir: PathBuf,
    versions_kept: u32,
}

impl FileSink {
    /// A sink that writes below `out_dir`, with its ledger in `store`, for the records of the Kafka cluster with this
    /// id.
    pub fn new(store: Store, cluster_id: impl Into<String>, out_dir: impl Into<PathBuf>) -> Self {
        let (cluster_id, out_dir) = (cluster_id.into(), out_dir.into());
        Self { store, cluster_id, out_dir, versions_kept: VERSIONS_KEPT }
    }

    /// Keeps so many versions of each window, the newest of them. Default: [`VERSIONS_KEPT`].
    #[must_use]
    pub fn keeping(self, versions_kept: u32) -> Self {
        Self { versions_kept, ..self }
    }

    fn partial_dir(&self, batch: &SinkBatch) -> PathBuf {
        let folder = format!("{}{}", partial_prefix(&batch.partition), batch.claim.epoch);
        self.out_dir.join(".partial").join(folder)
    }

    fn place<'a>(&'a self, window: &'a WindowRef, partial_dir: &'a Path, now_ms: i64) -> Place<'a> {
        Place { out_dir: &self.out_dir, partial_dir, window, versions_kept: self.versions_kept, now_ms }
    }

    /// Versions of a digest's window that are kept: the newest alone where a message of it was erased.
    async fn versions_kept(&self, batch: &mut Batch, ready: &DigestReadyForDelivery) -> Result<u32, Error> {
        let is_erased = batch.holds_erased(ready).await?;
        Ok(if is_erased { self.versions_kept.min(1) } else { self.versions_kept })
    }

    /// The files of what is planned, in its order: of two attempts at one window the newer comes last.
    fn jobs(&self, planned: &[Planned<'_>]) -> Vec<FileJob> {
        planned
            .iter()
            .filter(|planned| planned.writes())
            .flat_map(|planned| {
                let stem = self.out_dir.join(digest_stem(planned.ready));
                let file = |extension: &str, text: String| FileJob {
                    path: stem.with_added_extension(extension),
                    bytes: text.into_bytes(),
                };
                let view = View::from(planned.ready);
                [file("md", rendering::markdown(&view)), file("json", rendering::json(&view))]
            })
            .collect()
    }

    /// Commits `sending` for every file about to be written.
    async fn begin<'a>(&self, batch: &'a SinkBatch) -> Result<Option<Vec<Planned<'a>>>, SinkError> {
        let failed = |error| SinkError::of_state("the plan of deliveries", error);
        let Opened::Batch(mut open) =
            self.store.open_batch(&batch.bounds(Self::NAME)).await.map_err(failed)?
        else {
            return Ok(None);
        };
        let begin_offset = open.begin_offset();
        let mut planned = Vec::new();
        for (ready, offset) in batch.records.iter().filter_map(ready) {
            let is_mine = offset >= begin_offset && ready.channels.iter().any(|channel| channel == CHANNEL);
            if is_mine && !open.is_past(&ready.tenant_id, &ready.window).await.map_err(failed)? {
                let kept = self.versions_kept(&mut open, ready).await.map_err(failed)?;
                planned.push(plan(&mut open, ready, offset, kept).await?);
            }
        }
        if planned.is_empty() {
            drop(open);
        } else {
            // Whoever claims the partition waits for this transaction, and clears the folder after it.
            files::make_partial(self.partial_dir(batch)).await?;
            open.commit_without_offset().await.map_err(failed)?;
        }
        Ok(Some(planned))
    }

    /// Commits how it ended, what is said of it, and the offset.
    async fn finish(&self, batch: &SinkBatch, planned: &[Planned<'_>]) -> Result<(), SinkError> {
        let failed = |error| SinkError::of_state("the ledger of deliveries", error);
        let Opened::Batch(mut open) =
            self.store.open_batch(&batch.bounds(Self::NAME)).await.map_err(failed)?
        else {
            return Ok(());
        };
        let (delivered_at, partial_dir) = (now_ms(), self.partial_dir(batch));
        for planned in planned {
            let versions_kept = self.versions_kept(&mut open, planned.ready).await.map_err(failed)?;
            let place =
                Place { versions_kept, ..self.place(&planned.ready.window, &partial_dir, delivered_at) };
            let is_withdrawn = place.settle(&mut open, &planned.delivery).await?;
            if planned.announces() && !is_withdrawn {
                announce(&mut open, planned, delivered_at).await.map_err(failed)?;
            }
        }
        let begin_offset = open.begin_offset();
        for record in &batch.records {
            match record {
                SinkRecord::DeadLetter(letter) if letter.offset >= begin_offset => {
                    put_dead_letter(&mut open, letter).await.map_err(failed)?;
                }
                SinkRecord::Decoded { source, record, .. } if source.offset >= begin_offset => {
                    if let Some(blocked) = record.as_any().downcast_ref::<DigestBlocked>()
                        && !open.is_past(&blocked.tenant_id, &blocked.window).await.map_err(failed)?
                    {
                        let place = self.place(&blocked.window, &partial_dir, delivered_at);
                        place.block(&mut open, blocked).await?;
                    }
                }
                SinkRecord::DeadLetter(_) | SinkRecord::Decoded { .. } => {}
            }
        }
        open.commit().await.map_err(failed)
    }
}

impl Sink for FileSink {
    const NAME: &'static str = "file_sink";
    const CHANNEL: Option<&'static str> = Some(CHANNEL);

    fn inputs(&self) -> Vec<InputSpec> {
        vec![READY, BLOCKED]
    }

    async fn claim(&self, partition: &PartitionId) -> Result<Claim, SinkError> {
        let claimed = self
            .store
            .claim(&partition.of_sink(Self::NAME), &self.cluster_id)
            .await
            .map_err(|error| SinkError::of_state("the claim of a partition", error))?;
        files::clear_partial(self.out_dir.join(".partial"), partial_prefix(partition)).await?;
        Ok(claimed.into())
    }

    async fn write(&self, batch: &SinkBatch) -> Result<(), SinkError> {
        let Some(planned) = self.begin(batch).await? else { return Ok(()) };
        files::write(self.partial_dir(batch), self.jobs(&planned)).await?;
        self.finish(batch, &planned).await
    }
}

/// What the partial folders of a partition begin with; the epoch follows.
fn partial_prefix(partition: &PartitionId) -> String {
    format!("{}-{}-", partition.logical, partition.partition)
}

async fn announce(batch: &mut Batch, planned: &Planned<'_>, delivered_at: i64) -> Result<(), Error> {
    batch.mark_delivery(&planned.delivery, DeliveryStatus::Sent, None).await?;
    let event = delivered(&planned.delivery, Ended::Success, delivered_at);
    batch.append_outbox(DELIVERED, &event).await
}
