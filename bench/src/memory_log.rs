//! A log in memory, whose every call succeeds at once: what is left of a loop's cost on it is the loop's own.

use crate::{
    codec::Sample,
    generator::{Generated, Job},
};
use engine::{
    Observer,
    log::{Log, OutRecord, Polled, Reader, RecordView, RestoreHandler, Restored, Take, TxnError},
    shape::Fate,
    shapes::{Took, Witness},
};
use processor::Emission;
use schemas::Record as _;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

/// A record of the input.
#[derive(Debug)]
struct Kept {
    partition: i32,
    offset: i64,
    key: String,
    value: Vec<u8>,
}

/// What a loop has done with a log.
#[derive(Debug, Default)]
pub(crate) struct Done {
    is_read: bool,
    committed: BTreeMap<i32, i64>,
    written: BTreeMap<Arc<str>, usize>,
}

impl Done {
    /// Whether all of the input was handed over.
    pub(crate) fn is_read(&self) -> bool {
        self.is_read
    }

    /// Records written.
    pub(crate) fn written(&self) -> usize {
        self.written.values().sum()
    }

    /// Records written to a topic.
    #[cfg(test)]
    pub(crate) fn written_to(&self, topic: &str) -> usize {
        self.written.get(topic).copied().unwrap_or_default()
    }

    /// Inputs up to the offsets committed.
    #[cfg(test)]
    pub(crate) fn committed(&self) -> u64 {
        self.committed.values().map(|offset| *offset as u64).sum()
    }
}

/// The input of a loop.
#[derive(Debug)]
pub(crate) struct MemoryLog {
    input: Vec<Kept>,
    next: usize,
    offered: Vec<i32>,
    done: Rc<RefCell<Done>>,
}

impl MemoryLog {
    /// The records of a job, and what becomes of them.
    pub(crate) fn of(sample: Sample, job: Job) -> (Self, Rc<RefCell<Done>>) {
        let kept = |(generated, value): (Generated, Vec<u8>)| Kept {
            partition: generated.partition,
            offset: generated.offset,
            key: generated.record.key(),
            value,
        };
        let input: Vec<Kept> = job.generate().zip(sample.into_encoded()).map(kept).collect();
        let committed: BTreeMap<i32, i64> = input.iter().map(|kept| (kept.partition, 0)).collect();
        let offered = committed.keys().copied().collect();
        let done = Rc::new(RefCell::new(Done { committed, ..Done::default() }));
        (Self { input, next: 0, offered, done: Rc::clone(&done) }, done)
    }
}

impl Reader for MemoryLog {
    fn read(
        &mut self,
        _: Restored,
        _: i32,
        _: (Option<i64>, Option<i64>),
        _: RestoreHandler<'_>,
    ) -> Result<(), String> {
        Ok(())
    }
}

impl Log for MemoryLog {
    fn poll(&mut self, _: Duration, take: Take<'_>) -> Polled {
        if !self.offered.is_empty() {
            return Polled::Assigned(std::mem::take(&mut self.offered));
        }
        if self.next == self.input.len() {
            return Polled::Idle;
        }
        let headers = Vec::new();
        while let Some(kept) = self.input.get(self.next) {
            self.next += 1;
            let record = RecordView {
                partition: kept.partition,
                offset: kept.offset,
                timestamp_ms: 0,
                key: Some(kept.key.as_bytes()),
                value: Some(&kept.value),
                headers: &headers,
            };
            if take(&record).is_break() {
                break;
            }
        }
        self.done.borrow_mut().is_read = self.next == self.input.len();
        Polled::Read
    }

    fn assign(&mut self, _: &BTreeMap<i32, i64>) -> Result<(), String> {
        Ok(())
    }

    fn unassign(&mut self, _: &[i32]) -> Result<(), String> {
        Ok(())
    }

    fn seek(&mut self, _: &BTreeMap<i32, i64>) -> Result<(), String> {
        Err("nothing fails here, so that nothing is read again".to_owned())
    }

    fn pause(&mut self, _: &[i32]) -> Result<(), String> {
        Ok(())
    }

    fn resume(&mut self, _: &[i32]) -> Result<(), String> {
        Ok(())
    }

    fn rejoin(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<BTreeMap<i32, Option<i64>>, String> {
        let committed = &self.done.borrow().committed;
        Ok(partitions.iter().map(|partition| (*partition, committed.get(partition).copied())).collect())
    }

    fn begin(&mut self) -> Result<(), TxnError> {
        Ok(())
    }

    fn produce(&mut self, record: OutRecord) -> Result<(), TxnError> {
        *self.done.borrow_mut().written.entry(record.topic).or_default() += 1;
        Ok(())
    }

    fn commit(&mut self, offsets: &BTreeMap<i32, i64>) -> Result<(), TxnError> {
        self.done.borrow_mut().committed.extend(offsets);
        Ok(())
    }

    fn abort(&mut self) -> Result<(), TxnError> {
        Ok(())
    }

    fn rebuild(&mut self) -> Result<(), TxnError> {
        Ok(())
    }
}

/// Hears of the work and keeps nothing of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unheard;

impl Observer for Unheard {
    fn fate(&mut self, _: &Fate) {}
    fn committed(&mut self, _: usize, _: Duration) {}
    fn waiting(&mut self, _: &str) {}
    fn recovering(&mut self, _: &str) {}
    fn recovered(&mut self) {}
    fn assigned(&mut self, _: &[i32]) {}

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl Witness for Unheard {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn made(&self, _: &'static str, _: &RecordView<'_>, _: &[Emission], _: Took) {}
}
