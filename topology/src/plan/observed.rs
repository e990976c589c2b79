//! What a broker and a registry were seen to hold, under physical names.

use registry::Compatibility;
use std::collections::BTreeMap;

/// What a broker and a registry hold of one pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokerState {
    /// Topics that exist.
    pub topics: BTreeMap<String, TopicState>,
    /// Groups of processors, whether they exist or not.
    pub groups: BTreeMap<String, GroupState>,
    /// Subjects that hold a schema or a rule.
    pub subjects: BTreeMap<String, SubjectState>,
}

/// A topic that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicState {
    /// Number of partitions.
    pub partitions: i32,
    /// Every setting in effect.
    pub configs: BTreeMap<String, String>,
    /// Those of them that were set for this topic.
    pub overrides: BTreeMap<String, String>,
}

/// A consumer group and the input of its processor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupState {
    /// Committed offset by partition of the input.
    pub committed: BTreeMap<i32, i64>,
    /// Physical topics which the processor alone writes and which were written to: it has run before. Observed only
    /// for a group without committed offsets.
    pub written: Vec<String>,
}

/// A subject; a rule can be set before there is a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectState {
    /// Registered schemas, oldest first.
    pub schemas: Vec<String>,
    /// The subject's own compatibility rule.
    pub compatibility: Option<Compatibility>,
}
