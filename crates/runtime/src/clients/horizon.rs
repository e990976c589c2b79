//! How far the sink has come that Lookups wait for, and whether it will ever come as far as they ask.
//!
//! Invariant: a question is let through once the sink has passed its offset, and given up only when the topic can never
//! hold that offset; while the sink is merely behind, or the broker away, it waits.

use super::{MESSAGES_TOPIC, RETRY, SINK};
use crate::kafka::{Place, Places};
use state::Store;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex, Notify, watch};
use tracing::{debug, warn};

/// Time between two looks at the sink's offsets while somebody waits: one query serves all of them.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);
/// How long the sink may stand still before the topic is asked whether it holds what is waited for.
const STANDSTILL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// What a Lookup may read up to.
pub(super) struct Horizon {
    passed: Arc<Passed>,
    places: Arc<dyn Places>,
    /// One question to the broker at a time: many may wait for the same sink.
    asking: Arc<Mutex<()>>,
    standstill: (Duration, Duration),
}

/// What the sink has passed, by partition, looked up only while somebody waits.
struct Passed {
    offsets: watch::Sender<BTreeMap<i32, i64>>,
    /// Why the last look failed; none when it did not.
    away: watch::Sender<Option<String>>,
    waiting: AtomicUsize,
    wake: Notify,
}

impl Horizon {
    pub(super) fn start(store: Store, places: Arc<dyn Places>, tasks: &tokio::runtime::Handle) -> Self {
        let passed = Arc::new(Passed::new());
        tasks.spawn(look(store, Arc::clone(&passed)));
        Self { passed, places, asking: Arc::default(), standstill: STANDSTILL }
    }

    /// Waits until the sink has passed `offset`. Fails with why that can never be.
    pub(super) async fn reached(&self, partition: i32, offset: i64) -> Result<(), String> {
        let passed = self.passed.wait_for(partition, offset);
        tokio::pin!(passed);
        let mut wait = self.standstill.0;
        loop {
            let before = self.passed.of(partition);
            tokio::select! {
                biased;
                () = &mut passed => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
            if self.passed.of(partition) != before {
                continue;
            }
            // Hundreds may wait for their turn to ask: each goes on as soon as the sink does.
            let place = tokio::select! {
                biased;
                () = &mut passed => return Ok(()),
                place = self.ask(partition, offset) => place,
            };
            match place {
                Place::Held => {
                    passed.await;
                    return Ok(());
                }
                Place::Never(why) => return Err(why),
                Place::Unknown => wait = (wait * 2).min(self.standstill.1),
            }
        }
    }

    /// Why the sink's offsets cannot be read, while they cannot.
    pub(super) fn away(&self) -> watch::Receiver<Option<String>> {
        self.passed.away.subscribe()
    }

    /// Takes back what is known of the sink: the database was set back to an earlier time.
    pub(super) fn forget(&self) {
        self.passed.offsets.send_replace(BTreeMap::new());
    }

    async fn ask(&self, partition: i32, offset: i64) -> Place {
        let turn = Arc::clone(&self.asking).lock_owned().await;
        let places = Arc::clone(&self.places);
        let look = move || {
            // Over when the broker has answered, whether anybody still waits for it or not.
            let _turn = turn;
            places.look(partition, offset)
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(Ok(place)) => place,
            Ok(Err(why)) => {
                warn!(why, "waiting for the broker to tell what its topic holds");
                Place::Unknown
            }
            // The process is ending.
            Err(_) => Place::Unknown,
        }
    }
}

impl Passed {
    fn new() -> Self {
        Self {
            offsets: watch::Sender::new(BTreeMap::new()),
            away: watch::Sender::new(None),
            waiting: AtomicUsize::new(0),
            wake: Notify::new(),
        }
    }

    /// Wakes those who wait only where there is news.
    fn is_away(&self, why: Option<String>) {
        self.away.send_if_modified(|before| {
            let is_news = *before != why;
            *before = why;
            is_news
        });
    }

    /// How far the sink is known to have come in a partition.
    fn of(&self, partition: i32) -> Option<i64> {
        self.offsets.borrow().get(&partition).copied()
    }

    async fn wait_for(&self, partition: i32, offset: i64) {
        let mut offsets = self.offsets.subscribe();
        let is_passed =
            |offsets: &BTreeMap<i32, i64>| offsets.get(&partition).is_some_and(|next| *next > offset);
        if is_passed(&offsets.borrow()) {
            return;
        }
        let _one_of_those_who_wait = Waiter::new(self);
        // The sender lives as long as `self`.
        drop(offsets.wait_for(is_passed).await);
    }
}

/// Somebody who waits, until the answer comes or the question is taken back.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn new(passed: &'a Passed) -> Self {
        passed.waiting.fetch_add(1, Ordering::SeqCst);
        passed.wake.notify_one();
        Self(&passed.waiting)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn look(store: Store, passed: Arc<Passed>) {
    let mut wait = LOOK_INTERVAL;
    loop {
        if passed.waiting.load(Ordering::SeqCst) == 0 {
            passed.wake.notified().await;
        }
        match store.passed_offsets(SINK, MESSAGES_TOPIC).await {
            Ok(offsets) => {
                wait = LOOK_INTERVAL;
                passed.offsets.send_replace(offsets);
                passed.is_away(None);
            }
            Err(error) => {
                wait = (wait * 2).min(RETRY.1);
                let why = error.describe();
                // Said once, by the units that wait.
                debug!(error = why, "could not read the offsets of sinks");
                passed.is_away(Some(why));
            }
        }
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex as StdMutex;

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
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
            .block_on(future)
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
}
