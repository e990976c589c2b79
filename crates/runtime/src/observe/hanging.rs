//! A transaction that hangs, as an operator needs to see it: whose it is, who is held up by it, how it ends.

use kafka_admin::{Hanging, Outcome};
use serde::Serialize;
use std::collections::BTreeSet;
use topology::{Map, Prefix};

/// The broker's topic of committed offsets.
pub(super) const OFFSETS: &str = "__consumer_offsets";

/// A transaction that hangs in one partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HangingTransaction {
    /// Physical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset of its first record here: the last stable offset goes no further.
    pub start_offset: i64,
    /// Producer that wrote it.
    pub producer_id: i64,
    /// Epoch of that producer.
    pub producer_epoch: i16,
    /// Whose it is; none when no coordinator knows any more.
    pub transactional_id: Option<String>,
    /// Seconds since its first record was appended; none when that is gone.
    pub age_seconds: Option<f64>,
    /// Who is held up.
    pub blocks: Vec<Blocked>,
    /// How it has to end; none when that cannot be proven.
    pub outcome: Option<Outcome>,
    /// What proves it, or why nothing does.
    pub because: String,
    /// As it was found.
    #[serde(skip)]
    pub hanging: Hanging,
}

/// A unit that a transaction holds up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Blocked {
    /// Its name in the map.
    pub unit: String,
    /// What it cannot do.
    pub effect: &'static str,
}

impl HangingTransaction {
    /// Of a transaction as it was found, at a time in ms.
    pub fn new(map: &Map, prefix: &Prefix, hanging: Hanging, now_ms: i64) -> Self {
        let open = &hanging.open;
        let (outcome, because) = match &hanging.verdict {
            Ok(proof) => (Some(proof.outcome()), proof.to_string()),
            Err(doubt) => (None, doubt.to_string()),
        };
        Self {
            topic: open.at.topic.clone(),
            partition: open.at.partition,
            start_offset: open.start_offset,
            producer_id: open.producer_id,
            producer_epoch: open.producer_epoch,
            transactional_id: hanging.transactional_id.clone(),
            age_seconds: hanging.since_ms.map(|since| (now_ms - since).max(0) as f64 / 1000.0),
            blocks: blocks(map, prefix, &open.at.topic, &hanging.groups),
            outcome,
            because,
            hanging,
        }
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let Self { topic, partition, start_offset, producer_id, producer_epoch, .. } = self;
        let id = self.transactional_id.as_deref().unwrap_or("of no known transactional id");
        let age = self.age_seconds.map(|age| format!(" for {age:.0} s")).unwrap_or_default();
        format!(
            "{topic}/{partition} is held open from offset {start_offset} on{age} by a transaction that hangs: producer \
             {producer_id}, epoch {producer_epoch} ({id}); {}",
            self.effects()
        )
    }

    /// Who is held up, in words.
    pub fn effects(&self) -> String {
        let blocked: Vec<String> =
            self.blocks.iter().map(|one| format!("{} {}", one.unit, one.effect)).collect();
        if blocked.is_empty() {
            return "readers of committed records outside the map read no further".to_owned();
        }
        blocked.join(", ")
    }

    /// What ending it either way would do, for one whose outcome nothing proves: COMMIT, then ABORT.
    pub fn choices(&self) -> [String; 2] {
        let Self { topic, partition, start_offset, .. } = self;
        if topic == OFFSETS {
            let groups = self.hanging.groups.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            return [
                format!(
                    "COMMIT moves the offsets of {groups} on: what was read up to there is not read again. Right if its \
                     output is, or becomes, visible; else that output is lost"
                ),
                format!(
                    "ABORT leaves the offsets of {groups} where they were: what was read since is read again. Right if \
                     its output is, or becomes, hidden; else that output comes twice"
                ),
            ];
        }
        [
            format!(
                "COMMIT makes the producer's records of {topic}/{partition} from offset {start_offset} on visible. Right \
                 if their input counts as read; else they come twice"
            ),
            "ABORT hides them for ever. Right if their input will be read again; else they are lost"
                .to_owned(),
        ]
    }
}

