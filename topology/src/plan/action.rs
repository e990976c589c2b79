//! The steps of a plan and its refusals, each of which reads as one line.

use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// A setting before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Value in effect; empty when the broker did not tell.
    pub from: String,
    /// Value of the map.
    pub to: String,
}

/// One step. Names are physical.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Create a topic.
    CreateTopic {
        /// Topic.
        topic: String,
        /// Number of partitions.
        partitions: i32,
        /// Its settings; others stay the broker's.
        configs: BTreeMap<String, String>,
    },
    /// Change settings of a topic.
    AlterTopic {
        /// Topic.
        topic: String,
        /// What changes.
        changes: BTreeMap<String, Change>,
        /// Settings that were set for this topic and stay: the broker's call replaces all of them at once.
        kept: BTreeMap<String, String>,
    },
    /// Register the newest schema of a record type.
    RegisterSchema {
        /// Subject.
        subject: String,
        /// Versioned type name.
        record: String,
    },
    /// Let a subject take compatible schemas only.
    RequireCompatibility {
        /// Subject.
        subject: String,
    },
    /// Commit the earliest offset of each partition for a group that has none.
    SeedOffsets {
        /// Group.
        group: String,
        /// Its input.
        topic: String,
        /// Partitions.
        partitions: Vec<i32>,
    },
}

impl Action {
    /// Steps of one phase may be taken together, once those of the phases before are done.
    pub(super) fn phase(&self) -> u8 {
        match self {
            Self::CreateTopic { .. } => 0,
            Self::AlterTopic { .. } => 1,
            Self::RegisterSchema { .. } | Self::RequireCompatibility { .. } => 2,
            Self::SeedOffsets { .. } => 3,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTopic { topic, partitions, configs } => {
                let configs: Vec<_> = configs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "create topic {topic} with {partitions} partitions ({})", configs.join(", "))
            }
            Self::AlterTopic { topic, changes, .. } => {
                let change =
                    |(name, Change { from, to }): (&String, &Change)| format!("{name} {from} → {to}");
                let changes: Vec<_> = changes.iter().map(change).collect();
                write!(f, "alter topic {topic}: {}", changes.join(", "))
            }
            Self::RegisterSchema { subject, record } => write!(f, "register {record} under {subject}"),
            Self::RequireCompatibility { subject } => write!(f, "require FULL_TRANSITIVE of {subject}"),
            Self::SeedOffsets { group, topic, partitions } => {
                write!(
                    f,
                    "seed group {group} at the earliest offsets of {topic} ({} partitions)",
                    partitions.len()
                )
            }
        }
    }
}

/// A difference that is not settled by a program. Names are physical.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// A topic has another number of partitions.
    #[error(
        "topic {topic} has {found} partitions where the map has {expected}: order per group, folds and as-of reads rest on the count, so it is never changed in place; delete the topic and apply again if it holds nothing, else start beside it under another --prefix and import again, or give every event topic of the map {found} partitions"
    )]
    PartitionCount {
        /// Topic.
        topic: String,
        /// On the broker.
        found: i32,
        /// In the map.
        expected: i32,
    },
    /// The map keeps records for a shorter time than the topic does.
    #[error(
        "topic {topic} keeps records for {found} ms where the map says {expected} ms: applying it deletes what lies between; if that is wanted, apply with --lower-retention"
    )]
    LowersRetention {
        /// Topic.
        topic: String,
        /// `retention.ms` on the broker; -1 is for ever.
        found: String,
        /// `retention.ms` of the map.
        expected: String,
    },
    /// An event topic that is compacted.
    #[error(
        "topic {topic} was made with cleanup.policy={found} where the map has {expected}: what it held may be lost already; delete the topic and apply again, or import again under another --prefix"
    )]
    CleanupPolicy {
        /// Topic.
        topic: String,
        /// On the broker.
        found: String,
        /// In the map.
        expected: String,
    },
    /// A subject holds a schema that does not go with the record type.
    #[error(
        "subject {subject} holds a schema that does not go with {record}: {detail}; if it is a leftover, delete the subject and apply again, else make the change a new version of the record with a topic of its own"
    )]
    IncompatibleSchema {
        /// Subject.
        subject: String,
        /// Versioned type name.
        record: String,
        /// Which version of the subject, and why.
        detail: String,
    },
    /// A group has offsets for some partitions only.
    #[error(
        "group {group} has committed offsets of {topic} but none for partitions {missing:?}: offsets or data expired; choose where it goes on with `gistmill reset`"
    )]
    MissingOffsets {
        /// Group.
        group: String,
        /// Its input.
        topic: String,
        /// Partitions without an offset.
        missing: Vec<i32>,
    },
    /// A group has no offsets although its processor has run.
    #[error(
        "group {group} has no committed offsets although {written} was written to: they expired; starting at the earliest would repeat everything, so choose where it goes on with `gistmill reset`"
    )]
    ExpiredOffsets {
        /// Group.
        group: String,
        /// A topic that only its processor writes.
        written: String,
    },
}
