//! Instructions of what each record passes through, held to what is written here. They hardly depend on how busy a machine
//! is; a processor with other features, or another compiler, may need some per cent more or less.
//!
//! `make bench-guard` runs it. A change that means to make something slower raises the figure here, and says why; one that
//! makes something faster lowers it, or the next regression hides behind the gain.

#![expect(clippy::expect_used, reason = "a benchmark that cannot do its work has no figure")]
#![expect(
    missing_docs,
    reason = "the macros make modules and constants of each benchmark, which nobody can document"
)]

use bench::guarded::{self, FoldLoop, Folding, ProcessorLoop, Records};
use gungraun::{Callgrind, EventKind, prelude::*};
use processor::Stage as _;
use std::hint::black_box;

/// Above what was counted by so much, a figure is a regression, in per cent.
const TOLERANCE: u64 = 5;

/// Posts of the guarded window.
const POSTS: i64 = 150;

fn held_to(instructions: u64) -> LibraryBenchmarkConfig {
    let most = instructions + instructions * TOLERANCE / 100;
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, most)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

fn records() -> Records {
    Records::make().expect("records of the schema")
}

fn fold_loop() -> FoldLoop {
    guarded::fold_loop().expect("records of the schema")
}

fn processor_loop() -> ProcessorLoop {
    guarded::processor_loop().expect("records of the schema")
}

fn posts() -> Vec<schemas::ContextMessage> {
    guarded::posts(POSTS)
}

/// The state of a window after the stages before synthesis.
fn analysed() -> schemas::DigestState {
    let mut state = fixtures::state(posts());
    let stages: [fn(&mut schemas::DigestState); 5] = [
        |state| drop(thread_builder::ThreadBuilder.run(state)),
        |state| drop(segmenter::Segmenter.run(state)),
        |state| drop(emotion::Emotion.run(state)),
        |state| drop(roles::RoleFinder.run(state)),
        |state| drop(topic::TopicFinder.run(state)),
    ];
    for stage in stages {
        stage(&mut state);
    }
    state
}

#[library_benchmark(config = held_to(29_082_083))]
#[bench::records(setup = records)]
fn decode(records: Records) -> Records {
    black_box(&records).decode().expect("records of the schema");
    records
}

#[library_benchmark(config = held_to(30_186_165))]
#[bench::records(setup = records)]
fn decode_and_check(records: Records) -> Records {
    black_box(&records).read().expect("records that readers take");
    records
}

#[library_benchmark(config = held_to(36_798_523))]
#[bench::records(setup = records)]
fn encode(records: Records) -> Records {
    black_box(&records).encode().expect("records of the schema");
    records
}

#[library_benchmark(config = held_to(23_754_814))]
#[bench::windows(setup = Folding::make)]
fn fold_step(mut folding: Folding) -> (usize, Folding) {
    (black_box(&mut folding).step(), folding)
}

#[library_benchmark(config = held_to(93_787_053))]
#[bench::window_builder(setup = fold_loop)]
fn loop_of_a_fold(mut looped: FoldLoop) -> (usize, FoldLoop) {
    (black_box(&mut looped).run().expect("a log that never fails"), looped)
}

#[library_benchmark(config = held_to(118_899_421))]
#[bench::copy(setup = processor_loop)]
fn loop_of_a_processor(mut looped: ProcessorLoop) -> (usize, ProcessorLoop) {
    (black_box(&mut looped).run().expect("a log that never fails"), looped)
}

#[library_benchmark(config = held_to(52_161_671))]
#[bench::window(setup = posts)]
fn threads_of_a_window(posts: Vec<schemas::ContextMessage>) -> schemas::Threads {
    thread_builder::build(black_box(&posts))
}

#[library_benchmark(config = held_to(104_494_136))]
#[bench::window(setup = analysed)]
fn digest_of_a_window(mut state: schemas::DigestState) -> schemas::DigestState {
    synthesis::Synthesis::default().add(&mut synthesis::Memory::default(), black_box(&mut state));
    state
}

library_benchmark_group!(
    name = guard,
    benchmarks = [
        decode,
        decode_and_check,
        encode,
        fold_step,
        loop_of_a_fold,
        loop_of_a_processor,
        threads_of_a_window,
        digest_of_a_window
    ]
);

main!(library_benchmark_groups = guard);
