//! The registry as decoders see it: a blocking question from a thread that is not tokio's.

use crate::{Client, Error};
use schemas::{SchemaSource, SchemaSourceError};
use std::{
    collections::BTreeMap,
    error::Error as _,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};
use tokio::runtime::Handle;

/// Longest wait for the answer, a little longer than the client's own limit so that its message is seen.
const WAIT: Duration = Duration::from_secs(12);

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
    wait: Duration,
    known: Mutex<BTreeMap<u32, Arc<str>>>,
}

impl RegistrySource {
    /// A source that asks `client` on the runtime of `handle`.
    pub fn new(client: Client, handle: Handle) -> Self {
        Self { client, handle, wait: WAIT, known: Mutex::default() }
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
        let (sender, receiver) = mpsc::sync_channel(1);
        let client = self.client.clone();
        self.handle.spawn(async move {
            // The receiver is gone only when it has stopped waiting.
            drop(sender.send(client.schema_by_id(id).await));
        });
        match receiver.recv_timeout(self.wait) {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) if error.is_unknown_schema() => Err(SchemaSourceError::NotFound(id)),
            Ok(Err(error)) => Err(SchemaSourceError::Unavailable(with_causes(&error))),
            Err(_) => Err(SchemaSourceError::Unavailable(format!(
                "no answer from {} within {} s",
                self.client.address(),
                self.wait.as_secs()
            ))),
        }
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

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
