//! The world of a simulation: broker, group, time, the input as it comes, and the die that all of them are thrown with.

use super::{
    broker::Broker,
    dice::Dice,
    group::{Group, News},
    input::Feed,
};
use crate::exactly_once::log::OutRecord;
use std::{
    cell::{RefCell, RefMut},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

/// Partitions of each topic.
pub(crate) const PARTITIONS: i32 = 3;
/// Topics.
pub(crate) const INPUT: &str = "input";
pub(crate) const OUT: &str = "out";
pub(crate) const DEAD_LETTERS: &str = "dead_letters";
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// Most records that a poll finds.
const FETCHED_MAX: u64 = 5;

#[derive(Debug)]
struct State {
    dice: Dice,
    now: Duration,
    broker: Broker,
    group: Group,
    feed: Feed,
    /// Records come faster than they are read, so that a poll brings several.
    is_fast: bool,
    /// What each instance says that it waits for.
    waiting: [Option<String>; 2],
    faults: BTreeMap<&'static str, u32>,
}

/// What all parts of a simulation share; clones are the same world.
#[derive(Clone)]
pub(crate) struct World(Rc<RefCell<State>>);

impl World {
    /// A world whose input is going to have so many records in each partition. Of every second seed they come fast.
    pub(crate) fn new(seed: u64, records: i64) -> Self {
        Self(Rc::new(RefCell::new(State {
            dice: Dice::from(seed),
            now: Duration::ZERO,
            broker: Broker::new(PARTITIONS),
            group: Group::of(PARTITIONS),
            feed: Feed::of(records),
            is_fast: seed.is_multiple_of(2),
            waiting: [None, None],
            faults: BTreeMap::new(),
        })))
    }

    /// How many records a poll finds, if there are so many.
    pub(crate) fn fetched(&self) -> u64 {
        let is_fast = self.0.borrow().is_fast;
        if is_fast { 1 + self.dice(FETCHED_MAX) } else { 1 }
    }

    pub(crate) fn dice(&self, sides: u64) -> u64 {
        self.0.borrow_mut().dice.roll(sides)
    }

    /// Time since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.0.borrow().now
    }

    /// Time passes, and what happens by itself happens: markers are written, transactions time out, input comes,
    /// snapshots are compacted.
    pub(crate) fn pass(&self, time: Duration) {
        let mut state = self.0.borrow_mut();
        state.now += time;
        let State { dice, now, broker, feed, faults, .. } = &mut *state;
        for fault in broker.tick(*now, dice).into_iter().chain(feed.come(broker, *now, dice)) {
            *faults.entry(fault).or_default() += 1;
        }
        if dice.fault(40) {
            broker.compact(SNAPSHOTS, dice.roll(PARTITIONS as u64) as i32);
            *faults.entry("compaction").or_default() += 1;
        }
    }

    /// True once in so many times, until the world has calmed down.
    pub(crate) fn chance(&self, one_in: u64) -> bool {
        self.0.borrow_mut().dice.fault(one_in)
    }

    /// A fault called `name`, once in so many times.
    pub(crate) fn fault(&self, name: &'static str, one_in: u64) -> bool {
        let happens = self.chance(one_in);
        if happens {
            self.count(name);
        }
        happens
    }

    pub(crate) fn count(&self, name: &'static str) {
        *self.0.borrow_mut().faults.entry(name).or_default() += 1;
    }

    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u32> {
        self.0.borrow().faults.clone()
    }

    pub(crate) fn waits(&self, instance: usize, what: Option<&str>) {
        self.0.borrow_mut().waiting[instance] = what.map(str::to_owned);
    }

    pub(crate) fn settle_down_after(&self, calm: bool) {
        self.0.borrow_mut().dice.calm_down(calm);
    }

    pub(crate) fn broker(&self) -> RefMut<'_, Broker> {
        RefMut::map(self.0.borrow_mut(), |state| &mut state.broker)
    }

    pub(crate) fn group(&self) -> RefMut<'_, Group> {
        RefMut::map(self.0.borrow_mut(), |state| &mut state.group)
    }

    pub(crate) fn next_news(&self, instance: usize) -> Option<News> {
        self.group().next_news(instance)
    }

    /// The input as a reader sees it.
    pub(crate) fn input(&self, partition: i32) -> Vec<(i64, OutRecord)> {
        self.broker().visible(INPUT, partition, 0)
    }

    /// Committed records of a topic, by partition.
    pub(crate) fn visible(&self, topic: &str) -> Vec<(i32, OutRecord)> {
        let broker = self.broker();
        let of = |partition| {
            let records = broker.visible(topic, partition, 0).into_iter();
            records.map(move |(_, record)| (partition, record))
        };
        (0..PARTITIONS).flat_map(of).collect()
    }

    /// Now and then the group takes a partition from one instance for the other, or gives an instance's name away.
    pub(crate) fn maybe_move(&self, instance: Option<usize>) {
        if self.chance(60) {
            let (partition, without_a_word) = (self.dice(PARTITIONS as u64) as i32, self.dice(4) == 0);
            self.group().move_on(partition, without_a_word);
        }
        if let Some(instance) = instance
            && self.fault("expelled", 400)
        {
            self.group().expel(instance);
        }
    }

    /// Everything is committed, with a Fold's state as of it, and nobody says that it waits for anything.
    pub(crate) fn is_at_rest(&self, has_state: bool) -> bool {
        let state = self.0.borrow();
        let is_done = |partition| {
            let committed = state.broker.committed(partition);
            committed.is_some_and(|committed| {
                state.broker.next(INPUT, partition, committed).is_none()
                    && (!has_state || marker(&state.broker, partition) == Some(committed))
            })
        };
        state.feed.has_come()
            && state.broker.is_quiet()
            && (0..PARTITIONS).all(is_done)
            && state.waiting.iter().all(Option::is_none)
    }

    pub(crate) fn describe(&self) -> String {
        let state = self.0.borrow();
        let markers: Vec<Option<i64>> =
            (0..PARTITIONS).map(|partition| marker(&state.broker, partition)).collect();
        let committed: Vec<Option<i64>> =
            (0..PARTITIONS).map(|partition| state.broker.committed(partition)).collect();
        format!(
            "committed {committed:?}, snapshots as of {markers:?}, {:?}, waiting {:?}",
            state.group, state.waiting
        )
    }
}

/// Offset of a partition's newest snapshot.
fn marker(broker: &Broker, partition: i32) -> Option<i64> {
    let records = broker.visible(SNAPSHOTS, partition, 0);
    let (_, marker) = records.into_iter().rev().find(|(_, record)| record.key == b"m")?;
    let value: serde_json::Value = serde_json::from_slice(marker.value.as_deref()?).ok()?;
    value["next_offset"].as_i64()
}
