//! One question whose answer does not come: what is read behind it is bounded and said, and nothing is lost by it.

use super::{
    log::ModelLog,
    world::{PARTITIONS, World},
};
use crate::exactly_once::{
    Engine, Limits, Observer,
    log::{OutRecord, OwnedRecord, RecordView},
    shape::{Accepted, Fate, Shape},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

const IN_FLIGHT: usize = 6;

/// Copies each record when it is answered, at once but for the first of partition 0.
#[derive(Default, Clone)]
struct Answers {
    asked: Vec<OwnedRecord>,
    is_answered: Rc<Cell<bool>>,
    is_failing: bool,
    /// Records of partition 0 taken in.
    taken: Rc<Cell<usize>>,
}

impl Shape for Answers {
    fn accept(&mut self, record: &RecordView<'_>) -> Accepted {
        if record.partition == 0 {
            self.taken.set(self.taken.get() + 1);
        }
        self.asked.push(record.detach());
        Accepted::Pending
    }

    fn completed(&mut self) -> Option<(i32, i64, Fate)> {
        let is_first = |record: &OwnedRecord| (record.partition, record.timestamp_ms) == (0, 1_000);
        let index = self.asked.iter().position(|record| self.is_answered.get() || !is_first(record))?;
        let OwnedRecord { partition, offset, value, .. } = self.asked.remove(index);
        let (topic, key, headers) = ("out".into(), Vec::new(), Vec::new());
        let out = OutRecord { topic, partition: Some(partition), key, value, headers };
        Some((partition, offset, Fate::Emit(vec![out])))
    }

    fn in_flight(&self) -> usize {
        self.asked.len()
    }

    fn waits_for(&self, partition: i32, _: i64) -> Option<String> {
        (partition == 0).then(|| "postgres is slow".to_owned())
    }

    fn is_failing(&self, partition: i32, _: i64) -> bool {
        self.is_failing && partition == 0
    }
}

/// Keeps what is said last.
struct Said(World, Rc<RefCell<String>>);

impl Observer for Said {
    fn fate(&mut self, _: &Fate) {}
    fn committed(&mut self, _: usize, _: Duration) {}
    fn waiting(&mut self, why: &str) {
        why.clone_into(&mut self.1.borrow_mut());
    }
    fn recovering(&mut self, why: &str) {
        self.waiting(why);
    }
    fn recovered(&mut self) {
        self.1.borrow_mut().clear();
    }
    fn assigned(&mut self, _: &[i32]) {
        self.recovered();
    }
    fn now(&self) -> Duration {
        self.0.now()
    }
}

/// Runs into the question that is not answered and on after it; how many records of its partition were taken meanwhile,
/// and what was said of it.
fn held_back(held_max: (usize, usize), undecided_told: Duration) -> (usize, String) {
    held_back_by(&Answers::default(), held_max, undecided_told)
}

fn held_back_by(shape: &Answers, held_max: (usize, usize), undecided_told: Duration) -> (usize, String) {
    let world = World::new(7, 60);
    world.settle_down_after(true);
    let limits = Limits { in_flight_max: IN_FLIGHT, held_max, undecided_told, ..Limits::default() };
    let said = Rc::new(RefCell::new(String::new()));
    let observer = Said(world.clone(), Rc::clone(&said));
    let log = ModelLog::start(&world, 0).expect("nobody was before it");
    let mut engine = Engine::new(log, shape.clone(), observer, limits);
    let mut turns = || {
        for _ in 0..5_000 {
            world.pass(Duration::from_millis(1));
            engine.turn(world.now()).expect("goes on");
        }
    };
    let end = |partition: i32| world.input(partition).last().map(|(offset, _)| offset + 1);
    let committed = |partition: i32| world.broker().committed(partition);
    turns();
    assert_eq!(committed(0), Some(0));
    assert_eq!((committed(1), committed(2)), (end(1), end(2)), "the others go on");
    let found = (shape.taken.get(), said.borrow().clone());
    shape.is_answered.set(true);
    turns();
    assert_eq!((committed(0), &**said.borrow()), (end(0), ""));
    for partition in 0..PARTITIONS {
        let values = |records: Vec<(i64, OutRecord)>| -> Vec<_> {
            records.into_iter().map(|(_, record)| record.value).collect()
        };
        let copies = world.broker().visible("out", partition, 0);
        assert_eq!(values(copies), values(world.input(partition)));
    }
    found
}

#[test]
fn an_answer_that_does_not_come_holds_back_no_more_than_the_limit() {
    let said = "no answer yet for offset 0 of partition 0: postgres is slow";
    let never = Duration::from_hours(1);
    let (taken, told) = held_back((10, usize::MAX), never);
    assert!((10..10 + IN_FLIGHT).contains(&taken), "{taken}");
    assert_eq!(told, said);
    // Each answer has some thirty bytes.
    let (taken, told) = held_back((usize::MAX, 300), never);
    assert!((5..10 + IN_FLIGHT).contains(&taken), "{taken}");
    assert_eq!(told, said);
}

#[test]
fn an_attempt_that_failed_is_said_at_once() {
    let failing = Answers { is_failing: true, ..Answers::default() };
    let (_, told) = held_back_by(&failing, (usize::MAX, usize::MAX), Duration::from_hours(1));
    assert_eq!(told, "no answer yet for offset 0 of partition 0: postgres is slow");
}

#[test]
fn it_is_said_after_a_while_even_if_little_is_held_back() {
    let told = |after| held_back((usize::MAX, usize::MAX), after);
    assert_eq!(told(Duration::from_hours(1)), (60, String::new()));
    assert_eq!(
        told(Duration::from_secs(2)),
        (60, "no answer yet for offset 0 of partition 0: postgres is slow".to_owned())
    );
}
