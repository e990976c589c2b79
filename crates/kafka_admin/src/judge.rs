//! Weighs what is known of a hanging transaction.
//!
//! Pure. A partition that has its marker decides for those that have none. Where there is no such partition the
//! coordinator's log does: its decision covers a record that was appended before it was made. Invariant: where the
//! evidence allows both outcomes there is no verdict.

use crate::{Doubt, Outcome, Proof, TopicPartition, Verdict, transaction_log::Decided};

/// What is known of a hanging transaction of one producer in one partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence<'a> {
    /// When its first record was appended, by the broker's clock; none where a producer stamped it, or it is gone.
    pub(crate) first_ms: Option<i64>,
    /// When the producer's last marker in this partition was written: it ended what was decided before it.
    pub(crate) last_marker_ms: Option<i64>,
    /// By how much the clocks of coordinator and leader may differ.
    pub(crate) skew_ms: i64,
    /// The producer's decisions that name the partition, in the log's order.
    pub(crate) decided: Vec<&'a Decided>,
    /// Nothing has been compacted out of the log since before the first record.
    pub(crate) is_log_whole: bool,
    /// Markers of the same transaction in other partitions.
    pub(crate) markers: Vec<Marker>,
}

/// A marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) at: TopicPartition,
    pub(crate) offset: i64,
    pub(crate) outcome: Outcome,
}

/// Weighs the evidence.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Verdict {
    match by_markers(evidence) {
        Some(verdict) => verdict,
        None => by_log(evidence),
    }
}

fn by_markers(evidence: &Evidence<'_>) -> Option<Verdict> {
    let first_of = |outcome| evidence.markers.iter().find(|marker| marker.outcome == outcome);
    let marker = match (first_of(Outcome::Commit), first_of(Outcome::Abort)) {
        (None, None) => return None,
        (Some(commit), Some(abort)) => {
            return Some(Err(Doubt::Torn { commit: commit.at.clone(), abort: abort.at.clone() }));
        }
        (Some(marker), None) | (None, Some(marker)) => marker,
    };
    let log = by_log(evidence).ok().filter(|proof| matches!(proof, Proof::Log { .. }));
    Some(Ok(Proof::Marker {
        outcome: marker.outcome,
        at: marker.at.clone(),
        offset: marker.offset,
        log: log.map(|proof| proof.outcome()).filter(|outcome| *outcome != marker.outcome),
    }))
}

fn by_log(evidence: &Evidence<'_>) -> Verdict {
    let (covering, near) = sorted(evidence);
    let agree = |decided: &[&Decided], outcome| decided.iter().all(|one| one.outcome == outcome);
    if let Some(first) = covering.first() {
        if !agree(&covering, first.outcome) || !agree(&near, first.outcome) {
            return Err(Doubt::Mixed);
        }
        return Ok(Proof::Log {
            outcome: first.outcome,
            transactional_id: first.transactional_id.clone(),
            partition: first.place.0,
            offset: first.place.1,
        });
    }
    if !agree(&near, Outcome::Abort) {
        return Err(Doubt::Clocks);
    }
    if evidence.is_log_whole { Ok(Proof::NeverDecided) } else { Err(Doubt::Forgotten) }
}

