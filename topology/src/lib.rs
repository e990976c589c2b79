//! The one map: what topics, processors and connectors there are and how they are bound.
//!
//! Invariant: everything but [`broker`] is pure. Code speaks the map's logical names; [`Prefix`] alone turns them
//! into the names that a broker, a registry or a database sees.

mod acl;
pub mod broker;
mod check;
mod connector;
mod documents;
mod graph;
mod map;
mod plan;
mod prefix;
mod retention;

pub use acl::{Acl, OPERATOR, Operation, READERS_GROUP, ResourceKind, acls};
pub use check::{Problem, check};
pub use connector::{Connector, ConnectorShape, Processor, ProcessorShape};
pub use documents::{DocumentError, asyncapi, events, json_schema};
pub use graph::{graph, outline, page_with_graph, processors_in_order, text};
pub use map::{Cleanup, Error, Map, Topic, TopicKind};
pub use plan::{
    Action, BrokerState, Change, GroupState, Plan, PlanOptions, Refusal, SubjectState, TopicState, plan,
};
pub use prefix::{Prefix, PrefixError};
pub use retention::{Retention, RetentionError};
