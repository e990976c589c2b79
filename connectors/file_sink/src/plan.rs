//! What is to be done with each digest of a batch. Invariant: the decision is a pure function of the ledger; a version
//! that a newer attempt has overtaken is not written, nor is one that a newer blocked version has withdrawn.

use runtime::SinkError;
use schemas::{DigestReadyForDelivery, Version};
use state::{Batch, Delivery, DeliveryStatus, Ledger};

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
    /// Not written: too old to be kept, and said when it was new.
    Forget,
    /// Not written, and removed where a crash has left it: a newer version was blocked.
    Withdraw,
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
        matches!(self.action, Action::Deliver | Action::Repair)
    }

    pub(crate) fn announces(&self) -> bool {
        self.action == Action::Deliver
    }
}

fn decide(version: Version, ledger: &Ledger, versions_kept: u32) -> Action {
    match ledger.status(version) {
        _ if ledger.is_past(version, versions_kept) => Action::Forget,
        _ if ledger.is_withdrawn(version) => Action::Withdraw,
        _ if ledger.is_overtaken(version) => Action::Supersede,
        Some(DeliveryStatus::Sent) => Action::Repair,
        _ => Action::Deliver,
    }
}

/// Decides on one digest and writes into the ledger what is about to be done, or is not.
pub(crate) async fn plan<'a>(
    batch: &mut Batch,
    ready: &'a DigestReadyForDelivery,
    offset: i64,
    versions_kept: u32,
) -> Result<Planned<'a>, SinkError> {
    let delivery = delivery::of_ready(ready, offset, (CHANNEL, ""))?;
    let failed = |error| SinkError::of_state("the plan of a delivery", error);
    let ledger = batch.ledger(&delivery).await.map_err(failed)?;
    let action = match decide(delivery.version, &ledger, versions_kept) {
        // It was made before the deletion: it may hold words that were erased since.
        Action::Deliver | Action::Repair if batch.tells_of_erased(ready).await.map_err(failed)? => {
            Action::Supersede
        }
        action => action,
    };
    let marks: &[DeliveryStatus] = match (action, ledger.status(delivery.version)) {
        (Action::Deliver, _) => &[DeliveryStatus::Planned, DeliveryStatus::Sending],
        // What was begun is withdrawn, and said so, once its files are gone.
        (Action::Supersede, Some(DeliveryStatus::Sent))
        | (Action::Withdraw, Some(_))
        | (Action::Repair | Action::Forget, _) => &[],
        (Action::Supersede, _) => &[DeliveryStatus::Superseded],
        (Action::Withdraw, None) => &[DeliveryStatus::Withdrawn],
    };
    for status in marks {
        batch.mark_delivery(&delivery, *status, None).await.map_err(failed)?;
    }
    Ok(Planned { ready, delivery, action })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    /// What becomes of version 2.1 when the ledger knows these.
    fn decided(known: &[(&str, DeliveryStatus)]) -> Action {
        let ledger = known.iter().map(|(text, status)| (version(text), *status)).collect();
        decide(version("2.1"), &ledger, 3)
    }

    #[test]
    fn only_a_newer_attempt_at_the_same_revision_overtakes() {
        let sent = DeliveryStatus::Sent;
        assert_eq!(decided(&[]), Action::Deliver);
        assert_eq!(decided(&[("2.0", sent)]), Action::Deliver);
        assert_eq!(decided(&[("3.0", sent)]), Action::Deliver);
        assert_eq!(decided(&[("2.2", sent)]), Action::Supersede);
        assert_eq!(decided(&[("2.1", sent), ("2.2", sent)]), Action::Supersede);
    }

    #[test]
    fn what_is_older_than_the_newest_that_are_kept_is_forgotten() {
        let sent = DeliveryStatus::Sent;
        let newer = [("3.0", sent), ("4.0", sent), ("5.0", DeliveryStatus::Blocked)];
        assert_eq!(decided(&newer), Action::Forget);
        assert_eq!(decided(&newer[..2]), Action::Deliver);
        // One version, delivered at one threshold and blocked at another.
        assert_eq!(
            decided(&[("3.0", sent), ("4.0", DeliveryStatus::Blocked), ("4.0", sent)]),
            Action::Withdraw
        );
    }

    #[test]
    fn a_crash_while_sending_is_repaired_by_doing_it_again() {
        assert_eq!(decided(&[("2.1", DeliveryStatus::Sending)]), Action::Deliver);
        assert_eq!(decided(&[("2.1", DeliveryStatus::Sent)]), Action::Repair);
    }

    #[test]
    fn a_newer_version_that_was_blocked_withdraws_whatever_was_done() {
        let blocked = ("3.0", DeliveryStatus::Blocked);
        for status in [DeliveryStatus::Sending, DeliveryStatus::Sent, DeliveryStatus::Withdrawn] {
            assert_eq!(decided(&[("2.1", status), blocked]), Action::Withdraw, "{status:?}");
        }
        assert_eq!(decided(&[("2.2", DeliveryStatus::Sent), blocked]), Action::Withdraw);
        assert_eq!(decided(&[("2.2", DeliveryStatus::Blocked)]), Action::Withdraw);
        for older in ["1.0", "2.0", "2.1"] {
            assert_eq!(decided(&[(older, DeliveryStatus::Blocked)]), Action::Deliver, "{older}");
        }
    }
}
