//! The least that each unit has to be allowed on a broker with an authorizer, as the map tells it.
//!
//! Invariant: pure, and nothing beside the topics, the group and the transactional ids that the unit itself uses.

use crate::{Map, Prefix};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// Group of readers that belong to none: they restore state, look at positions and ask for metadata. librdkafka looks
/// for its coordinator all the same.
pub const READERS_GROUP: &str = "gistmill.reader";

/// Whom [`acls`] lists besides the units: a person who asks (`lag`, `doctor`, `tap`, `dlq`) and changes nothing.
pub const OPERATOR: &str = "operator";

/// What is allowed, in Kafka's own terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Fetch, and commit offsets; implies `Describe`.
    Read,
    /// Produce, and use a transactional id; implies `Describe`.
    Write,
    /// See that it is there.
    Describe,
    /// See what it is set to.
    DescribeConfigs,
}

/// What it is allowed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A topic.
    Topic,
    /// A consumer group.
    Group,
    /// A transactional id.
    TransactionalId,
    /// The cluster.
    Cluster,
}

/// One entry of an access control list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Acl {
    /// Kind of resource.
    pub resource: ResourceKind,
    /// Physical name, or what names begin with.
    pub name: String,
    /// True when `name` is what the resource's name begins with.
    pub is_prefix: bool,
    /// What is allowed.
    pub operation: Operation,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Describe => "describe",
            Self::DescribeConfigs => "describe_configs",
        })
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Topic => "topic",
            Self::Group => "group",
            Self::TransactionalId => "transactional_id",
            Self::Cluster => "cluster",
        })
    }
}

/// What each unit needs, by its name in the map, and [`OPERATOR`]. Sorted.
pub fn acls(map: &Map, prefix: &Prefix) -> BTreeMap<String, Vec<Acl>> {
    let processors = map.processors().map(|entry| {
        let read = entry.state.iter().chain([&entry.input]).map(String::as_str);
        let group = Membership::Reader;
        (entry.name.clone(), Needs { read: read.collect(), write: entry.outputs().collect(), group })
    });
    let connectors = map.connectors().map(|entry| {
        let read = entry.inputs.values().chain(&entry.positions).chain(&entry.looks_at).map(String::as_str);
        let group = if entry.inputs.is_empty() { Membership::Source } else { Membership::Reader };
        (entry.name.clone(), Needs { read: read.collect(), write: entry.outputs().collect(), group })
    });
    let units = processors.chain(connectors).map(|(name, needs)| {
        let acls = needs.acls(&name, prefix);
        (name, acls)
    });
    units.chain([(OPERATOR.to_owned(), operator(map, prefix))]).collect()
}

struct Needs<'a> {
    read: Vec<&'a str>,
    write: Vec<&'a str>,
    group: Membership,
}

/// Which group a unit is a member of.
#[derive(Debug, Clone, Copy)]
enum Membership {
    /// That of its name.
    Reader,
    /// One for each thing that is read: what their names begin with is all that they share.
    Source,
}

impl Membership {
    fn acl(self, unit: &str, prefix: &Prefix, operation: Operation) -> Acl {
        let (name, is_prefix) = match self {
            Self::Reader => (prefix.group(unit), false),
            Self::Source => (prefix.group(&format!("{unit}-")), true),
        };
        Acl { resource: ResourceKind::Group, name, is_prefix, operation }
    }
}

impl Needs<'_> {
    fn acls(&self, unit: &str, prefix: &Prefix) -> Vec<Acl> {
        let topic =
            |operation| move |name: &&str| literal(ResourceKind::Topic, prefix.topic(name), operation);
        let mut acls: Vec<Acl> = self.read.iter().map(topic(Operation::Read)).collect();
        acls.extend(self.write.iter().map(topic(Operation::Write)));
        acls.push(literal(ResourceKind::Group, READERS_GROUP.to_owned(), Operation::Describe));
        acls.push(self.group.acl(unit, prefix, Operation::Read));
        if !self.write.is_empty() {
            // One id for each instance or identity: what they begin with is all that they share.
            let name = prefix.transactional_id(&format!("{unit}-"));
            let (resource, operation) = (ResourceKind::TransactionalId, Operation::Write);
            acls.push(Acl { resource, name, is_prefix: true, operation });
        }
        acls.sort();
        acls.dedup();
        acls
    }
}

