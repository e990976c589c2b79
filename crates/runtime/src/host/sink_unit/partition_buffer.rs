//! One claimed partition: the batch being filled, and what waits behind it.

use super::{AGE_MAX, BYTES_MAX, RECORDS_MAX};
use crate::{
    host::{blast_radius::At, supervisor::Failure},
    sink::{AnyDecoder, Claim, PartitionId, SinkBatch, SinkRecord},
};
use engine::{
    dead_letter::{self, Cause, Origin},
    guard::{Guard, Rejected},
    let_through::Orders,
    log::OwnedRecord,
    shapes::outlet::{Bound, chain},
    wire_check::{Placement, WireFault},
};
use processor::AnyRecord;
use std::{
    rc::Rc,
    time::{Duration, Instant},
};

/// One input of the sink.
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) origin: Origin,
    pub(super) decoder: AnyDecoder,
    pub(super) placement: Placement,
    pub(super) is_dlq_owner: bool,
    pub(super) guard: Guard,
    /// Where its dead letters go, by way of the outbox.
    pub(super) letters: Rc<Bound>,
}

impl Input {
    /// Counts an input of the sink for its guard.
    pub(super) fn observe(&mut self, rejected: Option<Rejected>) -> Result<(), Failure> {
        let at = At { unit: self.origin.stage, topic: &self.origin.topic };
        self.guard.observe(rejected).map_err(|tripped| at.tripped(&tripped))
    }

    /// The record, if it passes the wire check.
    pub(super) fn read(&mut self, raw: &OwnedRecord) -> Result<Box<dyn AnyRecord>, WireFault> {
        let record = (self.decoder)(raw.value.as_deref(), raw.timestamp_ms)?;
        self.placement.check(record.as_ref(), raw.key.as_deref(), raw.partition)?;
        Ok(record)
    }

    /// The dead letter of a record, such that the outbox' source can write it.
    pub(super) fn letter(&self, cause: &Cause, raw: &OwnedRecord) -> Result<SinkRecord, String> {
        let letter = dead_letter::letter(&self.letters, (&self.origin, cause), &raw.view());
        let (letter, _) = letter.map_err(|error| chain(&error))?;
        Ok(SinkRecord::DeadLetter(Box::new(letter)))
    }
}

/// A record as read, until its batch is written: its bytes are needed if it has to be dead-lettered.
pub(super) struct Held {
    pub(super) raw: OwnedRecord,
    pub(super) input: usize,
}

/// One claimed partition.
pub(super) struct PartitionBuffer {
    pub(super) batch: SinkBatch,
    pub(super) held: Vec<Held>,
    pub(super) bytes: usize,
    pub(super) since: Option<Instant>,
    pub(super) retry: Option<(Instant, Duration)>,
    /// The registry was away for this record: everything after it waits.
    pub(super) undecided: Vec<Held>,
    /// What an operator has ordered to let past the guard.
    pub(super) orders: Orders,
}

impl PartitionBuffer {
    pub(super) fn new(partition: PartitionId, claim: Claim, orders: Orders) -> Self {
        let batch = SinkBatch { partition, claim, records: Vec::new(), next_offset: claim.next_offset };
        Self { batch, held: Vec::new(), bytes: 0, since: None, retry: None, undecided: Vec::new(), orders }
    }

    pub(super) fn take(&mut self, record: SinkRecord, held: Held) {
        self.pass(held.raw.offset);
        self.bytes += held.raw.value.as_ref().map_or(0, Vec::len);
        self.batch.records.push(record);
        self.held.push(held);
    }

    /// Moves the offset over a record that leaves nothing.
    pub(super) fn pass(&mut self, offset: i64) {
        self.batch.next_offset = offset + 1;
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_due(&self, idle: bool) -> bool {
        let Some(since) = self.since else { return false };
        idle || self.batch.records.len() >= RECORDS_MAX
            || self.bytes >= BYTES_MAX
            || since.elapsed() >= AGE_MAX
    }

    pub(super) fn written(&mut self) {
        self.batch.claim.next_offset = self.batch.next_offset;
        self.batch.records.clear();
        self.held.clear();
        self.bytes = 0;
        self.since = None;
    }

    /// Turns one record of the batch into a dead letter; which input it was of.
    pub(super) fn bury(&mut self, offset: i64, cause: &Cause, inputs: &[Input]) -> Result<usize, String> {
        let Some(index) = self.held.iter().position(|held| held.raw.offset == offset) else {
            return Err(format!("sink refused offset {offset}, which is not in its batch: {}", cause.detail));
        };
        if matches!(self.batch.records[index], SinkRecord::DeadLetter(_)) {
            return Err(format!("sink refused the dead letter of offset {offset}: {}", cause.detail));
        }
        let held = &self.held[index];
        self.batch.records[index] = inputs[held.input].letter(cause, &held.raw)?;
        Ok(held.input)
    }
}
