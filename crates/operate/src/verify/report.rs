//! What was found when digests were held against the log.
//!
//! Invariant: what is wrong is a finding, and names where; what retention took, and what is still on its way, is counted
//! apart. No word of a message or of a digest is told.

use serde::Serialize;
use std::collections::BTreeMap;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A digest cites a message that was not in its window at its place in the log.
    DanglingCitation,
    /// What is stored of a cited message is not what its record says.
    MessageDiffers,
    /// The record that a cited message is said to be in does not hold it.
    MessageNotInRecord,
    /// A cited message was changed or deleted in time, and the window has no later revision.
    ChangedWithoutRevision,
    /// A stored digest has no event.
    RowWithoutEvent,
    /// A digest's event was passed by its sink and is not stored.
    EventWithoutRow,
    /// A stored digest is not what its event says.
    RowDiffers,
    /// An event is on its topic more than once.
    EventTwice,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// Digest.
    pub digest_id: String,
    /// Where and what exactly.
    pub detail: String,
}

/// Where a message lies that a digest cites.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CitedPlace {
    /// Message.
    pub message_id: i64,
    /// Revision.
    pub revision: i64,
    /// Partition of `group.message.ingested`.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// `same`, `differs`, `missing`, or `taken` by retention.
    pub outcome: &'static str,
}

/// A stage run of a digest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSeen {
    /// Stage.
    pub stage: String,
    /// Its run.
    pub run_id: String,
    /// How it ended.
    pub outcome: String,
    /// Model, or `offline`.
    pub model_id: String,
    /// Tokens used.
    pub tokens: i64,
}

/// A digest that was asked for by its id: its runs and what it cites.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DigestSeen {
    /// Its id.
    pub digest_id: String,
    /// Where its event lies.
    pub event: Option<String>,
    /// Stage runs on its way.
    pub runs: Vec<RunSeen>,
    /// Messages that it cites.
    pub cites: Vec<CitedPlace>,
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Digests looked at, all versions.
    pub digests: u64,
    /// Events looked at.
    pub events: u64,
    /// Citations looked at, each message of each digest once.
    pub citations: u64,
    /// Records of `group.message.ingested` that were read again for them.
    pub records: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What retention, an erasure or a withdrawal took, by what.
    pub taken: BTreeMap<&'static str, u64>,
    /// What is still on its way, by what.
    pub pending: BTreeMap<&'static str, u64>,
    /// The one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSeen>,
}

impl Report {
    pub(super) fn took(&mut self, what: &'static str) {
        *self.taken.entry(what).or_default() += 1;
    }

    pub(super) fn waits(&mut self, what: &'static str) {
        *self.pending.entry(what).or_default() += 1;
    }
}
