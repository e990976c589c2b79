//! The transaction being filled: when it begins, when it commits, and what goes into it besides output.
//!
//! Invariant: it is never empty, and a Fold's state in it is as of the offsets in it.

use super::{
    Engine, Observer,
    guard::Tripped,
    log::{Log, TxnError},
    shape::Shape,
};
use std::{collections::BTreeMap, time::Duration};

/// The transaction being filled, or the offsets waiting for one.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) begun_at: Option<Duration>,
    pub(super) pending_since: Option<Duration>,
    pub(super) records: usize,
    pub(super) offsets: BTreeMap<i32, i64>,
}

/// Inputs that a Fold has stepped over since its last round.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) since: Option<Duration>,
    pub(super) last: Option<Duration>,
    pub(super) records: usize,
    /// Write it with the next commit: partitions are about to leave.
    pub(super) forced: bool,
}

impl<L: Log, S: Shape, O: Observer> Engine<L, S, O> {
    pub(super) fn begin(&mut self, now: Duration) -> Result<(), TxnError> {
        if self.open.begun_at.is_none() {
            self.log.begin()?;
            self.open.begun_at = Some(now);
        }
        Ok(())
    }

    /// Age of what waits for a commit: for a Fold only a transaction that has begun.
    pub(super) fn commit_age(&self, now: Duration) -> Option<Duration> {
        let since = if self.shape.is_stateful() { self.open.begun_at } else { self.open.pending_since };
        since.map(|since| now.saturating_sub(since))
    }

    pub(super) fn round_due(&self, now: Duration) -> bool {
        self.shape.is_stateful()
            && (self.round.forced
                || self.round.records >= self.limits.round_records
                || self.round.last.is_some_and(|last| now.saturating_sub(last) >= self.limits.round_idle)
                || self
                    .round
                    .since
                    .is_some_and(|since| now.saturating_sub(since) >= self.limits.round_interval))
    }

    pub(super) fn commit_if_due(&mut self, now: Duration, idle: bool) -> Result<(), Failure> {
        let due = self.commit_age(now).is_some_and(|age| {
            self.open.records >= self.limits.commit_records
                || age >= self.limits.commit_interval
                || (idle && age >= self.limits.commit_idle)
        });
        if due || self.round_due(now) { self.commit(now) } else { Ok(()) }
    }

    pub(super) fn commit(&mut self, now: Duration) -> Result<(), Failure> {
        if self.open.offsets.is_empty() {
            return Ok(());
        }
        let started = self.observer.now();
        self.begin(now)?;
        if self.round_due(now) {
            self.write_round()?;
        }
        self.log.commit(&self.open.offsets)?;
        self.observer.committed(self.open.records, self.observer.now().saturating_sub(started));
        self.open = Open::default();
        self.guard_committed = self.guard.clone();
        self.rebuilds.mended();
        Ok(())
    }

    /// Writes the state touched since the last round into the open transaction.
    pub(super) fn write_round(&mut self) -> Result<(), Failure> {
        let mut records = Vec::new();
        for (partition, lane) in &mut self.lanes {
            if let Some(next_offset) = lane.unsaved.take() {
                self.shape.snapshot(*partition, next_offset, &mut records);
            }
        }
        for record in records {
            self.log.produce(record)?;
        }
        self.round = Round::default();
        Ok(())
    }
}

/// Why a turn could not finish.
#[derive(Debug)]
pub(super) enum Failure {
    Txn(TxnError),
    Guard(Tripped),
}

impl From<TxnError> for Failure {
    fn from(error: TxnError) -> Self {
        Self::Txn(error)
    }
}

impl From<Tripped> for Failure {
    fn from(tripped: Tripped) -> Self {
        Self::Guard(tripped)
    }
}
