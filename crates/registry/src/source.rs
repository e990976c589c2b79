//! The registry as decoders see it: a blocking question from a thread that is not tokio's.
//!
//! Invariant: no answer is waited for longer than the source's patience, whatever the registry does; the question goes
//! on meanwhile, and asking again waits for its answer.

use crate::{Client, Error};
use schemas::{SchemaSource, SchemaSourceError};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::Duration,
};
use tokio::runtime::Handle;

/// Longest wait for an answer, a little longer than the client's own limit so that its message is seen.
const PATIENCE: Duration = Duration::from_secs(12);

/// Asks the registry for writer schemas and remembers them for ever: the text of an id never changes. Make one per
/// process and share it.
///
/// The request runs on the given tokio runtime while the calling thread waits on a channel, so that it never
/// panics: called on that runtime's own last worker it times out, and once the runtime is gone it fails at once,
/// both as [`SchemaSourceError::Unavailable`].
#[derive(Debug)]
pub struct RegistrySource {
    client: Client,
    handle: Handle,
    patience: Duration,
    known: Mutex<BTreeMap<u32, Arc<str>>>,
    /// Questions that were given up before their answer came.
    asked: Mutex<BTreeMap<u32, Answer>>,
}

type Answer = Receiver<Result<String, Error>>;

impl RegistrySource {
    /// A source that asks `client` on the runtime of `handle`, and waits up to 12 s for an answer: longer than the
    /// client itself.
    pub fn new(client: Client, handle: Handle) -> Self {
        Self { client, handle, patience: PATIENCE, known: Mutex::default(), asked: Mutex::default() }
    }

    /// The same for a caller that has no time to wait for a registry that does not answer at all, and asks again.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn known(&self, id: u32) -> Option<Arc<str>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn remember(&self, id: u32, text: String) -> Arc<str> {
        let text: Arc<str> = text.into();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(id).or_insert(text))
    }

    fn ask(&self, id: u32) -> Result<String, SchemaSourceError> {
        let asked = self.asked().remove(&id);
        let answer = asked.unwrap_or_else(|| self.question(id));
        match answer.recv_timeout(self.patience) {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) if error.is_unknown_schema() => Err(SchemaSourceError::NotFound(id)),
            Ok(Err(error @ Error::Denied { .. })) => Err(SchemaSourceError::Denied(error.describe())),
            Ok(Err(error)) => Err(SchemaSourceError::Unavailable(error.describe())),
            Err(why) => {
                if why == RecvTimeoutError::Timeout {
                    self.asked().insert(id, answer);
                }
                Err(SchemaSourceError::Unavailable(format!(
                    "no answer from {} within {:?}",
                    self.client.address(),
                    self.patience
                )))
            }
        }
    }

    fn question(&self, id: u32) -> Answer {
        let (sender, answer) = mpsc::sync_channel(1);
        let client = self.client.clone();
        self.handle.spawn(async move {
            // The receiver is gone only with the source.
            drop(sender.send(client.schema_by_id(id).await));
        });
        answer
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Answer>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SchemaSource for RegistrySource {
    fn schema_by_id(&self, id: u32) -> Result<Arc<str>, SchemaSourceError> {
        match self.known(id) {
            Some(text) => Ok(text),
            None => Ok(self.remember(id, self.ask(id)?)),
        }
    }
}
