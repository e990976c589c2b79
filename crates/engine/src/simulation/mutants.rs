//! Whether the simulation has teeth: each mutation of the code under test is found by it, or said why it does no harm.

use super::{Kind, run};
use crate::mutation::{Mutation, put_in};
use std::panic::{catch_unwind, set_hook, take_hook};

/// Seeds in which a mutation is to be found.
const SEEDS: u64 = 300;

/// How many seeds it took to find a mutation.
fn seeds_to_find(kind: Kind, mutation: Mutation) -> Option<u64> {
    let _active = put_in(mutation);
    (0..SEEDS).find(|seed| catch_unwind(|| run(kind, *seed)).is_err()).map(|seed| seed + 1)
}

#[test]
fn each_mutation_is_found() {
    // A violation is what is looked for: it need not be printed hundreds of times.
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let found = [
        (Kind::Processor, Mutation::OffsetOneLow),
        (Kind::Processor, Mutation::OffsetOneHigh),
        (Kind::Processor, Mutation::OffsetBeforeOutput),
        (Kind::Processor, Mutation::NoSeek),
        (Kind::Processor, Mutation::OpenKept),
        (Kind::Lookup, Mutation::FrontierSkips),
        (Kind::Fold, Mutation::SnapshotBeforeAndMarkerBeyond),
        (Kind::Fold, Mutation::ReplayFromStart),
        (Kind::Fold, Mutation::EarlyEnd),
        (Kind::Fold, Mutation::MarkerNotVoided),
        (Kind::Fold, Mutation::NoPause),
        (Kind::Fold, Mutation::StateKept),
    ]
    .map(|(kind, mutation)| (kind, mutation, seeds_to_find(kind, mutation)));
    // The first two do harm only together: a snapshot ahead of its offset is not used, and none is ahead. What the third
    // leaves is written over, since the input, read from its beginning, touches every part that ever was.
    let harmless = [Mutation::SnapshotBefore, Mutation::MarkerBeyond, Mutation::StaleKept]
        .map(|mutation| (Kind::Fold, mutation, seeds_to_find(Kind::Fold, mutation)));
    set_hook(hook);
    for (kind, mutation, seeds) in &found {
        println!("{mutation:?} in a {kind:?}: found after {seeds:?} seeds");
    }
    let missed: Vec<_> = found.iter().filter(|(.., seeds)| seeds.is_none()).collect();
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
    let harmful: Vec<_> = harmless.iter().filter(|(.., seeds)| seeds.is_some()).collect();
    assert!(harmful.is_empty(), "found, and thought to be harmless: {harmful:?}");
}
