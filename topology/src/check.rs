//! What can be wrong with a map, found without a broker.

mod bindings;
mod flow;
mod topics;

use crate::Map;

/// Something wrong with a map, in one line that names the entry to change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Problem {
    /// A topic that nothing declares.
    #[error("{name}: {role} {topic} is not a topic of the map")]
    UnknownTopic {
        /// Processor or connector.
        name: String,
        /// What it is to the processor or connector.
        role: String,
        /// Topic.
        topic: String,
    },
    /// A topic that is bound where its kind does not fit.
    #[error("{name}: {role} {topic} is not a topic of kind {expected}")]
    WrongKind {
        /// Processor or connector.
        name: String,
        /// What it is to the processor or connector.
        role: String,
        /// Topic.
        topic: String,
        /// Kind that fits.
        expected: &'static str,
    },
    /// A binding that its shape needs.
    #[error("{name}: {missing} is missing")]
    Unbound {
        /// Processor or connector.
        name: String,
        /// What is missing.
        missing: &'static str,
    },
    /// A binding that its shape does not have.
    #[error("{name}: {surplus} does not go with its shape")]
    Surplus {
        /// Processor or connector.
        name: String,
        /// What does not fit.
        surplus: &'static str,
    },
    /// Something wrong with one topic's entry.
    #[error("{topic}: {what}")]
    Topic {
        /// Topic.
        topic: String,
        /// What is wrong.
        what: String,
    },
    /// Records that come back to where they were.
    #[error("records go round in a circle: {0}")]
    Cycle(String),
}

/// Every problem of a map, sorted; empty for one that can be run.
pub fn check(map: &Map) -> Vec<Problem> {
    let mut problems = Vec::new();
    for topic in map.topics() {
        topics::check(map, topic, &mut problems);
    }
    for processor in map.processors() {
        bindings::check_processor(map, processor, &mut problems);
    }
    for connector in map.connectors() {
        bindings::check_connector(map, connector, &mut problems);
    }
    problems.extend(topics::unequal_partitions(map));
    problems.extend(flow::unreachable(map));
    problems.extend(flow::cycle(map).map(Problem::Cycle));
    problems.sort();
    problems
}
