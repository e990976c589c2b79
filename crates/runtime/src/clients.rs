//! Answers for Lookups: reads of Postgres as of a position in the log, the index of vectors, language models.
//!
//! Invariant: a window is read only after the sink has passed its last offset, so that the answer is a function of
//! the log; while Postgres is away a question waits, and its partition with it. Only what can never be read is no answer.

mod claims;
mod earlier;
mod horizon;
mod judgements;
mod ledger;
mod models;
mod own_keys;
mod passed;

use crate::kafka::Places;
use earlier::EarlierClient;
use engine::shapes::lookup::{Answering, Awaited, Clients};
use horizon::Horizon;
pub(crate) use models::{ModelsClient, Terms};
pub use models::{chat_request, question_hash};
pub(crate) use own_keys::OwnKeys;
use processor::{BeforeAsOf, Earlier, MessagesAsOf, ModelAnswer, Moderated, Request, Response};
use state::{AsOf, Store};
use std::{convert::identity, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tracing::{debug, warn};
use vector_index::Index;

/// Sink whose offsets say what Postgres holds.
pub const SINK: &str = "postgres_sink";
/// Logical topic that it reads messages from.
pub const MESSAGES_TOPIC: &str = "group.message.ingested.v1";
/// Windows read at once.
const READS_MAX: usize = 4;
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The client of Lookups: Postgres, the index of vectors where one is set, and models where a chain is. One per process.
pub(crate) struct PostgresClient {
    store: Store,
    reads: Semaphore,
    horizon: Horizon,
    earlier: Option<EarlierClient>,
    models: Option<ModelsClient>,
}

impl PostgresClient {
    /// A client on `store`, and on an index and models where there are any; `places` tells what the topic of messages holds.
    pub(crate) fn start(
        store: Store,
        (index, models): (Option<Index>, Option<ModelsClient>),
        places: Arc<dyn Places>,
        tasks: &tokio::runtime::Handle,
    ) -> Self {
        let horizon = Horizon::start(store.clone(), places, tasks);
        let earlier = index.map(|index| EarlierClient::start(index, store.clone(), tasks));
        Self { store, reads: Semaphore::new(READS_MAX), horizon, earlier, models }
    }

    /// Reads once the sink has passed a place, for as long as it takes; fails with the response where that can never be.
    async fn read_passed<T, Read: Future<Output = Result<Option<T>, state::Error>>>(
        &self,
        (partition, offset): (i32, i64),
        awaited: &Awaited,
        read: impl Fn() -> Read,
    ) -> Result<T, Response> {
        let not_stored =
            format!("{SINK} has not stored offset {offset} of partition {partition} of {MESSAGES_TOPIC}");
        awaited.is(not_stored.clone());
        let mut wait = RETRY.0;
        self.reached((partition, offset), &not_stored, awaited).await.map_err(Response::NoSuchOffset)?;
        loop {
            let permit = self.reads.acquire().await;
            let answer = read().await;
            drop(permit);
            match answer {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {
                    warn!(partition, offset, "postgres was set back: waiting for the sink to write again");
                    awaited.is(format!("{not_stored}: postgres was set back"));
                    self.horizon.forget();
                    let reached = self.reached((partition, offset), &not_stored, awaited).await;
                    reached.map_err(Response::NoSuchOffset)?;
                    continue;
                }
                Err(error) if error.is_unreadable() => return Err(Response::Unreadable(error.describe())),
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

    async fn messages(&self, question: &MessagesAsOf, awaited: &Awaited) -> Response {
        let place = (question.partition, question.offset);
        let read = || self.store.messages_passed_by(question, (SINK, MESSAGES_TOPIC));
        self.read_passed(place, awaited, read).await.map_or_else(identity, |read| match read {
            AsOf::Messages(messages) => Response::Messages(messages),
            AsOf::Taken => Response::Taken,
        })
    }

    async fn before(&self, question: &BeforeAsOf, awaited: &Awaited) -> Response {
        let place = (question.partition, question.offset);
        let read = || self.store.said_before(question, (SINK, MESSAGES_TOPIC));
        self.read_passed(place, awaited, read).await.map_or_else(identity, Response::Before)
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

impl PostgresClient {
    async fn response(&self, request: &Request, awaited: &Awaited) -> Response {
        match request {
            Request::Messages(question) => self.messages(question, awaited).await,
            Request::Earlier(question) => Response::Earlier(match &self.earlier {
                Some(earlier) => earlier.answer(question, awaited).await,
                None => Earlier::Off,
            }),
            Request::Before(question) => self.before(question, awaited).await,
            Request::Model(question) => Response::Model(match &self.models {
                Some(models) => models.answer(question, awaited).await,
                None => ModelAnswer::Off,
            }),
            Request::Moderation(question) => Response::Moderation(match &self.models {
                Some(models) => models.judge(question, awaited).await,
                None => Moderated::Off,
            }),
        }
    }
}

impl Clients for PostgresClient {
    fn answer(&self, requests: Vec<Request>, awaited: Awaited) -> Answering<'_> {
        Box::pin(async move {
            let answers = requests.iter().map(|request| self.response(request, &awaited));
            futures_util::future::join_all(answers).await
        })
    }
}
