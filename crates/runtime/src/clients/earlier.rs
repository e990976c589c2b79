//! Earlier messages near some texts: found in the index of vectors, read in Postgres.
//!
//! Invariant: the index is searched once its sink has passed the question's offset, exactly and within the group; texts come
//! from Postgres as of that offset. An index that is away, or whose sink stands still, is waited for a little and then done
//! without: a digest does not wait for its history.

use super::{MESSAGES_TOPIC, passed::Passed};
use engine::shapes::lookup::Awaited;
use processor::{Earlier, EarlierAsOf};
use schemas::Message;
use state::Store;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;
use tracing::{info, warn};
use vector_index::{Index, Kind, Query};

/// Sink whose offsets say what the index holds.
const SINK: &str = "qdrant_sink";
/// Messages asked for near each text.
const NEAR_MAX: u64 = 24;
/// Searches at once.
const SEARCHES_MAX: usize = 2;
const PATIENCE: Patience = Patience {
    // As long as one of the sink's calls may take.
    standstill: Duration::from_secs(10),
    standstill_while_away: Duration::from_millis(250),
    search_while_away: Duration::from_secs(1),
};

/// How long a question waits for the index.
#[derive(Clone, Copy)]
struct Patience {
    /// For a sink that stands still.
    standstill: Duration,
    /// The same while the last question went on without the index.
    standstill_while_away: Duration,
    /// For a search, then. Otherwise as long as any call of Qdrant.
    search_while_away: Duration,
}

/// The searcher. One per process.
pub(super) struct EarlierClient {
    index: Index,
    store: Store,
    passed: Arc<Passed>,
    searches: Semaphore,
    patience: Patience,
    /// Whether the last question went on without the index.
    is_away: AtomicBool,
    /// Held by the one question that finds out whether it still is: the others do not wait, since an answer holds up those behind
    /// it in its partition.
    trial: Semaphore,
}

/// Why a question goes on without an answer.
type Why = String;

impl EarlierClient {
    pub(super) fn start(index: Index, store: Store, tasks: &tokio::runtime::Handle) -> Self {
        let passed = Passed::start(store.clone(), SINK, tasks);
        let (searches, is_away) = (Semaphore::new(SEARCHES_MAX), AtomicBool::new(false));
        let trial = Semaphore::new(1);
        Self { index, store, passed, searches, patience: PATIENCE, is_away, trial }
    }

    /// The answer; never an error.
    pub(super) async fn answer(&self, question: &EarlierAsOf, awaited: &Awaited) -> Earlier {
        if question.texts.is_empty() {
            return Earlier::Found(Vec::new());
        }
        let trial = if self.is_away.load(Ordering::Relaxed) {
            let Ok(permit) = self.trial.try_acquire() else { return Earlier::Unavailable };
            Some(permit)
        } else {
            None
        };
        let (partition, offset) = (question.partition, question.offset);
        awaited.is(format!(
            "{SINK} has not indexed offset {offset} of partition {partition} of {MESSAGES_TOPIC}"
        ));
        match self.found(question, trial.is_some()).await {
            Ok(found) => {
                self.is_back();
                Earlier::Found(found)
            }
            Err(why) => {
                // Said once, not for each window.
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    warn!(why, "digests go on without history until the index of vectors is searched again");
                }
                Earlier::Unavailable
            }
        }
    }

    fn is_back(&self) {
        if self.is_away.swap(false, Ordering::Relaxed) {
            info!("the index of vectors is searched again");
        }
    }

    async fn found(&self, question: &EarlierAsOf, is_trial: bool) -> Result<Vec<Vec<Message>>, Why> {
        let place = (question.partition, question.offset);
        self.reached(place).await?;
        let mut ids = Vec::with_capacity(question.texts.len());
        {
            let _permit = self.searches.acquire().await.map_err(|error| error.to_string())?;
            if self.is_away.load(Ordering::Relaxed) && !is_trial {
                return Err("another search has just failed".to_owned());
            }
            for text in &question.texts {
                let near = Box::pin(self.near(question, text));
                ids.push(if is_trial { self.soon(near).await? } else { near.await? });
            }
        }
        let all: BTreeSet<i64> = ids.iter().flatten().copied().collect();
        let all: Vec<i64> = all.into_iter().collect();
        let read = self.store.earlier_messages(question, &all, (SINK, MESSAGES_TOPIC)).await;
        let Some(messages) = read.map_err(|error| error.describe())? else {
            // The collection is being filled anew: what was found is not all.
            self.passed.forget();
            return Err(format!("{SINK} was set back"));
        };
        let by_id: BTreeMap<i64, Message> =
            messages.into_iter().map(|message| (message.id, message)).collect();
        let known = |ids: Vec<i64>| ids.iter().filter_map(|id| by_id.get(id).cloned()).collect();
        Ok(ids.into_iter().map(known).collect())
    }

    /// What a search finds that is made to see whether the index answers.
    async fn soon(&self, near: impl Future<Output = Result<Vec<i64>, Why>>) -> Result<Vec<i64>, Why> {
        let limit = self.patience.search_while_away;
        let late = |_| format!("a search took more than {limit:?}");
        tokio::time::timeout(limit, near).await.map_err(late)?
    }

    async fn near(&self, question: &EarlierAsOf, text: &str) -> Result<Vec<i64>, Why> {
        let query = Query {
            vector: embedding::embed(text),
            tenant_id: question.tenant_id.clone(),
            group_id: Some(question.group_id.clone()),
            kinds: vec![Kind::Message],
            author_ids: Vec::new(),
            since: None,
            until: Some(question.before_ms),
            limit: NEAR_MAX,
        };
        let hits = self.index.search_as_of(&query, question.partition, question.offset).await;
        let hits = hits.map_err(|error| error.to_string())?;
        Ok(hits.iter().filter_map(|hit| hit.item.parse().ok()).collect())
    }

    /// Waits until the sink has passed an offset, as long as it moves.
    async fn reached(&self, (partition, offset): (i32, i64)) -> Result<(), Why> {
        let passed = self.passed.wait_for(partition, offset);
        tokio::pin!(passed);
        loop {
            let before = self.passed.of(partition);
            let is_away = self.is_away.load(Ordering::Relaxed);
            let Patience { standstill, standstill_while_away, .. } = self.patience;
            tokio::select! {
                biased;
                () = &mut passed => return Ok(()),
                () = tokio::time::sleep(if is_away { standstill_while_away } else { standstill }) => {}
            }
            if self.passed.of(partition) == before {
                return Err(format!("{SINK} stands still before offset {offset} of partition {partition}"));
            }
            // It writes: the others may wait for it again.
            self.is_back();
        }
    }
}

#[cfg(test)]
mod tests;
