//! The exactly-once loop: poll → step → produce → offsets → commit, over any [`Log`] and any [`Shape`].
//!
//! Invariants: an input's output, or its dead letter, and its offset are in the same transaction; offsets are
//! committed only up to the contiguous frontier; a transaction is never empty and never waits for anything remote.

mod assigned_partition;
mod assignment;
mod frontier;
pub mod guard;
pub mod let_through;
mod limits;
pub mod log;
mod pressure;
mod recovery;
pub mod shape;
#[cfg(test)]
mod tests;
mod transaction;

use crate::mutation::{self, Mutation};
use assigned_partition::AssignedPartition;
use guard::{Guard, Rejected, Tripped};
pub use limits::Limits;
use log::{Log, Polled};
use recovery::{Mode, Rebuilds};
use shape::{Fate, Shape};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    time::Duration,
};
use transaction::{Failure, Open, Round};

/// Why the loop ended for good; nothing uncommitted was left behind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// See [`Guard`].
    #[error("{} of {} inputs were rejected", .0.rejected, .0.seen)]
    BlastRadius(Tripped),
    /// The group has no offset for a partition, the one it has points to data that is gone, or the input may not be read.
    #[error("{0}")]
    NoOffset(String),
    /// Another instance has this one's name: each would end the other's work for ever.
    #[error("another instance has this name: {0}; give one of them another with GISTMILL_INSTANCE")]
    Rival(String),
    /// Anything else that mending within the loop does not help.
    #[error("{0}")]
    Fatal(String),
}

/// What the loop has done, for metrics.
pub trait Observer {
    /// An input met its fate.
    fn fate(&mut self, fate: &Fate);
    /// These inputs have become dead letters, committed as such.
    fn buried(&mut self, _rejected: &[Rejected]) {}
    /// A transaction of so many inputs was committed.
    fn committed(&mut self, records: usize, took: Duration);
    /// A partition waits for what `why` names; said at every turn while it does.
    fn waiting(&mut self, why: &str);
    /// Something failed and is being mended.
    fn recovering(&mut self, why: &str);
    /// What failed is mended, or what was waited for has come.
    fn recovered(&mut self);
    /// Partitions now held.
    fn assigned(&mut self, partitions: &[i32]);
    /// The group has given partitions away without asking; this member joins again.
    fn lost(&mut self) {}
    /// Time since the loop's start, as the turns are told it: for measuring within one.
    fn now(&self) -> Duration;
}

/// The loop over one consumer and one producer.
pub struct Engine<L, S, O> {
    log: L,
    shape: S,
    observer: O,
    limits: Limits,
    assigned: BTreeMap<i32, AssignedPartition>,
    /// Partitions offered by the group and not yet taken.
    offered: Vec<i32>,
    offered_retry: Duration,
    /// Partitions restored to a state that is newer than their snapshot, and not yet read on.
    replayed: BTreeSet<i32>,
    open: Open,
    round: Round,
    guard: Guard,
    /// The guard as of the last commit: what is read again after a failure is not counted twice.
    guard_committed: Guard,
    mode: Mode,
    rebuilds: Rebuilds,
    /// The group has expelled this member, which has not yet joined again.
    expelled: bool,
    throttled: bool,
    /// The observer has been told what is waited for, and not that it has come.
    waits: bool,
}

impl<L, S, O> std::fmt::Debug for Engine<L, S, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl<L: Log, S: Shape, O: Observer> Engine<L, S, O> {
    /// A loop at rest; partitions come by polling.
    pub fn new(log: L, shape: S, observer: O, limits: Limits) -> Self {
        Self {
            log,
            shape,
            observer,
            limits,
            assigned: BTreeMap::new(),
            offered: Vec::new(),
            offered_retry: Duration::ZERO,
            replayed: BTreeSet::new(),
            open: Open::default(),
            round: Round::default(),
            guard: Guard::new(),
            guard_committed: Guard::new(),
            mode: Mode::Running,
            rebuilds: Rebuilds::default(),
            expelled: false,
            throttled: false,
            waits: false,
        }
    }

    /// One turn of the loop at time `now` (since its start): polls a batch, then moves what can be moved.
    pub fn turn(&mut self, now: Duration) -> Result<(), Error> {
        let polled = self.poll(self.wait(now), now);
        let idle = matches!(polled, Polled::Idle);
        match polled {
            // What an expelled consumer has to say is about partitions that are not its own any more.
            _ if self.expelled => {}
            Polled::Assigned(partitions) if partitions.is_empty() => self.observe_assignment(),
            Polled::Assigned(partitions) => self.offered.extend(partitions),
            Polled::Revoked(partitions) => self.revoked(&partitions, now)?,
            Polled::Lost(partitions) => self.lost(&partitions, now),
            Polled::Expelled(why) => self.expelled(&why, now)?,
            Polled::Broken(why) => return Err(Error::NoOffset(why)),
            Polled::Read | Polled::Idle => {}
        }
        if !self.mode.is_running() {
            return self.recover(now);
        }
        self.take_offered(now)?;
        if !self.mode.is_running() {
            return Ok(());
        }
        self.offer_backlog(now);
        self.collect();
        if let Err(error) = self.advance(now).and_then(|()| self.commit_if_due(now, idle)) {
            self.failed(error, now)?;
        }
        self.regulate(now)
    }

