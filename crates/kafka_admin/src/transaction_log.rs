//! Records of `__transaction_state`: what coordinators have decided. The format is Kafka's own
//! (`TransactionLogKey.json`, `TransactionLogValue.json`).

use crate::{Outcome, TopicPartition, decoding::Bytes};
use std::collections::BTreeSet;

/// A decision of a coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) transactional_id: String,
    pub(crate) producer_id: i64,
    /// Epoch of the markers: that of the transaction, or one more where the coordinator raised it.
    pub(crate) producer_epoch: i16,
    pub(crate) outcome: Outcome,
    /// Partitions that the markers are for.
    pub(crate) partitions: BTreeSet<TopicPartition>,
    /// When the transaction's first partition was added, in ms of the coordinator's clock.
    pub(crate) started_ms: i64,
    /// When it was decided.
    pub(crate) at_ms: i64,
    /// Where the decision lies: partition and offset of the log.
    pub(crate) place: (i32, i64),
}

/// The transactional id that a record is about.
pub(crate) fn transactional_id(key: &[u8]) -> Option<&str> {
    let mut key = Bytes::new(key);
    match key.i16()? {
        0 => key.string(),
        _ => None,
    }
}

/// State of a transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    /// The coordinator goes on with it: it is being written, or its markers are on their way.
    pub(crate) is_ongoing: bool,
    /// Set in the two states in which a decision has been made and markers are on their way.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) partitions: BTreeSet<TopicPartition>,
    pub(crate) updated_ms: i64,
    pub(crate) started_ms: i64,
}

/// The state that a record holds; none for a format of the future.
pub(crate) fn state(value: &[u8]) -> Option<State> {
    let mut value = Bytes::new(value);
    match value.i16()? {
        0 => {}
        1 => value = value.flexible(),
        _ => return None,
    }
    let (producer_id, producer_epoch, _timeout_ms) = (value.i64()?, value.i16()?, value.i32()?);
    let (is_ongoing, outcome) = match value.i8()? {
        // Ongoing, and being fenced.
        1 | 7 => (true, None),
        2 => (true, Some(Outcome::Commit)),
        3 => (true, Some(Outcome::Abort)),
        _ => (false, None),
    };
    let mut partitions = BTreeSet::new();
    for _ in 0..value.count()? {
        let topic = value.string()?;
        for _ in 0..value.count()? {
            partitions.insert(TopicPartition::new(topic, value.i32()?));
        }
        value.tags()?;
    }
    let (updated_ms, started_ms) = (value.i64()?, value.i64()?);
    Some(State { producer_id, producer_epoch, is_ongoing, outcome, partitions, updated_ms, started_ms })
}

impl State {
    /// The decision that it records, if it records one.
    pub(crate) fn decided(&self, transactional_id: &str, place: (i32, i64)) -> Option<Decided> {
        Some(Decided {
            transactional_id: transactional_id.to_owned(),
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            outcome: self.outcome?,
            partitions: self.partitions.clone(),
            started_ms: self.started_ms,
            at_ms: self.updated_ms,
            place,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Producer 9, epoch 4, timeout 30 s, status, t/1 and t/5, updated at 200, started at 100.
    fn bytes(version: u8, status: u8) -> Vec<u8> {
        let mut value = vec![0, version];
        value.extend(9_i64.to_be_bytes());
        value.extend(4_i16.to_be_bytes());
        value.extend(30_000_i32.to_be_bytes());
        value.push(status);
        let (topics, partitions): (&[u8], &[u8]) =
            if version == 0 { (b"\0\0\0\x01\0\x01t", b"\0\0\0\x02") } else { (b"\x02\x02t", b"\x03") };
        value.extend(topics);
        value.extend(partitions);
        value.extend([1_i32, 5].iter().flat_map(|partition| partition.to_be_bytes()));
        value.extend(if version == 0 { &b""[..] } else { &b"\0"[..] });
        value.extend(200_i64.to_be_bytes());
        value.extend(100_i64.to_be_bytes());
        value.extend(if version == 0 { &b""[..] } else { &b"\x01\0\x08\0\0\0\0\0\0\0\x07"[..] });
        value
    }

    #[test]
    fn both_formats_are_read_and_only_preparing_is_deciding() {
        for version in [0, 1] {
            for (status, is_ongoing, outcome) in [
                (0, false, None),
                (1, true, None),
                (2, true, Some(Outcome::Commit)),
                (3, true, Some(Outcome::Abort)),
                (4, false, None),
                (5, false, None),
                (7, true, None),
            ] {
                let state = state(&bytes(version, status)).expect("readable");
                let found = (state.is_ongoing, state.outcome);
                assert_eq!(found, (is_ongoing, outcome), "version {version}, status {status}");
                assert_eq!((state.producer_id, state.producer_epoch), (9, 4));
                assert_eq!((state.started_ms, state.updated_ms), (100, 200));
                assert_eq!(state.partitions.len(), 2);
                assert!(state.partitions.contains(&TopicPartition::new("t", 5)));
            }
        }
    }

    #[test]
    fn a_decision_keeps_who_and_where() {
        let decided =
            state(&bytes(1, 2)).expect("readable").decided("segmenter-0-0", (3, 88)).expect("decided");
        assert_eq!((decided.transactional_id.as_str(), decided.place), ("segmenter-0-0", (3, 88)));
        assert_eq!(state(&bytes(1, 4)).expect("readable").decided("x", (0, 0)), None);
    }

    #[test]
    fn what_is_unknown_or_cut_off_is_nothing() {
        assert_eq!(transactional_id(b"\0\0\0\x03a-b"), Some("a-b"));
        assert_eq!(transactional_id(b"\0\x01\0\x03a-b"), None);
        assert_eq!(transactional_id(b"\0\0\0\x09a-b"), None);
        assert_eq!(state(&bytes(2, 2)), None);
        assert_eq!(state(&bytes(1, 2)[..30]), None);
        assert_eq!(state(b""), None);
    }
}
