//! How far a sink has come in the topic of messages, looked up while somebody waits. Invariant: one query serves all who wait.

use super::{MESSAGES_TOPIC, RETRY};
use state::Store;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, watch};
use tracing::debug;

/// Time between two looks at the sink's offsets while somebody waits.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);

/// What the sink has passed, by partition, looked up only while somebody waits.
pub(super) struct Passed {
    pub(super) offsets: watch::Sender<BTreeMap<i32, i64>>,
    /// Why the last look failed; none when it did not.
    away: watch::Sender<Option<String>>,
    /// How many wait.
    pub(super) waiting: AtomicUsize,
    wake: Notify,
}

impl Passed {
    /// What the sink has passed, looked up from now on.
    pub(super) fn start(store: Store, sink: &'static str, tasks: &tokio::runtime::Handle) -> Arc<Self> {
        let passed = Arc::new(Self::new());
        tasks.spawn(look(store, sink, Arc::clone(&passed)));
        passed
    }

    /// Why the sink's offsets cannot be read, while they cannot.
    pub(super) fn away(&self) -> watch::Receiver<Option<String>> {
        self.away.subscribe()
    }

    /// Takes back what is known: the offsets were set back.
    pub(super) fn forget(&self) {
        self.offsets.send_replace(BTreeMap::new());
    }

    pub(super) fn new() -> Self {
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
    pub(super) fn of(&self, partition: i32) -> Option<i64> {
        self.offsets.borrow().get(&partition).copied()
    }

    /// Waits until it has passed an offset.
    pub(super) async fn wait_for(&self, partition: i32, offset: i64) {
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

async fn look(store: Store, sink: &'static str, passed: Arc<Passed>) {
    let mut wait = LOOK_INTERVAL;
    loop {
        if passed.waiting.load(Ordering::SeqCst) == 0 {
            passed.wake.notified().await;
        }
        match store.passed_offsets(sink, MESSAGES_TOPIC).await {
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
