//! What is to be done for a version of a delivery whose effect cannot be repeated: a message is posted once and edited from
//! then on.
//!
//! Invariant: nothing is begun where an effect may already be there: a post that was begun and of which nobody knows how it
//! ended is `unknown`, and while it is, nothing is posted in its place. An edit may be repeated. An older version never
//! replaces a newer one.

use schemas::Version;
use state::{DeliveryStatus, Effect, LedgerVersion};

/// What is wanted of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Version.
    pub version: Version,
    /// Parts that it has, from 1.
    pub parts: i32,
    /// True where it may be posted; false where it only corrects what is there.
    pub may_begin: bool,
    /// State of its parts once they are done.
    pub done: DeliveryStatus,
    /// Versions of a delivery that are kept, the newest of them.
    pub versions_kept: u32,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Part, from 1.
    pub part: i32,
    /// What is done.
    pub kind: CallKind,
}

/// What an effect does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallKind {
    /// Posts a part, as an answer to the first one where there is one.
    Post {
        /// Where that is.
        reply_to: Option<String>,
    },
    /// Edits what is there.
    Edit {
        /// Where it is.
        reference: String,
    },
    /// Empties what is there of a part that this version does not have.
    Blank {
        /// Where it is.
        reference: String,
    },
}

impl Call {
    /// Where the effect is, as far as that is known before it.
    pub fn reference(&self) -> Option<&str> {
        match &self.kind {
            CallKind::Post { .. } => None,
            CallKind::Edit { reference } | CallKind::Blank { reference } => Some(reference),
        }
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// This is to be done.
    Call(Call),
    /// Nobody knows how this part ended: it has to be said in the ledger.
    Lost(i32),
    /// Somebody is posting this older version now.
    Wait(Version),
    /// Nothing.
    Done(Outcome),
}

/// Why nothing is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All parts are done.
    Done,
    /// A newer version was there first.
    Superseded,
    /// A newer version was blocked.
    Withdrawn,
    /// Too old to be kept.
    Forgotten,
    /// Nobody knows how a part of it ended.
    Unknown,
    /// A part of it failed for good, and that was said.
    Failed,
    /// Nobody knows how a part of this older version ended.
    Held(Version),
    /// Nothing is there that it could correct.
    NothingThere,
}

/// Decides, from every part of every version of the delivery, oldest first.
pub fn decide(ledger: &[Effect], wanted: &Wanted) -> Step {
    let Wanted { version, .. } = *wanted;
    if is_past(ledger, version, wanted.versions_kept) {
        return Step::Done(Outcome::Forgotten);
    }
    let own = || ledger.iter().filter(|it| it.version == version && it.part > 0);
    if let Some(lost) = own().find(|it| it.status == DeliveryStatus::Sending && it.reference.is_none()) {
        return Step::Lost(lost.part);
    }
    if own().any(|it| it.status == DeliveryStatus::Unknown) {
        return Step::Done(Outcome::Unknown);
    }
    if own().any(|it| it.status == DeliveryStatus::Failed) {
        return Step::Done(Outcome::Failed);
    }
    let other = |is_wanted: &dyn Fn(&Effect) -> bool| {
        ledger.iter().find(|it| it.part > 0 && is_wanted(it)).map(|it| it.version)
    };
    if blocked(ledger) > Some(version) {
        return Step::Done(Outcome::Withdrawn);
    }
    let parts = wanted
        .parts
        .max(ledger.iter().filter(|it| it.reference.is_some()).map(|it| it.part).max().unwrap_or(0));
    let Some(part) = (1..=parts).find(|part| !own().any(|it| it.part == *part && it.status == wanted.done))
    else {
        return Step::Done(Outcome::Done);
    };
    if other(&|it| it.version > version && it.status.is_begun()).is_some() {
        return Step::Done(Outcome::Superseded);
    }
    if let Some(older) = other(&|it| it.version < version && it.status == DeliveryStatus::Unknown) {
        return Step::Done(Outcome::Held(older));
    }
    let is_going_on =
        |it: &Effect| it.version < version && it.status == DeliveryStatus::Sending && it.reference.is_none();
    if let Some(older) = other(&is_going_on) {
        return Step::Wait(older);
    }
    let kind = match reference(ledger, version, part) {
        Some(reference) if part > wanted.parts => CallKind::Blank { reference },
        Some(reference) => CallKind::Edit { reference },
        None if wanted.may_begin || part > 1 => {
            CallKind::Post { reply_to: reference(ledger, version, 1).filter(|_| part > 1) }
        }
        None => return Step::Done(Outcome::NothingThere),
    };
    Step::Call(Call { part, kind })
}

