//! Who waits for the sink, who asks the broker, and who gives up.

use super::*;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex as StdMutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Answers in turn, the last one for ever, and counts.
struct Told(StdMutex<Vec<Result<Place, String>>>, AtomicUsize);

impl Places for Told {
    fn look(&self, _: i32, _: i64) -> Result<Place, String> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.0.lock().expect("not poisoned");
        if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
    }
}

fn horizon(answers: Vec<Result<Place, String>>) -> (Arc<Horizon>, Arc<Told>) {
    let told = Arc::new(Told(StdMutex::new(answers), AtomicUsize::new(0)));
    let standstill = (Duration::from_millis(1), Duration::from_millis(2));
    let places = Arc::clone(&told) as Arc<dyn Places>;
    let passed = Arc::new(Passed::new());
    (Arc::new(Horizon { passed, places, asking: Arc::default(), standstill }), told)
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

#[test]
fn an_offset_that_can_never_come_is_given_up() {
    let never = || Place::Never("partition 2 ends at 7".to_owned());
    let (horizon, told) = horizon(vec![Err("away".to_owned()), Ok(Place::Unknown), Ok(never())]);
    horizon.passed.offsets.send_replace(BTreeMap::from([(2, 7)]));
    assert_eq!(run(horizon.reached(2, 9)), Err("partition 2 ends at 7".to_owned()));
    assert_eq!(told.1.load(Ordering::SeqCst), 3, "a broker that is away says nothing about the offset");
    assert_eq!(horizon.passed.waiting.load(Ordering::SeqCst), 0, "nobody waits any more");
}

#[test]
fn one_that_the_topic_holds_is_waited_for_and_asked_about_once() {
    let (horizon, told) = horizon(vec![Ok(Place::Held)]);
    run(async {
        let waiting = tokio::spawn({
            let horizon = Arc::clone(&horizon);
            async move { horizon.reached(2, 9).await }
        });
        while told.1.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        horizon.passed.offsets.send_replace(BTreeMap::from([(2, 10)]));
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
    });
    assert_eq!(told.1.load(Ordering::SeqCst), 1);
}

/// A broker that does not answer until it is let go.
struct Slow(StdMutex<std::sync::mpsc::Receiver<()>>, AtomicUsize);

impl Places for Slow {
    fn look(&self, _: i32, _: i64) -> Result<Place, String> {
        self.1.fetch_add(1, Ordering::SeqCst);
        // An error is the other end's drop: it lets go too.
        self.0.lock().expect("not poisoned").recv().ok();
        Ok(Place::Held)
    }
}

#[test]
fn those_who_wait_for_the_broker_go_on_when_the_sink_does() {
    let (let_go, held) = std::sync::mpsc::channel();
    let slow = Arc::new(Slow(StdMutex::new(held), AtomicUsize::new(0)));
    let horizon = Arc::new(Horizon {
        passed: Arc::new(Passed::new()),
        places: Arc::clone(&slow) as Arc<dyn Places>,
        asking: Arc::default(),
        standstill: (Duration::from_millis(1), Duration::from_millis(2)),
    });
    run(async {
        let waiting: Vec<_> = (0..20)
            .map(|offset| {
                let horizon = Arc::clone(&horizon);
                tokio::spawn(async move { horizon.reached(2, offset).await })
            })
            .collect();
        while slow.1.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        horizon.passed.offsets.send_replace(BTreeMap::from([(2, 20)]));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let finished = waiting.iter().filter(|waiting| waiting.is_finished()).count();
        drop(let_go);
        assert_eq!(finished, 20);
    });
    assert_eq!(slow.1.load(Ordering::SeqCst), 1, "one question at a time");
}

#[test]
fn what_a_database_has_lost_is_waited_for_again() {
    let (horizon, _) = horizon(vec![Ok(Place::Held)]);
    horizon.passed.offsets.send_replace(BTreeMap::from([(2, 10)]));
    run(async {
        assert_eq!(horizon.reached(2, 9).await, Ok(()));
        horizon.forget();
        let waiting = tokio::spawn({
            let horizon = Arc::clone(&horizon);
            async move { horizon.reached(2, 9).await }
        });
        while horizon.passed.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        horizon.passed.offsets.send_replace(BTreeMap::from([(2, 10)]));
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
    });
}

#[test]
fn what_the_sink_has_passed_asks_nobody() {
    let (horizon, told) = horizon(vec![Ok(Place::Never(String::new()))]);
    horizon.passed.offsets.send_replace(BTreeMap::from([(2, 10)]));
    assert_eq!(run(horizon.reached(2, 9)), Ok(()));
    assert_eq!(told.1.load(Ordering::SeqCst), 0);
}
