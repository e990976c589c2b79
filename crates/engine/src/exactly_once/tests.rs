//! How much one turn takes of a log that has more than anybody wants.

use super::{
    Engine, Limits, Observer,
    log::{Log, OutRecord, Polled, Reader, RecordView, RestoreHandler, Restored, Take, TxnError},
    shape::{Accepted, Fate, Shape},
};
use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};

/// Records after which the log gives up asking.
const ENDLESS: usize = 10_000;

/// What the test sees and moves: records handed over by the last poll, and the time.
#[derive(Clone, Default)]
struct Seen {
    taken: Rc<Cell<usize>>,
    now: Rc<Cell<Duration>>,
}

/// A log whose one partition always has another record at hand.
struct Endless {
    seen: Seen,
    offered: Vec<i32>,
    next: i64,
}

impl Reader for Endless {
    fn read(
        &mut self,
        _: Restored,
        _: i32,
        _: (Option<i64>, Option<i64>),
        _: RestoreHandler<'_>,
    ) -> Result<(), String> {
        Ok(())
    }
}

impl Log for Endless {
    fn poll(&mut self, _: Duration, take: Take<'_>) -> Polled {
        if !self.offered.is_empty() {
            return Polled::Assigned(std::mem::take(&mut self.offered));
        }
        let headers = Vec::new();
        let taken = (1..=ENDLESS).find(|_| {
            let (partition, offset, timestamp_ms) = (0, self.next, 0);
            let record =
                RecordView { partition, offset, timestamp_ms, key: None, value: None, headers: &headers };
            self.next += 1;
            take(&record).is_break()
        });
        self.seen.taken.set(taken.unwrap_or(ENDLESS));
        Polled::Read
    }

    fn assign(&mut self, _: &BTreeMap<i32, i64>) -> Result<(), String> {
        Ok(())
    }

    fn unassign(&mut self, _: &[i32]) -> Result<(), String> {
        Ok(())
    }

    fn seek(&mut self, _: &BTreeMap<i32, i64>) -> Result<(), String> {
        Ok(())
    }

    fn pause(&mut self, _: &[i32]) -> Result<(), String> {
        Ok(())
    }

    fn resume(&mut self, _: &[i32]) -> Result<(), String> {
        Ok(())
    }

    fn rejoin(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, Option<i64>>, String> {
        Ok(partitions.iter().map(|partition| (*partition, Some(0))).collect())
    }

    fn begin(&mut self) -> Result<(), TxnError> {
        Ok(())
    }

    fn produce(&mut self, _: OutRecord) -> Result<(), TxnError> {
        Ok(())
    }

    fn commit(&mut self, _: &BTreeMap<i32, i64>) -> Result<(), TxnError> {
        Ok(())
    }

    fn abort(&mut self) -> Result<(), TxnError> {
        Ok(())
    }

    fn rebuild(&mut self) -> Result<(), TxnError> {
        Ok(())
    }
}

/// Answers every record alike, after some time.
struct Answering {
    seen: Seen,
    takes: Duration,
    answer: fn() -> Accepted,
    in_flight: usize,
}

impl Shape for Answering {
    fn accept(&mut self, _: &RecordView<'_>) -> Accepted {
        self.seen.now.set(self.seen.now.get() + self.takes);
        let answer = (self.answer)();
        self.in_flight += usize::from(matches!(answer, Accepted::Pending));
        answer
    }

    fn in_flight(&self) -> usize {
        self.in_flight
    }
}

impl Observer for Seen {
    fn fate(&mut self, _: &Fate) {}
    fn committed(&mut self, _: usize, _: Duration) {}
    fn waiting(&mut self, _: &str) {}
    fn recovering(&mut self, _: &str) {}
    fn recovered(&mut self) {}
    fn assigned(&mut self, _: &[i32]) {}

    fn now(&self) -> Duration {
        self.now.get()
    }
}

/// Records that one turn takes where each needs `takes` and is answered so.
fn batch(takes: Duration, answer: fn() -> Accepted) -> usize {
    let seen = Seen::default();
    let log = Endless { seen: seen.clone(), offered: vec![0], next: 0 };
    let shape = Answering { seen: seen.clone(), takes, answer, in_flight: 0 };
    let mut engine = Engine::new(log, shape, seen.clone(), Limits::default());
    for _ in 0..2 {
        engine.turn(seen.now()).expect("a turn");
    }
    seen.taken.get()
}

fn dropped() -> Accepted {
    Accepted::Done(Fate::Drop("read"))
}

#[test]
fn a_turn_takes_what_is_at_hand_up_to_its_limits() {
    let limits = Limits::default();
    assert_eq!(batch(Duration::ZERO, dropped), limits.poll_records);
    assert_eq!(batch(limits.poll_time / 2, dropped), 2, "a slow processor is not kept from committing");
    assert_eq!(batch(limits.poll_time * 9, dropped), 1);
    assert_eq!(batch(Duration::ZERO, || Accepted::Pending), limits.in_flight_max);
    assert_eq!(
        batch(Duration::ZERO, || Accepted::Stalled("away".to_owned())),
        1,
        "nothing behind a record held back"
    );
}
