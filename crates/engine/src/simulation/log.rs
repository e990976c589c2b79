//! One instance's side of the model broker: its consumer, its producer and the transaction it has open.
//!
//! A process may be killed within any call, before it or after it.

use super::{
    broker::{Fenced, TRANSACTION_TIMEOUT},
    group::News,
    world::{INPUT, SNAPSHOTS, World},
};
use crate::exactly_once::log::{
    Log, OutRecord, Polled, Reader, RecordView, RestoreHandler, Restored, Take, TxnError, reaches, settled,
};
use crate::mutation::{self, Mutation};
use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

/// What a SIGKILL within a call unwinds with.
pub(crate) struct Killed;

/// The model's log for one instance.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct ModelLog {
    world: World,
    instance: usize,
    epoch: u64,
    /// Grants of partitions as of the last news heard.
    grants: BTreeMap<i32, u64>,
    /// Next offset to read of each assigned partition.
    positions: BTreeMap<i32, i64>,
    paused: Vec<i32>,
    is_open: bool,
    /// A record of the open transaction has not reached the broker; said when it is to be committed.
    undelivered: bool,
    /// Set when a call has failed such that only a new producer helps.
    broken: bool,
    /// Set when a call has failed such that the transaction must be aborted.
    failed: bool,
}

impl From<Fenced> for TxnError {
    fn from(_: Fenced) -> Self {
        Self::Fenced("newer epoch".into())
    }
}

fn view<'a>(
    partition: i32,
    offset: i64,
    record: &'a OutRecord,
    headers: &'a Vec<(String, Option<Vec<u8>>)>,
) -> RecordView<'a> {
    RecordView {
        partition,
        offset,
        timestamp_ms: 1_000 + offset,
        key: Some(&record.key),
        value: record.value.as_deref(),
        headers,
    }
}

impl ModelLog {
    /// An instance that takes its transactional id over and joins the group; none while its predecessor's markers are on
    /// their way.
    pub(crate) fn start(world: &World, instance: usize) -> Option<Self> {
        let is_patient = !world.chance(3);
        let epoch = world.broker().init(instance, is_patient)?;
        world.group().join(instance);
        Some(Self {
            world: world.clone(),
            instance,
            epoch,
            grants: BTreeMap::new(),
            positions: BTreeMap::new(),
            paused: Vec::new(),
            is_open: false,
            undelivered: false,
            broken: false,
            failed: false,
        })
    }

    fn maybe_die(&self) {
        if self.world.fault("killed in a call", 1_500) {
            std::panic::resume_unwind(Box::new(Killed));
        }
    }

