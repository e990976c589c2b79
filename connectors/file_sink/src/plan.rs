//! What is to be done with each digest of a batch. Invariant: the decision is a pure function of the ledger; a version
//! that a newer attempt has overtaken is not written.

use runtime::SinkError;
use schemas::{DigestReadyForDelivery, Version};
use state::{Batch, Delivery, DeliveryBefore, DeliveryStatus};

/// Name of the channel.
pub(crate) const CHANNEL: &str = "file";

/// What becomes of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Written, recorded and announced.
    Deliver,
    /// Written again, since it may be what an operator has reset the sink for; all of it was said before.
    Repair,
    /// Not written: a newer attempt at the same revision has the file.
    Supersede,
}

/// A digest of the batch and what becomes of it.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    pub(crate) ready: &'a DigestReadyForDelivery,
    pub(crate) delivery: Delivery<'a>,
    pub(crate) action: Action,
}

impl Planned<'_> {
    pub(crate) fn writes(&self) -> bool {
        self.action != Action::Supersede
    }

    pub(crate) fn announces(&self) -> bool {
        self.action == Action::Deliver
    }
}

fn decide(version: Version, before: DeliveryBefore) -> Action {
    let overtaken = before
        .newest
        .is_some_and(|newest| newest.revision == version.revision && newest.attempt > version.attempt);
    match before.status {
        _ if overtaken => Action::Supersede,
        Some(DeliveryStatus::Sent) => Action::Repair,
        _ => Action::Deliver,
    }
}

/// Decides on one digest and writes `sending` or `superseded` into the ledger.
pub(crate) async fn plan<'a>(
    batch: &mut Batch,
    ready: &'a DigestReadyForDelivery,
    offset: i64,
) -> Result<Planned<'a>, SinkError> {
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
    let delivery = Delivery {
        tenant_id: &ready.tenant_id,
        group_id: &ready.group_id,
        window_id: &ready.window_id,
        digest_id: &ready.digest_id,
        version: ready.version.parse().map_err(bad_version)?,
        channel: CHANNEL,
        chat: "",
        part: 1,
    };
    let failed = |error| SinkError::of_state("the plan of a delivery", error);
    let before = batch.delivery_before(&delivery).await.map_err(failed)?;
    let action = decide(delivery.version, before);
    match action {
        Action::Deliver => {
            batch.mark_delivery(&delivery, DeliveryStatus::Planned, None).await.map_err(failed)?;
            batch.mark_delivery(&delivery, DeliveryStatus::Sending, None).await.map_err(failed)?;
        }
        Action::Supersede if before.status != Some(DeliveryStatus::Sent) => {
            batch.mark_delivery(&delivery, DeliveryStatus::Superseded, None).await.map_err(failed)?;
        }
        Action::Supersede | Action::Repair => {}
    }
    Ok(Planned { ready, delivery, action })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(revision: i32, attempt: i32) -> Version {
        Version { revision, attempt }
    }

    #[test]
    fn only_a_newer_attempt_at_the_same_revision_overtakes() {
        let before = |status, newest| DeliveryBefore { status, newest };
        let decide = |before| super::decide(version(2, 1), before);
        assert_eq!(decide(before(None, None)), Action::Deliver);
        assert_eq!(decide(before(None, Some(version(2, 0)))), Action::Deliver);
        assert_eq!(decide(before(None, Some(version(3, 0)))), Action::Deliver);
        assert_eq!(decide(before(None, Some(version(2, 2)))), Action::Supersede);
        assert_eq!(decide(before(Some(DeliveryStatus::Sent), Some(version(2, 2)))), Action::Supersede);
    }

    #[test]
    fn a_crash_while_sending_is_repaired_by_doing_it_again() {
        let before = |status| DeliveryBefore { status: Some(status), newest: Some(version(2, 1)) };
        assert_eq!(decide(version(2, 1), before(DeliveryStatus::Sending)), Action::Deliver);
        assert_eq!(decide(version(2, 1), before(DeliveryStatus::Sent)), Action::Repair);
    }
}
