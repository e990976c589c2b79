//! What has to be done so that a broker and a registry hold what the map says: a pure difference of the two.
//!
//! Invariant: nothing that could lose or reorder records is planned. It is refused, with the way out.

mod action;
mod groups;
mod observed;
mod subjects;
mod topics;

pub use action::{Action, Change, Refusal};
pub use observed::{BrokerState, GroupState, SubjectState, TopicState};

use crate::{Map, Prefix};
use serde::Serialize;

/// What a plan may do beyond adding.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Names everything.
    pub prefix: Prefix,
    /// Let the map shorten the retention of a topic that exists: records between the two are deleted. Default: no.
    pub lower_retention: bool,
}

/// What is to be done, in order, and what is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Steps, in the order in which they have to be taken.
    pub actions: Vec<Action>,
    /// Differences that a person has to settle first; nothing is applied while there is one.
    pub refusals: Vec<Refusal>,
}

impl Plan {
    /// True when broker and registry hold what the map says.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.refusals.is_empty()
    }
}

/// The difference between a map and what was observed.
pub fn plan(map: &Map, observed: &BrokerState, options: &PlanOptions) -> Plan {
    let mut plan = Plan::default();
    for topic in map.topics() {
        topics::plan(topic, observed, options, &mut plan);
    }
    for topic in map.topics() {
        subjects::plan(topic, observed, options, &mut plan);
    }
    for processor in map.processors() {
        groups::plan(map, processor, observed, options, &mut plan);
    }
    plan.actions.sort_by_key(Action::phase);
    plan
}