    fn guard(&self) -> Result<(), TxnError> {
        self.maybe_die();
        if self.world.broker().epoch(self.instance) != self.epoch {
            return Err(Fenced.into());
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

    /// A call takes time; now and then the machine sleeps in it for longer than a transaction may take.
    fn take_time(&mut self) -> Result<(), TxnError> {
        if self.world.chance(20) {
            self.world.pass(Duration::from_millis(self.world.dice(15)));
        }
        if self.is_open && self.world.fault("suspended", 300) {
            self.world.pass(TRANSACTION_TIMEOUT);
        }
        self.guard()
    }

    /// A restore polls the group, and whatever comes of partitions that are read on is gone.
    fn poll_meanwhile(&mut self) {
        for (partition, position) in &mut self.positions {
            if !self.paused.contains(partition)
                && let Some((offset, _)) = self.world.broker().next(INPUT, *partition, *position)
            {
                *position = offset + 1;
            }
        }
    }

    /// Hands the next record of any partition over; none when there is none.
    fn hand_over(&mut self, take: Take<'_>) -> Option<ControlFlow<()>> {
        let readable: Vec<i32> =
            self.positions.keys().filter(|p| !self.paused.contains(p)).copied().collect();
        if readable.is_empty() {
            return None;
        }
        let partition = readable[self.world.dice(readable.len() as u64) as usize];
        let (offset, record) = self.world.broker().next(INPUT, partition, self.positions[&partition])?;
        if !self.world.fault("read again", 20) {
            self.positions.insert(partition, offset + 1);
        }
        Some(take(&view(partition, offset, &record, &Vec::new())))
    }

    fn fail(&mut self, what: &'static str, one_in: u64) -> Result<(), TxnError> {
        if self.world.fault(what, one_in) {
            self.failed = true;
            return Err(TxnError::Abort(what.into()));
        }
        Ok(())
    }

    /// A call whose answer does not come.
    fn is_unknown(&mut self, what: &'static str, one_in: u64) -> Result<(), TxnError> {
        if self.world.fault(what, one_in) {
            self.broken = true;
            return Err(TxnError::Rebuild("timed out".into()));
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
        visit: RestoreHandler<'_>,
    ) -> Result<(), String> {
        self.maybe_die();
        self.poll_meanwhile();
        if self.world.fault("restore", 20) {
            return Err("broker away".into());
        }
        let topic = match what {
            Restored::Input => INPUT,
            Restored::Snapshots => SNAPSHOTS,
        };
        let (records, mut end) = {
            let broker = self.world.broker();
            let (stable, high) = broker.ends(topic, partition);
            if until.is_none()
                && let Err(why) = settled(&format!("{topic}/{partition}"), stable, high)
            {
                drop(broker);
                self.world.count("snapshot not settled");
                return Err(why);
            }
            (broker.visible(topic, partition, from.unwrap_or_default()), stable)
        };
        // A leader that has just been elected may not know yet how far its log is committed.
        if what == Restored::Input && self.world.fault("end told early", 10) {
            end -= self.world.dice(end.unsigned_abs().max(1)) as i64;
        }
        let breaks_after = self.world.fault("restore, half of it", 30).then(|| self.world.dice(8));
        let headers = Vec::new();
        for (count, (offset, record)) in (0_u64..).zip(&records) {
            if breaks_after == Some(count) {
                return Err("connection lost".into());
            }
            if *offset >= end || until.is_some_and(|until| *offset >= until) {
                break;
            }
            visit(&view(partition, *offset, record, &headers))?;
        }
        reaches(&format!("{topic}/{partition}"), end, until)
    }
}

impl Log for ModelLog {
    fn poll(&mut self, _wait: Duration, take: Take<'_>) -> Polled {
        self.maybe_die();
        if self.world.dice(3) == 0 {
            let news = self.world.next_news(self.instance);
            match news {
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
        let mut polled = Polled::Idle;
        for _ in 0..self.world.fetched() {
            let Some(flow) = self.hand_over(take) else { break };
            polled = Polled::Read;
            if flow.is_break() {
                break;
            }
        }
        polled
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
        self.world.group().given_up(partitions);
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
        self.world.group().join(self.instance);
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, Option<i64>>, String> {
        self.maybe_die();
        if self.world.fault("committed", 20) {
            return Err("broker away".into());
        }
        let mut offsets = BTreeMap::new();
        for partition in partitions {
            let committed = self.world.broker().committed(*partition);
            if committed.is_none() {
                self.world.count("offset pending");
                return Err("a transaction is pending on it".into());
            }
            offsets.insert(*partition, committed);
        }
        Ok(offsets)
    }

    fn begin(&mut self) -> Result<(), TxnError> {
        self.not_failed()?;
        assert!(!self.is_open, "began twice");
        self.fail("begin", 60)?;
        let (id, epoch, now) = (self.instance, self.epoch, self.world.now());
        self.world.broker().begin(id, epoch, now)?;
        (self.is_open, self.undelivered) = (true, false);
        Ok(())
    }

    fn produce(&mut self, record: OutRecord) -> Result<(), TxnError> {
        self.not_failed()?;
        self.take_time()?;
        assert!(self.is_open, "produced outside a transaction");
        self.fail("produce", 200)?;
        if self.undelivered || self.world.fault("not delivered", 300) {
            // Nothing of a batch that comes after one that was lost is taken.
            self.undelivered = true;
            return Ok(());
        }
        let (id, epoch) = (self.instance, self.epoch);
        Ok(self.world.broker().append(id, epoch, record)?)
    }

    fn commit(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), TxnError> {
        self.not_failed()?;
        self.take_time()?;
        assert!(self.is_open, "committed outside a transaction");
        let is_mutant =
            mutation::is(Mutation::SnapshotBefore) || mutation::is(Mutation::SnapshotBeforeAndMarkerBeyond);
        assert!(is_mutant || !offsets.is_empty(), "committed a transaction without an offset");
        let (id, epoch) = (self.instance, self.epoch);
        self.fail("offsets refused", 50)?;
        if !self.world.group().takes_offsets(offsets.keys(), &self.grants) {
            self.failed = true;
            return Err(TxnError::Abort("group has moved on".into()));
        }
        self.world.broker().add_offsets(id, epoch, offsets)?;
        self.is_unknown("offsets unknown", 60)?;
        self.maybe_die();
        if self.undelivered {
            self.failed = true;
            return Err(TxnError::Abort("a record was not delivered".into()));
        }
        self.fail("commit refused", 25)?;
        self.is_unknown("commit unknown, not done", 40)?;
        self.world.broker().end(id, epoch, true)?;
        self.is_open = false;
        self.maybe_die();
        self.is_unknown("commit unknown, done", 40)
    }

    fn abort(&mut self) -> Result<(), TxnError> {
        self.guard()?;
        self.is_unknown("abort", 10)?;
        if self.is_open {
            let (id, epoch) = (self.instance, self.epoch);
            self.world.broker().end(id, epoch, false)?;
        }
        (self.is_open, self.failed) = (false, false);
        Ok(())
    }

    fn rebuild(&mut self) -> Result<(), TxnError> {
        self.maybe_die();
        if self.world.fault("rebuild", 4) {
            return Err(TxnError::Rebuild("broker away".into()));
        }
        let is_patient = !self.world.chance(3);
        let Some(epoch) = self.world.broker().init(self.instance, is_patient) else {
            self.world.count("markers on their way");
            return Err(TxnError::Rebuild("transaction before is still ending".into()));
        };
        self.epoch = epoch;
        (self.is_open, self.failed, self.broken) = (false, false, false);
        Ok(())
    }
}