    /// Commits what is complete, for a shutdown; pending answers are left to the next start.
    pub fn finish(&mut self, now: Duration) -> Result<(), Error> {
        if !self.mode.is_running() {
            return Ok(());
        }
        match self.commit_all(now) {
            Ok(()) => Ok(()),
            Err(error) => self.failed(error, now),
        }
    }

    /// Commits everything complete, with the state, before partitions leave.
    fn commit_all(&mut self, now: Duration) -> Result<(), Failure> {
        self.collect();
        self.round.forced = true;
        let result = self.advance(now).and_then(|()| self.commit(now));
        self.round.forced = false;
        result
    }

    /// Inputs accepted and not yet committed or dropped.
    pub fn in_flight(&self) -> usize {
        self.shape.in_flight()
    }

    fn wait(&self, now: Duration) -> Duration {
        if !self.mode.is_running() {
            return self.limits.retry.0;
        }
        if self.shape.in_flight() > 0 || self.assigned.values().any(|assigned| !assigned.backlog.is_empty()) {
            return Duration::from_millis(1);
        }
        match self.commit_age(now) {
            Some(age) => self.limits.commit_idle.saturating_sub(age).max(Duration::from_millis(1)),
            None => self.limits.poll_wait,
        }
    }

    /// Polls a batch: what a turn costs besides its records, it costs once.
    fn poll(&mut self, wait: Duration, now: Duration) -> Polled {
        let Self { log, shape, assigned, mode, limits, observer, .. } = self;
        let (mut records, mut began) = (0, None);
        log.poll(wait, &mut |record| {
            let began = *began.get_or_insert_with(|| observer.now());
            records += 1;
            let Some(partition) = assigned.get_mut(&record.partition).filter(|_| mode.is_running()) else {
                return ControlFlow::Break(());
            };
            partition.offer(record, shape, limits.retry.0, now);
            let has_room = records < limits.poll_records
                && shape.in_flight() < limits.in_flight_max
                && !partition.is_blocked()
                && observer.now().saturating_sub(began) < limits.poll_time;
            if has_room { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    }

    /// Offers held-back records again, in their order.
    fn offer_backlog(&mut self, now: Duration) {
        let room = self.limits.in_flight_max.saturating_sub(self.shape.in_flight()).max(1);
        for assigned in self.assigned.values_mut() {
            assigned.offer_backlog(&mut self.shape, room, self.limits.retry, now);
        }
    }

    /// Takes in what was decided since.
    fn collect(&mut self) {
        while let Some((partition, offset, fate)) = self.shape.completed() {
            if let Some(assigned) = self.assigned.get_mut(&partition) {
                assigned.complete(offset, fate);
            }
        }
    }

    /// Moves all that is complete and contiguous into the transaction.
    fn advance(&mut self, now: Duration) -> Result<(), Failure> {
        let partitions: Vec<i32> = self.assigned.keys().copied().collect();
        for partition in partitions {
            while let Some((offset, fate)) =
                self.assigned.get_mut(&partition).and_then(|assigned| assigned.frontier.pop())
            {
                self.apply(partition, offset, fate, now)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, partition: i32, offset: i64, fate: Fate, now: Duration) -> Result<(), Failure> {
        let rejected = |kind| Rejected { partition, offset, kind };
        match fate.rejection().map(rejected) {
            Some(rejected) if self.log.lets_through(&rejected) => {}
            rejected => self.guard.observe(rejected)?,
        }
        self.observer.fate(&fate);
        if mutation::is(Mutation::OffsetBeforeOutput) && matches!(fate, Fate::Emit(_)) {
            self.begin(now)?;
            self.open.offsets.insert(partition, offset + 1);
            self.commit(now)?;
        }
        match fate {
            Fate::Emit(records) => {
                for record in records {
                    self.begin(now)?;
                    self.log.produce(record)?;
                }
            }
            Fate::DeadLetter(record, kind) => {
                self.begin(now)?;
                self.log.produce(*record)?;
                self.open.letters.push(rejected(kind));
            }
            Fate::Drop(_) | Fate::LeftToOwner(_) => {}
        }
        let next_offset = match () {
            () if mutation::is(Mutation::OffsetOneLow) => offset,
            () if mutation::is(Mutation::OffsetOneHigh) => offset + 2,
            () => offset + 1,
        };
        self.open.offsets.insert(partition, next_offset);
        self.open.pending_since.get_or_insert(now);
        self.open.records += 1;
        self.round.since.get_or_insert(now);
        self.round.last = Some(now);
        self.round.records += 1;
        if let Some(assigned) = self.assigned.get_mut(&partition) {
            assigned.unsaved = Some(offset + 1);
        }
        Ok(())
    }
}
