//! What a delivery sink says, by way of the outbox.

use schemas::{DigestDelivered, DigestDlq, Version};
use state::{Batch, Delivery, Error};
use std::time::{SystemTime, UNIX_EPOCH};

/// Ports of `postgres_outbox_source`.
pub const DELIVERED: &str = "delivered";
/// See [`DELIVERED`].
pub const DEAD_LETTERS: &str = "dead_letters";

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<'a> {
    /// The channel holds the digest.
    Success,
    /// It does not, for good.
    Failed(&'a str),
    /// It does not any more, since this version was blocked.
    Withdrawn(Option<Version>),
}

/// The event of a delivery that ended at `now_ms`.
pub fn delivered(delivery: &Delivery<'_>, ended: Ended<'_>, now_ms: i64) -> DigestDelivered {
    let (status, error, withdrawn_by) = match ended {
        Ended::Success => ("success", None, None),
        Ended::Failed(why) => ("failed", Some(why.to_owned()), None),
        Ended::Withdrawn(by) => ("withdrawn", None, by.map(|version| version.to_string())),
    };
    DigestDelivered {
        tenant_id: delivery.tenant_id.to_owned(),
        group_id: delivery.group_id.to_owned(),
        digest_id: delivery.digest_id.to_owned(),
        window_id: delivery.window_id.to_owned(),
        version: delivery.version.to_string(),
        status: status.to_owned(),
        channel: delivery.channel.to_owned(),
        delivered_at: now_ms,
        error,
        withdrawn_by,
    }
}

/// Writes a dead letter to the outbox, such that the database takes it.
pub async fn put_dead_letter(batch: &mut Batch, letter: &DigestDlq) -> Result<(), Error> {
    let letter = state::accept_dead_letter(letter.clone());
    batch.append_outbox(DEAD_LETTERS, &letter).await
}

/// The time of a delivery.
#[expect(
    clippy::disallowed_methods,
    reason = "delivered_at says when a delivery happened, which no event can tell; the rule against clocks leaves out digest.delivered"
)]
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
