//! Reads what coordinators have decided for the producers of transactions that hang.

use crate::{
    Cluster, Error, Open, TopicPartition,
    batch::Batch,
    cluster::{TRANSACTION_LOG, partition_of_key},
    evidence::LOOK_BACK_MS,
    transaction_log::{self, Decided, State},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// What the coordinators' log says of some producers.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) decided: Vec<Decided>,
    /// Nothing is missing from what was read.
    pub(crate) is_whole: bool,
    /// Transactional ids by producer.
    pub(crate) ids: BTreeMap<i64, String>,
    /// The newest state of each transactional id.
    newest: BTreeMap<String, State>,
}

impl History {
    /// Reads the log's partitions of the transactional ids, or all of them while a producer's is not known, from an
    /// hour before `first_ms`, or from the beginning.
    pub(crate) fn read(
        cluster: &mut Cluster,
        ids: BTreeMap<i64, String>,
        producers: &BTreeSet<i64>,
        first_ms: Option<i64>,
    ) -> Result<Self, Error> {
        let count = cluster.partition_count(TRANSACTION_LOG);
        let logs: BTreeSet<i32> = if producers.iter().all(|producer| ids.contains_key(producer)) {
            ids.values().map(|id| partition_of_key(id, count)).collect()
        } else {
            (0..count).collect()
        };
        let mut history = Self { is_whole: !logs.is_empty(), ids, ..Self::default() };
        for partition in logs {
            history.read_partition(cluster, partition, producers, first_ms)?;
        }
        Ok(history)
    }

    fn read_partition(
        &mut self,
        cluster: &mut Cluster,
        partition: i32,
        producers: &BTreeSet<i64>,
        first_ms: Option<i64>,
    ) -> Result<(), Error> {
        let at = TopicPartition::new(TRANSACTION_LOG, partition);
        let (low, high) = cluster.bounds(&at)?;
        let from = match first_ms {
            Some(ms) => cluster.offset_at(&at, ms - LOOK_BACK_MS)?.unwrap_or(high),
            None => low,
        };
        // What was deleted before the first record that is left is not known.
        self.is_whole &= from > low || low == 0;
        let mut next = from;
        cluster.read(&at, from, &mut |batch| {
            let is_gapless = batch.first_offset <= next && batch.offsets() == i64::from(batch.records);
            self.is_whole &= is_gapless;
            next = batch.last_offset + 1;
            self.see(batch, partition, producers)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    fn see(&mut self, batch: &Batch<'_>, partition: i32, producers: &BTreeSet<i64>) -> Result<(), Error> {
        if !batch.is_data() {
            return Ok(());
        }
        for record in batch.decoded()? {
            let Some(id) = record.key.as_deref().and_then(transaction_log::transactional_id) else {
                continue;
            };
            // A transactional id that has expired.
            let Some(value) = &record.value else {
                self.newest.remove(id);
                continue;
            };
            let state = transaction_log::state(value).ok_or_else(|| {
                let place = format!("{TRANSACTION_LOG}/{partition}, offset {}", record.offset);
                Error::unreadable(place, &"its format is newer")
            })?;
            if producers.contains(&state.producer_id) {
                self.ids.entry(state.producer_id).or_insert_with(|| id.to_owned());
                self.decided.extend(state.decided(id, (partition, record.offset)));
            }
            self.newest.insert(id.to_owned(), state);
        }
        Ok(())
    }

    /// The transactional id whose coordinator goes on with an open transaction: one that has just begun to load its log
    /// does not know of it yet.
    pub(crate) fn awaited_by(&self, open: &Open) -> Option<&str> {
        let is_it = |(_, state): &(&String, &State)| {
            state.is_ongoing && state.producer_id == open.producer_id && state.partitions.contains(&open.at)
        };
        self.newest.iter().find(is_it).map(|(id, _)| id.as_str())
    }

    /// Decisions that name a partition in which a producer's transaction hangs.
    pub(crate) fn naming(&self, open: &Open) -> Vec<&Decided> {
        let is_it = |decided: &&Decided| {
            decided.producer_id == open.producer_id && decided.partitions.contains(&open.at)
        };
        self.decided.iter().filter(is_it).collect()
    }
}
