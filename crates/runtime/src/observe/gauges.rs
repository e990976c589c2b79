//! How far units are behind, measured for metrics: cheaper than the lag that operators are told, again and again by the same process.
//!
//! Invariant: nothing is read twice of a partition in which nothing has moved.

use super::stalled::ReaderPosition;
use crate::metrics::{OpenTransactions, TopicLag};
use kafka_admin::{Cluster, Error, Open, TopicPartition, ends, first_unread};
use std::collections::{BTreeMap, BTreeSet};

/// What earlier looks have found that still holds.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What the first record at or after an offset is, by partition and offset.
    firsts: BTreeMap<(TopicPartition, i64), First>,
    /// When transactions were first seen open, in ms: the append time of their last record then.
    open: BTreeMap<(TopicPartition, i64, i64), i64>,
}

/// The first record that a reader of committed records is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// Its append time in ms: that stays so.
    At(i64),
    /// There was none up to this last stable offset.
    NoneBelow(i64),
}

impl Memory {
    /// Lag of readers by unit and topic.
    ///
    /// # Errors
    /// The broker is away or refuses.
    pub(crate) fn lag(
        &mut self,
        cluster: &mut Cluster,
        readers: &[ReaderPosition<'_>],
        now_ms: i64,
    ) -> Result<Vec<TopicLag>, Error> {
        let partitions: BTreeSet<&TopicPartition> = readers.iter().map(|reader| &reader.at).collect();
        let partitions: Vec<TopicPartition> = partitions.into_iter().cloned().collect();
        let ends = ends(cluster, &partitions)?;
        let mut sums: BTreeMap<(&str, &str), TopicLag> = BTreeMap::new();
        let mut kept = BTreeMap::new();
        for reader in readers {
            let Some(&(stable, high)) = ends.get(&reader.at) else { continue };
            let place = (reader.at.clone(), reader.position);
            let first = match known(self.firsts.get(&place), reader.position, stable) {
                Some(first) => first,
                None => first_unread(cluster, &reader.at, reader.position)?
                    .map_or(First::NoneBelow(stable), First::At),
            };
            kept.insert(place, first);
            let sum = sums.entry((reader.unit, reader.topic)).or_insert_with(|| TopicLag {
                unit: reader.unit.to_owned(),
                topic: reader.topic.to_owned(),
                records: 0,
                offsets: 0,
                seconds: 0.0,
            });
            sum.offsets += (high - reader.position).max(0);
            if let First::At(first_ms) = first {
                sum.records += (stable - reader.position).max(0);
                sum.seconds = sum.seconds.max((now_ms - first_ms).max(0) as f64 / 1000.0);
            }
        }
        self.firsts = kept;
        Ok(sums.into_values().collect())
    }

    /// Open transactions by what becomes of them, and the age of the oldest.
    pub(crate) fn transactions<'a>(
        &mut self,
        found: impl IntoIterator<Item = (&'a Open, State)>,
        now_ms: i64,
    ) -> OpenTransactions {
        let (mut sums, mut kept) = (OpenTransactions::default(), BTreeMap::new());
        for (open, state) in found {
            let name = (open.at.clone(), open.producer_id, open.start_offset);
            let since_ms = self.open.get(&name).copied().unwrap_or(open.last_ms);
            kept.insert(name, since_ms);
            sums.oldest_seconds = sums.oldest_seconds.max((now_ms - since_ms).max(0) as f64 / 1000.0);
            match state {
                State::Running => sums.running += 1,
                State::Ending => sums.ending += 1,
                State::Hanging => sums.hanging += 1,
            }
        }
        self.open = kept;
        sums
    }
}

/// What becomes of an open transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Somebody writes it.
    Running,
    /// Its markers are on their way.
    Ending,
    /// No marker will come.
    Hanging,
}

/// What need not be asked for: nothing lies before a reader, or it is remembered.
fn known(remembered: Option<&First>, position: i64, stable: i64) -> Option<First> {
    if stable <= position {
        return Some(First::NoneBelow(stable));
    }
    remembered.copied().filter(|first| match first {
        First::At(_) => true,
        First::NoneBelow(looked_to) => *looked_to == stable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_read_only_where_something_has_moved() {
        for (remembered, position, stable, expected) in [
            (None, 5, 5, Some(First::NoneBelow(5))),
            (None, 5, 6, None),
            (Some(First::NoneBelow(6)), 5, 6, Some(First::NoneBelow(6))),
            (Some(First::NoneBelow(6)), 5, 9, None),
            (Some(First::At(70)), 5, 9, Some(First::At(70))),
        ] {
            assert_eq!(known(remembered.as_ref(), position, stable), expected, "{position} to {stable}");
        }
    }

    #[test]
    fn a_transaction_grows_old_while_its_producer_goes_on_writing() {
        let mut memory = Memory::default();
        let open = |producer_id, last_ms| Open {
            at: TopicPartition::new("t", 0),
            producer_id,
            producer_epoch: 0,
            coordinator_epoch: -1,
            start_offset: 4,
            last_ms,
        };
        let (first, second) = (open(1, 10_000), open(2, 11_000));
        let found = memory.transactions([(&first, State::Running), (&second, State::Hanging)], 12_000);
        assert_eq!(found, OpenTransactions { running: 1, ending: 0, hanging: 1, oldest_seconds: 2.0 });
        let found = memory.transactions([(&open(1, 40_000), State::Ending)], 40_500);
        assert_eq!(found, OpenTransactions { running: 0, ending: 1, hanging: 0, oldest_seconds: 30.5 });
        assert_eq!(memory.transactions([], 41_000), OpenTransactions::default());
    }
}
