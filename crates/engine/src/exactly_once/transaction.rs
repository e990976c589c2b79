//! The transaction being filled: when it begins, when it commits, and what goes into it besides output.
//!
//! Invariant: it is never empty, and a Fold's state in it is as of the offsets in it.

use super::{
    Engine, Observer,
    guard::{Rejected, Tripped},
    log::{Log, OutRecord, TxnError},
    shape::Shape,
};
use crate::mutation::{self, Mutation};
use std::{collections::BTreeMap, time::Duration};

/// The transaction being filled, or the offsets waiting for one.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) begun_at: Option<Duration>,
    pub(super) pending_since: Option<Duration>,
    pub(super) records: usize,
    pub(super) offsets: BTreeMap<i32, i64>,
    /// Inputs whose dead letters are in it.
    pub(super) letters: Vec<Rejected>,
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
        let is_round = self.round_due(now);
        if is_round {
            self.cover_unsaved();
        }
        if self.open.offsets.is_empty() {
            return Ok(());
        }
        let is_apart = self.open.begun_at.is_none()
            && (mutation::is(Mutation::SnapshotBefore)
                || mutation::is(Mutation::SnapshotBeforeAndMarkerBeyond));
        self.begin(now)?;
        if is_round {
            self.write_round()?;
            if is_apart {
                self.log.commit(&BTreeMap::new())?;
                self.log.begin()?;
            }
        }
        self.commit_open()?;
        self.open = Open::default();
        self.rebuilds.mended();
        Ok(())
    }

    fn commit_open(&mut self) -> Result<(), Failure> {
        let started = self.observer.now();
        self.log.commit(&self.open.offsets)?;
        let records = std::mem::take(&mut self.open.records);
        self.observer.committed(records, self.observer.now().saturating_sub(started));
        let letters = std::mem::take(&mut self.open.letters);
        if !letters.is_empty() {
            self.observer.buried(&letters);
        }
        if !self.waits {
            self.observer.recovered();
        }
        self.guard_committed = self.guard.clone();
        Ok(())
    }

    /// A round carries the offsets that its snapshots are as of, also those that output has committed before it.
    fn cover_unsaved(&mut self) {
        for (partition, assigned) in &self.assigned {
            if let Some(next_offset) = assigned.unsaved {
                self.open.offsets.entry(*partition).or_insert(next_offset);
            }
        }
    }

    /// Writes the state touched since the last round into the open transaction, or into several, one after the other,
    /// when it is too much for one. Their offsets are the same, and only a partition's last record, its marker, makes
    /// a snapshot of what is before it.
    pub(super) fn write_round(&mut self) -> Result<(), Failure> {
        let unsaved: Vec<(i32, i64)> = self
            .assigned
            .iter_mut()
            .filter_map(|(partition, assigned)| Some((*partition, assigned.unsaved.take()?)))
            .collect();
        let mut bytes = 0;
        for (partition, next_offset) in unsaved {
            let mut records = Vec::new();
            self.shape.snapshot(partition, next_offset, &mut records);
            let size: usize = records.iter().map(OutRecord::bytes).sum();
            if bytes > 0 && bytes + size > self.limits.round_bytes {
                self.next_part(&mut bytes)?;
            }
            if size > self.limits.round_bytes {
                // Parts of it will be on the log before its marker is, and the old marker does not fit them.
                let void = self.shape.void_snapshot(partition);
                records.splice(0..0, void.filter(|_| !mutation::is(Mutation::MarkerNotVoided)));
            }
            for record in records {
                if bytes > 0 && bytes + record.bytes() > self.limits.round_bytes {
                    self.next_part(&mut bytes)?;
                }
                bytes += record.bytes();
                self.log.produce(record)?;
            }
        }
        self.round = Round::default();
        Ok(())
    }

    /// Commits a part of a round and begins the next.
    fn next_part(&mut self, bytes: &mut usize) -> Result<(), Failure> {
        self.commit_open()?;
        self.log.begin()?;
        (self.open.begun_at, *bytes) = (Some(self.observer.now()), 0);
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
