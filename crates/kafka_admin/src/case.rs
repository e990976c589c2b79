//! The case of the transactions that hang: evidence gathered for all of them, and a verdict for each.

use crate::{
    Cluster, Error, Hanging, Open, TopicPartition,
    cluster::{TRANSACTION_LOG, partition_of_key},
    evidence::{Window, closed, first_record, last_marker_ms, markers},
    history::History,
    judge::{Evidence, Marker, judge},
    offsets_log::pending,
    questions::Described,
    transaction_log::Decided,
    types::Producer,
};
use std::collections::{BTreeMap, BTreeSet};

/// By how much the clocks of several brokers may differ.
const SKEW_MS: i64 = 5_000;

/// When each first record was appended, and whether a broker says so; none where it is gone.
pub(crate) type First = Option<(i64, bool)>;

pub(crate) fn firsts(cluster: &mut Cluster, open: &[Open]) -> Result<Vec<First>, Error> {
    open.iter().map(|open| first_record(cluster, open)).collect()
}

fn stamped(first: First) -> Option<i64> {
    first.filter(|(_, is_brokers)| *is_brokers).map(|(ms, _)| ms)
}

pub(crate) fn history(
    cluster: &mut Cluster,
    open: &[Open],
    firsts: &[First],
    described: &[Described],
) -> Result<History, Error> {
    let producers: BTreeSet<i64> = open.iter().map(|open| open.producer_id).collect();
    let known = described.iter().filter(|one| producers.contains(&one.producer_id));
    let ids = known.map(|one| (one.producer_id, one.transactional_id.clone())).collect();
    let all: Option<Vec<i64>> = firsts.iter().copied().map(stamped).collect();
    History::read(cluster, ids, &producers, all.and_then(|all| all.into_iter().min()))
}

pub(crate) fn judged(
    cluster: &mut Cluster,
    history: History,
    producers: &[Producer],
    hanging: &[(Open, First)],
) -> Result<Vec<Hanging>, Error> {
    let open: Vec<Open> = hanging.iter().map(|(open, _)| open.clone()).collect();
    let mut case = Case { cluster, history, producers, open: &open, markers: BTreeMap::new() };
    hanging.iter().map(|(open, first)| case.judge(open, *first)).collect()
}

/// What is known of all that hangs.
struct Case<'a> {
    cluster: &'a mut Cluster,
    history: History,
    producers: &'a [Producer],
    open: &'a [Open],
    /// Markers found, by producer and by the place of the decision or the offset of what is open.
    markers: BTreeMap<(i64, i64, i64), Vec<Marker>>,
}

impl Case<'_> {
    fn judge(&mut self, open: &Open, first: First) -> Result<Hanging, Error> {
        let skew_ms = if self.cluster.brokers().len() > 1 { SKEW_MS } else { 0 };
        let first_ms = stamped(first);
        let history = std::mem::take(&mut self.history);
        let decided = history.naming(open);
        let covering = decided.iter().copied().find(|one| first_ms.is_some_and(|ms| one.at_ms >= ms));
        let (last_marker_ms, markers) = match first_ms {
            Some(first_ms) => (
                last_marker_ms(self.cluster, open, first_ms)?,
                self.markers(open, first_ms, covering, skew_ms)?,
            ),
            None => (None, Vec::new()),
        };
        let is_log_whole = history.is_whole;
        let verdict = judge(&Evidence { first_ms, last_marker_ms, skew_ms, decided, is_log_whole, markers });
        let id = history.ids.get(&open.producer_id).cloned();
        let hanging = Hanging {
            open: open.clone(),
            since_ms: first.map(|(ms, _)| ms),
            groups: pending(self.cluster, open)?,
            marker_epoch: covering
                .map_or(open.producer_epoch, |one| one.producer_epoch.max(open.producer_epoch)),
            marker_coordinator_epoch: self.coordinator_epoch(id.as_deref(), open),
            transactional_id: id,
            verdict,
        };
        self.history = history;
        Ok(hanging)
    }

    fn markers(
        &mut self,
        open: &Open,
        first_ms: i64,
        covering: Option<&Decided>,
        skew_ms: i64,
    ) -> Result<Vec<Marker>, Error> {
        let id = open.producer_id;
        let (key, window, mut partitions) = match covering {
            Some(decided) => {
                let (partition, offset) = decided.place;
                ((id, i64::from(partition), offset), Window::of(decided, skew_ms), decided.partitions.clone())
            }
            None => ((id, -1, first_ms), Window::around(open, first_ms), closed(self.producers, id)),
        };
        partitions.retain(|at| !self.open.iter().any(|open| open.producer_id == id && open.at == *at));
        if let Some(found) = self.markers.get(&key) {
            return Ok(found.clone());
        }
        let found = markers(self.cluster, id, window, &partitions)?;
        self.markers.insert(key, found.clone());
        Ok(found)
    }

    /// Epoch of the coordinator that has the id now, else of the one that wrote here last: a marker with a higher one
    /// would shut the real coordinator out.
    fn coordinator_epoch(&self, id: Option<&str>, open: &Open) -> i32 {
        let log = |id: &str| {
            let count = self.cluster.partition_count(TRANSACTION_LOG);
            TopicPartition::new(TRANSACTION_LOG, partition_of_key(id, count))
        };
        let leader = id.and_then(|id| self.cluster.leader(&log(id)));
        leader.map_or(open.coordinator_epoch.max(0), |leader| leader.epoch.max(open.coordinator_epoch))
    }
}
