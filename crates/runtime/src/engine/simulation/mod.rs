//! The loop against a model broker, from a seed: duplicates of reads, rebalances, failing calls, unknown commits,
//! crashes between any two steps, a stepped clock.
//!
//! Invariant checked: however often instances fail, what a `read_committed` reader sees is what one undisturbed pass
//! over the input gives: same records, same order per key, and every input's offset is committed with its output. At
//! rest a Fold's snapshot is as of the end, and no instance says that it waits.

mod held_back;
mod instance;
mod log;
mod shapes;
mod told;
mod world;

use super::Stop;
use instance::Instance;
use shapes::Kind;
use std::{collections::BTreeMap, time::Duration};
use world::World;

const SEEDS: u64 = 1_500;
const TURNS_MAX: u32 = 20_000;

/// Runs one seed to quiet and checks the invariant; the seed is part of every message. Tells the faults injected.
fn run(kind: Kind, seed: u64) -> BTreeMap<&'static str, u32> {
    let world = World::new(seed, 60);
    let mut instances = [Instance::start(&world, kind, 0), Instance::start(&world, kind, 1)];
    for turn in 0..TURNS_MAX {
        world.pass(Duration::from_millis(world.dice(4)));
        world.settle_down_after(turn > 600);
        let which = world.dice(2) as usize;
        if world.chance(150) || instances[which].has_stopped() {
            instances[which].crash();
            instances[which] = Instance::start(&world, kind, which);
        }
        world.maybe_move();
        if !instances[which].has_stopped() {
            world.maybe_expel(which);
        }
        instances[which].turn();
        if turn > 600 && world.is_at_rest(kind) {
            break;
        }
    }
    assert!(world.is_at_rest(kind), "seed {seed}, {kind:?}: did not come to rest: {}", world.describe());
    let expected = shapes::oracle(kind, &world.input());
    let misplaced = |texts: &Vec<String>| texts.iter().any(|text| text.ends_with("-wrong_partition"));
    assert!(expected.values().all(misplaced), "seed {seed}: every partition has records of another");
    assert_eq!(world.visible_by_partition(), expected, "seed {seed}, {kind:?}");
    world.faults()
}

fn run_all(kind: Kind) {
    for seed in 0..SEEDS {
        run(kind, seed);
    }
}

#[test]
fn a_processor_is_exactly_once() {
    run_all(Kind::Processor);
}

#[test]
fn a_lookup_keeps_the_order_of_the_log() {
    run_all(Kind::Lookup);
}

#[test]
fn a_fold_restores_the_state_it_had() {
    run_all(Kind::Fold);
}

#[test]
fn a_rival_ends_the_loop_at_the_second_fencing() {
    let world = World::new(1, 60);
    world.settle_down_after(true);
    let mut instance = Instance::start(&world, Kind::Processor, 0);
    let mut fenced = 0;
    let stop = loop {
        world.pass(Duration::from_millis(1));
        if let Err(stop) = instance.try_turn() {
            break stop;
        }
        // As soon as the loop has a producer, somebody else makes one under its name.
        if world.epoch(0) == 2 * fenced + 1 {
            world.new_epoch(0);
            fenced += 1;
        }
    };
    assert_eq!(fenced, 2);
    assert_eq!(stop, Stop::Rival("fenced again: newer epoch".to_owned()));
}

#[test]
fn the_faults_are_really_injected() {
    let mut faults: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..50 {
        for (kind, count) in run(Kind::Fold, seed) {
            *faults.entry(kind).or_default() += count;
        }
    }
    for kind in [
        "begin",
        "produce",
        "abort",
        "rebuild",
        "restore",
        "assign",
        "commit refused",
        "commit unknown, done",
        "commit unknown, not done",
        "seek",
        "expelled",
        "suspended",
        "round in parts",
        "read again",
        "registry",
        "registry, told",
    ] {
        assert!(faults.get(kind).copied().unwrap_or_default() > 0, "{kind} never failed: {faults:?}");
    }
}
