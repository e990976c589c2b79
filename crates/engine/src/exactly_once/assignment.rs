//! Partitions come and go: restore before reading, commit before giving up.

use super::{
    Engine, Error, Observer,
    log::Log,
    recovery::{Mode, Step},
    shape::Shape,
};
use crate::mutation::{self, Mutation};
use std::time::Duration;

impl<L: Log, S: Shape, O: Observer> Engine<L, S, O> {
    /// Takes offered partitions: committed offsets and state first, then reading. Tried again while the log is away.
    pub(super) fn take_offered(&mut self, now: Duration) -> Result<(), Error> {
        if self.offered.is_empty() || now < self.offered_retry {
            return Ok(());
        }
        // A restore may outlast a transaction's timeout: none stays open meanwhile.
        if self.open.begun_at.is_some()
            && let Err(error) = self.commit_all(now)
        {
            return self.failed(error, now);
        }
        if self.shape.is_stateful() && !mutation::is(Mutation::NoPause) {
            // A restore polls the group, and has nowhere to put a record.
            self.pause_all().map_err(Error::Fatal)?;
        }
        let offered = self.offered.clone();
        let assigned = match self.starting_points(&offered)? {
            Ok(offsets) => self.log.assign(&offsets).map(|()| offsets),
            Err(why) => Err(why),
        };
        match assigned {
            Ok(offsets) => {
                self.start_partitions(&offsets, now);
                self.offered.clear();
                self.observe_assignment();
            }
            Err(why) => {
                self.observer.recovering(&why);
                self.shape.forget(&offered);
                self.offered_retry = now + self.limits.retry.0;
            }
        }
        Ok(())
    }

    /// Commits, then gives partitions up.
    pub(super) fn revoked(&mut self, partitions: &[i32], now: Duration) -> Result<(), Error> {
        let committed = if self.mode.is_running() { self.commit_all(now) } else { Ok(()) };
        self.give_up(partitions)?;
        match committed {
            Ok(()) => Ok(()),
            Err(error) => self.failed(error, now),
        }
    }

    /// Partitions are somebody else's already: what is open must not be committed.
    pub(super) fn lost(&mut self, partitions: &[i32], now: Duration) {
        let open = self.open.begun_at.is_some() || !self.open.offsets.is_empty();
        if let Err(why) = self.give_up(partitions) {
            self.observer.recovering(&why.to_string());
        }
        self.observer.lost();
        if self.mode.is_running() && open && !mutation::is(Mutation::OpenKept) {
            self.start_over(now);
        }
    }

    /// The group has given this member's name away, as it does when a broker dies between granting a membership and
    /// telling of it. Everything open is dropped and the group joined anew, once: expelled soon again, somebody else
    /// has this name.
    pub(super) fn expelled(&mut self, why: &str, now: Duration) -> Result<(), Error> {
        if self.rebuilds.is_expelled_again(now, self.limits.fenced_wait) {
            return Err(Error::Rival(format!("expelled again: {why}")));
        }
        self.observer.recovering(why);
        self.expelled = true;
        if self.mode.is_running() {
            self.start_over(now);
        }
        self.assigned.clear();
        self.offered.clear();
        self.observe_assignment();
        Ok(())
    }

    /// Drops what is open; on with the committed offsets.
    fn start_over(&mut self, now: Duration) {
        let step = if self.open.begun_at.is_some() { Step::Abort } else { Step::Rewind };
        self.forget_all();
        self.mode = Mode::Mending { step, at: now, wait: self.limits.retry.0 };
    }

    fn give_up(&mut self, partitions: &[i32]) -> Result<(), Error> {
        self.offered.retain(|partition| !partitions.contains(partition));
        self.assigned.retain(|partition, _| !partitions.contains(partition));
        for partition in partitions {
            self.open.offsets.remove(partition);
        }
        if !mutation::is(Mutation::StateKept) {
            self.shape.forget(partitions);
        }
        self.log.unassign(partitions).map_err(Error::Fatal)?;
        self.observe_assignment();
        Ok(())
    }

    pub(super) fn observe_assignment(&mut self) {
        let held: Vec<i32> = self.assigned.keys().copied().collect();
        self.observer.assigned(&held);
    }
}
