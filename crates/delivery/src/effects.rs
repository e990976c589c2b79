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
mod tests;
