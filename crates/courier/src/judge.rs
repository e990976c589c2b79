//! What becomes of a version, from every version of its delivery in the ledger, oldest first.
//!
//! Invariant: pure. An older version is never delivered after a newer one, and what is decided of a version once is not decided
//! again.

use crate::Kind;
use delivery::effects::blocked;
use schemas::Version;
use state::{DeliveryStatus, Effect};

/// What becomes of a version that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// It is to be delivered, in the place of older ones that wait.
    Queue,
    /// It is called this, and not delivered.
    Mark(DeliveryStatus),
    /// Nothing: it was read before, or is too old to be kept.
    Nothing,
}

/// What becomes of a digest.
pub(crate) fn of_ready(ledger: &[Effect], version: Version, kept: u32) -> Judged {
    if own(ledger, version).next().is_some() || is_past(ledger, version, kept) {
        return Judged::Nothing;
    }
    if blocked(ledger) > Some(version) {
        return Judged::Mark(DeliveryStatus::Withdrawn);
    }
    let is_newer =
        |it: &Effect| it.version > version && (it.status.is_begun() || it.status == DeliveryStatus::Planned);
    if effects(ledger).any(is_newer) {
        return Judged::Mark(DeliveryStatus::Superseded);
    }
    Judged::Queue
}

/// What becomes of a version that was blocked: a notice, where the target may have an older one.
pub(crate) fn of_blocked(ledger: &[Effect], version: Version) -> Judged {
    let has_newer = effects(ledger).any(|it| it.version > version && it.status != DeliveryStatus::Superseded);
    if own(ledger, version).next().is_some() || has_newer {
        return Judged::Nothing;
    }
    if effects(ledger).any(|it| it.version < version && may_be_there(it)) {
        Judged::Queue
    } else {
        Judged::Nothing
    }
}

/// Versions older than this that wait and were never tried, or that certainly did not arrive.
pub(crate) fn planned_before(ledger: &[Effect], version: Version) -> impl Iterator<Item = &Effect> {
    effects(ledger).filter(move |it| it.version < version && it.status == DeliveryStatus::Planned)
}

/// What a version is for its target at the first try.
pub(crate) fn kind(ledger: &[Effect], version: Version) -> Kind {
    let is_there = |it: &Effect| it.version < version && may_be_there(it);
    if effects(ledger).any(is_there) { Kind::Edited } else { Kind::New }
}

/// True for what the target may have. What failed keeps its name where it may have arrived all the same.
pub(crate) fn may_be_there(effect: &Effect) -> bool {
    effect.status.is_begun() || (effect.status == DeliveryStatus::Failed && effect.reference.is_some())
}

/// How a version stands.
pub(crate) fn own(ledger: &[Effect], version: Version) -> impl Iterator<Item = &Effect> {
    effects(ledger).filter(move |it| it.version == version)
}

/// Without rows that only say that a version was blocked.
pub(crate) fn effects(ledger: &[Effect]) -> impl Iterator<Item = &Effect> {
    ledger.iter().filter(|it| it.part > 0)
}

fn is_past(ledger: &[Effect], version: Version, kept: u32) -> bool {
    let mut newer: Vec<Version> = ledger.iter().map(|it| it.version).filter(|it| *it > version).collect();
    newer.dedup();
    newer.len() >= kept.max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryStatus::{Blocked, Failed, Planned, Sending, Sent, Superseded, Unknown, Withdrawn};
    use proptest::prelude::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn row(text: &str, status: DeliveryStatus) -> Effect {
        let part = i32::from(status != Blocked);
        let reference = matches!(status, Sending | Sent).then(|| "r".to_owned());
        Effect { version: version(text), part, status, digest_id: String::new(), reference }
    }

    fn ledger(rows: &[(&str, DeliveryStatus)]) -> Vec<Effect> {
        rows.iter().map(|(text, status)| row(text, *status)).collect()
    }

    #[test]
    fn a_digest_is_delivered_unless_a_newer_one_is_known() {
        for (rows, expected) in [
            (&[][..], Judged::Queue),
            (&[("1.0", Sent)], Judged::Queue),
            (&[("1.0", Planned)], Judged::Queue),
            (&[("1.0", Unknown)], Judged::Queue),
            (&[("1.0", Blocked)], Judged::Queue),
            (&[("2.0", Planned)], Judged::Nothing),
            (&[("2.0", Sending)], Judged::Nothing),
            (&[("2.0", Failed)], Judged::Nothing),
            (&[("2.0", Blocked)], Judged::Queue),
            (&[("3.0", Planned)], Judged::Mark(Superseded)),
            (&[("3.0", Sent)], Judged::Mark(Superseded)),
            (&[("3.0", Failed)], Judged::Queue),
            (&[("3.0", Blocked)], Judged::Mark(Withdrawn)),
            (&[("3.0", Sent), ("4.0", Sent), ("5.0", Sent)], Judged::Nothing),
        ] {
            assert_eq!(of_ready(&ledger(rows), version("2.0"), 3), expected, "{rows:?}");
        }
    }

    #[test]
    fn a_blocked_version_is_told_of_where_an_older_one_may_have_arrived() {
        for (rows, expected) in [
            (&[][..], Judged::Nothing),
            (&[("1.0", Planned)], Judged::Nothing),
            (&[("1.0", Sending)], Judged::Queue),
            (&[("1.0", Sent)], Judged::Queue),
            (&[("1.0", Unknown)], Judged::Queue),
            (&[("1.0", Withdrawn)], Judged::Nothing),
            (&[("1.0", Sent), ("2.0", Planned)], Judged::Nothing),
            (&[("1.0", Sent), ("2.0", Withdrawn)], Judged::Nothing),
            (&[("1.0", Sent), ("3.0", Planned)], Judged::Nothing),
            (&[("1.0", Sent), ("3.0", Sent)], Judged::Nothing),
        ] {
            assert_eq!(of_blocked(&ledger(rows), version("2.0")), expected, "{rows:?}");
        }
    }

    #[test]
    fn what_may_have_arrived_is_edited_and_everything_else_is_new() {
        for (status, expected) in [
            (Planned, Kind::New),
            (Sending, Kind::Edited),
            (Sent, Kind::Edited),
            (Unknown, Kind::Edited),
            (Failed, Kind::New),
            (Superseded, Kind::New),
            (Withdrawn, Kind::New),
            (Blocked, Kind::New),
        ] {
            assert_eq!(kind(&ledger(&[("1.0", status)]), version("2.0")), expected, "{status:?}");
        }
        let given_up = Effect { reference: Some("r".to_owned()), ..row("1.0", Failed) };
        assert_eq!(kind(&[given_up], version("2.0")), Kind::Edited);
    }

    proptest! {
        #[test]
        fn nothing_is_delivered_after_a_newer_version(
            rows in prop::collection::vec((0i32..5, 0usize..8), 0..8), wanted in 0i32..5
        ) {
            let statuses = [Planned, Sending, Sent, Failed, Unknown, Superseded, Withdrawn, Blocked];
            let mut rows: Vec<Effect> =
                rows.iter().map(|(revision, status)| row(&format!("{revision}.0"), statuses[*status])).collect();
            rows.sort_by_key(|it| (it.version, it.part));
            let wanted = Version { revision: wanted, attempt: 0 };
            let is_begun = |it: &Effect| it.version > wanted && it.part > 0 && it.status.is_begun();
            if rows.iter().any(is_begun) {
                prop_assert_ne!(of_ready(&rows, wanted, 20), Judged::Queue);
                prop_assert_ne!(of_blocked(&rows, wanted), Judged::Queue);
            }
        }
    }
}
