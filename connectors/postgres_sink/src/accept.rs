//! Finds the records of a batch that can never be stored. Invariant: pure, and the first such record is named.
//!
//! Messages are not asked about here: what of them cannot be used is refused where they are read, by every reader alike.

use runtime::{SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery, GroupMessageIngested};
use state::Refusal;

/// Fails with the first record that Postgres can never store.
pub(crate) fn all(records: &[SinkRecord]) -> Result<(), SinkError> {
    records.iter().try_for_each(|record| {
        let SinkRecord::Decoded { source, record, .. } = record else { return Ok(()) };
        let record = record.as_any();
        let accepted = if record.is::<GroupMessageIngested>() {
            Ok(())
        } else if let Some(ready) = record.downcast_ref::<DigestReadyForDelivery>() {
            state::accept_ready(ready)
        } else if let Some(blocked) = record.downcast_ref::<DigestBlocked>() {
            state::accept_blocked(blocked)
        } else {
            Err(Refusal {
                reason: "unknown_record",
                detail: "no input of this sink has this type".to_owned(),
            })
        };
        accepted.map_err(|Refusal { reason, detail }| SinkError::Poison {
            offset: source.offset,
            reason,
            detail,
        })
    })
}
