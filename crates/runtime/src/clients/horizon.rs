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
mod tests;
