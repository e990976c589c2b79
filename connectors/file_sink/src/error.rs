//! What the errors of state mean here, and batches as state knows them.

use runtime::{PartitionId, SinkBatch, SinkError};
use state::{BatchBounds, ClaimedPartition, Error, SinkPartition};

/// The fate of a batch after `error` in writing `what`.
pub(crate) fn sink_error(what: &'static str, error: Error) -> SinkError {
    match error {
        Error::Fenced => SinkError::Fenced,
        error if error.is_transient() => SinkError::Transient { what, source: Box::new(error) },
        error => SinkError::Fatal(format!("could not write {what}: {}", error.describe())),
    }
}

/// The partition as state knows it, for the sink called `name`.
pub(crate) fn sink_partition(name: &str, partition: &PartitionId) -> SinkPartition {
    SinkPartition {
        consumer_group: name.to_owned(),
        topic: partition.logical.to_string(),
        physical_topic: partition.topic.to_string(),
        partition: partition.partition,
    }
}

/// The bounds of a batch as state knows them, for the sink called `name`.
pub(crate) fn bounds(name: &str, batch: &SinkBatch) -> BatchBounds {
    BatchBounds {
        partition: sink_partition(name, &batch.partition),
        claim: ClaimedPartition { epoch: batch.claim.epoch, next_offset: batch.claim.next_offset },
        end_offset: batch.next_offset,
    }
}
