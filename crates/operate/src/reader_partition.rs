//! Where a reader stands in a partition, and how what lies before it comes to be known.

use runtime::observe::Partition;
use state::SinkOffset;
use std::collections::BTreeMap;

/// Longest distance that is counted by reading; beyond it the distance stands for the count.
pub const COUNT_OFFSETS_MAX: i64 = 10_000;

/// Where a reader stands in a partition, and where the partition ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offsets {
    /// Next offset to read; none when it has none.
    pub(super) position: Option<i64>,
    pub(super) low: i64,
    pub(super) stable: i64,
    pub(super) high: i64,
}

/// How the records before a reader come to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// There are none.
    Nothing,
    /// Read all of them.
    Count,
    /// Read the first for its age, and take the distance.
    Estimate,
}

impl Offsets {
    /// Where reading would go on: what is gone from the topic cannot be read.
    pub(super) fn start(self) -> i64 {
        self.position.unwrap_or(self.low).max(self.low)
    }

    pub(super) fn to_stable(self) -> i64 {
        (self.stable - self.start()).max(0)
    }

    pub(super) fn to_end(self) -> i64 {
        (self.high - self.start()).max(0)
    }

    pub(super) fn measure(self) -> Measure {
        match self.to_stable() {
            0 => Measure::Nothing,
            1..=COUNT_OFFSETS_MAX => Measure::Count,
            _ => Measure::Estimate,
        }
    }

    pub(super) fn problem(self, unit: &str) -> Option<String> {
        match self.position {
            None => Some(format!(
                "no committed offset: a new group gets its offsets from `gistmill topology apply`, an expired one \
                 from `gistmill reset {unit}`"
            )),
            Some(position) if position < self.low => Some(format!(
                "next offset {position} is gone, the topic begins at {}: data expired, see `gistmill reset {unit}`",
                self.low
            )),
            Some(position) if position > self.high => Some(format!(
                "next offset {position} is past the topic's end {}: the topic was made anew, see `gistmill reset \
                 {unit}`",
                self.high
            )),
            Some(_) => None,
        }
    }
}

/// What reading before a reader has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) count: u64,
    /// Append time of the first record, in ms.
    pub(super) first_ms: Option<i64>,
    /// Records by tenant, as their keys tell.
    pub(super) tenants: BTreeMap<String, u64>,
}

/// A partition before one reader.
pub(super) struct ReaderPartition<'a> {
    pub(super) unit: &'a str,
    /// `processor` or `sink`.
    pub(super) kind: &'static str,
    /// Logical topic.
    pub(super) topic: &'a str,
    pub(super) partition: Partition,
    pub(super) offsets: Offsets,
    pub(super) seen: Seen,
    /// Value of the first record, where somebody may be waiting with it.
    pub(super) first: Option<Vec<u8>>,
}

impl Seen {
    /// Takes a record in.
    pub(super) fn count(&mut self, append_time_ms: i64, key: Option<&[u8]>) {
        self.count += 1;
        self.first_ms.get_or_insert(append_time_ms);
        let tenant = key.and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| key.split_once('/'));
        let tenant = tenant.map_or("", |(tenant, _)| tenant);
        *self.tenants.entry(tenant.to_owned()).or_default() += 1;
    }
}

impl<'a> ReaderPartition<'a> {
    pub(super) fn new(
        (unit, kind): (&'a str, &'static str),
        topic: &'a str,
        partition: Partition,
        position: Option<i64>,
    ) -> Self {
        let offsets = Offsets { position, low: 0, stable: 0, high: 0 };
        Self { unit, kind, topic, partition, offsets, seen: Seen::default(), first: None }
    }
}

/// Where a sink goes on in a partition; none when it has stored nothing of it.
pub(super) fn stored(sinks: &[SinkOffset], sink: &str, topic: &str, partition: i32) -> Option<i64> {
    let is_it = |offset: &&SinkOffset| {
        offset.consumer_group == sink && offset.topic == topic && offset.partition == partition
    };
    sinks.iter().find(is_it).map(|offset| offset.next_offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(position: Option<i64>, stable: i64, high: i64) -> Offsets {
        Offsets { position, low: 10, stable, high }
    }

    #[test]
    fn positions_outside_the_topic_are_problems() {
        let problem = |position| offsets(position, 50, 50).problem("topic").unwrap_or_default();
        assert!(problem(None).starts_with("no committed offset"));
        assert!(
            problem(Some(9)).contains("the topic begins at 10: data expired, see `gistmill reset topic`")
        );
        assert!(problem(Some(51)).contains("past the topic's end 50"));
        assert_eq!(problem(Some(50)), "");
        assert_eq!(offsets(None, 50, 50).to_stable(), 40);
        assert_eq!(offsets(Some(60), 50, 50).to_end(), 0);
    }

    #[test]
    fn records_are_counted_by_the_tenant_of_their_key() {
        let mut seen = Seen::default();
        for (time, key) in [(5, Some(&b"acme/qa"[..])), (3, Some(b"acme/dev")), (9, None), (9, Some(&[255]))]
        {
            seen.count(time, key);
        }
        assert_eq!((seen.count, seen.first_ms), (4, Some(5)));
        assert_eq!(seen.tenants, BTreeMap::from([("acme".to_owned(), 2), (String::new(), 2)]));
    }
}