/// The broker's own topics, by which `txn`, `lag` and `doctor` find what hangs and who stands still.
const LOGS: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

fn operator(map: &Map, prefix: &Prefix) -> Vec<Acl> {
    let topics = map.topics().flat_map(|topic| {
        [Operation::Read, Operation::DescribeConfigs]
            .map(|operation| literal(ResourceKind::Topic, prefix.topic(&topic.name), operation))
    });
    let logs = LOGS.map(|name| literal(ResourceKind::Topic, name.to_owned(), Operation::Read));
    let processors = map.processors().map(|entry| (entry.name.as_str(), Membership::Reader));
    let connectors = map.connectors().map(|entry| {
        let group = if entry.inputs.is_empty() { Membership::Source } else { Membership::Reader };
        (entry.name.as_str(), group)
    });
    let groups =
        processors.chain(connectors).map(|(unit, group)| group.acl(unit, prefix, Operation::Describe));
    let readers = literal(ResourceKind::Group, READERS_GROUP.to_owned(), Operation::Describe);
    let cluster = literal(ResourceKind::Cluster, "kafka-cluster".to_owned(), Operation::DescribeConfigs);
    let mut acls: Vec<Acl> = topics.chain(logs).chain(groups).chain([readers, cluster]).collect();
    acls.push(producers(prefix));
    acls.sort();
    acls
}

/// Seeing what the pipeline's producers have open. Without a prefix the ids have no beginning in common.
fn producers(prefix: &Prefix) -> Acl {
    let (resource, operation) = (ResourceKind::TransactionalId, Operation::Describe);
    match prefix.transactional_id("") {
        none if none.is_empty() => literal(resource, "*".to_owned(), operation),
        name => Acl { resource, name, is_prefix: true, operation },
    }
}

fn literal(resource: ResourceKind, name: String, operation: Operation) -> Acl {
    Acl { resource, name, is_prefix: false, operation }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(unit: &str) -> Vec<String> {
        let map = Map::embedded().expect("the built-in map");
        let acls = acls(&map, &"t1".parse().expect("a prefix"));
        let line = |acl: &Acl| {
            let star = if acl.is_prefix { "*" } else { "" };
            format!("{} {}{star} {}", acl.resource, acl.name, acl.operation)
        };
        acls[unit].iter().map(line).collect()
    }

    #[test]
    fn a_fold_reads_its_snapshots_too() {
        let expected = [
            "topic t1.digest.dlq.v1 write",
            "topic t1.gistmill.window_builder.state.v1 read",
            "topic t1.gistmill.window_builder.state.v1 write",
            "topic t1.group.message.ingested.v1 read",
            "topic t1.group.window.ready.v1 write",
            "group gistmill.reader describe",
            "group t1.window_builder read",
            "transactional_id t1.window_builder-* write",
        ];
        assert_eq!(of("window_builder"), expected);
    }

    #[test]
    fn a_sink_writes_nothing_and_a_source_has_a_group_for_each_thing_it_reads() {
        assert!(of("file_sink").iter().all(|acl| !acl.ends_with("write")), "{:?}", of("file_sink"));
        let source = of("postgres_outbox_source");
        assert!(source.contains(&"topic t1.gistmill.positions.v1 read".to_owned()), "{source:?}");
        assert!(source.contains(&"group t1.postgres_outbox_source-* read".to_owned()), "{source:?}");
        let asks = of("digest_request_source");
        assert!(asks.contains(&"topic t1.group.message.ingested.v1 read".to_owned()), "{asks:?}");
    }

    #[test]
    fn an_operator_changes_nothing() {
        let operator = of(OPERATOR);
        assert!(operator.iter().all(|acl| !acl.ends_with("write")), "{operator:?}");
        assert!(operator.contains(&"cluster kafka-cluster describe_configs".to_owned()), "{operator:?}");
        assert!(operator.contains(&"transactional_id t1.* describe".to_owned()), "{operator:?}");
        let wildcard = producers(&Prefix::none());
        assert_eq!((wildcard.name.as_str(), wildcard.is_prefix), ("*", false));
    }
}
