//! The checks for what does not end by itself: transactions that hang, each with the order that ends it, and readers that
//! stand still.

use super::{Check, Error, HangingTransaction, Level, Peers, Stalled, Transactions, transactions};
use runtime::{
    Config,
    observe::{Broker, all_stalled, connect},
};
use std::collections::BTreeMap;
use topology::Map;

const NAME: &str = "transactions";
const PROGRESS: &str = "progress";

pub(super) fn check(config: &Config, map: &Map) -> Vec<Check> {
    match transactions(config, map) {
        Ok(found) => checks(&found),
        Err(error) if error.is_away() => vec![Check::failed(NAME, &error)],
        Err(error) => {
            let advice = "whether a transaction hangs is not known: see `gistmill txn ls`";
            vec![Check::bad(NAME, Level::Warn, engine::chain(&error), advice)]
        }
    }
}

fn checks(found: &Transactions) -> Vec<Check> {
    let mut checks: Vec<Check> = found.hanging.iter().map(hanging).collect();
    if let Some(first) = found.unseen.first() {
        let finding = format!(
            "{} partitions could not be looked at, first {}: {}",
            found.unseen.len(),
            first.at,
            first.why
        );
        checks.push(Check::bad(
            NAME,
            Level::Warn,
            finding,
            "this client needs READ on the pipeline's topics",
        ));
    }
    if checks.is_empty() {
        checks.push(Check::ok(NAME, format!("none hangs; {} partitions have one open", found.running.len())));
    }
    checks
}

fn hanging(transaction: &HangingTransaction) -> Check {
    let advice = match transaction.outcome {
        Some(outcome) => {
            format!("`gistmill txn finish --yes` ends it with {outcome}: {}", transaction.because)
        }
        None => format!("`gistmill txn finish` tells the two ways to end it: {}", transaction.because),
    };
    Check::bad(NAME, Level::Fail, transaction.line(), advice)
}

pub(super) fn progress(config: &Config, map: &Map, peers: &Peers, broker: &Broker<'_>) -> Vec<Check> {
    let found = || -> Result<Vec<Check>, Error> {
        let sinks = peers.wait(peers.store.sink_offsets())?;
        let mut cluster = connect(config)?;
        let stalled = all_stalled(&mut cluster, (config, map), &sinks)?;
        let members = broker.members()?;
        let is_running = |unit: &str| members.contains_key(&config.prefix.group(unit));
        Ok(standing_still(&stalled, &is_running))
    };
    found().unwrap_or_else(|error| vec![Check::failed(PROGRESS, &error)])
}

/// A line for each unit: its first partition, and how many more.
fn standing_still(stalled: &[Stalled], is_running: &dyn Fn(&str) -> bool) -> Vec<Check> {
    let mut units: BTreeMap<&str, Vec<&Stalled>> = BTreeMap::new();
    for one in stalled {
        units.entry(&one.unit).or_default().push(one);
    }
    let check = |(unit, stalled): (&&str, &Vec<&Stalled>)| {
        let more = match stalled.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more of its partitions, too"),
        };
        let finding = format!("{}{more}", stalled[0].line());
        if is_running(unit) {
            let advice = "its log and `gistmill lag` say what it waits for";
            return Check::bad(PROGRESS, Level::Fail, finding, advice);
        }
        Check::bad(PROGRESS, Level::Warn, finding, format!("start it with `gistmill run {unit}`"))
    };
    if units.is_empty() {
        return vec![Check::ok(PROGRESS, "every reader goes on, or has nothing to read")];
    }
    units.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_admin::{Doubt, Hanging, Open, Proof, TopicPartition, Unseen, Verdict};
    use std::collections::BTreeSet;

    /// One of producer 1007 in partition 2, in a pipeline without a prefix.
    fn found(topic: &str, verdict: Verdict) -> HangingTransaction {
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
            transactional_id: Some("segmenter-0-0".to_owned()),
            since_ms: Some(1_000),
            groups: BTreeSet::new(),
            marker_epoch: 3,
            marker_coordinator_epoch: 2,
            verdict,
        };
        let config = Config::default();
        HangingTransaction::new(&Map::embedded().expect("the map"), &config.prefix, hanging, 191_000)
    }

    #[test]
    fn a_transaction_that_hangs_fails_with_the_order_that_ends_it() {
        let topic = "digest.stage.segmenter.completed.v1";
        let hanging = vec![found(topic, Ok(Proof::NeverDecided)), found(topic, Err(Doubt::Forgotten))];
        let checks = checks(&Transactions { hanging, ..Transactions::default() });
        assert_eq!(checks.iter().map(|check| check.level).collect::<Vec<_>>(), [Level::Fail, Level::Fail]);
        assert!(checks[0].finding.contains("emotion reads no further"), "{checks:?}");
        let advice: Vec<&str> = checks.iter().filter_map(|check| check.advice.as_deref()).collect();
        assert!(
            advice[0].starts_with("`gistmill txn finish --yes` ends it with ABORT: no coordinator"),
            "{advice:?}"
        );
        assert!(advice[1].starts_with("`gistmill txn finish` tells the two ways"), "{advice:?}");
    }

    #[test]
    fn none_is_well_and_what_is_not_seen_is_a_warning() {
        let none = checks(&Transactions::default());
        assert_eq!(
            (none[0].level, none[0].finding.as_str()),
            (Level::Ok, "none hangs; 0 partitions have one open")
        );
        let unseen = Unseen { at: TopicPartition::new("t", 1), why: "TopicAuthorizationFailed".to_owned() };
        let warned = checks(&Transactions { unseen: vec![unseen], ..Transactions::default() });
        assert_eq!((warned.len(), warned[0].level), (1, Level::Warn));
        assert!(warned[0].finding.contains("first t/1: TopicAuthorizationFailed"), "{warned:?}");
    }

    #[test]
    fn who_stands_still_is_named_once_and_who_does_not_run_is_no_failure() {
        let stalled = |unit: &str, partition| Stalled {
            unit: unit.to_owned(),
            topic: "t.v1".to_owned(),
            partition,
            position: 41,
            seconds: 75.0,
            allowed_seconds: 36,
        };
        let all = [stalled("emotion", 0), stalled("emotion", 1), stalled("roles", 0)];
        let checks = standing_still(&all, &|unit| unit == "emotion");
        assert_eq!(checks.iter().map(|it| it.level).collect::<Vec<_>>(), [Level::Fail, Level::Warn]);
        assert!(checks[0].finding.starts_with("emotion stands still at offset 41 of t.v1/0"), "{checks:?}");
        assert!(checks[0].finding.ends_with("; 1 more of its partitions, too"), "{checks:?}");
        assert_eq!(checks[1].advice.as_deref(), Some("start it with `gistmill run roles`"));
        assert_eq!(standing_still(&[], &|_| true)[0].level, Level::Ok);
    }
}
