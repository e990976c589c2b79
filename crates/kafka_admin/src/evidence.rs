//! Gathers what partitions still say of a transaction that hangs: when it began there, and markers that it has elsewhere.

use crate::{
    Cluster, Error, Open, Outcome, TopicPartition, cluster::TRANSACTION_LOG, judge::Marker,
    transaction_log::Decided, types::Producer,
};
use std::{collections::BTreeSet, ops::ControlFlow};

/// How long before a transaction's first record logs are read: more than any transaction may last.
pub(crate) const LOOK_BACK_MS: i64 = 3_600_000;
/// How long before it the producer's previous marker is looked for first.
const LOOK_BACK_FIRST_MS: i64 = 60_000;

/// When a transaction wrote and was ended, as far as it is known: what tells its marker from those of the producer's
/// other transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "units come last")]
pub(crate) struct Window {
    /// Reading begins here.
    pub(crate) from_ms: i64,
    /// Its records were appended by then.
    pub(crate) data_until_ms: i64,
    /// Its markers were written after that.
    pub(crate) marked_from_ms: i64,
}

impl Window {
    /// Of a transaction whose decision is known.
    pub(crate) fn of(decided: &Decided, skew_ms: i64) -> Self {
        Self {
            from_ms: decided.started_ms - skew_ms,
            data_until_ms: decided.at_ms + skew_ms,
            marked_from_ms: decided.at_ms - skew_ms,
        }
    }

    /// Of one that is only seen open in a partition, from its first record to its last.
    pub(crate) fn around(open: &Open, first_ms: i64) -> Self {
        Self {
            from_ms: first_ms - LOOK_BACK_MS,
            data_until_ms: open.last_ms,
            // A marker of the same millisecond may be the predecessor's.
            marked_from_ms: first_ms + 1,
        }
    }
}

/// Looks for the marker of a transaction among the batches of its producer.
#[derive(Debug)]
struct Search {
    window: Window,
    has_data: bool,
    found: Option<(Outcome, i64)>,
}

impl Search {
    /// A batch of the producer: data where `marker` is none.
    fn see(
        &mut self,
        marker: Option<Outcome>,
        offset: i64,
        (first_ms, last_ms): (i64, i64),
    ) -> ControlFlow<()> {
        match marker {
            None => self.has_data |= last_ms >= self.window.from_ms && first_ms <= self.window.data_until_ms,
            Some(outcome) if self.has_data && last_ms >= self.window.marked_from_ms => {
                self.found = Some((outcome, offset));
                return ControlFlow::Break(());
            }
            Some(_) => self.has_data = false,
        }
        ControlFlow::Continue(())
    }
}

/// The transaction's markers in partitions that have theirs.
pub(crate) fn markers(
    cluster: &mut Cluster,
    producer_id: i64,
    window: Window,
    partitions: &BTreeSet<TopicPartition>,
) -> Result<Vec<Marker>, Error> {
    let mut markers = Vec::new();
    for at in partitions.iter().filter(|at| at.topic != TRANSACTION_LOG) {
        if cluster.leader(at).is_none() {
            continue;
        }
        let Some(from) = cluster.offset_at(at, window.from_ms)? else { continue };
        let mut search = Search { window, has_data: false, found: None };
        cluster.read(at, from, &mut |batch| {
            let marker = batch.marker();
            if batch.producer_id != producer_id || (marker.is_none() && !batch.is_transactional_data()) {
                return Ok(ControlFlow::Continue(()));
            }
            Ok(search.see(marker, batch.first_offset, (batch.first_ms, batch.last_ms)))
        })?;
        markers.extend(search.found.map(|(outcome, offset)| Marker { at: at.clone(), offset, outcome }));
    }
    Ok(markers)
}

/// When a producer's last marker before an open transaction was written in its partition; looks back a minute, then an
/// hour.
pub(crate) fn last_marker_ms(
    cluster: &mut Cluster,
    open: &Open,
    first_ms: i64,
) -> Result<Option<i64>, Error> {
    for back_ms in [LOOK_BACK_FIRST_MS, LOOK_BACK_MS] {
        let Some(from) = cluster.offset_at(&open.at, first_ms - back_ms)? else { continue };
        let mut last = None;
        cluster.read(&open.at, from, &mut |batch| {
            if batch.first_offset >= open.start_offset {
                return Ok(ControlFlow::Break(()));
            }
            if batch.producer_id == open.producer_id && batch.marker().is_some() {
                last = Some(batch.last_ms);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

/// Partitions that a producer has written and that hold nothing of its open.
pub(crate) fn closed(producers: &[Producer], producer_id: i64) -> BTreeSet<TopicPartition> {
    let is_closed = |producer: &&Producer| producer.id == producer_id && producer.open_from.is_none();
    producers.iter().filter(is_closed).map(|producer| producer.at.clone()).collect()
}

/// When the first record of an open transaction was appended, and whether a broker says so; none when it is gone.
pub(crate) fn first_record(cluster: &mut Cluster, open: &Open) -> Result<Option<(i64, bool)>, Error> {
    let mut found = None;
    cluster.read(&open.at, open.start_offset, &mut |batch| {
        // The broker itself stamps what it writes into its own topics.
        let is_brokers = batch.is_append_time() || open.at.topic.starts_with("__");
        found = (batch.producer_id == open.producer_id).then_some((batch.first_ms, is_brokers));
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Abort, Commit};

    type Seen = (Option<Outcome>, i64);

    fn search(window: Window, seen: &[Seen]) -> Option<(Outcome, i64)> {
        let mut search = Search { window, has_data: false, found: None };
        for (offset, (marker, ms)) in (0..).zip(seen) {
            if search.see(*marker, offset, (*ms, *ms)).is_break() {
                break;
            }
        }
        search.found
    }

    #[test]
    fn a_decided_transaction_finds_its_own_marker() {
        let window = Window { from_ms: 100, data_until_ms: 200, marked_from_ms: 200 };
        for (seen, expected) in [
            (&[(None, 150), (Some(Commit), 210)][..], Some((Commit, 1))),
            // The predecessor's marker, and one for data of the successor.
            (&[(Some(Abort), 90), (None, 150), (Some(Commit), 205)], Some((Commit, 2))),
            (&[(Some(Commit), 201), (None, 300), (Some(Abort), 310)], None),
            // Its own was lost here, too, and the successor's ended both.
            (&[(None, 150), (None, 300), (Some(Abort), 310)], Some((Abort, 2))),
            (&[(None, 150)], None),
        ] {
            assert_eq!(search(window, seen), expected, "{seen:?}");
        }
    }

    #[test]
    fn a_transaction_that_is_only_seen_open_finds_the_marker_of_what_lies_within_it() {
        let open = Open {
            at: TopicPartition::new("t", 0),
            producer_id: 7,
            producer_epoch: 0,
            coordinator_epoch: 0,
            start_offset: 5,
            last_ms: 1_200,
        };
        let window = Window::around(&open, 1_000);
        for (seen, expected) in [
            (&[(None, 1_100), (Some(Commit), 1_300)][..], Some((Commit, 1))),
            (&[(None, 900), (Some(Commit), 1_300)], Some((Commit, 1))),
            // The predecessor's, even in the millisecond of the first record.
            (&[(None, 900), (Some(Commit), 1_000), (None, 1_100), (Some(Abort), 1_300)], Some((Abort, 3))),
            // The successor's data came after the last record that is open.
            (&[(None, 1_201), (Some(Abort), 1_300)], None),
        ] {
            assert_eq!(search(window, seen), expected, "{seen:?}");
        }
    }
}
