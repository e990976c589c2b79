//! The check for transactions that hang: each is a failure of its own, with the order that ends it.

use super::{Check, HangingTransaction, Level, Transactions, transactions};
use crate::Config;
use topology::Map;

const NAME: &str = "transactions";

pub(super) fn check(config: &Config, map: &Map) -> Vec<Check> {
    match transactions(config, map) {
        Ok(found) => checks(&found),
        Err(error) if error.is_away() => vec![Check::failed(NAME, &error)],
        Err(error) => {
            let advice = "whether a transaction hangs is not known: see `gistmill txn ls`";
            vec![Check::bad(NAME, Level::Warn, crate::shapes::outlet::chain(&error), advice)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::hanging::tests::hanging;
    use kafka_admin::{Doubt, Proof, TopicPartition, Unseen};

    #[test]
    fn a_transaction_that_hangs_fails_with_the_order_that_ends_it() {
        let topic = "p.digest.stage.segmenter.completed.v1";
        let found = Transactions {
            hanging: vec![
                hanging(topic, &[], Ok(Proof::NeverDecided)),
                hanging(topic, &[], Err(Doubt::Forgotten)),
            ],
            ..Transactions::default()
        };
        let checks = checks(&found);
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
}
