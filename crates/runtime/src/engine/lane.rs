//! What the engine knows of one assigned partition.
//!
//! Invariant: records are offered to the shape in log order; while one is held back, all after it are too.

use super::{
    frontier::Frontier,
    log::{OwnedRecord, RecordView},
    shape::{Accepted, Fate, Shape},
};
use std::{collections::VecDeque, time::Duration};

/// One assigned partition.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) frontier: Frontier<Fate>,
    /// Records read and not yet accepted.
    pub(super) backlog: VecDeque<OwnedRecord>,
    /// When the first of the backlog is offered again, and the wait after that.
    retry: Option<(Duration, Duration)>,
    /// Why the shape asked for a record to be offered again, until the observer has heard of it.
    pub(super) stalled_on: Option<String>,
    pub(super) paused: bool,
    /// Next offset as of the last input stepped over and not yet in a snapshot.
    pub(super) unsaved: Option<i64>,
}

impl Lane {
    pub(super) fn starting_at(offset: i64) -> Self {
        Self {
            frontier: Frontier::starting_at(offset),
            backlog: VecDeque::new(),
            retry: None,
            stalled_on: None,
            paused: false,
            unsaved: None,
        }
    }

    /// True while the shape has asked for a record to be offered again.
    pub(super) fn is_stalled(&self) -> bool {
        self.retry.is_some()
    }

    /// Offers a record just read, or holds it back behind those already held.
    pub(super) fn offer(
        &mut self,
        record: &RecordView<'_>,
        shape: &mut impl Shape,
        first_wait: Duration,
        now: Duration,
    ) {
        if self.backlog.is_empty() {
            if self.try_accept(record, shape) {
                return;
            }
            self.retry = Some((now + first_wait, first_wait));
        }
        self.backlog.push_back(record.detach());
    }

    /// Offers held-back records again, at most `room` of them.
    pub(super) fn offer_backlog(
        &mut self,
        shape: &mut impl Shape,
        room: usize,
        retry: (Duration, Duration),
        now: Duration,
    ) {
        if self.retry.is_some_and(|(at, _)| now < at) {
            return;
        }
        for _ in 0..room {
            let Some(record) = self.backlog.pop_front() else { break };
            if !self.try_accept(&record.view(), shape) {
                let wait = self.retry.map_or(retry.0, |(_, wait)| (wait * 2).min(retry.1));
                self.retry = Some((now + wait, wait));
                self.backlog.push_front(record);
                return;
            }
            self.retry = None;
        }
    }

    /// False when the shape stalls on the record.
    fn try_accept(&mut self, record: &RecordView<'_>, shape: &mut impl Shape) -> bool {
        if !self.frontier.admits(record.offset) {
            return true;
        }
        match shape.accept(record) {
            Accepted::Done(fate) => {
                self.frontier.admit(record.offset);
                self.frontier.complete(record.offset, fate);
                true
            }
            Accepted::Pending => {
                self.frontier.admit(record.offset);
                true
            }
            Accepted::Stalled(why) => {
                self.stalled_on = Some(why);
                false
            }
        }
    }
}
