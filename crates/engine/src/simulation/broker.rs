//! A model broker: logs with transactions in them, and a coordinator that decides a transaction before all logs know it.
//!
//! Its markers come late, and now and then one is forgotten: that log then holds the transaction open until an operator
//! writes what was decided. A transaction that its producer leaves open is aborted when it has timed out, or by the next
//! producer of that name.

use super::dice::Dice;
use crate::exactly_once::log::OutRecord;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Longer than any transaction is open unless its process sleeps.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_millis(200);
/// Topic of committed offsets: a transaction is pending on them until its marker is there.
const OFFSETS: &str = "offsets";
/// Once in so many markers one is forgotten, and once in so many looks an operator ends what hangs.
const FORGOTTEN: (u64, u64) = (800, 60);

/// A partition of a topic.
pub(crate) type Place = (Arc<str>, i32);

/// A newer producer of that name has begun, or the coordinator has aborted the transaction.
#[derive(Debug)]
pub(crate) struct Fenced;

#[derive(Debug)]
struct Entry {
    transaction: u64,
    /// None for a marker, and for what compaction has removed.
    record: Option<OutRecord>,
}

/// One partition.
#[derive(Debug, Default)]
struct Log {
    entries: Vec<Entry>,
    /// Transactions without a marker here, with their first offset.
    open: BTreeMap<u64, i64>,
    committed: BTreeSet<u64>,
}

impl Log {
    /// Where a `read_committed` reader stops: the last stable offset.
    fn stable(&self) -> i64 {
        self.open.values().min().copied().unwrap_or(self.entries.len() as i64)
    }

    fn mark(&mut self, transaction: u64, commits: bool) {
        self.entries.push(Entry { transaction, record: None });
        self.open.remove(&transaction);
        if commits {
            self.committed.insert(transaction);
        }
    }

    fn visible(&self, from: i64) -> impl Iterator<Item = (i64, &OutRecord)> {
        let stable = self.stable();
        let entries = self.entries.iter().enumerate().skip(usize::try_from(from).unwrap_or_default());
        entries
            .map(|(offset, entry)| (offset as i64, entry))
            .take_while(move |(offset, _)| *offset < stable)
            .filter_map(|(offset, entry)| {
                let record = entry.record.as_ref().filter(|_| self.committed.contains(&entry.transaction))?;
                Some((offset, record))
            })
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    Ongoing {
        since: Duration,
    },
    /// Decided; some logs do not know it yet.
    Ending {
        commits: bool,
    },
}

/// What the coordinator knows of a transactional id.
#[derive(Debug, Default)]
struct Producer {
    epoch: u64,
    transaction: u64,
    phase: Phase,
    /// Partitions without a marker.
    touched: BTreeSet<Place>,
}

/// A marker that nobody is going to write by itself.
#[derive(Debug)]
struct Hanging {
    place: Place,
    transaction: u64,
    commits: bool,
}

/// The model broker.
#[derive(Debug)]
pub(crate) struct Broker {
    logs: BTreeMap<Place, Log>,
    producers: [Producer; 3],
    transactions: u64,
    hanging: Vec<Hanging>,
    /// Committed offsets, each with when it was told: a marker that comes late does not put an older one back.
    offsets: BTreeMap<i32, (u64, i64)>,
    /// Offsets in transactions without a marker, and when they were told.
    pending: BTreeMap<u64, (u64, BTreeMap<i32, i64>)>,
    told: u64,
}

impl Broker {
    /// Committed offsets are 0 at first.
    pub(crate) fn new(partitions: i32) -> Self {
        Self {
            logs: BTreeMap::new(),
            producers: Default::default(),
            transactions: 0,
            hanging: Vec::new(),
            offsets: (0..partitions).map(|partition| (partition, (0, 0))).collect(),
            pending: BTreeMap::new(),
            told: 0,
        }
    }

    /// A new producer of an id: fences the one before and aborts what it has open. None while markers are on their way.
    pub(crate) fn init(&mut self, id: usize, is_patient: bool) -> Option<u64> {
        let producer = &mut self.producers[id];
        producer.epoch += 1;
        let epoch = producer.epoch;
        if let Phase::Ongoing { .. } = producer.phase {
            producer.phase = Phase::Ending { commits: false };
        }
        if is_patient {
            self.end_at_once(id);
        }
        (self.producers[id].phase == Phase::Idle).then_some(epoch)
    }

    pub(crate) fn epoch(&self, id: usize) -> u64 {
        self.producers[id].epoch
    }

    /// Somebody else's producer has begun under that id.
    pub(crate) fn fence(&mut self, id: usize) {
        self.init(id, true);
    }

    /// The client waits for the markers of its transaction before.
    pub(crate) fn begin(&mut self, id: usize, epoch: u64, now: Duration) -> Result<(), Fenced> {
        if self.producers[id].epoch != epoch {
            return Err(Fenced);
        }
        self.end_at_once(id);
        self.transactions += 1;
        let producer = &mut self.producers[id];
        assert_eq!(producer.phase, Phase::Idle, "began twice");
        (producer.transaction, producer.phase) = (self.transactions, Phase::Ongoing { since: now });
        Ok(())
    }

    fn ongoing(&mut self, id: usize, epoch: u64) -> Result<&mut Producer, Fenced> {
        let producer = &mut self.producers[id];
        let is_ours = producer.epoch == epoch && matches!(producer.phase, Phase::Ongoing { .. });
        is_ours.then_some(producer).ok_or(Fenced)
    }

    pub(crate) fn append(&mut self, id: usize, epoch: u64, record: OutRecord) -> Result<(), Fenced> {
        let producer = self.ongoing(id, epoch)?;
        let place = (Arc::clone(&record.topic), record.partition.expect("the engine names partitions"));
        producer.touched.insert(place.clone());
        let transaction = producer.transaction;
        let log = self.logs.entry(place).or_default();
        log.open.entry(transaction).or_insert(log.entries.len() as i64);
        log.entries.push(Entry { transaction, record: Some(record) });
        Ok(())
    }

