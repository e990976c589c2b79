//! What the loop does when a transaction fails: abort or rebuild, forget, read again from the committed offsets.
//!
//! Invariant: between a failure and the end of the rewind nothing is stepped, produced or committed.

use super::{
    Engine, Error, Failure, Observer, Open, Round,
    assigned_partition::AssignedPartition,
    log::{Log, TxnError},
    shape::{Replayed, Shape},
};
use crate::mutation::{self, Mutation};
use std::{collections::BTreeMap, time::Duration};

/// What the loop is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Running,
    /// Mending, one step at a time; the step is tried again at `at`.
    Mending {
        step: Step,
        at: Duration,
        wait: Duration,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Abort,
    Rebuild,
    Rewind,
}

impl Mode {
    pub(super) fn is_running(self) -> bool {
        self == Self::Running
    }
}

/// Counts rebuilds so that two instances with one name do not fence each other for ever.
#[derive(Debug, Default)]
pub(super) struct Rebuilds {
    /// Producers that broke since the last commit.
    broken: u32,
    fenced_at: Option<Duration>,
    expelled_at: Option<Duration>,
    /// Aborts since the last commit.
    aborts: u32,
}

/// Producers that may break in a row: a broker that has just come back is slow for a while.
const REBUILDS_MAX: u32 = 5;

/// Aborts in a row that end the loop: what fails that often does not get better by itself.
const ABORTS_MAX: u32 = 20;

impl<L: Log, S: Shape, O: Observer> Engine<L, S, O> {
    /// Decides what a failure means; on `Ok` the loop goes on, mending first.
    pub(super) fn failed(&mut self, failure: Failure, now: Duration) -> Result<(), Error> {
        let error = match failure {
            Failure::Txn(error) => error,
            Failure::Guard(tripped) => {
                if self.open.begun_at.is_some() {
                    self.log
                        .abort()
                        .or_else(|_| self.log.rebuild())
                        .map_err(|error| Error::Fatal(error.to_string()))?;
                }
                return Err(Error::BlastRadius(tripped));
            }
        };
        self.observer.recovering(&error.to_string());
        let timed_out = self.has_timed_out();
        self.forget_all();
        let (step, at) = match error {
            TxnError::Abort(why) => (Step::Abort, now + self.rebuilds.back_off(self.limits.retry, &why)?),
            TxnError::Fenced(why) if !timed_out => {
                if self.rebuilds.is_fenced_again(now, self.limits.fenced_wait) {
                    return Err(Error::Rival(format!("fenced again: {why}")));
                }
                (Step::Rebuild, now + self.limits.fenced_wait)
            }
            TxnError::Rebuild(why) | TxnError::Fenced(why) => {
                self.rebuilds.allow(&why)?;
                (Step::Rebuild, now)
            }
            TxnError::Fatal(why) => return Err(Error::Fatal(why)),
        };
        self.mode = Mode::Mending { step, at, wait: self.limits.retry.0 };
        self.recover(now)
    }

    /// Whether the open transaction is so old that the coordinator has aborted it and fenced its producer, as happens
    /// to a machine that was suspended. Asked of the clock itself: the call that failed may have outlasted its turn.
    fn has_timed_out(&self) -> bool {
        let age = self.open.begun_at.map(|begun| self.observer.now().saturating_sub(begun));
        age.is_some_and(|age| age >= self.limits.transaction_timeout)
    }

    /// Mends as far as possible now.
    pub(super) fn recover(&mut self, now: Duration) -> Result<(), Error> {
        while let Mode::Mending { step, at, wait } = self.mode {
            if now < at {
                return Ok(());
            }
            let next = match step {
                Step::Abort => Ok(self.log.abort().map_or(Step::Rebuild, |()| Step::Rewind)),
                Step::Rebuild => match self.log.rebuild() {
                    Ok(()) => Ok(Step::Rewind),
                    Err(TxnError::Fatal(why) | TxnError::Fenced(why)) => return Err(Error::Fatal(why)),
                    Err(error) => Err(error.to_string()),
                },
                Step::Rewind => match self.rewind(now)? {
                    Ok(()) => {
                        self.mode = Mode::Running;
                        self.observer.recovered();
                        return Ok(());
                    }
                    Err(why) => Err(why),
                },
            };
            self.mode = match next {
                Ok(step) => Mode::Mending { step, at: now, wait: self.limits.retry.0 },
                Err(why) => {
                    self.observer.recovering(&why);
                    let wait = (wait * 2).min(self.limits.retry.1);
                    Mode::Mending { step, at: now + wait, wait }
                }
            };
        }
        Ok(())
    }

    /// Drops everything that is not committed, and reads nothing until the rewind.
    pub(super) fn forget_all(&mut self) {
        let partitions: Vec<i32> = self.assigned.keys().copied().collect();
        if !mutation::is(Mutation::StateKept) {
            self.shape.forget(&partitions);
        }
        if let Err(why) = self.pause_all() {
            // What is read meanwhile is thrown away: a waste, not a fault.
            self.observer.recovering(&why);
        }
        self.open = Open::default();
        self.round = Round::default();
        self.guard = self.guard_committed.clone();
    }

