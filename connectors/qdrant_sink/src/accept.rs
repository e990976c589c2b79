//! Finds the records that can never be indexed, before anything is written. Invariant: pure, and the first such record is named.

use runtime::{SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery, DigestStageCompleted};
use state::Refusal;

/// Fails with the first record whose names or version the bounds cannot hold. Messages are checked where they are read.
pub(crate) fn all(records: &[SinkRecord]) -> Result<(), SinkError> {
    records.iter().try_for_each(|record| {
        let SinkRecord::Decoded { source, record, .. } = record else { return Ok(()) };
        let record = record.as_any();
        let accepted = if let Some(completed) = record.downcast_ref::<DigestStageCompleted>() {
            state::accept_stage(completed)
        } else if let Some(ready) = record.downcast_ref::<DigestReadyForDelivery>() {
            state::accept_ready(ready)
        } else if let Some(blocked) = record.downcast_ref::<DigestBlocked>() {
            state::accept_blocked(blocked)
        } else {
            Ok(())
        };
        accepted.map_err(|Refusal { reason, detail }| SinkError::Poison {
            offset: source.offset,
            reason,
            detail,
        })
    })
}
