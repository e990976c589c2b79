//! Listening to a topic: its records as they lie there, decoded.

use super::{AnyValue, Bounds, Decoded, Error, Place, peers::Peers, placed::misplaced};
use engine::{
    log::{OwnedRecord, RecordView},
    wire_check::Misplaced,
};
use runtime::{
    Config,
    observe::{Broker, Partition, Scanner, Span},
};
use std::{collections::BTreeMap, ops::ControlFlow};
use topology::{Map, Topic};

/// What to listen to.
#[derive(Debug, Clone)]
pub struct TapOptions {
    /// Logical topic.
    pub topic: String,
    /// One partition only. Default: all.
    pub partition: Option<i32>,
    /// Where to begin, in each partition.
    pub from: Place,
    /// Records of this tenant only.
    pub tenant: Option<String>,
    /// Records of this group only.
    pub group: Option<String>,
    /// Most records; none for all.
    pub limit: Option<u64>,
    /// Records of open and aborted transactions too. Default: what is committed.
    pub uncommitted: bool,
    /// Go on with what comes.
    pub follow: bool,
}

/// A record, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Tapped {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Broker's append time in ms.
    pub append_time_ms: i64,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Value.
    pub value: Decoded,
    /// Why the topic's readers do not take it, where that is for its key or its partition.
    pub misplaced: Option<Misplaced>,
}

impl Tapped {
    /// A record as it was read, with what it holds and what is wrong about its place.
    pub(crate) fn of(record: &RecordView<'_>, value: Decoded, misplaced: Option<Misplaced>) -> Self {
        let OwnedRecord { partition, offset, timestamp_ms, key, headers, .. } = record.detach();
        Self { partition, offset, append_time_ms: timestamp_ms, key, headers, value, misplaced }
    }

    /// A header's text; none when it is absent or no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }
}

/// What a listener hears of.
#[derive(Debug)]
pub enum Heard<'a> {
    /// A record that is wanted.
    Record(&'a Tapped),
    /// So many offsets of those to read have been passed.
    Progress {
        /// Passed.
        done: u64,
        /// To read in all.
        total: u64,
    },
}

/// Reads a topic and tells of each record that is wanted; partitions come side by side, so order holds within a
/// partition. Ends at what is there now, unless told to follow; `Break` ends it as well. Returns how many were told.
///
/// # Errors
/// Unknown names, a peer that is away, and what `told` fails with.
pub fn tap(
    config: &Config,
    map: &Map,
    options: &TapOptions,
    told: &mut dyn FnMut(Heard<'_>) -> std::io::Result<ControlFlow<()>>,
) -> Result<u64, Error> {
    let topic = map.topic(&options.topic).map_err(|_| unknown_topic(map, &options.topic))?;
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let partitions = chosen(&broker, &options.topic, options.partition)?;
    let bounds = bounds(&broker, &partitions, options.uncommitted)?;
    let starts = match (options.from, options.partition) {
        // For all partitions at once: each begins there if it has got so far.
        (Place::Offset(offset), None) => {
            let start = |((_, partition), bounds): (&Partition, &Bounds)| {
                (*partition, offset.clamp(bounds.low, bounds.stable))
            };
            bounds.iter().map(start).collect()
        }
        (from, _) => starts(&broker, &partitions, &bounds, from)?,
    };
    let scanner = Scanner::new(&broker, !options.uncommitted);
    let spans: BTreeMap<i32, Span> = starts
        .iter()
        .filter_map(|(partition, from)| {
            let until = bounds.get(&(config.prefix.topic(&options.topic), *partition))?.stable;
            Some((*partition, Span { from: *from, until }))
        })
        .collect();
    let mut listener = Listener {
        options,
        topic,
        values: AnyValue::new(topic.kind, std::sync::Arc::clone(&peers.schemas)),
        told,
        count: 0,
        done: 0,
        total: spans.values().map(|span| (span.until - span.from).max(0) as u64).sum(),
        has_enough: options.limit == Some(0),
    };
    let physical = config.prefix.topic(&options.topic);
    if options.follow {
        scanner.follow(&physical, &starts, &mut |record| match record {
            Some(record) => listener.hear(record),
            None => Ok(listener.flow()),
        })?;
    } else {
        scanner.scan(&physical, &spans, &mut |record| listener.hear(record))?;
    }
    Ok(listener.count)
}

fn unknown_topic(map: &Map, name: &str) -> Error {
    Error::UnknownTopic {
        name: name.to_owned(),
        known: map.topics().map(|topic| topic.name.clone()).collect(),
    }
}

/// The partitions of a topic, or the one that is meant.
pub(super) fn chosen(
    broker: &Broker<'_>,
    topic: &str,
    partition: Option<i32>,
) -> Result<Vec<Partition>, Error> {
    let all = broker.partitions(topic)?;
    let Some(wanted) = partition else { return Ok(all) };
    let count = all.len() as i32;
    let found = all.into_iter().find(|(_, partition)| *partition == wanted);
    let unknown = || Error::UnknownPartition { topic: topic.to_owned(), partition: wanted, count };
    Ok(vec![found.ok_or_else(unknown)?])
}

/// What there is to read: up to the last stable offset, or to the high watermark.
fn bounds(
    broker: &Broker<'_>,
    partitions: &[Partition],
    uncommitted: bool,
) -> Result<BTreeMap<Partition, Bounds>, Error> {
    let mut bounds = broker.bounds(partitions)?;
    if uncommitted {
        for (partition, high) in broker.highs(partitions)? {
            bounds.entry(partition).and_modify(|bounds| bounds.stable = high);
        }
    }
    Ok(bounds)
}

/// The offset of a place in each partition.
pub(super) fn starts(
    broker: &Broker<'_>,
    partitions: &[Partition],
    bounds: &BTreeMap<Partition, Bounds>,
    from: Place,
) -> Result<BTreeMap<i32, i64>, Error> {
    let timed = match from {
        Place::Time(ms) => broker.at_time(partitions, ms)?,
        _ => BTreeMap::new(),
    };
    let start = |(partition, bounds): (&Partition, &Bounds)| {
        let offset = from.offset(*bounds).map_err(|error| at(partition, &error))?;
        let offset = offset.or_else(|| timed.get(partition).copied()).unwrap_or(bounds.stable);
        Ok((partition.1, offset))
    };
    bounds.iter().map(start).collect()
}

fn at((topic, partition): &Partition, error: &Error) -> Error {
    Error::Refused(format!("{topic}/{partition}: {error}"))
}

/// Takes records from the reader, and gives on what is wanted.
struct Listener<'a> {
    options: &'a TapOptions,
    topic: &'a Topic,
    values: AnyValue,
    told: &'a mut dyn FnMut(Heard<'_>) -> std::io::Result<ControlFlow<()>>,
    count: u64,
    done: u64,
    total: u64,
    has_enough: bool,
}

