//! Answers for Lookups: reads of Postgres as of a position in the log.
//!
//! Invariant: a window is read only after the sink has passed its last offset, so that the answer is a function of
//! the log; while Postgres is away a question waits, and its partition with it.

use crate::shapes::lookup::Clients;
use processor::{MessagesAsOf, Request, Response};
use state::Store;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, watch};
use tracing::warn;

/// Sink whose offsets say what Postgres holds, and the topic that it reads messages from.
pub(crate) const SINK: &str = "postgres_sink";
pub(crate) const MESSAGES_TOPIC: &str = "group.message.ingested.v1";
/// Time between two looks at the sink's offsets while somebody waits: one query serves all of them.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);
/// Windows read at once.
const READS_MAX: usize = 4;
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The Postgres client of Lookups. One per process.
pub(crate) struct PostgresClient {
    store: Store,
    reads: Semaphore,
    passed: Arc<Passed>,
}

/// What the sink has passed, by partition, looked up only while somebody waits.
struct Passed {
    offsets: watch::Sender<BTreeMap<i32, i64>>,
    waiting: AtomicUsize,
    wake: Notify,
}

impl PostgresClient {
    /// A client on `store`; `topic` is the name under which the sink keeps its offsets.
    pub(crate) fn start(store: Store, tasks: &tokio::runtime::Handle) -> Self {
        let passed = Arc::new(Passed {
            offsets: watch::Sender::new(BTreeMap::new()),
            waiting: AtomicUsize::new(0),
            wake: Notify::new(),
        });
        tasks.spawn(look(store.clone(), Arc::clone(&passed)));
        Self { store, reads: Semaphore::new(READS_MAX), passed }
    }

    async fn messages(&self, question: &MessagesAsOf) -> Response {
        self.passed.wait_for(question.partition, question.offset).await;
        let mut wait = RETRY.0;
        loop {
            let permit = self.reads.acquire().await;
            let answer = self.store.messages_as_of(question).await;
            drop(permit);
            match answer {
                Ok(messages) => return Response::Messages(messages),
                Err(error) => warn!(error = error.describe(), "waiting for postgres"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }
}

impl Clients for PostgresClient {
    fn answer(&self, requests: Vec<Request>) -> Pin<Box<dyn Future<Output = Vec<Response>> + Send + '_>> {
        Box::pin(async move {
            let mut responses = Vec::with_capacity(requests.len());
            for request in &requests {
                responses.push(match request {
                    Request::Messages(question) => self.messages(question).await,
                });
            }
            responses
        })
    }
}

impl Passed {
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
            }
            Err(error) => {
                wait = (wait * 2).min(RETRY.1);
                warn!(error = error.describe(), "waiting for postgres");
            }
        }
        tokio::time::sleep(wait).await;
    }
}
