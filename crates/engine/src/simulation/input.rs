//! The input as it comes: by a producer with transactions of its own, some of which it aborts.

use super::{
    broker::Broker,
    dice::Dice,
    world::{INPUT, PARTITIONS},
};
use crate::{exactly_once::log::OutRecord, murmur2::murmur2_partition, shapes::fixtures::SCHEMA_ID};
use schemas::{DigestPersisted, Encoder, Record};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Transactional id of whoever produces the input.
const FEEDER: usize = 2;
pub(crate) const TENANT: &str = "t";

/// What is still to come.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Next number of each partition, and the same as of the last commit.
    next: BTreeMap<i32, i64>,
    committed: BTreeMap<i32, i64>,
    records: i64,
    epoch: Option<u64>,
}

impl Feed {
    pub(crate) fn of(records: i64) -> Self {
        let none: BTreeMap<i32, i64> = (0..PARTITIONS).map(|partition| (partition, 0)).collect();
        Self { next: none.clone(), committed: none, records, epoch: None }
    }

    /// Everything is there for good.
    pub(crate) fn has_come(&self) -> bool {
        self.epoch.is_none() && self.committed.values().all(|next| *next == self.records)
    }

    /// A few more records come, or what has come is committed, or aborted and produced again. The names of the faults.
    pub(crate) fn come(
        &mut self,
        broker: &mut Broker,
        now: Duration,
        dice: &mut Dice,
    ) -> Option<&'static str> {
        if self.has_come() {
            return None;
        }
        let Some(epoch) = self.epoch else {
            let epoch = broker.epoch(FEEDER);
            if broker.begin(FEEDER, epoch, now).is_ok() {
                self.epoch = Some(epoch);
            }
            return None;
        };
        let is_whole = self.next.values().all(|next| *next == self.records);
        if is_whole || dice.roll(4) == 0 {
            self.epoch = None;
            let aborts = dice.fault(6);
            // The coordinator may have aborted it meanwhile.
            if broker.end(FEEDER, epoch, !aborts).is_err() || aborts {
                self.next.clone_from(&self.committed);
                return Some("input aborted");
            }
            self.committed.clone_from(&self.next);
            return None;
        }
        for _ in 0..=dice.roll(3) {
            let partition = dice.roll(PARTITIONS as u64) as i32;
            let number = self.next[&partition];
            if number < self.records && broker.append(FEEDER, epoch, record(partition, number)).is_ok() {
                self.next.insert(partition, number + 1);
            }
        }
        None
    }
}

/// A group of the partition; of every thirteenth record one of another, as a producer with another partitioner has it.
fn group(partition: i32, number: i64) -> String {
    let home = if number % 13 == 12 { (partition + 1) % PARTITIONS } else { partition };
    let keys = (0_u32..).map(|n| format!("g{}-{n}", number % 2));
    let is_home =
        |group: &String| murmur2_partition(format!("{TENANT}/{group}").as_bytes(), PARTITIONS) == home;
    keys.into_iter().find(is_home).expect("every partition has groups")
}

/// The record with a number of its own in its partition. Of every seventeenth one a processor makes too much.
fn record(partition: i32, number: i64) -> OutRecord {
    let value = DigestPersisted {
        tenant_id: TENANT.to_owned(),
        group_id: group(partition, number),
        digest_id: format!("{partition}-{number}"),
        window_id: "w".to_owned(),
        version: "1.0".to_owned(),
        metrics: BTreeMap::new(),
        topics: Vec::new(),
        window_end: number,
    };
    let mut bytes = Vec::new();
    Encoder::new(SCHEMA_ID).and_then(|encoder| encoder.encode(&value, &mut bytes)).expect("encodes");
    OutRecord {
        topic: Arc::from(INPUT),
        partition: Some(partition),
        key: value.key().into_bytes(),
        value: Some(bytes),
        headers: Vec::new(),
    }
}
