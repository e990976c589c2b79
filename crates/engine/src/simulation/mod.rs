//! The loop and the real shapes against a model broker, from a seed.
//!
//! Faults: duplicates of reads, rebalances with and without a word, failing and unanswered calls, records that are not
//! delivered, restores that break off and ends that are told early, markers that come late or are forgotten, transactions
//! that time out, kills between any two steps and within calls, processes that sleep, orderly stops, compaction.
//!
//! Invariant checked: however often instances fail, what a `read_committed` reader sees is what one undisturbed pass
//! over the input gives: same records, same order per key, and every input's offset is committed with its output. At
//! rest a Fold's snapshot is as of the end, and no instance says that it waits.
//!
//! `tests/simulate` runs more seeds, or one again. What it would find is shown by mutations of the code under test.

mod broker;
mod clients;
mod dice;
mod group;
mod held_back;
mod input;
mod instance;
mod log;
mod mutants;
mod processors;
mod told;
mod world;

use crate::Error;
use instance::Instance;
use processors::{Kind, oracle, seen};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use world::World;

/// Seeds of each kind in a usual run.
const SEEDS: u64 = 1_000;
const RECORDS: i64 = 60;
/// Turns after which no fault happens any more, and turns that must do.
const CALM_AFTER: u32 = 700;
const TURNS_MAX: u32 = 20_000;

/// Runs one seed to quiet and checks the invariant; the seed is part of every message. Tells the faults injected.
fn run(kind: Kind, seed: u64) -> BTreeMap<&'static str, u32> {
    let world = World::new(seed, RECORDS);
    let mut instances = [0, 1].map(|number| Instance::new(&world, kind, number));
    for turn in 0..TURNS_MAX {
        world.pass(Duration::from_millis(world.dice(4)));
        world.settle_down_after(turn > CALM_AFTER);
        let which = world.dice(2) as usize;
        disturb(&world, &mut instances[which], which);
        if !instances[which].is_asleep() {
            instances[which].turn();
        }
        if turn > CALM_AFTER && world.is_at_rest(kind.has_state()) {
            break;
        }
    }
    let again = format!("tests/simulate --kind {kind:?} --seed {seed}");
    assert!(world.is_at_rest(kind.has_state()), "no rest after {again}: {}", world.describe());
    let (expected, seen) = (oracle(kind, &world), seen(&world));
    let places: BTreeSet<_> = seen.keys().chain(expected.keys()).collect();
    for place in places {
        assert_eq!(seen.get(place), expected.get(place), "at {place:?} after {again}");
    }
    world.faults()
}

/// What happens to an instance besides its turns.
fn disturb(world: &World, instance: &mut Instance, which: usize) {
    if world.fault("killed", 150) {
        instance.crash();
    }
    if world.fault("stopped", 300) && !instance.is_asleep() {
        instance.finish();
    }
    if !instance.is_running() {
        instance.start();
    } else if world.fault("asleep", 250) {
        instance.sleep(Duration::from_millis(world.dice(500)));
        if world.dice(2) == 0 {
            world.count("session timed out");
            world.group().time_out(which);
        }
    }
    world.maybe_move(instance.is_running().then_some(which));
}

/// Runs many seeds; the faults of all.
fn run_all(kind: Kind, seeds: impl Iterator<Item = u64>) -> BTreeMap<&'static str, u32> {
    let mut faults: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in seeds {
        for (fault, count) in run(kind, seed) {
            *faults.entry(fault).or_default() += count;
        }
    }
    faults
}

fn assert_injected(faults: &BTreeMap<&'static str, u32>, kinds: &[&str]) {
    for kind in kinds {
        assert!(faults.get(kind).copied().unwrap_or_default() > 0, "{kind} never happened: {faults:?}");
    }
}

/// What must have happened to whichever shape.
const FAULTS: [&str; 28] = [
    "abort",
    "assign",
    "begin",
    "commit refused",
    "commit unknown, done",
    "commit unknown, not done",
    "committed",
    "asleep",
    "expelled",
    "input aborted",
    "killed",
    "killed in a call",
    "marker forgotten",
    "marker late",
    "markers on their way",
    "not delivered",
    "offset pending",
    "offsets refused",
    "offsets unknown",
    "produce",
    "read again",
    "rebuild",
    "registry",
    "registry, told",
    "seek",
    "session timed out",
    "stopped",
    "timed out",
];

#[test]
fn a_processor_is_exactly_once() {
    assert_injected(&run_all(Kind::Processor, 0..SEEDS), &FAULTS);
}

#[test]
fn a_lookup_keeps_the_order_of_the_log() {
    assert_injected(&run_all(Kind::Lookup, 0..SEEDS), &FAULTS);
}

#[test]
fn a_fold_restores_the_state_it_had() {
    let faults = run_all(Kind::Fold, 0..SEEDS);
    assert_injected(&faults, &FAULTS);
    assert_injected(
        &faults,
        &[
            "restore",
            "restore, half of it",
            "end told early",
            "compaction",
            "suspended",
            "snapshot not settled",
        ],
    );
}

#[test]
fn releases_that_take_turns_read_no_state_of_each_other() {
    assert_injected(&run_all(Kind::Upgraded, 0..SEEDS), &FAULTS);
}

/// As many seeds as are asked for, by `tests/simulate`.
#[test]
#[ignore = "by hand: tests/simulate"]
fn seeds_by_hand() {
    #[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
    let asked = |name: &str| std::env::var(format!("SIMULATION_{name}")).ok();
    let number = |name, default| asked(name).map_or(default, |text| text.parse().expect("a number"));
    let (from, seeds) = (number("FROM", 0), number("SEEDS", 100_000));
    for kind in [Kind::Processor, Kind::Lookup, Kind::Fold, Kind::Upgraded] {
        if asked("KIND").is_none_or(|asked| asked == format!("{kind:?}")) {
            let faults = run_all(kind, from..from + seeds);
            println!("{kind:?}: seeds {from} to {}, no violation; {faults:?}", from + seeds - 1);
        }
    }
}

#[test]
fn a_rival_ends_the_loop_at_the_second_fencing() {
    let world = World::new(1, RECORDS);
    world.settle_down_after(true);
    let mut instance = Instance::new(&world, Kind::Processor, 0);
    instance.start();
    let (mut fenced, mut epoch) = (0, world.broker().epoch(0));
    let stop = loop {
        world.pass(Duration::from_millis(1));
        if let Err(stop) = instance.try_turn() {
            break stop;
        }
        // As soon as the loop has a producer, somebody else makes one under its name.
        if world.broker().epoch(0) == epoch {
            world.broker().fence(0);
            (fenced, epoch) = (fenced + 1, epoch + 2);
        }
    };
    assert_eq!(fenced, 2);
    assert_eq!(stop, Error::Rival("fenced again: newer epoch".to_owned()));
}