    /// Offsets that are committed with the transaction.
    pub(crate) fn add_offsets(
        &mut self,
        id: usize,
        epoch: u64,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<(), Fenced> {
        let producer = self.ongoing(id, epoch)?;
        producer.touched.insert((OFFSETS.into(), 0));
        let transaction = producer.transaction;
        self.told += 1;
        self.pending.insert(transaction, (self.told, offsets.clone()));
        Ok(())
    }

    /// Decides the open transaction; the logs hear of it later.
    pub(crate) fn end(&mut self, id: usize, epoch: u64, commits: bool) -> Result<(), Fenced> {
        self.ongoing(id, epoch)?.phase = Phase::Ending { commits };
        Ok(())
    }

    fn end_at_once(&mut self, id: usize) {
        while let Phase::Ending { .. } = self.producers[id].phase {
            self.mark_next(id);
        }
    }

    /// Writes a marker of a decided transaction, the last of which makes room for the next transaction.
    fn mark_next(&mut self, id: usize) {
        let producer = &mut self.producers[id];
        let Phase::Ending { commits } = producer.phase else { return };
        let (transaction, place) = (producer.transaction, producer.touched.pop_first());
        if producer.touched.is_empty() {
            producer.phase = Phase::Idle;
        }
        if let Some(place) = place {
            self.mark(&place, transaction, commits);
        }
    }

    fn mark(&mut self, place: &Place, transaction: u64, commits: bool) {
        if &*place.0 == OFFSETS {
            let Some((told, offsets)) = self.pending.remove(&transaction).filter(|_| commits) else { return };
            for (partition, offset) in offsets {
                let (told_before, before) = self.offsets[&partition];
                if told < told_before {
                    continue;
                }
                assert!(before <= offset, "committed offset of {partition} went back: {before} to {offset}");
                self.offsets.insert(partition, (told, offset));
            }
            return;
        }
        self.logs.get_mut(place).expect("it was touched").mark(transaction, commits);
    }

    /// What a broker does by itself; the names of the faults that came of it.
    pub(crate) fn tick(&mut self, now: Duration, dice: &mut Dice) -> Vec<&'static str> {
        let mut faults = Vec::new();
        for id in 0..self.producers.len() {
            let producer = &mut self.producers[id];
            match producer.phase {
                Phase::Ongoing { since } if now.saturating_sub(since) >= TRANSACTION_TIMEOUT => {
                    producer.epoch += 1;
                    producer.phase = Phase::Ending { commits: false };
                    faults.push("timed out");
                }
                Phase::Ending { commits } => {
                    if dice.fault(FORGOTTEN.0)
                        && let Some(place) = producer.touched.pop_first()
                    {
                        let transaction = producer.transaction;
                        self.hanging.push(Hanging { place, transaction, commits });
                        if producer.touched.is_empty() {
                            producer.phase = Phase::Idle;
                        }
                        faults.push("marker forgotten");
                    } else if dice.is_calm() || dice.roll(2) == 0 {
                        self.mark_next(id);
                    } else {
                        faults.push("marker late");
                    }
                }
                _ => {}
            }
        }
        if (dice.is_calm() || dice.roll(FORGOTTEN.1) == 0)
            && let Some(Hanging { place, transaction, commits }) = self.hanging.pop()
        {
            self.mark(&place, transaction, commits);
        }
        faults
    }

    /// Keeps the newest record of each key of what is committed and stable.
    pub(crate) fn compact(&mut self, topic: &str, partition: i32) {
        let Some(log) = self.logs.get_mut(&(topic.into(), partition)) else { return };
        let newest: BTreeMap<Vec<u8>, i64> =
            log.visible(0).map(|(offset, record)| (record.key.clone(), offset)).collect();
        for offset in 0..log.stable() {
            let entry = &mut log.entries[offset as usize];
            let is_kept = log.committed.contains(&entry.transaction)
                && entry.record.as_ref().is_some_and(|record| newest[&record.key] == offset);
            if !is_kept {
                entry.record = None;
            }
        }
    }

    /// Committed records of a partition at or after an offset, as a reader sees them now.
    pub(crate) fn visible(&self, topic: &str, partition: i32, from: i64) -> Vec<(i64, OutRecord)> {
        let log = self.logs.get(&(topic.into(), partition));
        log.into_iter().flat_map(|log| log.visible(from)).map(|(at, record)| (at, record.clone())).collect()
    }

    /// The first of them.
    pub(crate) fn next(&self, topic: &str, partition: i32, from: i64) -> Option<(i64, OutRecord)> {
        let log = self.logs.get(&(topic.into(), partition))?;
        let (offset, record) = log.visible(from).next()?;
        Some((offset, record.clone()))
    }

    /// Last stable offset and high watermark.
    pub(crate) fn ends(&self, topic: &str, partition: i32) -> (i64, i64) {
        let log = self.logs.get(&(topic.into(), partition));
        log.map_or((0, 0), |log| (log.stable(), log.entries.len() as i64))
    }

    /// Committed offset; none while a transaction is pending on it.
    pub(crate) fn committed(&self, partition: i32) -> Option<i64> {
        let is_pending = self.pending.values().any(|(_, offsets)| offsets.contains_key(&partition));
        (!is_pending).then(|| self.offsets[&partition].1)
    }

    /// No transaction is open or on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        let is_idle = |producer: &Producer| producer.phase == Phase::Idle;
        self.producers.iter().all(is_idle) && self.hanging.is_empty() && self.pending.is_empty()
    }
}
