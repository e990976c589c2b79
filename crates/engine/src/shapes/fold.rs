//! Shape 3: keyed state, restored from snapshots and the input between their marker and the committed offset.
//!
//! Invariant: the state of a partition is the fold of its input up to the last accepted record, whichever way it
//! came to be.

use super::{
    Inlet, admitted,
    outlet::Outlet,
    snapshot::{Marker, Parts, part_records, tombstone},
};
use crate::exactly_once::{
    log::{OutRecord, Reader, RecordView, Restored},
    shape::{Accepted, Fate, Replayed, Shape},
};
use crate::mutation::{self, Mutation};
use processor::{Fold, FoldState};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tracing::warn;

/// State of one key.
#[derive(Default)]
struct Kept<S> {
    state: S,
    /// It was stepped since the last snapshot.
    is_touched: bool,
}

/// State of one partition.
struct Keys<S> {
    states: HashMap<Vec<u8>, Kept<S>>,
    /// Keys stepped since the last snapshot, each once.
    touched: Vec<Vec<u8>>,
    /// Records of a snapshot that could not be used, to be buried by the next one: mixed with it they would be
    /// state from another life.
    stale: Vec<Vec<u8>>,
}

impl<S> Default for Keys<S> {
    fn default() -> Self {
        Self { states: HashMap::new(), touched: Vec::new(), stale: Vec::new() }
    }
}

impl<S: Default> Keys<S> {
    /// Steps the state of a key on, which is then one of those for the next snapshot. A key of which only refused input
    /// has come is not remembered.
    fn step<T, E>(&mut self, key: &[u8], step: impl FnOnce(&mut S) -> Result<T, E>) -> Result<T, E> {
        if let Some(kept) = self.states.get_mut(key) {
            let result = step(&mut kept.state);
            if result.is_ok() && !std::mem::replace(&mut kept.is_touched, true) {
                self.touched.push(key.to_vec());
            }
            return result;
        }
        let mut kept = Kept { state: S::default(), is_touched: true };
        let result = step(&mut kept.state);
        if result.is_ok() {
            self.touched.push(key.to_vec());
            self.states.insert(key.to_vec(), kept);
        }
        result
    }
}

/// Whether a snapshot is written as this release writes its state.
fn is_ours(marker: &Marker, state_version: u32) -> bool {
    marker.state_version == state_version || mutation::is(Mutation::AnyRelease)
}

/// Whether a snapshot is of no more input than has been committed.
fn is_covered(marker: &Marker, committed: i64) -> bool {
    marker.next_offset <= committed
        || mutation::is(Mutation::MarkerBeyond)
        || mutation::is(Mutation::SnapshotBeforeAndMarkerBeyond)
}

/// A Fold fitted to the engine.
pub struct FoldShape<F: Fold> {
    fold: Arc<F>,
    inlet: Inlet<F::In>,
    outlet: Outlet,
    /// Physical topic of snapshots.
    snapshots: Arc<str>,
    partitions: BTreeMap<i32, Keys<F::State>>,
}

impl<F: Fold> std::fmt::Debug for FoldShape<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoldShape").finish_non_exhaustive()
    }
}

impl<F: Fold> FoldShape<F> {
    /// A Fold without state, which writes its snapshots to the physical topic `snapshots`.
    pub fn new(fold: Arc<F>, inlet: Inlet<F::In>, outlet: Outlet, snapshots: Arc<str>) -> Self {
        Self { fold, inlet, outlet, snapshots, partitions: BTreeMap::new() }
    }

    /// Steps over one record. What is replayed has been told to metrics and traces when it was first stepped over.
    fn step(&mut self, record: &RecordView<'_>, is_replay: bool) -> Accepted {
        let event = match admitted(&mut self.inlet, &self.outlet, record) {
            Ok(event) => event,
            Err(accepted) => return accepted,
        };
        self.outlet.witness.read(self.outlet.origin.stage, record, &event.value);
        let keys = self.partitions.entry(record.partition).or_default();
        // The wire check has found it to be that of the record.
        let key = record.key.unwrap_or_default();
        let began = self.outlet.witness.now();
        let result = keys.step(key, |state| self.fold.step(state, &event));
        Accepted::Done(if is_replay {
            self.outlet.fate(result, record)
        } else {
            self.outlet.ended(result, record, began)
        })
    }

