//! Processors for the simulation, small enough to be checked by eye, in the real shapes; and what one undisturbed pass
//! over the input gives.

use super::{
    clients::Answers,
    world::{DEAD_LETTERS, INPUT, OUT, PARTITIONS, SNAPSHOTS, World},
};
use crate::{
    dead_letter::Origin,
    exactly_once::{
        log::{OutRecord, Reader, RecordView},
        shape::{Accepted, Fate, Replayed, Shape},
    },
    shapes::{
        Inlet, ProcessorShape,
        fixtures::{self, Nobody, decoder},
        fold::FoldShape,
        lookup::LookupShape,
        outlet::{Bound, Outlet},
    },
    wire_check::Placement,
};
use processor::{
    Emission, Event, Fold, FoldState, Lookup, MessagesAsOf, Outcome, Port, PortSpec, Processor, Reject,
    Request, Response, StateError, Step,
};
use schemas::{DigestDlq, DigestPersisted};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Processor,
    Lookup,
    Fold,
    /// A Fold of which each process that starts may be of another release, with another form of its state.
    Upgraded,
}

impl Kind {
    pub(crate) fn has_state(self) -> bool {
        matches!(self, Self::Fold | Self::Upgraded)
    }
}

const MADE: Port<DigestPersisted> = Port::new("made");
const LETTERS: Port<DigestDlq> = Port::new("dead_letters");
/// Largest record of the simulation.
const RECORD_BYTES_MAX: usize = 3_000;

/// The number of a record in its partition: its whole meaning.
fn number(event: &Event<DigestPersisted>) -> i64 {
    event.value.window_end
}

fn made(event: &Event<DigestPersisted>, text: &str) -> Emission {
    let topics = if number(event) % 17 == 16 { vec!["too much".repeat(500)] } else { Vec::new() };
    let digest_id = format!("{}{text}", event.value.digest_id);
    MADE.emit(DigestPersisted { digest_id, topics, ..event.value.clone() })
}

/// Every fifth record is dropped, every eleventh rejected, the rest copied; every seventh of those twice.
fn copied(event: &Event<DigestPersisted>) -> Result<Outcome, Reject> {
    match number(event) {
        number if number % 5 == 4 => Ok(Outcome::drop("fifth")),
        number if number % 11 == 10 => Err(Reject::new("eleventh", "of its partition".to_owned())),
        number if number % 7 == 3 => Ok(Outcome::Emit(vec![made(event, ""), made(event, "-again")])),
        _ => Ok(Outcome::Emit(vec![made(event, "")])),
    }
}

struct Copying;

impl Processor for Copying {
    const NAME: &'static str = "copying";
    type In = DigestPersisted;

    fn ports(&self) -> Vec<PortSpec> {
        vec![MADE.spec()]
    }

    fn process(&self, event: &Event<DigestPersisted>) -> Result<Outcome, Reject> {
        copied(event)
    }
}

/// Asks before it copies, every third record twice.
struct Asking;

impl Lookup for Asking {
    const NAME: &'static str = "asking";
    type In = DigestPersisted;
    type Cursor = i64;

    fn ports(&self) -> Vec<PortSpec> {
        vec![MADE.spec()]
    }

    fn begin(&self, event: &Event<DigestPersisted>) -> Step<i64> {
        match number(event) {
            number if number % 5 == 4 => Step::Done(copied(event)),
            number => Step::Ask(number % 3, vec![question(event)]),
        }
    }

    fn resume(&self, event: &Event<DigestPersisted>, left: i64, _: Vec<Response>) -> Step<i64> {
        if left == 2 { Step::Ask(0, vec![question(event)]) } else { Step::Done(copied(event)) }
    }
}

fn question(event: &Event<DigestPersisted>) -> Request {
    Request::Messages(MessagesAsOf {
        tenant_id: event.value.tenant_id.clone(),
        group_id: event.value.group_id.clone(),
        start_ms: 0,
        end_ms: 0,
        partition: event.source.partition,
        offset: event.source.offset,
        whole: false,
    })
}

/// Records in three, by slot: each third of a slot closes it and tells the sum of its numbers. Its releases differ in
/// how they write their state down.
struct Tallying<const RELEASE: u32>;

/// How many records of a group came, and its open slots, each a part of the snapshot that comes and goes.
#[derive(Default)]
struct Tally<const RELEASE: u32> {
    count: i64,
    slots: BTreeMap<String, Vec<i64>>,
    changed: BTreeSet<String>,
}