/// Where a part is, by the newest version up to this one that knows.
pub fn reference(ledger: &[Effect], version: Version, part: i32) -> Option<String> {
    let mut known = ledger.iter().rev().filter(|it| it.part == part && it.version <= version);
    known.find_map(|it| it.reference.clone())
}

/// Newest version that was blocked.
pub fn blocked(ledger: &[Effect]) -> Option<Version> {
    let blocked = ledger.iter().filter(|it| it.status == DeliveryStatus::Blocked);
    blocked.map(|it| it.version).max()
}

/// Parts of versions older than a blocked one that the ledger does not call withdrawn yet and that were begun.
pub fn to_withdraw(ledger: &[Effect], blocked: Version) -> impl Iterator<Item = &Effect> {
    let is_begun = |it: &&Effect| matches!(it.status, DeliveryStatus::Planned | DeliveryStatus::Sent);
    ledger.iter().filter(move |it| it.version < blocked && it.part > 0).filter(is_begun)
}

/// The newest version that is too old to be kept.
pub fn newest_past(ledger: &[Effect], kept: u32) -> Option<LedgerVersion> {
    let mut versions: Vec<&Effect> = ledger.iter().collect();
    versions.dedup_by_key(|it| it.version);
    let past = versions.len().checked_sub(kept.max(1) as usize + 1)?;
    let it = versions.get(past)?;
    Some(LedgerVersion { version: it.version, digest_id: it.digest_id.clone(), status: it.status })
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

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    fn ledger(rows: &[(&str, i32, DeliveryStatus, &str)]) -> Vec<Effect> {
        let effect = |(of, part, status, reference): &(&str, i32, DeliveryStatus, &str)| Effect {
            version: version(of),
            part: *part,
            status: *status,
            digest_id: format!("d{of}"),
            reference: (!reference.is_empty()).then(|| (*reference).to_owned()),
        };
        rows.iter().map(effect).collect()
    }

    fn wanted(parts: i32) -> Wanted {
        Wanted { version: version("2.0"), parts, may_begin: true, done: Sent, versions_kept: 3 }
    }

    /// What comes next for version 2.0 of one part.
    fn next(rows: &[(&str, i32, DeliveryStatus, &str)]) -> Step {
        decide(&ledger(rows), &wanted(1))
    }

    fn post(part: i32, reply_to: Option<&str>) -> Step {
        Step::Call(Call { part, kind: CallKind::Post { reply_to: reply_to.map(str::to_owned) } })
    }

    fn edit(part: i32, reference: &str) -> Step {
        Step::Call(Call { part, kind: CallKind::Edit { reference: reference.to_owned() } })
    }

    #[test]
    fn a_digest_is_posted_once_and_edited_from_then_on() {
        assert_eq!(next(&[]), post(1, None));
        assert_eq!(next(&[("2.0", 1, Planned, "")]), post(1, None));
        assert_eq!(next(&[("1.0", 1, Sent, "7")]), edit(1, "7"));
        assert_eq!(next(&[("1.0", 1, Sent, "7"), ("2.0", 1, Planned, "7")]), edit(1, "7"));
        assert_eq!(next(&[("2.0", 1, Sent, "7")]), Step::Done(Outcome::Done));
        // What did not happen is no reason not to post.
        for status in [Failed, Superseded, Withdrawn] {
            assert_eq!(next(&[("1.0", 1, status, "")]), post(1, None), "{status:?}");
        }
        // A version fails once; the next one is another attempt.
        assert_eq!(next(&[("2.0", 1, Failed, "")]), Step::Done(Outcome::Failed));
        assert_eq!(next(&[("1.0", 1, Failed, "7")]), edit(1, "7"));
    }

    #[test]
    fn a_post_that_was_begun_is_unknown_and_nothing_takes_its_place() {
        assert_eq!(next(&[("2.0", 1, Sending, "")]), Step::Lost(1));
        assert_eq!(next(&[("2.0", 1, Unknown, "")]), Step::Done(Outcome::Unknown));
        assert_eq!(next(&[("1.0", 1, Unknown, "")]), Step::Done(Outcome::Held(version("1.0"))));
        assert_eq!(next(&[("1.0", 1, Sending, "")]), Step::Wait(version("1.0")));
        // An edit that was begun is done again.
        assert_eq!(next(&[("1.0", 1, Sent, "7"), ("2.0", 1, Sending, "7")]), edit(1, "7"));
    }

    #[test]
    fn an_older_version_replaces_no_newer_one() {
        for status in [Sending, Sent, Unknown] {
            let rows = [("1.0", 1, Sent, "7"), ("3.0", 1, status, "7")];
            assert_eq!(next(&rows), Step::Done(Outcome::Superseded), "{status:?}");
        }
        assert_eq!(next(&[("2.1", 1, Sent, "7")]), Step::Done(Outcome::Superseded));
        assert_eq!(next(&[("3.0", 1, Failed, "")]), post(1, None));
        let newer = [("3.0", 1, Sent, "7"), ("4.0", 1, Sent, "7"), ("5.0", 1, Sent, "7")];
        assert_eq!(next(&newer), Step::Done(Outcome::Forgotten));
    }

    #[test]
    fn a_newer_blocked_version_withdraws_and_an_older_one_does_not() {
        let blocked_by = |of| [("1.0", 1, Sent, "7"), (of, 0, Blocked, "")];
        assert_eq!(next(&blocked_by("3.0")), Step::Done(Outcome::Withdrawn));
        assert_eq!(next(&[("1.0", 0, Blocked, ""), ("1.0", 1, Withdrawn, "7")]), edit(1, "7"));
        let of_blocked = Wanted { may_begin: false, done: Withdrawn, ..wanted(1) };
        assert_eq!(decide(&ledger(&blocked_by("2.0")), &of_blocked), edit(1, "7"));
        let nothing = ledger(&[("2.0", 0, Blocked, "")]);
        assert_eq!(decide(&nothing, &of_blocked), Step::Done(Outcome::NothingThere));
        let begun = ledger(&blocked_by("2.0"));
        assert_eq!(to_withdraw(&begun, version("2.0")).count(), 1);
    }

    #[test]
    fn parts_follow_the_first_and_those_too_many_are_emptied() {
        let first = [("2.0", 1, Sent, "7"), ("2.0", 2, Planned, "")];
        assert_eq!(decide(&ledger(&first), &wanted(2)), post(2, Some("7")));
        let two = [("1.0", 1, Sent, "7"), ("1.0", 2, Sent, "8")];
        assert_eq!(decide(&ledger(&two), &wanted(1)), edit(1, "7"));
        let rest = ledger(&[two[0], two[1], ("2.0", 1, Sent, "7")]);
        let blank = Call { part: 2, kind: CallKind::Blank { reference: "8".to_owned() } };
        assert_eq!(decide(&rest, &wanted(1)), Step::Call(blank));
        let lost = ledger(&[two[0], ("2.0", 1, Sent, "7"), ("2.0", 2, Sending, "")]);
        assert_eq!(decide(&lost, &wanted(2)), Step::Lost(2));
    }

    #[test]
    fn what_only_corrects_posts_nothing() {
        let corrects = Wanted { may_begin: false, ..wanted(1) };
        assert_eq!(decide(&[], &corrects), Step::Done(Outcome::NothingThere));
        assert_eq!(decide(&ledger(&[("1.0", 1, Sent, "7")]), &corrects), edit(1, "7"));
    }

    #[test]
    fn the_newest_versions_are_kept() {
        let rows = ledger(&[
            ("1.0", 1, Sent, "7"),
            ("1.0", 2, Sent, "8"),
            ("2.0", 1, Sent, "7"),
            ("3.0", 0, Blocked, ""),
        ]);
        assert_eq!(newest_past(&rows, 3), None);
        assert_eq!(newest_past(&rows, 2).map(|it| it.version), Some(version("1.0")));
        assert_eq!(newest_past(&rows, 1).map(|it| it.version), Some(version("2.0")));
    }
}
