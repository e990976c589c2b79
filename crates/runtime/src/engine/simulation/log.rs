//! One instance's side of the model broker: its consumer, its producer and the transaction it has open.

use super::world::{News, World};
use crate::engine::log::{Log, OutRecord, Polled, Reader, RecordView, Restored, TxnError, Visit};
use std::{collections::BTreeMap, time::Duration};

/// Longer than any transaction is open unless its machine sleeps.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_millis(200);

/// The model's log for one instance.
pub(super) struct ModelLog {
    world: World,
    instance: usize,
    epoch: u64,
    /// Grants of partitions as of the last news heard.
    grants: BTreeMap<i32, u64>,
    /// Next offset to read of each assigned partition.
    positions: BTreeMap<i32, i64>,
    paused: Vec<i32>,
    open: Option<Vec<OutRecord>>,
    /// Set when a call has failed such that only a new producer helps.
    broken: bool,
    /// Set when a call has failed such that the transaction must be aborted.
    failed: bool,
}

impl ModelLog {
    /// An instance that joins the group and takes its transactional id over.
    pub(super) fn start(world: &World, instance: usize) -> Self {
        world.join(instance);
        Self {
            world: world.clone(),
            instance,
            epoch: world.new_epoch(instance),
            grants: BTreeMap::new(),
            positions: BTreeMap::new(),
            paused: Vec::new(),
            open: None,
            broken: false,
            failed: false,
        }
    }

    fn guard(&self) -> Result<(), TxnError> {
        if self.world.is_fenced(self.instance, self.epoch) {
            return Err(TxnError::Fenced("newer epoch".into()));
        }
        if self.broken {
            return Err(TxnError::Rebuild("still broken".into()));
        }
        Ok(())
    }

    fn not_failed(&self) -> Result<(), TxnError> {
        self.guard()?;
        if self.failed { Err(TxnError::Abort("already failed".into())) } else { Ok(()) }
    }

    /// The machine sleeps for longer than a transaction may take: the coordinator has aborted the open one and fenced
    /// its producer.
    fn maybe_sleep(&mut self) -> Result<(), TxnError> {
        if self.open.is_some() && self.world.fault("suspended", 150) {
            self.world.pass(TRANSACTION_TIMEOUT);
            self.world.new_epoch(self.instance);
        }
        self.guard()
    }

    /// A restore polls the group, and whatever comes of partitions that are read on is gone.
    fn poll_meanwhile(&mut self) {
        for (partition, position) in &mut self.positions {
            if !self.paused.contains(partition)
                && let Some(record) = self.world.record_from(*partition, *position)
            {
                *position = record.offset + 1;
            }
        }
    }

    fn fail(&mut self, what: &'static str, one_in: u64) -> Result<(), TxnError> {
        if self.world.fault(what, one_in) {
            self.failed = true;
            return Err(TxnError::Abort(what.into()));
        }
        Ok(())
    }
}

impl Reader for ModelLog {
    fn read(
        &mut self,
        what: Restored,
        partition: i32,
        (from, until): (Option<i64>, Option<i64>),
        visit: Visit<'_>,
    ) -> Result<(), String> {
        self.poll_meanwhile();
        if self.world.fault("restore", 20) {
            return Err("broker away".into());
        }
        match what {
            Restored::Input => {
                let mut offset = from.unwrap_or_default();
                while let Some(record) = self.world.record_from(partition, offset) {
                    if until.is_some_and(|until| record.offset >= until) {
                        break;
                    }
                    offset = record.offset + 1;
                    visit(&record.view())?;
                }
            }
            Restored::Snapshots => {
                let headers = Vec::new();
                for (offset, record) in self.world.topic("snapshots", partition).iter().enumerate() {
                    visit(&RecordView {
                        partition,
                        offset: offset as i64,
                        timestamp_ms: 0,
                        key: Some(&record.key),
                        value: record.value.as_deref(),
                        headers: &headers,
                    })?;
                }
            }
        }
        Ok(())
    }
}

