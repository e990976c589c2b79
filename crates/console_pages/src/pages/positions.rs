//! How far every unit has read, and what is before it. Filled by `operate::lag`.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A partition that a unit reads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionPosition {
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset that is read next; none before the first commit.
    pub position: Option<i64>,
    /// Records that are still to be consumed.
    pub waiting: u64,
    /// Offsets to the last stable one.
    pub to_stable: i64,
    /// Offsets to the high watermark.
    pub to_end: i64,
    /// Seconds since the first record not yet read was appended.
    pub behind_seconds: f64,
    /// What is wrong; empty where nothing is.
    pub problem: String,
}

/// A unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitPosition {
    /// Its name in the map.
    pub unit: String,
    /// Members of its group that are connected.
    pub members: u64,
    /// Whether nobody knows more, because Postgres does not answer.
    pub is_unknown: bool,
    /// Records that are still to be consumed.
    pub waiting: u64,
    /// Whether that is a distance between offsets.
    pub is_estimate: bool,
    /// Offsets to the last stable ones.
    pub to_stable: i64,
    /// Offsets to the high watermarks.
    pub to_end: i64,
    /// Seconds since the first record not yet read was appended.
    pub behind_seconds: f64,
    /// Seconds since the oldest open transaction in its input wrote its first record.
    pub open_seconds: Option<f64>,
    /// Each partition.
    pub partitions: Vec<PartitionPosition>,
}

/// What is still to be published of what sinks wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The source that publishes it.
    pub unit: String,
    /// Processes that are connected.
    pub members: u64,
    /// Rows to publish.
    pub rows: u64,
    /// Rows that wait for an older transaction on the server.
    pub stalled: u64,
}

/// Positions of all units.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Positions {
    /// When they were measured, in ms.
    pub measured_at_ms: i64,
    /// Units in the order of the flow.
    pub units: Vec<UnitPosition>,
    /// Outboxes.
    pub outboxes: Vec<Outbox>,
    /// What else is known, a sentence each, as `gistmill lag` says it.
    pub notes: Vec<String>,
}

impl Page for Positions {
    fn title(&self, words: &'static Words) -> String {
        words.positions.to_owned()
    }

    fn section(&self) -> Section {
        Section::Positions
    }

    html!(Positions, "positions.html");
}
