//! The contract written down for those who subscribe: a page, an `AsyncAPI` document, and JSON Schemas.
//!
//! Invariant: each is a function of the map and of the schemas that this program holds, so that a test can compare it.

mod asyncapi;
mod avro;
mod json_schema;
mod page;

pub use asyncapi::asyncapi;
pub use json_schema::json_schema;
pub use page::events;

use crate::{Map, Topic, TopicKind, processors_in_order};

/// A schema of the contract that is not what the documents can tell of: no JSON, or a type that they do not know.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The topic's record type has no schema.
    #[error("topic {0} carries no record type that this program knows")]
    UnknownRecord(String),
    /// Not JSON.
    #[error("the schema of {0} is not JSON")]
    NoJson(String, #[source] serde_json::Error),
    /// A type without a word for it here.
    #[error("a type of the schema of {record} is not known here: {found}")]
    UnknownType {
        /// Record type.
        record: String,
        /// The type as the schema has it.
        found: String,
    },
}

/// Topics of events in the order in which records meet them: sources' first, then the chain, then what no processor reads.
fn events_in_order(map: &Map) -> Vec<&Topic> {
    let order = processors_in_order(map);
    let place = |topic: &Topic| {
        let written = order.iter().position(|processor| processor.outputs().any(|name| name == topic.name));
        let read = map.processors().any(|processor| processor.input == topic.name);
        match (written, read) {
            (None, true) => (0, 0),
            (Some(at), true) => (1, at),
            (Some(at), false) => (2, at),
            (None, false) => (3, 0),
        }
    };
    let mut topics: Vec<&Topic> = map.topics().filter(|topic| topic.kind == TopicKind::Event).collect();
    topics.sort_by_key(|topic| (place(topic), topic.name.as_str()));
    topics
}
