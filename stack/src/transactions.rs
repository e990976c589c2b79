//! Ends what an unclean stop of the broker has left open for ever.
//!
//! A broker that is killed may forget, when it starts again, the markers that it still had to write
//! (`crates/kafka_admin`). Invariant: only what is proven is ended; the rest is told.

use std::thread;
use std::time::{Duration, Instant};

use kafka_admin::{Cluster, Finished, Hanging, Outcome, Survey, finish, survey};

use crate::part::Part;
use crate::probe::Peers;
use crate::progress::Reporter;
use crate::secure::Secure;

/// Bound of waiting for coordinators that still load, or whose markers are on their way.
const AT_REST_WITHIN: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Looks for transactions that hang and ends them. A start does not fail by it: what could not be done is told.
pub(crate) fn mend(peers: Peers<'_>, reporter: &Reporter) {
    let say = |text: String| reporter.say(Part::Kafka.name(), text);
    match mended(peers, &say) {
        Ok(hanging) => lines(&hanging).into_iter().for_each(say),
        Err(error) => {
            say(format!(
                "could not look for transactions that its last stop left open: {error}; see `gistmill txn ls`"
            ));
        }
    }
}

/// Ends what can be ended; gives what cannot.
fn mended(peers: Peers<'_>, say: &dyn Fn(String)) -> Result<Vec<Hanging>, kafka_admin::Error> {
    let properties = peers.secure.map(Secure::kafka_properties).unwrap_or_default();
    let mut cluster = Cluster::connect(&format!("127.0.0.1:{}", peers.ports.kafka()), &properties)?;
    let partitions: Vec<_> = cluster.partitions().cloned().collect();
    let until = Instant::now() + AT_REST_WITHIN;
    loop {
        let Survey { hanging, running, .. } = survey(&mut cluster, &partitions)?;
        let proven = |hanging: &Hanging| hanging.verdict.as_ref().ok().map(kafka_admin::Proof::outcome);
        let wanted: Vec<(Hanging, Outcome)> =
            hanging.iter().filter_map(|it| Some((it.clone(), proven(it)?))).collect();
        if !wanted.is_empty() {
            finish(&mut cluster, &wanted)?.iter().for_each(|finished| say(told(finished)));
        }
        if running.iter().all(|running| !running.is_ending) || Instant::now() > until {
            return Ok(hanging.into_iter().filter(|it| proven(it).is_none()).collect());
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

fn told(finished: &Finished) -> String {
    let Finished { at, producer_id, outcome, failure } = finished;
    match failure {
        None => format!(
            "its last stop left a transaction open in {at}: wrote the missing {outcome} of producer {producer_id}"
        ),
        Some(why) => {
            format!("its last stop left a transaction open in {at}, and {outcome} was not taken: {why}")
        }
    }
}

fn lines(unproven: &[Hanging]) -> Vec<String> {
    let line = |hanging: &Hanging| {
        let at = &hanging.open.at;
        let why = hanging.verdict.as_ref().err().map(ToString::to_string).unwrap_or_default();
        format!(
            "its last stop left a transaction open in {at}, and nothing proves how it has to end ({why}): see `gistmill txn finish`"
        )
    };
    unproven.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_admin::{Doubt, Open, TopicPartition};

    #[test]
    fn what_was_done_and_what_was_not_is_told() {
        let at = TopicPartition::new("t.v1", 2);
        let finished = |failure: Option<&str>| Finished {
            at: at.clone(),
            producer_id: 7,
            outcome: Outcome::Commit,
            failure: failure.map(str::to_owned),
        };
        let done = "its last stop left a transaction open in t.v1/2: wrote the missing COMMIT of producer 7";
        assert_eq!(told(&finished(None)), done);
        assert!(told(&finished(Some("no"))).ends_with("COMMIT was not taken: no"));
        let unproven = Hanging {
            open: Open {
                at: at.clone(),
                producer_id: 7,
                producer_epoch: 0,
                coordinator_epoch: 0,
                start_offset: 5,
                last_ms: 9,
            },
            transactional_id: None,
            since_ms: None,
            groups: std::collections::BTreeSet::new(),
            marker_epoch: 0,
            marker_coordinator_epoch: 0,
            verdict: Err(Doubt::Forgotten),
        };
        let lines = lines(&[unproven]);
        assert!(
            lines[0].contains("t.v1/2, and nothing proves") && lines[0].contains("compacted"),
            "{lines:?}"
        );
    }
}
