//! What the records of a slice change in the index, in their order. Invariant: what a bound forbids is left out: states of
//! deleted messages and older versions of windows; and a window that was asked for, which says again what others say; and what a tenant's retention took.

use crate::{
    draft::{self, Draft, Place},
    vectors::Vectors,
};
use runtime::{SinkError, SinkRecord};
use schemas::{
    DigestBlocked, DigestReadyForDelivery, DigestStageCompleted, GroupMessageIngested, MessageKind, Version,
    VersionError,
};
use state::{Batch, Error, is_past};
use std::collections::{BTreeMap, BTreeSet};
use vector_index::{Change, Kind, of_version};

/// Items of a group, by tenant and group.
type ByGroup = BTreeMap<(String, String), BTreeSet<String>>;

/// Collects changes in the order of the records.
#[derive(Debug)]
struct Collected<'a> {
    changes: Vec<Change>,
    /// Of all texts that may be put.
    vectors: &'a Vectors,
    /// Deleted before the slice, or in it.
    gone: ByGroup,
}

/// The changes that the records make, with their bounds raised in the batch.
pub(crate) async fn of_records(
    batch: &mut Batch,
    records: &[&SinkRecord],
    vectors: &Vectors,
) -> Result<Vec<Change>, SinkError> {
    let failed = |error: Error| SinkError::of_state("the bounds of the index", error);
    let gone = gone(batch, records).await.map_err(failed)?;
    let mut collected = Collected { changes: Vec::new(), vectors, gone };
    for record in records {
        let SinkRecord::Decoded { source, record, .. } = record else { continue };
        let place = (source.partition, source.offset);
        let taken_before = batch.taken_before(record.tenant_id()).await.map_err(failed)?;
        let record = record.as_any();
        if let Some(ingested) = record.downcast_ref::<GroupMessageIngested>() {
            collected.messages(batch, ingested, (place, taken_before)).await.map_err(failed)?;
        } else if let Some(completed) = record.downcast_ref::<DigestStageCompleted>() {
            if !is_past(&completed.state.window, taken_before) {
                collected.threads(batch, completed, place).await?;
            }
        } else if let Some(ready) = record.downcast_ref::<DigestReadyForDelivery>() {
            if !is_past(&ready.window, taken_before) {
                collected.digest(batch, ready, place).await?;
            }
        } else if let Some(blocked) = record.downcast_ref::<DigestBlocked>() {
            collected.blocked(batch, blocked, place).await?;
        }
    }
    Ok(collected.changes)
}

/// The messages of the records that are deleted already.
async fn gone(batch: &mut Batch, records: &[&SinkRecord]) -> Result<ByGroup, Error> {
    let mut wanted = ByGroup::new();
    for record in records {
        let SinkRecord::Decoded { record, .. } = record else { continue };
        let Some(ingested) = record.as_any().downcast_ref::<GroupMessageIngested>() else { continue };
        let group = wanted.entry((ingested.tenant_id.clone(), ingested.group_id.clone())).or_default();
        group.extend(ingested.messages.iter().map(|message| item(message.id)));
    }
    for ((tenant_id, group_id), items) in &mut wanted {
        let asked: Vec<String> = std::mem::take(items).into_iter().collect();
        *items = batch.bounded_items((tenant_id, group_id), &asked).await?;
    }
    Ok(wanted)
}

fn item(message_id: i64) -> String {
    format!("message/{message_id}")
}

fn version(text: &str, (_, offset): Place) -> Result<Version, SinkError> {
    text.parse().map_err(|error: VersionError| SinkError::Poison {
        offset,
        reason: "bad_version",
        detail: error.to_string(),
    })
}

fn put(vectors: &Vectors, Draft { point, text }: Draft) -> Change {
    Change::Put(vector_index::Point { vector: vectors.of(&text), ..point })
}

impl Collected<'_> {
    async fn messages(
        &mut self,
        batch: &mut Batch,
        record: &GroupMessageIngested,
        (place, taken_before): (Place, Option<i64>),
    ) -> Result<(), Error> {
        let group = (record.tenant_id.as_str(), record.group_id.as_str());
        let gone = self.gone.entry((record.tenant_id.clone(), record.group_id.clone())).or_default();
        for message in &record.messages {
            let item = item(message.id);
            if MessageKind::parse(&message.kind) == Some(MessageKind::Deleted) {
                // Nothing outranks a deletion.
                batch.raise_bound(group, &item, i64::MAX).await?;
                gone.insert(item);
                self.changes.push(Change::DeleteMessage {
                    tenant_id: record.tenant_id.clone(),
                    group_id: record.group_id.clone(),
                    id: message.id,
                });
            } else if !gone.contains(&item) && taken_before.is_none_or(|mark| message.sent_at >= mark) {
                self.changes.push(put(self.vectors, draft::message(record, message, place)));
            }
        }
        Ok(())
    }

    /// Raises the bound of a window's points of a kind and deletes older ones; false when a newer version was there before.
    async fn pass(
        &mut self,
        batch: &mut Batch,
        (tenant_id, group_id, window_id): (&str, &str, &str),
        kind: Kind,
        version: Version,
    ) -> Result<bool, SinkError> {
        let below = of_version(version);
        let raised = batch.raise_bound((tenant_id, group_id), &format!("{kind}/{window_id}"), below).await;
        if !raised.map_err(|error| SinkError::of_state("the bounds of the index", error))? {
            return Ok(false);
        }
        self.changes.push(Change::DeleteOlder {
            tenant_id: tenant_id.to_owned(),
            group_id: group_id.to_owned(),
            window_id: window_id.to_owned(),
            kind,
            below,
        });
        Ok(true)
    }

    async fn threads(
        &mut self,
        batch: &mut Batch,
        record: &DigestStageCompleted,
        place: Place,
    ) -> Result<(), SinkError> {
        if record.state.window.is_asked() {
            return Ok(());
        }
        let version = version(&record.version, place)?;
        let window = (&*record.tenant_id, &*record.group_id, &*record.window_id);
        if self.pass(batch, window, Kind::Thread, version).await? {
            let drafts = draft::threads(record, version, place).into_iter();
            self.changes.extend(drafts.map(|draft| put(self.vectors, draft)));
        }
        Ok(())
    }

    async fn digest(
        &mut self,
        batch: &mut Batch,
        record: &DigestReadyForDelivery,
        place: Place,
    ) -> Result<(), SinkError> {
        if record.window.is_asked() {
            return Ok(());
        }
        let version = version(&record.version, place)?;
        let window = (&*record.tenant_id, &*record.group_id, &*record.window_id);
        if self.pass(batch, window, Kind::Digest, version).await? {
            self.changes.push(put(self.vectors, draft::digest(record, version, place)));
        }
        Ok(())
    }

    /// A blocked version takes back what older ones said; its own threads, if it came to have any, stay.
    async fn blocked(
        &mut self,
        batch: &mut Batch,
        record: &DigestBlocked,
        place: Place,
    ) -> Result<(), SinkError> {
        let version = version(&record.version, place)?;
        let window = (&*record.tenant_id, &*record.group_id, &*record.window_id);
        self.pass(batch, window, Kind::Digest, version).await?;
        self.pass(batch, window, Kind::Thread, version).await?;
        Ok(())
    }
}
