//! What a survey has found.

use crate::{Open, TopicPartition, Verdict};
use serde::Serialize;
use std::collections::BTreeSet;

/// A partition that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// Which.
    #[serde(flatten)]
    pub at: TopicPartition,
    /// The broker's reason.
    pub why: String,
}

/// A transaction that hangs in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hanging {
    /// What the partition holds open.
    #[serde(flatten)]
    pub open: Open,
    /// Whose it is; none when no coordinator knows any more.
    pub transactional_id: Option<String>,
    /// When its first record was appended, in ms; none when that is gone.
    pub since_ms: Option<i64>,
    /// Groups whose offsets it holds, in the log of offsets.
    pub groups: BTreeSet<String>,
    /// Producer epoch that its marker has to carry.
    pub marker_epoch: i16,
    /// Coordinator epoch that its marker has to carry.
    pub marker_coordinator_epoch: i32,
    /// What it was decided to.
    #[serde(skip)]
    pub verdict: Verdict,
}

/// A transaction that is open in a partition and that its coordinator will end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Running {
    /// What the partition holds open.
    #[serde(flatten)]
    pub open: Open,
    /// Whose it is.
    pub transactional_id: String,
    /// It goes on by itself: its markers are on their way, or its coordinator is loading. Else somebody writes it.
    pub is_ending: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Transactions that hang, by partition.
    pub hanging: Vec<Hanging>,
    /// Open transactions that their coordinators will end.
    pub running: Vec<Running>,
    /// Partitions that could not be looked at.
    pub unseen: Vec<Unseen>,
}
