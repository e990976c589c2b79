//! Processors for the simulator, small enough to be checked by eye, and what one undisturbed pass over them gives.

use super::world::{PARTITIONS, World};
use crate::{
    engine::{
        log::{OutRecord, OwnedRecord, Reader, RecordView, Restored},
        shape::{Accepted, Fate, Replayed, Shape},
    },
    wire_check::Placement,
};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Processor,
    Lookup,
    Fold,
}

/// Key of the record that ends a snapshot.
pub(super) const MARKER: &[u8] = b"marker";

/// A processor of any kind: copies each record; the Fold adds how many of its key it has seen.
pub(super) struct AnyShape {
    kind: Kind,
    world: World,
    counts: BTreeMap<i32, BTreeMap<Vec<u8>, u64>>,
    asked: Vec<OwnedRecord>,
}

fn out(text: &str) -> OutRecord {
    OutRecord {
        topic: "out".into(),
        partition: Some(0),
        key: Vec::new(),
        value: Some(text.as_bytes().to_vec()),
        headers: Vec::new(),
    }
}

fn text(record: &RecordView<'_>) -> String {
    String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned()
}

/// The dead letter of a record that lies in another partition than its key's.
fn misplaced(record: &RecordView<'_>) -> Option<Fate> {
    let placement = Placement { partitions: PARTITIONS };
    let misplaced = placement.check_partition(record.key.unwrap_or_default(), record.partition).err()?;
    let reason = misplaced.reason();
    Some(Fate::DeadLetter(Box::new(out(&format!("{}-{reason}", text(record)))), reason))
}

/// Every fifth record is dropped, every eleventh a dead letter, the rest copied.
fn copied(record: &RecordView<'_>) -> Fate {
    if let Some(fate) = misplaced(record) {
        return fate;
    }
    let text = text(record);
    match record.offset {
        offset if offset % 5 == 4 => Fate::Drop("fifth"),
        offset if offset % 11 == 10 => Fate::DeadLetter(Box::new(out(&format!("{text}-dead"))), "eleventh"),
        _ => Fate::Emit(vec![out(&text)]),
    }
}

fn counted(counts: &mut BTreeMap<Vec<u8>, u64>, record: &RecordView<'_>) -> Fate {
    if let Some(fate) = misplaced(record) {
        return fate;
    }
    let count = counts.entry(record.key.unwrap_or_default().to_vec()).or_default();
    *count += 1;
    if count.is_multiple_of(3) {
        Fate::Emit(vec![out(&format!("{}-{count}", text(record)))])
    } else {
        Fate::Emit(Vec::new())
    }
}

/// What one pass over the input emits, by partition, in order.
pub(super) fn oracle(kind: Kind, input: &BTreeMap<i32, Vec<OwnedRecord>>) -> BTreeMap<i32, Vec<String>> {
    let pass = |records: &Vec<OwnedRecord>| {
        let mut counts = BTreeMap::new();
        let mut emitted = Vec::new();
        for record in records {
            let view = record.view();
            let fate = match kind {
                Kind::Processor | Kind::Lookup => copied(&view),
                Kind::Fold => counted(&mut counts, &view),
            };
            let records = match fate {
                Fate::Emit(records) => records,
                Fate::DeadLetter(record, _) => vec![*record],
                _ => Vec::new(),
            };
            emitted.extend(
                records.iter().map(|out| String::from_utf8_lossy(out.value.as_ref().unwrap()).into_owned()),
            );
        }
        emitted
    };
    input.iter().map(|(partition, records)| (*partition, pass(records))).collect()
}

impl AnyShape {
    pub(super) fn new(kind: Kind, world: &World) -> Self {
        Self { kind, world: world.clone(), counts: BTreeMap::new(), asked: Vec::new() }
    }
}

impl Shape for AnyShape {
    fn is_stateful(&self) -> bool {
        self.kind == Kind::Fold
    }

    fn accept(&mut self, record: &RecordView<'_>) -> Accepted {
        if self.world.fault("registry", 40) {
            return Accepted::Stalled("registry away".into());
        }
        match self.kind {
            Kind::Processor => Accepted::Done(copied(record)),
            Kind::Fold => Accepted::Done(counted(self.counts.entry(record.partition).or_default(), record)),
            Kind::Lookup => {
                self.asked.push(record.detach());
                Accepted::Pending
            }
        }
    }

    fn completed(&mut self) -> Option<(i32, i64, Fate)> {
        if self.asked.is_empty() || self.world.dice(3) == 0 {
            return None;
        }
        let record = self.asked.swap_remove(self.world.dice(self.asked.len() as u64) as usize);
        Some((record.partition, record.offset, copied(&record.view())))
    }

    fn in_flight(&self) -> usize {
        self.asked.len()
    }

    fn forget(&mut self, partitions: &[i32]) {
        self.counts.retain(|partition, _| !partitions.contains(partition));
        self.asked.retain(|record| !partitions.contains(&record.partition));
    }

    fn restore(
        &mut self,
        partition: i32,
        committed: i64,
        reader: &mut dyn Reader,
    ) -> Result<Replayed, String> {
        let mut counts = BTreeMap::new();
        let mut marker = None;
        reader.read(Restored::Snapshots, partition, (None, None), &mut |record| {
            let number = text(record).parse::<u64>().ok();
            match (record.key.unwrap_or_default(), number) {
                (MARKER, number) => marker = number.map(|number| number as i64),
                (key, Some(number)) => drop(counts.insert(key.to_vec(), number)),
                (_, None) => return Err("not a count".into()),
            }
            Ok(())
        })?;
        if marker.is_none() {
            counts.clear();
        }
        let range = (marker, Some(committed));
        reader.read(Restored::Input, partition, range, &mut |record| {
            counted(&mut counts, record);
            Ok(())
        })?;
        self.counts.insert(partition, counts);
        Ok(Replayed(marker != Some(committed)))
    }

    fn snapshot(&mut self, partition: i32, next_offset: i64, records: &mut Vec<OutRecord>) {
        let counts = self.counts.get(&partition).cloned().unwrap_or_default();
        let record = |key: &[u8], number: i64| OutRecord {
            topic: "snapshots".into(),
            partition: Some(partition),
            key: key.to_vec(),
            value: Some(number.to_string().into_bytes()),
            headers: Vec::new(),
        };
        records.extend(counts.iter().map(|(key, count)| record(key, *count as i64)));
        records.push(record(MARKER, next_offset));
    }

    fn void_snapshot(&self, partition: i32) -> Option<OutRecord> {
        Some(OutRecord {
            topic: "snapshots".into(),
            partition: Some(partition),
            key: MARKER.to_vec(),
            value: None,
            headers: Vec::new(),
        })
    }
}
