//! What moves records between topics: processors inside, connectors at the edges, as the map names them.

use crate::Retention;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Shape of a processor; the weakest that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessorShape {
    /// A pure function of its input.
    Processor,
    /// A pure function that may ask questions.
    Lookup,
    /// Keyed state, restored from its input.
    Fold,
}

/// A processor and its bindings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// Name: binary, crate, metric label and consumer group. Filled from the key of its entry.
    #[serde(skip)]
    pub name: String,
    /// Its shape.
    pub shape: ProcessorShape,
    /// Logical topic it reads.
    pub input: String,
    /// Logical topic of a Fold's snapshots.
    #[serde(default)]
    pub state: Option<String>,
    /// How much of its input a Fold's state speaks of, where that is not the whole: what is older may be missing from
    /// it after its snapshots are lost, and nothing depends on it.
    #[serde(default)]
    pub remembers: Option<Retention>,
    /// Clients that the runtime asks on a Lookup's behalf.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Logical topic of each output port.
    #[serde(default)]
    pub ports: BTreeMap<String, String>,
    /// Logical topic of its dead letters.
    pub dead_letters: Option<String>,
}

impl Processor {
    /// Logical topic that a port is bound to.
    pub fn port(&self, name: &str) -> Option<&str> {
        self.ports.get(name).map(String::as_str)
    }

    /// Every logical topic it writes: ports, dead letters, snapshots.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.ports.values().chain(&self.dead_letters).chain(&self.state).map(String::as_str)
    }
}

/// Shape of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorShape {
    /// Outside → topic.
    Source,
    /// Topic → outside.
    Sink,
}

/// A connector and its bindings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Name: binary, crate, metric label and consumer group. Filled from the key of its entry.
    #[serde(skip)]
    pub name: String,
    /// Its shape.
    pub shape: ConnectorShape,
    /// Logical topic of each input of a sink.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// Logical topic of each output port of a source.
    #[serde(default)]
    pub ports: BTreeMap<String, String>,
    /// Logical topic of a source's positions.
    #[serde(default)]
    pub positions: Option<String>,
    /// Logical topics that a source's command looks at, outside every group, before it writes.
    #[serde(default)]
    pub looks_at: Vec<String>,
    /// Source that publishes what a sink writes to the outbox: its dead letters and reports.
    #[serde(default)]
    pub outbox: Option<String>,
    /// It runs only where it is set up, and nobody misses it elsewhere.
    #[serde(default)]
    pub optional: bool,
}

impl Connector {
    /// Logical topic that a port is bound to.
    pub fn port(&self, name: &str) -> Option<&str> {
        self.ports.get(name).map(String::as_str)
    }

    /// Logical topic that an input is bound to.
    pub fn input(&self, name: &str) -> Option<&str> {
        self.inputs.get(name).map(String::as_str)
    }

    /// Every logical topic it writes: ports, positions.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.ports.values().chain(&self.positions).map(String::as_str)
    }
}