    /// Reads nothing more of what is held until it is resumed.
    pub(super) fn pause_all(&mut self) -> Result<(), String> {
        let reading: Vec<i32> =
            self.assigned.iter().filter(|(_, assigned)| !assigned.paused).map(|(p, _)| *p).collect();
        if !reading.is_empty() {
            self.log.pause(&reading)?;
        }
        self.assigned.values_mut().for_each(|assigned| assigned.paused = true);
        Ok(())
    }

    /// Reads again from the committed offsets, with the state as of them. The outer error is final.
    fn rewind(&mut self, now: Duration) -> Result<Result<(), String>, Error> {
        if self.expelled {
            let joined = self.log.rejoin();
            self.expelled = joined.is_err();
            return Ok(joined);
        }
        let partitions: Vec<i32> = self.assigned.keys().copied().collect();
        if partitions.is_empty() {
            return Ok(Ok(()));
        }
        let offsets = match self.starting_points(&partitions)? {
            Ok(offsets) => offsets,
            Err(why) => return Ok(Err(why)),
        };
        if !mutation::is(Mutation::NoSeek)
            && let Err(why) = self.log.seek(&offsets)
        {
            return Ok(Err(why));
        }
        let paused: Vec<i32> =
            self.assigned.iter().filter(|(_, assigned)| assigned.paused).map(|(p, _)| *p).collect();
        if let Err(why) = self.log.resume(&paused) {
            return Ok(Err(why));
        }
        self.assigned.clear();
        self.start_partitions(&offsets, now);
        Ok(Ok(()))
    }

    /// Begins to step over what follows the offsets.
    pub(super) fn start_partitions(&mut self, offsets: &BTreeMap<i32, i64>, now: Duration) {
        for (partition, offset) in offsets {
            let mut assigned = AssignedPartition::starting_at(*offset);
            if self.replayed.remove(partition) {
                // The next restore need not replay the same, though no input may come until then.
                assigned.unsaved = Some(*offset);
                self.round.since.get_or_insert(now);
                self.round.last = Some(now);
            }
            self.assigned.insert(*partition, assigned);
        }
    }

    /// Committed offsets of partitions, with the state restored as of them. The outer error is final.
    pub(super) fn starting_points(
        &mut self,
        partitions: &[i32],
    ) -> Result<Result<BTreeMap<i32, i64>, String>, Error> {
        let committed = match self.log.committed(partitions) {
            Ok(committed) => committed,
            Err(why) => return Ok(Err(why)),
        };
        let mut offsets = BTreeMap::new();
        for (partition, offset) in committed {
            let Some(offset) = offset else {
                return Err(Error::NoOffset(format!(
                    "no offset to start from: partition {partition} has no committed one; see `gistmill topology apply` \
                     and `gistmill reset`"
                )));
            };
            if self.shape.is_stateful() {
                if !mutation::is(Mutation::StateKept) {
                    self.shape.forget(&[partition]);
                }
                self.replayed.remove(&partition);
                match self.shape.restore(partition, offset, &mut self.log) {
                    Ok(Replayed(true)) => drop(self.replayed.insert(partition)),
                    Ok(Replayed(false)) => {}
                    Err(why) => return Ok(Err(why)),
                }
            }
            offsets.insert(partition, offset);
        }
        Ok(Ok(offsets))
    }
}

impl Rebuilds {
    /// A transaction was committed: what failed before is mended.
    pub(super) fn mended(&mut self) {
        (self.aborts, self.broken) = (0, 0);
    }

    /// Wait before a failed transaction is tried again: none the first time, then doubling.
    fn back_off(&mut self, (first, longest): (Duration, Duration), why: &str) -> Result<Duration, Error> {
        self.aborts += 1;
        match self.aborts {
            1 => Ok(Duration::ZERO),
            ABORTS_MAX.. => Err(Error::Fatal(format!("{ABORTS_MAX} transactions failed in a row: {why}"))),
            count => Ok((first * 2_u32.saturating_pow(count.min(16) - 2)).min(longest)),
        }
    }

    /// Whether this is the second fencing within ten waits: two instances with one name, not a slow transaction.
    fn is_fenced_again(&mut self, now: Duration, wait: Duration) -> bool {
        is_soon(self.fenced_at.replace(now), now, wait)
    }

    /// The same for being expelled from the group.
    pub(super) fn is_expelled_again(&mut self, now: Duration, wait: Duration) -> bool {
        is_soon(self.expelled_at.replace(now), now, wait)
    }

    fn allow(&mut self, why: &str) -> Result<(), Error> {
        self.broken += 1;
        if self.broken > REBUILDS_MAX {
            return Err(Error::Fatal(format!(
                "producer broke {REBUILDS_MAX} times without a commit between: {why}"
            )));
        }
        Ok(())
    }
}

/// Whether something happened within ten waits before.
fn is_soon(before: Option<Duration>, now: Duration, wait: Duration) -> bool {
    before.is_some_and(|before| now.saturating_sub(before) < wait * 10)
}
