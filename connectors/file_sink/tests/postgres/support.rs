//! A sink, batches for it, and what is there afterwards.

use crate::database::{CLUSTER, Database};
use file_sink::FileSink;
use processor::SourcePosition;
use runtime::{Claim, PartitionId, SinkBatch, SinkRecord};
use schemas::{DigestBlocked, DigestDelivered, DigestReadyForDelivery};
use sqlx::Row;
use std::{fs, path::Path, sync::Arc};
use tempfile::TempDir;

pub(crate) const TOPIC: &str = "digest.ready_for_delivery.v1";
pub(crate) const BLOCKED_TOPIC: &str = "digest.blocked.v1";

/// Partition 0 of the topic of digests.
pub(crate) fn partition() -> PartitionId {
    partition_of(TOPIC)
}

pub(crate) fn partition_of(topic: &str) -> PartitionId {
    PartitionId { topic: topic.into(), logical: topic.into(), partition: 0 }
}

pub(crate) fn sink(database: &Database, folder: &TempDir) -> FileSink {
    FileSink::new(database.store.clone(), CLUSTER, folder.path())
}

pub(crate) fn record(offset: i64, ready: DigestReadyForDelivery) -> SinkRecord {
    let source = SourcePosition { topic: Arc::from(TOPIC), partition: 0, offset, append_time_ms: 0 };
    SinkRecord::Decoded { input: "ready", source, record: Box::new(ready) }
}

/// Digests at offsets from where the claim stands.
pub(crate) fn batch(claim: Claim, digests: &[DigestReadyForDelivery]) -> SinkBatch {
    let records: Vec<_> = digests
        .iter()
        .zip(claim.next_offset..)
        .map(|(ready, offset)| record(offset, ready.clone()))
        .collect();
    SinkBatch {
        partition: partition(),
        claim,
        next_offset: claim.next_offset + records.len() as i64,
        records,
    }
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(files(&path));
        } else {
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    names.sort();
    names
}

pub(crate) async fn delivered(database: &Database) -> Vec<DigestDelivered> {
    let rows = database.outbox().await;
    let letters = rows.iter().filter(|(port, _)| port == "delivered");
    letters.map(|(_, payload)| serde_json::from_str(payload).unwrap()).collect()
}

pub(crate) async fn ledger(database: &Database) -> Vec<(String, String)> {
    let rows =
        database.rows("t", "SELECT revision || '.' || attempt, status FROM deliveries ORDER BY 1, 2").await;
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

pub(crate) fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join("t/g").join(name)).unwrap()
}

/// A version that was blocked, where the claim of its topic stands.
pub(crate) fn blocked_batch(claim: Claim, blocked: DigestBlocked) -> SinkBatch {
    let source = SourcePosition {
        topic: Arc::from(BLOCKED_TOPIC),
        partition: 0,
        offset: claim.next_offset,
        append_time_ms: 0,
    };
    SinkBatch {
        partition: partition_of(BLOCKED_TOPIC),
        claim,
        next_offset: claim.next_offset + 1,
        records: vec![SinkRecord::Decoded { input: "blocked", source, record: Box::new(blocked) }],
    }
}
