//! One attempt at a batch: how long it goes on, and whom it has stopped asking.
//!
//! Invariant: messages to a chat keep their order: behind one that has to wait, the others to the same chat do too.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// Longest attempt, but for the call that is under way: the group is polled, and a stop heard, after it.
const LENGTH_MAX: Duration = Duration::from_secs(15);

/// How far a delivery has come.
pub(crate) enum Progress {
    /// As far as it can.
    Ended,
    /// It goes on later: why.
    Later(String),
    /// It goes on as text: as a rich message it is refused.
    AsText,
    /// It goes on by another way: by the one that was tried the person cannot be reached.
    OtherWay,
}

/// An attempt.
#[derive(Debug)]
pub(crate) struct Pass {
    until: Instant,
    /// Tenants and targets of what has to wait.
    waiting: BTreeSet<(String, String)>,
}

impl Pass {
    pub(crate) fn begin() -> Self {
        Self { until: Instant::now() + LENGTH_MAX, waiting: BTreeSet::new() }
    }

    /// Why nothing more is done for a target.
    pub(crate) fn refusal(&self, tenant_id: &str, chat: &str) -> Option<&'static str> {
        if self.waiting.contains(&(tenant_id.to_owned(), chat.to_owned())) {
            return Some("an earlier message to the chat has to wait");
        }
        (Instant::now() > self.until).then_some("the rest of the batch follows")
    }

    /// Something for a target has to wait.
    pub(crate) fn put_off(&mut self, tenant_id: &str, chat: &str) {
        self.waiting.insert((tenant_id.to_owned(), chat.to_owned()));
    }
}