const COUNT: &str = "count";
const SLOTS: i64 = 4;

impl<const RELEASE: u32> Tally<RELEASE> {
    fn step(&mut self, number: i64) -> Option<String> {
        self.count += 1;
        let slot = format!("slot{}", (number / 2) % SLOTS);
        self.changed.extend([COUNT.to_owned(), slot.clone()]);
        let numbers = self.slots.entry(slot.clone()).or_default();
        numbers.push(number);
        if numbers.len() < 3 {
            return None;
        }
        let sum: i64 = numbers.iter().sum();
        self.slots.remove(&slot);
        Some(format!("-{}-{sum}", self.count))
    }
}

impl<const RELEASE: u32> FoldState for Tally<RELEASE> {
    fn drain_changes(&mut self, write: &mut dyn FnMut(&str, Option<Vec<u8>>)) {
        for part in std::mem::take(&mut self.changed) {
            let value = if part == COUNT {
                serde_json::to_vec(&(self.count * i64::from(RELEASE))).ok()
            } else {
                self.slots.get(&part).and_then(|numbers| serde_json::to_vec(numbers).ok())
            };
            write(&part, value);
        }
    }

    fn restore(&mut self, part: &str, value: &[u8]) -> Result<(), StateError> {
        let failed = |error: serde_json::Error| StateError(error.to_string());
        if part == COUNT {
            self.count = serde_json::from_slice::<i64>(value).map_err(failed)? / i64::from(RELEASE);
        } else {
            self.slots.insert(part.to_owned(), serde_json::from_slice(value).map_err(failed)?);
        }
        Ok(())
    }
}

impl<const RELEASE: u32> Fold for Tallying<RELEASE> {
    const NAME: &'static str = "tallying";
    const STATE_VERSION: u32 = RELEASE;
    type In = DigestPersisted;
    type State = Tally<RELEASE>;

    fn ports(&self) -> Vec<PortSpec> {
        vec![MADE.spec()]
    }

    fn step(&self, state: &mut Tally<RELEASE>, event: &Event<DigestPersisted>) -> Result<Outcome, Reject> {
        if number(event) % 11 == 10 {
            return Err(Reject::new("eleventh", "of its partition".to_owned()));
        }
        let told = state.step(number(event));
        Ok(Outcome::Emit(told.map(|text| made(event, &text)).into_iter().collect()))
    }
}

const PLACEMENT: Placement = Placement { partitions: PARTITIONS };

fn bound(topic: &str, port: &PortSpec) -> Bound {
    fixtures::bound(topic, port, PLACEMENT, RECORD_BYTES_MAX)
}

fn outlet(stage: &'static str) -> Outlet {
    let topic: Arc<str> = INPUT.into();
    Outlet {
        origin: Origin { stage, topic: Arc::clone(&topic), physical: topic, group: stage.into() },
        ports: BTreeMap::from([(MADE.spec().name, bound(OUT, &MADE.spec()))]),
        dead_letters: bound(DEAD_LETTERS, &LETTERS.spec()),
        is_dlq_owner: true,
        witness: Arc::new(Nobody),
    }
}

fn inlet() -> Inlet<DigestPersisted> {
    fixtures::inlet(INPUT, PLACEMENT)
}

fn fold<const RELEASE: u32>() -> Box<dyn Shape> {
    let fold = Arc::new(Tallying::<RELEASE>);
    Box::new(FoldShape::new(fold, inlet(), outlet("tallying"), SNAPSHOTS.into()))
}

/// A shape of any kind, with a registry that is away now and then: the record is to be offered again.
pub(crate) struct AnyShape {
    shape: Box<dyn Shape>,
    world: World,
}

impl AnyShape {
    pub(crate) fn new(kind: Kind, world: &World, answers: &Answers) -> Self {
        let shape: Box<dyn Shape> = match kind {
            Kind::Processor => Box::new(ProcessorShape {
                processor: Arc::new(Copying),
                inlet: inlet(),
                outlet: outlet("copying"),
            }),
            Kind::Lookup => Box::new(LookupShape::new(
                Arc::new(Asking),
                inlet(),
                outlet("asking"),
                Arc::new(answers.clone()),
                answers.tasks(),
            )),
            Kind::Upgraded if world.dice(2) == 0 => fold::<2>(),
            Kind::Fold | Kind::Upgraded => fold::<1>(),
        };
        Self { shape, world: world.clone() }
    }
}

