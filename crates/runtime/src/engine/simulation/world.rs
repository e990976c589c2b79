//! A model broker: partitions, committed offsets, transactions, a group of two instances, and a die.

use super::shapes::{Kind, MARKER};
use crate::{
    engine::log::{OutRecord, OwnedRecord},
    murmur2::murmur2_partition,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};

/// Partitions of the input.
pub(super) const PARTITIONS: i32 = 3;

/// A key of the partition; of every thirteenth record one of another, as a producer with another partitioner has it.
fn key(partition: i32, offset: i64) -> Vec<u8> {
    let home = if offset % 13 == 12 { (partition + 1) % PARTITIONS } else { partition };
    let keys = (0_u32..).map(|n| format!("k{}-{n}", offset % 5).into_bytes());
    keys.into_iter().find(|key| murmur2_partition(key, PARTITIONS) == home).expect("every partition has keys")
}

/// News for an instance.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// Partitions, each with the number of its grant.
    Assigned(Vec<(i32, u64)>),
    Revoked(Vec<i32>),
    Lost(Vec<i32>),
    Expelled,
}

#[derive(Debug, Default)]
struct State {
    random: u64,
    now: Duration,
    input: BTreeMap<i32, Vec<OwnedRecord>>,
    committed: BTreeMap<i32, i64>,
    /// Committed output and snapshots, by topic and partition.
    topics: BTreeMap<(String, i32), Vec<OutRecord>>,
    /// Newest producer epoch of each instance.
    epochs: [u64; 2],
    owner: BTreeMap<i32, usize>,
    /// How often each partition was given: the group's generation, as an instance knows it once it has heard of it.
    grants: BTreeMap<i32, u64>,
    /// Partitions asked back and not yet given up, with whom they go to.
    moving: BTreeMap<i32, usize>,
    news: [VecDeque<News>; 2],
    /// What each instance says that it waits for.
    waiting: [Option<String>; 2],
    calm: bool,
    faults: BTreeMap<&'static str, u32>,
}

impl State {
    /// Offset of a partition's newest snapshot.
    fn marker(&self, partition: i32) -> Option<i64> {
        let records = self.topics.get(&("snapshots".to_owned(), partition))?;
        let marker = records.iter().rev().find(|record| record.key == MARKER)?;
        std::str::from_utf8(marker.value.as_deref()?).ok()?.parse().ok()
    }
}

/// The model broker; clones share it.
#[derive(Clone)]
pub(super) struct World(Rc<RefCell<State>>);

impl World {
    pub(super) fn new(seed: u64, records: i64) -> Self {
        let mut state = State { random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, ..State::default() };
        for partition in 0..PARTITIONS {
            state.committed.insert(partition, 0);
            // Transaction markers leave holes in the offsets.
            let offsets = (0..records).map(|n| n + n / 7);
            let record = |offset: i64| OwnedRecord {
                partition,
                offset,
                timestamp_ms: offset,
                key: Some(key(partition, offset)),
                value: Some(format!("{partition}-{offset}").into_bytes()),
                headers: Vec::new(),
            };
            state.input.insert(partition, offsets.map(record).collect());
        }
        Self(Rc::new(RefCell::new(state)))
    }

    /// xorshift64*: Marsaglia, "Xorshift RNGs", with Vigna's multiplier.
    pub(super) fn dice(&self, sides: u64) -> u64 {
        let mut state = self.0.borrow_mut();
        state.random ^= state.random >> 12;
        state.random ^= state.random << 25;
        state.random ^= state.random >> 27;
        state.random.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    /// Time since the beginning.
    pub(super) fn now(&self) -> Duration {
        self.0.borrow().now
    }

    pub(super) fn pass(&self, time: Duration) {
        self.0.borrow_mut().now += time;
    }

    /// True once in so many times, until the world has calmed down.
    pub(super) fn chance(&self, one_in: u64) -> bool {
        !self.0.borrow().calm && self.dice(one_in) == 0
    }

    /// A fault called `name`, once in so many times.
    pub(super) fn fault(&self, name: &'static str, one_in: u64) -> bool {
        let happens = self.chance(one_in);
        if happens {
            self.count(name);
        }
        happens
    }

    pub(super) fn count(&self, name: &'static str) {
        *self.0.borrow_mut().faults.entry(name).or_default() += 1;
    }

    pub(super) fn faults(&self) -> BTreeMap<&'static str, u32> {
        self.0.borrow().faults.clone()
    }

    pub(super) fn waits(&self, instance: usize, what: Option<&str>) {
        self.0.borrow_mut().waiting[instance] = what.map(str::to_owned);
    }

    pub(super) fn settle_down_after(&self, calm: bool) {
        self.0.borrow_mut().calm = calm;
    }

    pub(super) fn input(&self) -> BTreeMap<i32, Vec<OwnedRecord>> {
        self.0.borrow().input.clone()
    }

    /// The record at or after an offset.
    pub(super) fn record_from(&self, partition: i32, offset: i64) -> Option<OwnedRecord> {
        self.0.borrow().input[&partition].iter().find(|record| record.offset >= offset).cloned()
    }

    pub(super) fn committed(&self, partition: i32) -> i64 {
        self.0.borrow().committed[&partition]
    }

    pub(super) fn topic(&self, topic: &str, partition: i32) -> Vec<OutRecord> {
        self.0.borrow().topics.get(&(topic.to_owned(), partition)).cloned().unwrap_or_default()
    }

    /// A new producer of an instance: fences the one before.
    pub(super) fn new_epoch(&self, instance: usize) -> u64 {
        let mut state = self.0.borrow_mut();
        state.epochs[instance] += 1;
        state.epochs[instance]
    }

