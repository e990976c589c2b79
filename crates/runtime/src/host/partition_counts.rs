//! Partition counts of the broker's topics, held against the map's: at a unit's start, and again while it runs.
//!
//! Invariant: a unit works only on topics that are cut as the map says: with another count the records of a group lie
//! where nobody looks for them.

use super::{Shared, binding::BindError, supervisor::Failure};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use topology::{Map, Prefix, Refusal};

/// Topics that were last seen with another count than the map's.
#[derive(Debug, Default)]
pub(super) struct Miscounted {
    is_any: AtomicBool,
    /// What is wrong, by physical name.
    topics: Mutex<BTreeMap<String, String>>,
}

impl Miscounted {
    fn replace(&self, topics: BTreeMap<String, String>) {
        self.is_any.store(!topics.is_empty(), Ordering::Relaxed);
        *self.topics.lock().unwrap_or_else(PoisonError::into_inner) = topics;
    }

    /// What is wrong with the first of some topics that is miscounted.
    fn first(&self, physical: &[(String, i32)]) -> Option<String> {
        if !self.is_any.load(Ordering::Relaxed) {
            return None;
        }
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        physical.iter().find_map(|(topic, _)| topics.get(topic).cloned())
    }
}

impl Shared {
    /// Topics of a unit under their physical names, with the map's counts.
    pub(super) fn topics_of(&self, name: &str) -> Result<Vec<(String, i32)>, Failure> {
        let unknown = |error: topology::Error| Failure::Lasting(error.to_string());
        let logical: Vec<&str> = if let Ok(entry) = self.map.processor(name) {
            entry.outputs().chain([entry.input.as_str()]).collect()
        } else {
            let entry = self.map.connector(name).map_err(unknown)?;
            entry.outputs().chain(entry.inputs.values().map(String::as_str)).collect()
        };
        let counted = |name: &str| {
            Ok((self.config.prefix.topic(name), self.map.topic(name).map_err(unknown)?.partitions))
        };
        logical.into_iter().map(counted).collect()
    }

    /// Looks at the counts of every topic of the map, for [`Shared::still_fits`].
    pub(super) fn look_at_counts(&self) -> Result<(), BindError> {
        let mut broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.ask_broker(&mut broker)?;
        self.miscounted.replace(miscounted(&self.map, &self.config.prefix, &found));
        Ok(())
    }

    /// Fails once a topic of a unit has been seen with another partition count than the map's.
    pub(super) fn still_fits(&self, topics: &[(String, i32)]) -> Result<(), Failure> {
        self.miscounted.first(topics).map_or(Ok(()), |why| Err(Failure::Lasting(why)))
    }
}

/// What is wrong with a topic that has another count than the map's.
pub(super) fn refusal(topic: &str, found: i32, expected: i32) -> Option<String> {
    let refusal = Refusal::PartitionCount { topic: topic.to_owned(), found, expected };
    (found != expected).then(|| refusal.to_string())
}

fn miscounted(map: &Map, prefix: &Prefix, found: &BTreeMap<String, i32>) -> BTreeMap<String, String> {
    let wrong = |topic: &topology::Topic| {
        let physical = prefix.topic(&topic.name);
        let why = refusal(&physical, *found.get(&physical)?, topic.partitions)?;
        Some((physical, why))
    };
    map.topics().filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_count_is_told_and_a_missing_topic_is_not() {
        let map = Map::embedded().expect("parses");
        let prefix: Prefix = "t".parse().expect("a prefix");
        let found = BTreeMap::from([
            ("t.digest.blocked.v1".to_owned(), 4),
            ("t.group.message.ingested.v1".to_owned(), 8),
            ("group.window.ready.v1".to_owned(), 9),
        ]);
        let wrong = Miscounted::default();
        let topics = [("t.digest.blocked.v1".to_owned(), 4), ("t.group.message.ingested.v1".to_owned(), 4)];
        assert_eq!(wrong.first(&topics), None);
        wrong.replace(miscounted(&map, &prefix, &found));
        let why = wrong.first(&topics).expect("told");
        assert!(
            why.starts_with("topic t.group.message.ingested.v1 has 8 partitions where the map has 4: "),
            "{why}"
        );
        assert_eq!(wrong.first(&topics[..1]), None, "of the unit's own topics only");
        wrong.replace(BTreeMap::new());
        assert_eq!(wrong.first(&topics), None);
    }
}