impl Shape for AnyShape {
    fn is_stateful(&self) -> bool {
        self.shape.is_stateful()
    }

    fn accept(&mut self, record: &RecordView<'_>) -> Accepted {
        if self.world.fault("registry", 40) {
            return Accepted::Stalled("registry away".into());
        }
        self.shape.accept(record)
    }

    fn completed(&mut self) -> Option<(i32, i64, Fate)> {
        self.shape.completed()
    }

    fn in_flight(&self) -> usize {
        self.shape.in_flight()
    }

    fn forget(&mut self, partitions: &[i32]) {
        self.shape.forget(partitions);
    }

    fn restore(
        &mut self,
        partition: i32,
        committed: i64,
        reader: &mut dyn Reader,
    ) -> Result<Replayed, String> {
        self.shape.restore(partition, committed, reader)
    }

    fn snapshot(&mut self, partition: i32, next_offset: i64, out: &mut Vec<OutRecord>) {
        self.shape.snapshot(partition, next_offset, out);
    }

    fn void_snapshot(&self, partition: i32) -> Option<OutRecord> {
        self.shape.void_snapshot(partition)
    }
}

/// What is read of the output: by topic, its partition, and the partition of the input, texts in order.
pub(crate) type Seen = BTreeMap<(&'static str, i32, i32), Vec<String>>;

/// What is on the topics for a `read_committed` reader.
pub(crate) fn seen(world: &World) -> Seen {
    let mut seen = Seen::new();
    let mut digests = decoder::<DigestPersisted>();
    for (partition, record) in world.visible(OUT) {
        let digest = digests.decode(record.value.as_deref()).expect("a digest");
        let from =
            digest.digest_id.split('-').next().and_then(|from| from.parse().ok()).expect("its partition");
        seen.entry((OUT, partition, from)).or_default().push(digest.digest_id);
    }
    let mut letters = decoder::<DigestDlq>();
    for (partition, record) in world.visible(DEAD_LETTERS) {
        let DigestDlq { partition: from, offset, error_class, .. } =
            letters.decode(record.value.as_deref()).expect("a dead letter");
        seen.entry((DEAD_LETTERS, partition, from)).or_default().push(format!("{offset}-{error_class}"));
    }
    seen
}

/// What one pass over the input gives: the numbers alone decide, and the oracle shares no code with the shapes.
pub(crate) fn oracle(kind: Kind, world: &World) -> Seen {
    let mut expected = Seen::new();
    let mut digests = decoder::<DigestPersisted>();
    let place = Placement { partitions: PARTITIONS };
    for partition in 0..PARTITIONS {
        let mut tallies: BTreeMap<String, (i64, BTreeMap<i64, Vec<i64>>)> = BTreeMap::new();
        for (offset, record) in world.input(partition) {
            let digest = digests.decode(record.value.as_deref()).expect("a digest");
            let (number, home) = (digest.window_end, place.partition(&record.key));
            let letter = |why: &str| ((DEAD_LETTERS, home, partition), format!("{offset}-{why}"));
            let is_too_large = number % 17 == 16;
            let out = |text: &str| ((OUT, home, partition), format!("{}{text}", digest.digest_id));
            let told: Vec<_> = if home != partition {
                vec![letter("wrong_partition")]
            } else if !kind.has_state() && number % 5 == 4 {
                Vec::new()
            } else if number % 11 == 10 {
                vec![letter("eleventh")]
            } else if !kind.has_state() {
                match () {
                    () if is_too_large => vec![letter("output_too_large")],
                    () if number % 7 == 3 => vec![out(""), out("-again")],
                    () => vec![out("")],
                }
            } else {
                let (count, slots) = tallies.entry(digest.group_id.clone()).or_default();
                *count += 1;
                let numbers = slots.entry((number / 2) % SLOTS).or_default();
                numbers.push(number);
                if let [a, b, c] = numbers[..] {
                    numbers.clear();
                    let is_told = !is_too_large;
                    vec![if is_told {
                        out(&format!("-{count}-{}", a + b + c))
                    } else {
                        letter("output_too_large")
                    }]
                } else {
                    Vec::new()
                }
            };
            for (key, text) in told {
                expected.entry(key).or_default().push(text);
            }
        }
    }
    expected
}