impl Log for ModelLog {
    fn poll(&mut self, _wait: Duration, visit: &mut dyn FnMut(&RecordView<'_>)) -> Polled {
        if self.world.dice(3) == 0 {
            match self.world.next_news(self.instance) {
                Some(News::Assigned(given)) => {
                    self.grants.extend(given.iter().copied());
                    return Polled::Assigned(given.into_iter().map(|(partition, _)| partition).collect());
                }
                Some(News::Revoked(partitions)) => return Polled::Revoked(partitions),
                Some(News::Lost(partitions)) => return Polled::Lost(partitions),
                Some(News::Expelled) => return Polled::Expelled("name given away".into()),
                None => {}
            }
        }
        let readable: Vec<i32> =
            self.positions.keys().filter(|p| !self.paused.contains(p)).copied().collect();
        if readable.is_empty() {
            return Polled::Idle;
        }
        let partition = readable[self.world.dice(readable.len() as u64) as usize];
        match self.world.record_from(partition, self.positions[&partition]) {
            Some(record) => {
                if !self.world.fault("read again", 20) {
                    self.positions.insert(partition, record.offset + 1);
                }
                visit(&record.view());
                Polled::Read
            }
            None => Polled::Idle,
        }
    }

    fn assign(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), String> {
        if self.world.fault("assign", 30) {
            return Err("broker away".into());
        }
        self.positions.extend(offsets);
        // As on the real broker's client, a partition that was paused when it was given up would stay so.
        self.resume(&offsets.keys().copied().collect::<Vec<_>>())
    }

    fn unassign(&mut self, partitions: &[i32]) -> Result<(), String> {
        self.positions.retain(|partition, _| !partitions.contains(partition));
        self.world.given_up(partitions);
        Ok(())
    }

    fn seek(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), String> {
        if self.world.fault("seek", 10) {
            return Err("broker away".into());
        }
        self.positions.extend(offsets);
        Ok(())
    }

    fn pause(&mut self, partitions: &[i32]) -> Result<(), String> {
        self.paused.extend(partitions);
        Ok(())
    }

    fn resume(&mut self, partitions: &[i32]) -> Result<(), String> {
        self.paused.retain(|partition| !partitions.contains(partition));
        Ok(())
    }

    fn rejoin(&mut self) -> Result<(), String> {
        if self.world.fault("rejoin", 5) {
            return Err("broker away".into());
        }
        (self.positions, self.paused) = Default::default();
        self.world.join(self.instance);
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, Option<i64>>, String> {
        if self.world.fault("committed", 20) {
            return Err("broker away".into());
        }
        Ok(partitions.iter().map(|partition| (*partition, Some(self.world.committed(*partition)))).collect())
    }

    fn begin(&mut self) -> Result<(), TxnError> {
        self.not_failed()?;
        assert!(self.open.is_none(), "began twice");
        self.fail("begin", 60)?;
        self.open = Some(Vec::new());
        Ok(())
    }

    fn produce(&mut self, record: OutRecord) -> Result<(), TxnError> {
        self.not_failed()?;
        self.maybe_sleep()?;
        self.fail("produce", 200)?;
        self.open.as_mut().expect("produced outside a transaction").push(record);
        Ok(())
    }

    fn commit(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), TxnError> {
        self.not_failed()?;
        self.maybe_sleep()?;
        assert!(!offsets.is_empty(), "committed an empty transaction");
        let records = self.open.clone().expect("committed outside a transaction");
        self.fail("commit refused", 25)?;
        if self.world.fault("commit unknown, not done", 40) {
            self.broken = true;
            return Err(TxnError::Rebuild("timed out".into()));
        }
        if !self.world.commit(&records, offsets, &self.grants) {
            self.failed = true;
            return Err(TxnError::Abort("group has moved on".into()));
        }
        self.open = None;
        if self.world.fault("commit unknown, done", 40) {
            self.broken = true;
            return Err(TxnError::Rebuild("timed out".into()));
        }
        Ok(())
    }

    fn abort(&mut self) -> Result<(), TxnError> {
        self.guard()?;
        if self.world.fault("abort", 10) {
            self.broken = true;
            return Err(TxnError::Rebuild("timed out".into()));
        }
        (self.open, self.failed) = (None, false);
        Ok(())
    }

    fn rebuild(&mut self) -> Result<(), TxnError> {
        if self.world.fault("rebuild", 4) {
            return Err(TxnError::Rebuild("broker away".into()));
        }
        self.epoch = self.world.new_epoch(self.instance);
        (self.open, self.failed, self.broken) = (None, false, false);
        Ok(())
    }
}
