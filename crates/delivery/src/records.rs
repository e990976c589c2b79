//! What a delivery sink reads. Invariant: a digest that the ledger cannot hold is named by its offset and a reason.

use runtime::{SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery};
use state::Delivery;

/// A digest to be delivered, with its offset.
pub fn ready(record: &SinkRecord) -> Option<(&DigestReadyForDelivery, i64)> {
    let SinkRecord::Decoded { source, record, .. } = record else { return None };
    Some((record.as_any().downcast_ref()?, source.offset))
}

/// A version that was blocked, with its offset.
pub fn blocked(record: &SinkRecord) -> Option<(&DigestBlocked, i64)> {
    let SinkRecord::Decoded { source, record, .. } = record else { return None };
    Some((record.as_any().downcast_ref()?, source.offset))
}

/// The first part of the delivery of a digest, read at `offset`, to `chat` of `channel`.
///
/// # Errors
/// [`SinkError::Poison`] for a digest that the ledger cannot hold.
pub fn of_ready<'a>(
    ready: &'a DigestReadyForDelivery,
    offset: i64,
    (channel, chat): (&'a str, &'a str),
) -> Result<Delivery<'a>, SinkError> {
    let poison = |refusal: state::Refusal| SinkError::Poison {
        offset,
        reason: refusal.reason,
        detail: refusal.detail,
    };
    state::accept_ready(ready).map_err(poison)?;
    let bad_version = |error: schemas::VersionError| SinkError::Poison {
        offset,
        reason: "bad_version",
        detail: error.to_string(),
    };
    Ok(Delivery {
        tenant_id: &ready.tenant_id,
        group_id: &ready.group_id,
        window_id: &ready.window_id,
        digest_id: &ready.digest_id,
        version: ready.version.parse().map_err(bad_version)?,
        channel,
        chat,
        part: 1,
    })
}

/// The first part of the delivery to `chat` of `channel` that a version was blocked for, with the id of its digest. None for
/// what the ledger cannot hold: that was never delivered by it, and is `postgres_sink`'s to dead-letter.
pub fn of_blocked<'a>(
    blocked: &'a DigestBlocked,
    digest_id: &'a str,
    (channel, chat): (&'a str, &'a str),
) -> Option<Delivery<'a>> {
    state::accept_blocked(blocked).ok()?;
    Some(Delivery {
        tenant_id: &blocked.tenant_id,
        group_id: &blocked.group_id,
        window_id: &blocked.window_id,
        digest_id,
        version: blocked.version.parse().ok()?,
        channel,
        chat,
        part: 1,
    })
}
