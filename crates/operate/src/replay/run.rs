//! How far a replay has come, as a record of the topic of positions.
//!
//! Invariant: it is written in the transaction of the records that it counts, so that who goes on repeats none and leaves
//! none out.

use super::super::{Bounds, Error, LetterPlace, LetterSelection, position::topic};
use engine::log::OutRecord;
use runtime::{
    Config,
    observe::{Broker, Scanner, Span},
};
use schemas::identity_hash;
use serde::{Deserialize, Serialize};
use state::LetterState;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    time::{Duration, Instant},
};
use topology::Map;

/// Key of the record, and name of the transactional id.
pub(super) const IDENTITY: &str = "dlq_replay";
/// Longest wait for transactions of others in the topic of positions.
const OTHERS_MAX: Duration = Duration::from_secs(40);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A replay: what it is of, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayRun {
    /// Its name: the same for the same letters of the same moment.
    pub id: String,
    /// Which letters.
    pub selection: LetterSelection,
    /// In which states they were.
    pub states: Vec<String>,
    /// Records with a wrong key or partition are put where they belong.
    pub rekey: bool,
    /// Replays after which an input is parked.
    pub attempts_max: i32,
    /// Ends of the partitions of dead letters when it began.
    pub ends: BTreeMap<i32, i64>,
    /// Next offset to look at of each.
    pub next: BTreeMap<i32, i64>,
    /// Inputs written again so far.
    pub replayed: u64,
    /// Letters of its last transaction: what became of them may not be in the database yet.
    pub last: Vec<LetterPlace>,
    /// Nothing is left to do.
    pub is_done: bool,
}

impl ReplayRun {
    pub(super) fn begin(
        selection: LetterSelection,
        states: &BTreeSet<LetterState>,
        (rekey, attempts_max): (bool, i32),
        ends: BTreeMap<i32, i64>,
    ) -> Self {
        let states: Vec<String> = states.iter().map(ToString::to_string).collect();
        let parts = [format!("{selection:?}"), states.join(" "), rekey.to_string(), format!("{ends:?}")];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let mut id = identity_hash("replay", &parts).simple().to_string();
        id.truncate(12);
        let (next, last) = (BTreeMap::new(), Vec::new());
        Self { id, selection, states, rekey, attempts_max, ends, next, replayed: 0, last, is_done: false }
    }

    /// Whether it is the same order as another.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let order = |run: &Self| (run.selection.clone(), run.states.clone(), run.rekey);
        order(self) == order(other)
    }

    /// Whether it has passed a letter.
    pub(super) fn has_passed(&self, place: LetterPlace) -> bool {
        self.next.get(&place.partition).is_some_and(|next| place.offset < *next)
    }

    /// Whether a letter was there when it began.
    pub(super) fn covers(&self, place: LetterPlace) -> bool {
        self.ends.get(&place.partition).is_some_and(|end| place.offset < *end)
    }

    /// The record that says so.
    pub(super) fn record(&self, topic: &str) -> Result<OutRecord, Error> {
        let value = serde_json::to_vec(self).map_err(|error| Error::Refused(error.to_string()))?;
        Ok(OutRecord {
            topic: topic.into(),
            partition: Some(0),
            key: IDENTITY.as_bytes().to_vec(),
            value: Some(value),
            headers: Vec::new(),
        })
    }

    /// In words.
    pub(super) fn told(&self) -> String {
        let order = serde_json::to_string(&self.selection).unwrap_or_default();
        let rekey = if self.rekey { " with --rekey" } else { "" };
        format!("a replay of {order}{rekey} was interrupted after {} inputs", self.replayed)
    }
}

/// The newest run that is on the log, done or not. `is_exact`: also one behind transactions of others that are open still,
/// for which this waits.
pub(super) fn newest(
    config: &Config,
    map: &Map,
    broker: &Broker<'_>,
    is_exact: bool,
) -> Result<Option<ReplayRun>, Error> {
    let logical = topic(map)?;
    let partitions = broker.partitions(logical)?;
    let highs = broker.highs(&partitions)?;
    let began = Instant::now();
    let bounds = loop {
        let bounds = broker.bounds(&partitions)?;
        let reached = |(partition, bounds): (_, &Bounds)| {
            highs.get(partition).is_none_or(|high| bounds.stable >= *high)
        };
        if !is_exact || bounds.iter().all(reached) {
            break bounds;
        }
        if began.elapsed() > OTHERS_MAX {
            return Err(Error::Refused(format!(
                "transactions of others have been open in {logical} for {} s, and what the last replay did may lie behind \
                 them: `gistmill txn ls` shows one that hangs",
                OTHERS_MAX.as_secs()
            )));
        }
        std::thread::park_timeout(LOOK_AGAIN);
    };
    let span = |bounds: &Bounds| Span { from: bounds.low, until: bounds.stable };
    let spans = bounds.iter().map(|((_, partition), bounds)| (*partition, span(bounds))).collect();
    let mut found = None;
    Scanner::new(broker, true).scan(&config.prefix.topic(logical), &spans, &mut |record| {
        if record.key == Some(IDENTITY.as_bytes()) {
            found = record.value.map(serde_json::from_slice::<ReplayRun>);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    found.transpose().map_err(|error| {
        Error::Refused(format!("what the last replay did is written in another release's words: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_knows_what_it_covers_and_what_it_has_passed() {
        let states = BTreeSet::from([LetterState::Open]);
        let begin = |rekey, end| {
            ReplayRun::begin(LetterSelection::default(), &states, (rekey, 3), BTreeMap::from([(0, end)]))
        };
        let mut run = begin(false, 10);
        let place = |partition, offset| LetterPlace { partition, offset };
        assert!(run.covers(place(0, 9)) && !run.covers(place(0, 10)) && !run.covers(place(1, 0)));
        assert!(!run.has_passed(place(0, 0)));
        run.next.insert(0, 4);
        assert!(run.has_passed(place(0, 3)) && !run.has_passed(place(0, 4)) && !run.has_passed(place(1, 0)));
        assert!(run.is_like(&begin(false, 12)) && !run.is_like(&begin(true, 10)));
        assert_ne!(begin(false, 10).id, begin(false, 12).id);
        let record = run.record("t").expect("encodes");
        let read: ReplayRun = serde_json::from_slice(&record.value.expect("a value")).expect("decodes");
        assert_eq!(read, run);
    }
}