    pub(super) fn epoch(&self, instance: usize) -> u64 {
        self.0.borrow().epochs[instance]
    }

    pub(super) fn is_fenced(&self, instance: usize, epoch: u64) -> bool {
        self.epoch(instance) != epoch
    }

    /// Commits a transaction, if all its offsets are of partitions held under their newest grant.
    pub(super) fn commit(
        &self,
        records: &[OutRecord],
        offsets: &BTreeMap<i32, i64>,
        grants: &BTreeMap<i32, u64>,
    ) -> bool {
        let mut state = self.0.borrow_mut();
        if offsets.keys().any(|partition| state.grants.get(partition) != grants.get(partition)) {
            return false;
        }
        for record in records {
            let partition = record.partition.unwrap_or_default();
            if record.key == MARKER && record.value.is_none() {
                *state.faults.entry("round in parts").or_default() += 1;
            }
            state.topics.entry((record.topic.to_string(), partition)).or_default().push(record.clone());
        }
        for (partition, offset) in offsets {
            let before = state.committed.insert(*partition, *offset);
            assert!(
                before <= Some(*offset),
                "committed offset of {partition} went back: {before:?} to {offset}"
            );
        }
        true
    }

    /// An instance joins: it gets what nobody has, and what it was given before it could hear of it.
    pub(super) fn join(&self, instance: usize) {
        let mut state = self.0.borrow_mut();
        state.news[instance].clear();
        let is_free = |partition: &i32| state.owner.get(partition).is_none_or(|owner| *owner == instance);
        let free: Vec<i32> = (0..PARTITIONS).filter(is_free).collect();
        state.moving.retain(|partition, _| !free.contains(partition));
        Self::give(&mut state, &free, instance);
    }

    /// Now and then the group gives an instance's name away.
    pub(super) fn maybe_expel(&self, instance: usize) {
        if self.fault("expelled", 400) {
            self.leave(instance);
            self.0.borrow_mut().news[instance].push_back(News::Expelled);
        }
    }

    /// An instance dies: what it had goes to the other.
    pub(super) fn leave(&self, instance: usize) {
        let mut state = self.0.borrow_mut();
        let had: Vec<i32> =
            state.owner.iter().filter(|(_, owner)| **owner == instance).map(|(p, _)| *p).collect();
        for partition in &had {
            state.moving.remove(partition);
        }
        // What was on its way to it stays where it is, once that instance has answered.
        for to in state.moving.values_mut().filter(|to| **to == instance) {
            *to = 1 - instance;
        }
        state.news[instance].clear();
        Self::give(&mut state, &had, 1 - instance);
    }

    fn give(state: &mut State, partitions: &[i32], to: usize) {
        let mut given = Vec::new();
        for partition in partitions {
            state.owner.insert(*partition, to);
            let grant = state.grants.entry(*partition).or_default();
            *grant += 1;
            given.push((*partition, *grant));
        }
        if !given.is_empty() {
            state.news[to].push_back(News::Assigned(given));
        }
    }

    /// Now and then the group takes a partition from one instance for the other.
    pub(super) fn maybe_move(&self) {
        if !self.chance(60) {
            return;
        }
        let partition = self.dice(PARTITIONS as u64) as i32;
        let lost = self.dice(4) == 0;
        let mut state = self.0.borrow_mut();
        let Some(from) = state.owner.get(&partition).copied() else { return };
        if state.moving.contains_key(&partition) {
            return;
        }
        if lost {
            state.news[from].push_back(News::Lost(vec![partition]));
            Self::give(&mut state, &[partition], 1 - from);
        } else {
            state.moving.insert(partition, 1 - from);
            state.news[from].push_back(News::Revoked(vec![partition]));
        }
    }

    pub(super) fn next_news(&self, instance: usize) -> Option<News> {
        self.0.borrow_mut().news[instance].pop_front()
    }

    /// An instance has given partitions up.
    pub(super) fn given_up(&self, partitions: &[i32]) {
        let mut state = self.0.borrow_mut();
        for partition in partitions {
            if let Some(to) = state.moving.remove(partition) {
                Self::give(&mut state, &[*partition], to);
            }
        }
    }

    /// Everything is committed, with a Fold's state as of it, and nobody says that it waits for anything.
    pub(super) fn is_at_rest(&self, kind: Kind) -> bool {
        let state = self.0.borrow();
        let is_done = |(partition, offset): (&i32, &i64)| {
            let end = state.input[partition].last().map_or(0, |record| record.offset + 1);
            *offset == end && (kind != Kind::Fold || state.marker(*partition) == Some(end))
        };
        state.committed.iter().all(is_done) && state.waiting.iter().all(Option::is_none)
    }

    pub(super) fn describe(&self) -> String {
        let state = self.0.borrow();
        let markers: Vec<Option<i64>> = (0..PARTITIONS).map(|partition| state.marker(partition)).collect();
        format!(
            "committed {:?}, snapshots as of {markers:?}, owner {:?}, moving {:?}, news {:?}, waiting {:?}",
            state.committed, state.owner, state.moving, state.news, state.waiting
        )
    }

    /// Committed output by partition of the input it came from, in order.
    pub(super) fn visible_by_partition(&self) -> BTreeMap<i32, Vec<String>> {
        let state = self.0.borrow();
        let mut visible: BTreeMap<i32, Vec<String>> = (0..PARTITIONS).map(|p| (p, Vec::new())).collect();
        for record in state.topics.get(&("out".to_owned(), 0)).into_iter().flatten() {
            let text = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
            let partition = text.split('-').next().and_then(|p| p.parse().ok()).expect("partition first");
            visible.entry(partition).or_default().push(text);
        }
        visible
    }
}