/// Records between two words about progress.
const PROGRESS_EVERY: u64 = 1_000;

impl Listener<'_> {
    fn hear(&mut self, record: &RecordView<'_>) -> Result<ControlFlow<()>, Error> {
        self.done += 1;
        if self.done.is_multiple_of(PROGRESS_EVERY) {
            let heard = Heard::Progress { done: self.done, total: self.total };
            self.has_enough |= (self.told)(heard)?.is_break();
        }
        if self.has_enough || !is_wanted(self.options, record) {
            return Ok(self.flow());
        }
        let value = self.values.decode(record.value)?;
        let misplaced = misplaced(self.topic, &value, record.key, record.partition);
        let tapped = Tapped::of(record, value, misplaced);
        self.count += 1;
        self.has_enough |= (self.told)(Heard::Record(&tapped))?.is_break();
        self.has_enough |= self.options.limit.is_some_and(|limit| self.count >= limit);
        Ok(self.flow())
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.has_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Goes by the key, `tenant/group`; for a tenant also by the `ce_tenantid` header, which a dead letter of a keyless
/// record has alone.
fn is_wanted(options: &TapOptions, record: &RecordView<'_>) -> bool {
    if options.tenant.is_none() && options.group.is_none() {
        return true;
    }
    let key = record.key.and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| key.split_once('/'));
    let is_group = |wanted: &String| key.is_some_and(|(_, group)| group == wanted);
    let is_tenant = |wanted: &String| {
        let tenant = |(name, value): &(String, Option<Vec<u8>>)| {
            name == "ce_tenantid" && value.as_deref() == Some(wanted.as_bytes())
        };
        key.is_some_and(|(tenant, _)| tenant == wanted) || record.headers.to_vec().iter().any(tenant)
    };
    options.group.as_ref().is_none_or(is_group) && options.tenant.as_ref().is_none_or(is_tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(tenant: Option<&str>, group: Option<&str>, key: Option<&[u8]>, header: Option<&str>) -> bool {
        let options = TapOptions {
            topic: String::new(),
            partition: None,
            from: Place::Beginning,
            tenant: tenant.map(str::to_owned),
            group: group.map(str::to_owned),
            limit: None,
            uncommitted: false,
            follow: false,
        };
        let headers: Vec<(String, Option<Vec<u8>>)> = header
            .map(|tenant| ("ce_tenantid".to_owned(), Some(tenant.as_bytes().to_vec())))
            .into_iter()
            .collect();
        let record =
            RecordView { partition: 0, offset: 0, timestamp_ms: 0, key, value: None, headers: &headers };
        is_wanted(&options, &record)
    }

    #[test]
    fn tenant_and_group_are_told_by_the_key() {
        assert!(wanted(None, None, None, None));
        assert!(wanted(Some("acme"), None, Some(b"acme/qa"), None));
        assert!(wanted(Some("acme"), Some("qa"), Some(b"acme/qa"), None));
        assert!(wanted(None, Some("a/b"), Some(b"acme/a/b"), None));
        assert!(!wanted(Some("acme"), Some("dev"), Some(b"acme/qa"), None));
        assert!(!wanted(Some("acm"), None, Some(b"acme/qa"), None));
        assert!(!wanted(Some("acme"), None, Some(&[255]), None));
    }

    #[test]
    fn a_keyless_dead_letter_is_found_by_its_header() {
        assert!(wanted(Some("acme"), None, Some(b"group.message.ingested.v1/3"), Some("acme")));
        assert!(!wanted(Some("acme"), None, None, Some("other")));
    }
}
