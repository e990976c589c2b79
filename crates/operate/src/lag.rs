//! Lag as an operator needs it, as values: how it is counted, added up and told.
//!
//! Invariant: consumable lag counts what a `read_committed` reader would still get; transaction markers and aborted
//! records are in the distances only.

use super::{
    HangingTransaction, Stalled,
    reader_partition::{Measure, Offsets, Seen},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many records a reader has before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Records.
    pub count: u64,
    /// True when it is the distance in offsets, markers and aborted records with it.
    pub is_estimate: bool,
}

impl std::ops::Add for Records {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { count: self.count + other.count, is_estimate: self.is_estimate || other.is_estimate }
    }
}

impl std::fmt::Display for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}{}", if self.is_estimate { "~" } else { "" }, self.count))
    }
}

/// Lag of one reader in one partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionLag {
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Next offset to read; none when the reader has none.
    pub position: Option<i64>,
    /// Records that a `read_committed` reader still gets.
    pub consumable: Records,
    /// Offsets up to the last stable one.
    pub to_stable: i64,
    /// Offsets up to the high watermark.
    pub to_end: i64,
    /// Seconds since the first record not yet read was appended; 0 when there is none.
    pub seconds: f64,
    /// Seconds since the oldest open transaction wrote its first record here; none when none is open.
    pub open_transaction_seconds: Option<f64>,
    /// Consumable records by tenant; empty where they are an estimate.
    pub tenants: BTreeMap<String, u64>,
    /// What is wrong with the position.
    pub problem: Option<String>,
}

impl PartitionLag {
    pub(super) fn new(
        (unit, topic, partition): (&str, &str, i32),
        offsets: Offsets,
        seen: Seen,
        open_since_ms: Option<i64>,
        now_ms: i64,
    ) -> Self {
        let consumable = match offsets.measure() {
            Measure::Nothing => Records::default(),
            Measure::Count => Records { count: seen.count, is_estimate: false },
            Measure::Estimate => Records { count: offsets.to_stable() as u64, is_estimate: true },
        };
        Self {
            topic: topic.to_owned(),
            partition,
            position: offsets.position,
            consumable,
            to_stable: offsets.to_stable(),
            to_end: offsets.to_end(),
            seconds: seen.first_ms.map_or(0.0, |first| seconds_since(first, now_ms)),
            open_transaction_seconds: open_since_ms.map(|since| seconds_since(since, now_ms)),
            tenants: if consumable.is_estimate { BTreeMap::new() } else { seen.tenants },
            problem: offsets.problem(unit),
        }
    }
}

/// A clock that runs behind the broker's gives no negative age.
fn seconds_since(ms: i64, now_ms: i64) -> f64 {
    (now_ms - ms).max(0) as f64 / 1000.0
}

/// Lag of a processor or a sink.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitLag {
    /// Its name in the map.
    pub unit: String,
    /// `processor` or `sink`.
    pub kind: &'static str,
    /// Consumers of its group that are connected now.
    pub members: usize,
    /// Sum over its partitions.
    pub consumable: Records,
    /// Sum over its partitions.
    pub to_stable: i64,
    /// Sum over its partitions.
    pub to_end: i64,
    /// Greatest of its partitions.
    pub seconds: f64,
    /// Greatest of its partitions.
    pub open_transaction_seconds: Option<f64>,
    /// Sum over its partitions.
    pub tenants: BTreeMap<String, u64>,
    /// By topic and partition.
    pub partitions: Vec<PartitionLag>,
}

impl UnitLag {
    pub(super) fn new(unit: &str, kind: &'static str, members: usize, partitions: Vec<PartitionLag>) -> Self {
        let mut tenants = BTreeMap::new();
        for (tenant, count) in partitions.iter().flat_map(|partition| &partition.tenants) {
            *tenants.entry(tenant.clone()).or_default() += count;
        }
        Self {
            unit: unit.to_owned(),
            kind,
            members,
            consumable: partitions
                .iter()
                .map(|p| p.consumable)
                .fold(Records::default(), |sum, one| sum + one),
            to_stable: partitions.iter().map(|p| p.to_stable).sum(),
            to_end: partitions.iter().map(|p| p.to_end).sum(),
            seconds: partitions.iter().map(|p| p.seconds).fold(0.0, f64::max),
            open_transaction_seconds: partitions
                .iter()
                .filter_map(|p| p.open_transaction_seconds)
                .reduce(f64::max),
            tenants,
            partitions,
        }
    }
}

/// What is still to be published of what sinks wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxState {
    /// The source that publishes it.
    pub unit: String,
    /// Processes that are connected now: one publishes, the others stand by.
    pub members: usize,
    /// Rows that it can publish.
    pub readable: u64,
    /// Rows that wait for an older transaction, in any database of the server, to end.
    pub stalled: u64,
}

/// The first window that a processor cannot read yet, because a sink has not stored all its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Who waits.
    pub unit: String,
    /// For which sink.
    pub sink: String,
    /// Partition of the sink's messages.
    pub partition: i32,
    /// The sink has to pass this offset.
    pub offset: i64,
    /// One past the last offset that it has stored; none when it has stored nothing.
    pub stored: Option<i64>,
}

