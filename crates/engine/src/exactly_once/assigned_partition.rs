//! What the engine knows of one assigned partition.
//!
//! Invariant: records are offered to the shape in log order; while one is held back, all after it are too.

use super::{
    frontier::Frontier,
    limits::Limits,
    log::{OwnedRecord, RecordView},
    shape::{Accepted, Fate, Shape},
};
use std::{collections::VecDeque, time::Duration};

/// What a partition waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A decision about the input at this offset.
    Decision(i64),
    /// What the shape said when it asked for a record to be offered again.
    Other(String),
}

/// One assigned partition.
#[derive(Debug)]
pub(super) struct AssignedPartition {
    pub(super) frontier: Frontier<Fate>,
    /// Records read and not yet accepted.
    pub(super) backlog: VecDeque<OwnedRecord>,
    /// When the first of the backlog is offered again, and the wait after that.
    retry: Option<(Duration, Duration)>,
    /// Why the shape asks for a record to be offered again.
    stalled_on: Option<String>,
    /// The oldest input without a decision, and since when it is the oldest.
    undecided: Option<(i64, Duration)>,
    /// So much waits behind it that nothing more is read.
    is_full: bool,
    pub(super) paused: bool,
    /// Next offset as of the last input stepped over and not yet in a snapshot.
    pub(super) unsaved: Option<i64>,
}

impl AssignedPartition {
    pub(super) fn starting_at(offset: i64) -> Self {
        Self {
            frontier: Frontier::starting_at(offset),
            backlog: VecDeque::new(),
            retry: None,
            stalled_on: None,
            undecided: None,
            is_full: false,
            paused: false,
            unsaved: None,
        }
    }

    /// True while nothing more is to be read: a record is to be offered again, or too much waits behind an undecided one.
    pub(super) fn is_blocked(&self) -> bool {
        self.retry.is_some() || self.is_full
    }

    /// Takes an input's fate in.
    pub(super) fn complete(&mut self, offset: i64, fate: Fate) {
        let bytes = fate.bytes();
        self.frontier.complete(offset, fate, bytes);
    }

    /// Looks at what is held; tells what is waited for, where that is worth telling: when it has failed, when it lasts
    /// long, or when it holds up much.
    pub(super) fn look(&mut self, limits: &Limits, (now, is_failing): (Duration, bool)) -> Option<Awaited> {
        let oldest = self.frontier.undecided();
        self.undecided = match (oldest, self.undecided) {
            (Some(oldest), Some((before, since))) if oldest == before => Some((before, since)),
            (oldest, _) => oldest.map(|oldest| (oldest, now)),
        };
        let part = if self.is_full { 2 } else { 1 };
        let (records, bytes) = limits.held_max;
        self.is_full = oldest.is_some()
            && (self.frontier.len() >= records / part || self.frontier.bytes() >= bytes / part);
        if self.retry.is_some() {
            return self.stalled_on.clone().map(Awaited::Other);
        }
        let (oldest, since) = self.undecided?;
        let is_long = now.saturating_sub(since) >= limits.undecided_told;
        (self.is_full || is_long || is_failing).then_some(Awaited::Decision(oldest))
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
            (self.retry, self.stalled_on) = (None, None);
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
                self.complete(record.offset, fate);
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
