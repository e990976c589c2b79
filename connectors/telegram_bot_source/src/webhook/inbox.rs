//! Updates that were brought and wait for their commit.
//!
//! Invariant: who brings an update is told of its commit when the position that was given with it comes back, and not
//! before; where another comes back, the update is let go and brought again.

use super::{Arrival, Listener, Settings};
use crate::{
    client::CallError,
    position::BotPosition,
    seen::Seen,
    turn::{Note, Read, Turned, read},
};
use runtime::Position;
use std::{collections::VecDeque, net::SocketAddr, time::Duration};
use tokio::{sync::oneshot, time::timeout};
use tracing::info;

/// What the listener took.
#[derive(Debug)]
pub(crate) struct Inbox {
    settings: Settings,
    listener: Option<Listener>,
    /// Taken, and not read yet.
    kept: VecDeque<Arrival>,
    /// Read, and not committed yet.
    awaited: Vec<(i64, oneshot::Sender<()>)>,
    given: Option<Position>,
}

impl Inbox {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, listener: None, kept: VecDeque::new(), awaited: Vec::new(), given: None }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Listens, unless it does; gives the address where it is new.
    pub(crate) async fn open(&mut self) -> Result<Option<SocketAddr>, CallError> {
        if self.listener.is_some() {
            return Ok(None);
        }
        let failed = |why: std::io::Error| CallError::Deaf(self.settings.listen, why.to_string());
        let (listener, address) = Listener::bind(&self.settings).await.map_err(failed)?;
        info!(%address, "listens for the updates that Telegram brings");
        self.listener = Some(listener);
        Ok(Some(address))
    }

    #[cfg(test)]
    pub(crate) fn awaiting(&self) -> usize {
        self.awaited.len()
    }

    /// Answers those whose updates were committed at `position`, and lets go of the others.
    pub(crate) fn settle(&mut self, position: Option<&Position>) {
        let is_committed = self.given.take().is_some_and(|given| Some(&given) == position);
        for (_, committed) in self.awaited.drain(..) {
            if is_committed {
                // Who brought it may have gone; it is brought again then, and known.
                committed.send(()).ok();
            }
        }
    }

    /// Up to `limit` updates that are not in `seen`, and whether nothing more waits; waits for one if there is none. What
    /// follows the link of a chat is left for the next call.
    pub(crate) async fn receive(&mut self, seen: &Seen, limit: usize, wait: Duration) -> (Vec<Read>, bool) {
        let Some(listener) = &mut self.listener else { return (Vec::new(), true) };
        if self.kept.is_empty() {
            // A minute without an update is no failure.
            self.kept.extend(timeout(wait, listener.arrivals.recv()).await.ok().flatten());
        }
        while let Ok(next) = listener.arrivals.try_recv() {
            self.kept.push_back(next);
        }
        let mut updates: Vec<Read> = Vec::new();
        while updates.len() < limit
            && !updates.last().is_some_and(Read::ends_a_turn)
            && let Some(arrival) = self.kept.pop_front()
        {
            updates.extend(self.take(arrival, seen));
        }
        (updates, self.kept.is_empty())
    }

    fn take(&mut self, Arrival { id, update, committed }: Arrival, seen: &Seen) -> Option<Read> {
        if seen.contains(id) {
            committed.send(()).ok();
            return None;
        }
        let is_new = self.awaited.iter().all(|(awaited, _)| *awaited != id);
        self.awaited.push((id, committed));
        read(vec![update]).filter(|_| is_new)?.pop()
    }

    /// Makes the position of a turn one of a webhook: it has no offset, and knows which updates were read.
    pub(crate) fn position(&self, before: &BotPosition, turned: &mut Turned) {
        turned.notes.retain(|note| !matches!(note, Note::Gap { .. } | Note::Renumbered { .. }));
        let position = &mut turned.position;
        if self.awaited.is_empty() {
            position.next = before.next;
            return;
        }
        position.next = None;
        position.seen = before.offered(position.read_at);
        self.awaited.iter().for_each(|(id, _)| position.seen.add(*id));
    }

    /// The position that was given to be committed.
    pub(crate) fn give(&mut self, position: &Position) {
        self.given = Some(position.clone());
    }
}