/// A unit whose place is in Postgres, while Postgres does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownLag {
    /// Its name in the map.
    pub unit: String,
    /// Consumers of its group that are connected now.
    pub members: usize,
}

/// Lag of everything in the map.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Lag {
    /// When it was measured, in ms.
    pub measured_at_ms: i64,
    /// Processors in the order of the flow, then sinks.
    pub units: Vec<UnitLag>,
    /// Outboxes.
    pub outboxes: Vec<OutboxState>,
    /// Windows that wait for a sink.
    pub waiting: Vec<Waiting>,
    /// Transactions that hang: readers of committed records get no further.
    pub hanging: Vec<HangingTransaction>,
    /// Readers that do not go on though there is something to read.
    pub stalled: Vec<Stalled>,
    /// Why it is not known what hangs and who stands still; none when it is.
    pub hanging_unknown: Option<String>,
    /// Sinks and outbox sources of which it is not known how far they have come, because Postgres says it.
    pub unknown: Vec<UnknownLag>,
    /// Why not; none when all is known.
    pub postgres_unknown: Option<String>,
    /// Why the schema registry does not serve; none when it does. Who meets a schema for the first time waits for it.
    pub registry_away: Option<String>,
}

impl Lag {
    /// True when the lag of every unit is known.
    pub fn is_whole(&self) -> bool {
        self.postgres_unknown.is_none()
    }

    /// Everything that is still to be consumed, as far as it is known: records before processors and sinks, rows before
    /// outbox sources.
    pub fn consumable(&self) -> Records {
        let rows =
            |outbox: &OutboxState| Records { count: outbox.readable + outbox.stalled, is_estimate: false };
        let records = self.units.iter().map(|unit| unit.consumable);
        records.chain(self.outboxes.iter().map(rows)).fold(Records::default(), |sum, one| sum + one)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::COUNT_OFFSETS_MAX, *};

    fn offsets(position: Option<i64>, stable: i64, high: i64) -> Offsets {
        Offsets { position, low: 10, stable, high }
    }

    fn lag(offsets: Offsets, seen: Seen) -> PartitionLag {
        PartitionLag::new(("topic", "t.v1", 0), offsets, seen, None, 100_000)
    }

    #[test]
    fn a_marker_is_a_distance_but_no_record() {
        let at_rest = lag(offsets(Some(99), 100, 100), Seen::default());
        assert_eq!((at_rest.consumable.count, at_rest.to_stable, at_rest.to_end), (0, 1, 1));
        assert_eq!((at_rest.seconds, at_rest.problem), (0.0, None));
    }

    #[test]
    fn an_open_transaction_is_total_lag_only() {
        let offsets = offsets(Some(100), 100, 140);
        assert_eq!(offsets.measure(), Measure::Nothing);
        let lag = PartitionLag::new(("topic", "t.v1", 0), offsets, Seen::default(), Some(70_000), 100_000);
        assert_eq!((lag.consumable.count, lag.to_stable, lag.to_end), (0, 0, 40));
        assert_eq!(lag.open_transaction_seconds, Some(30.0));
    }

    #[test]
    fn short_distances_are_counted_and_long_ones_estimated() {
        assert_eq!(offsets(Some(0), 10 + COUNT_OFFSETS_MAX, 20_000).measure(), Measure::Count);
        let far = offsets(Some(10), 11 + COUNT_OFFSETS_MAX, 20_000);
        let seen = Seen { count: 1, first_ms: Some(88_000), tenants: BTreeMap::from([("a".to_owned(), 1)]) };
        let lag = lag(far, seen);
        assert_eq!(lag.consumable.to_string(), format!("~{}", COUNT_OFFSETS_MAX + 1));
        assert_eq!((lag.seconds, lag.tenants.len()), (12.0, 0));
    }

    #[test]
    fn a_units_lag_is_the_sum_and_the_worst_of_its_partitions() {
        let seen = |count, first_ms, tenant: &str| Seen {
            count,
            first_ms: Some(first_ms),
            tenants: BTreeMap::from([(tenant.to_owned(), count)]),
        };
        let one = lag(offsets(Some(20), 25, 30), seen(3, 90_000, "a"));
        let two = lag(offsets(Some(20), 22, 22), seen(2, 99_999, "a"));
        let unit = UnitLag::new("topic", "processor", 1, vec![one, two]);
        assert_eq!((unit.consumable.count, unit.to_stable, unit.to_end), (5, 7, 12));
        assert_eq!((unit.seconds, unit.open_transaction_seconds), (10.0, None));
        assert_eq!(unit.tenants, BTreeMap::from([("a".to_owned(), 5)]));
        let outbox = OutboxState { unit: "o".to_owned(), members: 1, readable: 2, stalled: 1 };
        let all = Lag { units: vec![unit], outboxes: vec![outbox], ..Lag::default() };
        assert_eq!(all.consumable(), Records { count: 8, is_estimate: false });
    }

    #[test]
    fn a_clock_behind_the_brokers_gives_no_negative_age() {
        assert!(seconds_since(100, 50).abs() < f64::EPSILON);
    }
}