/// Who is held up by a transaction that is open in a topic.
fn blocks(map: &Map, prefix: &Prefix, topic: &str, groups: &BTreeSet<String>) -> Vec<Blocked> {
    let blocked = |unit: &str, effect| Blocked { unit: unit.to_owned(), effect };
    if topic == OFFSETS {
        let units = map.processors().map(|processor| processor.name.as_str());
        let held = units.filter(|unit| groups.contains(&prefix.group(unit)));
        return held
            .map(|unit| blocked(unit, "does not learn where to go on after a start or a rebalance"))
            .collect();
    }
    let Some(topic) = prefix.logical(topic) else { return Vec::new() };
    // Of an optional one nobody knows here whether it runs; where it does, others read the same topic.
    let optional = |unit: &str| map.connectors().any(|one| one.name == unit && one.optional);
    let readers = map.readers(topic).filter(|unit| !optional(unit));
    let readers = readers.map(|unit| blocked(unit, "reads no further"));
    let folds = map.processors().filter(|processor| processor.state.as_deref() == Some(topic));
    let sources = map.connectors().filter(|source| source.positions.as_deref() == Some(topic));
    readers
        .chain(folds.map(|fold| blocked(&fold.name, "cannot restore its state")))
        .chain(sources.map(|source| blocked(&source.name, "does not learn where to go on after a start")))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use kafka_admin::{Doubt, Open, Proof, TopicPartition};

    /// One of producer 1007 in partition 2, in a pipeline with the prefix `p`.
    fn hanging(topic: &str, groups: &[&str], verdict: kafka_admin::Verdict) -> HangingTransaction {
        let open = Open {
            at: TopicPartition::new(topic, 2),
            producer_id: 1007,
            producer_epoch: 3,
            coordinator_epoch: 1,
            start_offset: 41,
            last_ms: 900,
        };
        let hanging = Hanging {
            open,
            transactional_id: Some("p.segmenter-0-0".to_owned()),
            since_ms: Some(1_000),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            marker_epoch: 3,
            marker_coordinator_epoch: 2,
            verdict,
        };
        let prefix: Prefix = "p".parse().expect("a prefix");
        HangingTransaction::new(&Map::embedded().expect("the map"), &prefix, hanging, 191_000)
    }

    #[test]
    fn everything_an_operator_needs_is_in_the_line() {
        let line = hanging("p.digest.stage.segmenter.completed.v1", &[], Ok(Proof::NeverDecided)).line();
        assert_eq!(
            line,
            "p.digest.stage.segmenter.completed.v1/2 is held open from offset 41 on for 190 s by a transaction that \
             hangs: producer 1007, epoch 3 (p.segmenter-0-0); emotion reads no further"
        );
    }

    #[test]
    fn who_is_held_up_depends_on_what_the_topic_is_for() {
        for (topic, groups, expected) in [
            (
                "p.group.message.ingested.v1",
                &[][..],
                &[
                    "command_router reads no further",
                    "window_builder reads no further",
                    "postgres_sink reads no further",
                ][..],
            ),
            (
                OFFSETS,
                &["p.emotion", "other.roles"],
                &["emotion does not learn where to go on after a start or a rebalance"],
            ),
            ("other.group.message.ingested.v1", &[], &[]),
        ] {
            let found = hanging(topic, groups, Err(Doubt::Forgotten)).blocks;
            let mut found: Vec<String> =
                found.iter().map(|one| format!("{} {}", one.unit, one.effect)).collect();
            let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{topic}");
        }
        let positions = hanging("p.gistmill.positions.v1", &[], Err(Doubt::Forgotten)).effects();
        assert!(
            positions.contains("postgres_outbox_source does not learn where to go on after a start"),
            "{positions}"
        );
    }

    #[test]
    fn what_is_not_proven_has_two_choices_and_no_outcome() {
        let unproven = hanging(OFFSETS, &["p.emotion"], Err(Doubt::Forgotten));
        assert_eq!((unproven.outcome, unproven.because.contains("compacted")), (None, true));
        let [commit, abort] = unproven.choices();
        assert!(commit.starts_with("COMMIT moves the offsets of p.emotion on"), "{commit}");
        assert!(abort.starts_with("ABORT leaves the offsets of p.emotion where they were"), "{abort}");
        let value = serde_json::to_value(&unproven).expect("JSON");
        assert_eq!((&value["outcome"], &value["producer_id"]), (&serde_json::Value::Null, &1007.into()));
    }
}
