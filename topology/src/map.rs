//! The map as parsed from `pipeline.toml`, and the questions that code asks it.
//!
//! Invariant: parsing says only that the text is a map; whether the map makes sense is [`crate::check`]'s business.

use crate::{Connector, Processor, Retention};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The map could not be read, or does not hold what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not TOML, an unknown field, or a value of another type.
    #[error("could not read the map")]
    Parse(#[from] Box<toml::de::Error>),
    /// No topic of that logical name.
    #[error("topic {0} is not in the map")]
    UnknownTopic(String),
    /// No processor of that name.
    #[error("processor {0} is not in the map")]
    UnknownProcessor(String),
    /// No connector of that name.
    #[error("connector {0} is not in the map")]
    UnknownConnector(String),
    /// A port of the code that the map does not bind.
    #[error("port {port} of {name} is not bound to a topic in the map")]
    UnboundPort {
        /// Processor or connector.
        name: String,
        /// Port.
        port: String,
    },
}

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TopicKind {
    /// Records of one type, keyed `tenant_id/group_id`.
    #[default]
    Event,
    /// State of a Fold, by the partition of its input.
    Snapshots,
    /// Positions of sources, keyed by their identity.
    Positions,
}

impl TopicKind {
    /// The kind's name in the map.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Snapshots => "snapshots",
            Self::Positions => "positions",
        }
    }
}

/// What the broker does with old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cleanup {
    /// Deletes them after the retention.
    #[default]
    Delete,
    /// Keeps the newest of each key.
    Compact,
}

impl Cleanup {
    /// As the broker's `cleanup.policy`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Compact => "compact",
        }
    }
}

/// A topic of the map, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Logical name.
    pub name: String,
    /// What it carries.
    pub kind: TopicKind,
    /// Versioned name of its record type; only events have one.
    pub record: Option<String>,
    /// Processor or connector that answers for it.
    pub owner: String,
    /// The reader that dead-letters input which fails the wire check; the others drop it.
    pub dlq_owner: Option<String>,
    /// How long records are kept. Default: for ever, because losing records is to be asked for.
    pub retention: Retention,
    /// What happens to old records.
    pub cleanup: Cleanup,
    /// Number of partitions.
    pub partitions: i32,
    /// Largest record batch in bytes.
    pub max_message_bytes: i32,
}

/// The map: every topic, processor and connector, and how they are bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    topics: BTreeMap<String, Topic>,
    processors: BTreeMap<String, Processor>,
    connectors: BTreeMap<String, Connector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    defaults: Defaults,
    topics: BTreeMap<String, TopicFile>,
    #[serde(default)]
    processors: BTreeMap<String, Processor>,
    #[serde(default)]
    connectors: BTreeMap<String, Connector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    partitions: i32,
    max_message_bytes: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicFile {
    #[serde(default)]
    kind: TopicKind,
    record: Option<String>,
    owner: String,
    dlq_owner: Option<String>,
    retention: Option<Retention>,
    #[serde(default)]
    cleanup: Cleanup,
    partitions: Option<i32>,
    max_message_bytes: Option<i32>,
}

impl TopicFile {
    fn resolve(self, name: String, defaults: &Defaults) -> Topic {
        Topic {
            name,
            kind: self.kind,
            record: self.record,
            owner: self.owner,
            dlq_owner: self.dlq_owner,
            retention: self.retention.unwrap_or(Retention::Unlimited),
            cleanup: self.cleanup,
            partitions: self.partitions.unwrap_or(defaults.partitions),
            max_message_bytes: self.max_message_bytes.unwrap_or(defaults.max_message_bytes),
        }
    }
}

impl Map {
    /// The map that this program was built with. Infallible in a tested build: a unit test parses it.
    pub fn embedded() -> Result<Self, Error> {
        Self::parse(include_str!("../pipeline.toml"))
    }

    /// Reads a map from TOML; refuses unknown fields.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: MapFile = toml::from_str(text).map_err(Box::new)?;
        let resolve =
            |(name, topic): (String, TopicFile)| (name.clone(), topic.resolve(name, &file.defaults));
        let topics = file.topics.into_iter().map(resolve).collect();
        let mut processors = file.processors;
        for (name, processor) in &mut processors {
            processor.name.clone_from(name);
        }
        let mut connectors = file.connectors;
        for (name, connector) in &mut connectors {
            connector.name.clone_from(name);
        }
        Ok(Self { topics, processors, connectors })
    }

    /// Topics by logical name.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.values()
    }

    /// Processors by name.
    pub fn processors(&self) -> impl Iterator<Item = &Processor> {
        self.processors.values()
    }

    /// Connectors by name.
    pub fn connectors(&self) -> impl Iterator<Item = &Connector> {
        self.connectors.values()
    }

    /// The topic of a logical name.
    pub fn topic(&self, name: &str) -> Result<&Topic, Error> {
        self.topics.get(name).ok_or_else(|| Error::UnknownTopic(name.to_owned()))
    }

    /// The processor of a name.
    pub fn processor(&self, name: &str) -> Result<&Processor, Error> {
        self.processors.get(name).ok_or_else(|| Error::UnknownProcessor(name.to_owned()))
    }

    /// The connector of a name.
    pub fn connector(&self, name: &str) -> Result<&Connector, Error> {
        self.connectors.get(name).ok_or_else(|| Error::UnknownConnector(name.to_owned()))
    }

    /// The topic that a port of a processor or connector is bound to.
    pub fn port_topic(&self, name: &str, port: &str) -> Result<&Topic, Error> {
        let bound = match self.processors.get(name) {
            Some(processor) => processor.port(port),
            None => self.connector(name)?.port(port),
        };
        let unbound = || Error::UnboundPort { name: name.to_owned(), port: port.to_owned() };
        self.topic(bound.ok_or_else(unbound)?)
    }

    /// True when `reader` is the one that dead-letters undecodable input of a topic.
    pub fn is_dlq_owner(&self, reader: &str, topic: &str) -> bool {
        self.topics.get(topic).is_some_and(|topic| topic.dlq_owner.as_deref() == Some(reader))
    }

    /// Names of the processors and connectors that write a topic, sorted. Sinks write through their outbox.
    pub fn writers<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = &'a str> {
        let processors = self.processors.values().filter(move |p| p.outputs().any(|name| name == topic));
        let connectors = self.connectors.values().filter(move |c| c.outputs().any(|name| name == topic));
        processors.map(|p| p.name.as_str()).chain(connectors.map(|c| c.name.as_str()))
    }

    /// Names of the processors and connectors that read a topic as input, sorted by shape and name.
    pub fn readers<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = &'a str> {
        let processors = self.processors.values().filter(move |p| p.input == topic);
        let connectors =
            self.connectors.values().filter(move |c| c.inputs.values().any(|name| name == topic));
        processors.map(|p| p.name.as_str()).chain(connectors.map(|c| c.name.as_str()))
    }
}
