//! Listening to several topics with one client, for whoever tells many people of what happens.
//!
//! Invariant: what is told is committed, in order within a partition, and has the place that it can be read on from.

use super::{AnyValue, Decoded, Error, Peers};
use engine::log::RecordView;
use runtime::{
    Config,
    observe::{Broker, Scanner, Span},
};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use topology::Map;

/// The next offset of each logical topic and partition.
pub type Places = BTreeMap<(String, i32), i64>;

/// A record of one of the topics.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Broker's append time in ms.
    pub append_time_ms: i64,
    /// Key, where it is text.
    pub key: Option<String>,
    /// Value.
    pub value: Decoded,
}

/// Says whether the broker answers, within 6 s.
///
/// # Errors
/// Why not.
pub fn broker_answers(config: &Config) -> Result<(), Error> {
    Broker::connect(config).map(drop)
}

/// Where what is committed of topics ends now.
///
/// # Errors
/// A broker that is away, or a topic that is not on it.
pub fn stable_ends(config: &Config, topics: &[&str]) -> Result<Places, Error> {
    let broker = Broker::connect(config)?;
    let mut ends = Places::new();
    for topic in topics {
        for ((_, partition), offset) in broker.stables(&broker.partitions(topic)?)? {
            ends.insert(((*topic).to_owned(), partition), offset);
        }
    }
    Ok(ends)
}

/// What each topic's values are read with.
struct TopicDecoders(BTreeMap<String, (String, AnyValue)>);

impl TopicDecoders {
    fn new(config: &Config, map: &Map, (peers, places): (&Peers, &Places)) -> Result<Self, Error> {
        let mut decoders = BTreeMap::new();
        for (topic, _) in places.keys() {
            let values = AnyValue::new(map.topic(topic)?.kind, Arc::clone(&peers.schemas));
            decoders.insert(config.prefix.topic(topic), (topic.clone(), values));
        }
        Ok(Self(decoders))
    }

    fn read(&mut self, physical: &str, record: &RecordView<'_>) -> Result<Option<Followed>, Error> {
        let Some((topic, values)) = self.0.get_mut(physical) else { return Ok(None) };
        Ok(Some(Followed {
            topic: topic.clone(),
            partition: record.partition,
            offset: record.offset,
            append_time_ms: record.timestamp_ms,
            key: record.key.and_then(|key| std::str::from_utf8(key).ok()).map(str::to_owned),
            value: values.decode(record.value)?,
        }))
    }
}

/// Tells of every record from the places on, as they come, until `told` breaks; of every pause as `None`.
///
/// # Errors
/// A peer that is away, a topic that is not on the broker, or a place that its topic has no more.
pub fn follow(
    config: &Config,
    map: &Map,
    from: &Places,
    told: &mut dyn FnMut(Option<Followed>) -> ControlFlow<()>,
) -> Result<(), Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let mut decoders = TopicDecoders::new(config, map, (&peers, from))?;
    let physical = |((topic, partition), offset): (&(String, i32), &i64)| {
        ((config.prefix.topic(topic), *partition), *offset)
    };
    Scanner::new(&broker, true).follow_topics(&from.iter().map(physical).collect(), &mut |record| {
        let followed = match record {
            Some((topic, record)) => decoders.read(topic, record)?,
            None => None,
        };
        Ok(told(followed))
    })
}

/// Tells of the records from `from` up to but not including `until` whose keys are wanted, topic by topic, until `told`
/// breaks. What a topic has no more is passed over.
///
/// # Errors
/// As [`follow`].
pub fn read_places(
    config: &Config,
    map: &Map,
    (from, until): (&Places, &Places),
    is_wanted: &dyn Fn(&str) -> bool,
    told: &mut dyn FnMut(Followed) -> ControlFlow<()>,
) -> Result<(), Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let mut decoders = TopicDecoders::new(config, map, (&peers, from))?;
    let scanner = Scanner::new(&broker, true);
    let mut spans: BTreeMap<&str, BTreeMap<i32, Span>> = BTreeMap::new();
    for ((topic, partition), offset) in from {
        let Some(end) = until.get(&(topic.clone(), *partition)) else { continue };
        spans.entry(topic).or_default().insert(*partition, Span { from: *offset, until: *end });
    }
    let mut is_over = false;
    for (topic, mut spans) in spans {
        let physical = config.prefix.topic(topic);
        for ((_, partition), low) in broker.lows(&broker.partitions(topic)?)? {
            spans.entry(partition).and_modify(|span| span.from = span.from.max(low));
        }
        scanner.scan(&physical, &spans, &mut |record| {
            let key = record.key.and_then(|key| std::str::from_utf8(key).ok());
            if !is_over
                && key.is_some_and(is_wanted)
                && let Some(followed) = decoders.read(&physical, record)?
            {
                is_over = told(followed).is_break();
            }
            Ok(if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    Ok(())
}
