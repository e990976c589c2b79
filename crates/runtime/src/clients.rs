//! Answers for Lookups: reads of Postgres as of a position in the log.
//!
//! Invariant: a window is read only after the sink has passed its last offset, so that the answer is a function of
//! the log; while Postgres is away a question waits, and its partition with it. Only what can never be read is no answer.

mod earlier;
mod horizon;
mod passed;

use crate::{
    kafka::Places,
    shapes::lookup::{Answering, Awaited, Clients},
};
use earlier::EarlierClient;
use horizon::Horizon;
use processor::{Earlier, MessagesAsOf, Request, Response};
use state::Store;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tracing::{debug, warn};
use vector_index::Index;

/// Sink whose offsets say what Postgres holds, and the topic that it reads messages from.
pub(crate) const SINK: &str = "postgres_sink";
pub(crate) const MESSAGES_TOPIC: &str = "group.message.ingested.v1";
/// Windows read at once.
const READS_MAX: usize = 4;
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The client of Lookups: Postgres, and the index of vectors where one is set. One per process.
pub(crate) struct PostgresClient {
    store: Store,
    reads: Semaphore,
    horizon: Horizon,
    earlier: Option<EarlierClient>,
}

impl PostgresClient {
    /// A client on `store` and `index`; `places` tells what the topic of messages holds.
    pub(crate) fn start(
        store: Store,
        index: Option<Index>,
        places: Arc<dyn Places>,
        tasks: &tokio::runtime::Handle,
    ) -> Self {
        let horizon = Horizon::start(store.clone(), places, tasks);
        let earlier = index.map(|index| EarlierClient::start(index, store.clone(), tasks));
        Self { store, reads: Semaphore::new(READS_MAX), horizon, earlier }
    }

    async fn messages(&self, question: &MessagesAsOf, awaited: &Awaited) -> Response {
        let (partition, offset) = (question.partition, question.offset);
        let not_stored =
            format!("{SINK} has not stored offset {offset} of partition {partition} of {MESSAGES_TOPIC}");
        awaited.is(not_stored.clone());
        if let Err(why) = self.reached((partition, offset), &not_stored, awaited).await {
            return Response::NoSuchOffset(why);
        }
        let mut wait = RETRY.0;
        loop {
            let permit = self.reads.acquire().await;
            let answer = self.store.messages_passed_by(question, (SINK, MESSAGES_TOPIC)).await;
            drop(permit);
            match answer {
                Ok(Some(messages)) => return Response::Messages(messages),
                Ok(None) => {
                    warn!(partition, offset, "postgres was set back: waiting for the sink to write again");
                    awaited.is(format!("{not_stored}: postgres was set back"));
                    self.horizon.forget();
                    if let Err(why) = self.reached((partition, offset), &not_stored, awaited).await {
                        return Response::NoSuchOffset(why);
                    }
                    continue;
                }
                Err(error) if error.is_unreadable() => return Response::Unreadable(error.describe()),
                Err(error) => {
                    let why = error.describe();
                    // Said once, by the unit that waits.
                    debug!(error = why, "could not read messages");
                    awaited.has_failed(why);
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }
}

impl PostgresClient {
    /// Waits until the sink has stored an offset, and says meanwhile whether the database that tells so is away. Fails
    /// with why that can never be.
    async fn reached(
        &self,
        (partition, offset): (i32, i64),
        not_stored: &str,
        awaited: &Awaited,
    ) -> Result<(), String> {
        let reached = self.horizon.reached(partition, offset);
        tokio::pin!(reached);
        let mut away = self.horizon.away();
        loop {
            let why = away.borrow_and_update().clone();
            match why {
                Some(why) => awaited.has_failed(why),
                None => awaited.is(not_stored.to_owned()),
            }
            tokio::select! {
                biased;
                reached = &mut reached => return reached,
                // The sender lives as long as the horizon.
                _ = away.changed() => {}
            }
        }
    }
}

impl Clients for PostgresClient {
    fn answer(&self, requests: Vec<Request>, awaited: Awaited) -> Answering<'_> {
        Box::pin(async move {
            let mut responses = Vec::with_capacity(requests.len());
            for request in &requests {
                responses.push(match request {
                    Request::Messages(question) => self.messages(question, &awaited).await,
                    Request::Earlier(question) => Response::Earlier(match &self.earlier {
                        Some(earlier) => earlier.answer(question, &awaited).await,
                        None => Earlier::Off,
                    }),
                });
            }
            responses
        })
    }
}