    /// Reads the snapshot; the offset it is as of, or `None` when there is none that can be used.
    fn read_snapshot(
        &mut self,
        partition: i32,
        committed: i64,
        reader: &mut dyn Reader,
    ) -> Result<Option<i64>, String> {
        let mut parts = Parts::default();
        reader.read(Restored::Snapshots, partition, (None, None), &mut |record| {
            parts.visit(record);
            Ok(())
        })?;
        let usable = parts
            .marker
            .clone()
            .filter(|marker| is_ours(marker, F::STATE_VERSION) && is_covered(marker, committed));
        let stale = if mutation::is(Mutation::StaleKept) { Vec::new() } else { parts.keys() };
        let states = match usable {
            Some(marker) => Self::states(parts).map(|states| Some((marker.next_offset, states))),
            None => Ok(None),
        };
        let keys = self.partitions.entry(partition).or_default();
        match states {
            Ok(Some((next_offset, states))) => {
                keys.states = states;
                return Ok(Some(next_offset));
            }
            Ok(None) => {}
            // Trying again would find the same bytes.
            Err(why) => {
                warn!(fold = F::NAME, partition, why, "snapshot is damaged, reading the input instead");
            }
        }
        keys.stale = stale;
        Ok(None)
    }

    fn states(parts: Parts) -> Result<HashMap<Vec<u8>, Kept<F::State>>, String> {
        let mut states: HashMap<Vec<u8>, Kept<F::State>> = HashMap::new();
        for ((key, part), value) in parts.into_values()? {
            let kept = states.entry(key).or_default();
            kept.state.restore(&part, &value).map_err(|error| error.to_string())?;
        }
        Ok(states)
    }
}

impl<F: Fold> Shape for FoldShape<F> {
    fn is_stateful(&self) -> bool {
        true
    }

    fn accept(&mut self, record: &RecordView<'_>) -> Accepted {
        self.step(record, false)
    }

    fn forget(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.partitions.remove(partition);
        }
    }

    fn restore(
        &mut self,
        partition: i32,
        committed: i64,
        reader: &mut dyn Reader,
    ) -> Result<Replayed, String> {
        let from = self.read_snapshot(partition, committed, reader)?;
        if from == Some(committed) {
            return Ok(Replayed(false));
        }
        let mut replay = |record: &RecordView<'_>| match self.step(record, true) {
            Accepted::Stalled(why) => Err(why),
            Accepted::Done(Fate::Emit(_) | Fate::Drop(_) | Fate::LeftToOwner(_) | Fate::DeadLetter(..))
            | Accepted::Pending => Ok(()),
        };
        let from = from.filter(|_| !mutation::is(Mutation::ReplayFromStart));
        reader.read(Restored::Input, partition, (from, Some(committed)), &mut replay)?;
        Ok(Replayed(true))
    }

    fn snapshot(&mut self, partition: i32, next_offset: i64, out: &mut Vec<OutRecord>) {
        let Some(keys) = self.partitions.get_mut(&partition) else { return };
        for key in std::mem::take(&mut keys.stale) {
            out.push(tombstone(&self.snapshots, partition, key));
        }
        let mut touched = std::mem::take(&mut keys.touched);
        touched.sort_unstable();
        for key in touched {
            if let Some(Kept { state, is_touched }) = keys.states.get_mut(&key) {
                *is_touched = false;
                state.drain_changes(&mut |part, value| {
                    part_records(&self.snapshots, partition, (&key, part), value.as_deref(), out);
                });
            }
        }
        let marker = Marker { next_offset, state_version: F::STATE_VERSION };
        out.push(marker.record(&self.snapshots, partition));
    }

    fn void_snapshot(&self, partition: i32) -> Option<OutRecord> {
        Some(Marker::void(&self.snapshots, partition))
    }
}