/// Decisions made after the first record was appended, and those of which the times do not tell. The others were over
/// before it.
fn sorted<'a>(evidence: &Evidence<'a>) -> (Vec<&'a Decided>, Vec<&'a Decided>) {
    let Some(first_ms) = evidence.first_ms else { return (Vec::new(), evidence.decided.clone()) };
    // Where it seems younger than the record that follows it, the clock was set back.
    let marked_ms = evidence.last_marker_ms.filter(|marked_ms| *marked_ms <= first_ms);
    let is_over = |decided: &Decided| {
        let is_clock_steady = decided.started_ms <= decided.at_ms;
        is_clock_steady && marked_ms.is_some_and(|marked_ms| decided.at_ms + evidence.skew_ms <= marked_ms)
    };
    let left = evidence.decided.iter().copied().filter(|decided| !is_over(decided));
    left.partition(|decided| decided.at_ms >= first_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Abort, Commit};
    use std::collections::BTreeSet;

    fn decided(outcome: Outcome, at_ms: i64) -> Decided {
        Decided {
            transactional_id: "segmenter-0-0".to_owned(),
            producer_id: 7,
            producer_epoch: 3,
            outcome,
            partitions: BTreeSet::from([TopicPartition::new("t", 0)]),
            started_ms: at_ms - 50,
            at_ms,
            place: (2, at_ms),
        }
    }

    fn marker(outcome: Outcome, partition: i32) -> Marker {
        Marker { at: TopicPartition::new("t", partition), offset: 40, outcome }
    }

    /// The producer's last marker is of 950 ms, the first record after it of 1,000 ms.
    fn by_decisions(decisions: &[(Outcome, i64)], skew_ms: i64, is_log_whole: bool) -> Verdict {
        let all: Vec<Decided> = decisions.iter().map(|(outcome, ms)| decided(*outcome, *ms)).collect();
        judge(&Evidence {
            first_ms: Some(1_000),
            last_marker_ms: Some(950),
            skew_ms,
            decided: all.iter().collect(),
            is_log_whole,
            markers: Vec::new(),
        })
    }

    fn log(outcome: Outcome, offset: i64) -> Proof {
        let transactional_id = "segmenter-0-0".to_owned();
        Proof::Log { outcome, transactional_id, partition: 2, offset }
    }

    #[test]
    fn the_log_decides_by_what_was_decided_after_the_first_record() {
        for (decisions, skew_ms, is_whole, expected) in [
            // One decision after it: that one, compacted log or not.
            (&[(Commit, 1_010)][..], 0, true, Ok(log(Commit, 1_010))),
            (&[(Abort, 1_010)], 0, false, Ok(log(Abort, 1_010))),
            (&[(Commit, 1_000)], 0, false, Ok(log(Commit, 1_000))),
            // Earlier transactions ended with their markers.
            (&[(Abort, 900), (Commit, 1_010)], 0, false, Ok(log(Commit, 1_010))),
            (&[(Commit, 940), (Abort, 1_010)], 0, false, Ok(log(Abort, 1_010))),
            // One without its marker may have left records, too.
            (&[(Abort, 960), (Commit, 1_010)], 0, false, Err(Doubt::Mixed)),
            (&[(Commit, 960), (Commit, 1_010)], 0, false, Ok(log(Commit, 1_010))),
            // Two lost their markers: only if they agree.
            (&[(Commit, 1_010), (Commit, 5_000)], 0, false, Ok(log(Commit, 1_010))),
            (&[(Commit, 1_010), (Abort, 5_000)], 0, true, Err(Doubt::Mixed)),
            // Between brokers the times tell less.
            (&[(Abort, 900), (Commit, 1_010)], 200, true, Err(Doubt::Mixed)),
            (&[(Abort, 700), (Commit, 1_010)], 200, true, Ok(log(Commit, 1_010))),
        ] {
            assert_eq!(by_decisions(decisions, skew_ms, is_whole), expected, "{decisions:?}, skew {skew_ms}");
        }
    }

    #[test]
    fn what_nobody_decided_is_aborted_only_where_the_log_is_whole() {
        for (decisions, skew_ms, is_whole, expected) in [
            (&[][..], 0, true, Ok(Proof::NeverDecided)),
            (&[], 0, false, Err(Doubt::Forgotten)),
            // A record that came after its transaction was over belongs to none.
            (&[(Commit, 900)], 0, true, Ok(Proof::NeverDecided)),
            (&[(Commit, 900)], 0, false, Err(Doubt::Forgotten)),
            // Its marker was lost: it is what hangs, and the clock was set back, or it has nothing here.
            (&[(Commit, 960)], 0, true, Err(Doubt::Clocks)),
            (&[(Commit, 900)], 200, false, Err(Doubt::Clocks)),
            (&[(Abort, 960)], 0, true, Ok(Proof::NeverDecided)),
            (&[(Abort, 960)], 0, false, Err(Doubt::Forgotten)),
        ] {
            assert_eq!(by_decisions(decisions, skew_ms, is_whole), expected, "{decisions:?}, skew {skew_ms}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_proves_nothing() {
        let decided_before_it_began = Decided { started_ms: 990, ..decided(Commit, 500) };
        let judged = |decided: &Decided, last_marker_ms| {
            let (first_ms, last_marker_ms) = (Some(1_000), Some(last_marker_ms));
            judge(&Evidence {
                first_ms,
                last_marker_ms,
                decided: vec![decided],
                is_log_whole: true,
                ..Evidence::default()
            })
        };
        assert_eq!(judged(&decided_before_it_began, 980), Err(Doubt::Clocks));
        // A marker that seems younger than the record after it ended nothing that was decided later.
        assert_eq!(judged(&decided(Commit, 1_010), 5_000), Ok(log(Commit, 1_010)));
    }

    #[test]
    fn a_record_that_no_broker_stamped_is_near_every_decision() {
        let (commit, abort) = (decided(Commit, 1_010), decided(Abort, 2_000));
        let judged = |decided: Vec<&Decided>| {
            judge(&Evidence { first_ms: None, decided, is_log_whole: true, ..Evidence::default() })
        };
        assert_eq!(judged(vec![&commit]), Err(Doubt::Clocks));
        assert_eq!(judged(vec![&commit, &abort]), Err(Doubt::Clocks));
        assert_eq!(judged(vec![&abort]), Ok(Proof::NeverDecided));
        assert_eq!(judged(vec![]), Ok(Proof::NeverDecided));
    }

    #[test]
    fn partitions_that_have_a_marker_decide_for_the_others() {
        let committed = decided(Commit, 1_010);
        let judged = |markers: Vec<Marker>, decided| {
            let evidence = Evidence { first_ms: Some(1_000), markers, decided, ..Evidence::default() };
            judge(&evidence).map(|proof| proof.to_string())
        };
        for (markers, decided, expected) in [
            (vec![marker(Commit, 1)], vec![], Ok("t/1 has its COMMIT at offset 40")),
            (vec![marker(Abort, 1), marker(Abort, 2)], vec![], Ok("t/1 has its ABORT at offset 40")),
            (vec![marker(Commit, 1)], vec![&committed], Ok("t/1 has its COMMIT at offset 40")),
            (
                vec![marker(Abort, 1)],
                vec![&committed],
                Ok("t/1 has its ABORT at offset 40, although the coordinator decided COMMIT"),
            ),
        ] {
            assert_eq!(judged(markers, decided), expected.map(str::to_owned));
        }
        let torn = judged(vec![marker(Abort, 1), marker(Commit, 2)], vec![&committed]);
        let (commit, abort) = (TopicPartition::new("t", 2), TopicPartition::new("t", 1));
        assert_eq!(torn, Err(Doubt::Torn { commit, abort }));
    }

    #[test]
    fn proofs_and_doubts_are_told_as_sentences() {
        let told = by_decisions(&[(Commit, 1_010)], 0, true).map(|proof| proof.to_string());
        assert_eq!(
            told.as_deref(),
            Ok("the coordinator decided COMMIT for segmenter-0-0: __transaction_state/2, offset 1010")
        );
        assert_eq!(by_decisions(&[], 0, true).map(|proof| proof.outcome()), Ok(Abort));
        let doubts = [Doubt::Mixed, Doubt::Clocks, Doubt::Forgotten].map(|doubt| doubt.to_string());
        assert!(doubts.iter().all(|doubt| doubt.len() > 40), "{doubts:?}");
    }
}
