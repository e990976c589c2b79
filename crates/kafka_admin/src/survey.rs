//! Which transactions are open, which of these hang, and what they were decided to.
//!
//! The method is KIP-664's: a transaction hangs in a partition that its coordinator does not wait for. Coordinators and
//! partitions are asked one after the other, so the partitions are asked once more: what was open before and after the
//! coordinator said that it waits for nothing there was open in between, too. And a coordinator that has not loaded its
//! log yet knows of nothing, so the log is asked as well.

use crate::{
    Cluster, Error, Open, Running, Survey, TopicPartition,
    case::{firsts, history, judged},
    questions::Described,
    types::Producer,
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Longest wait for a cluster that is about to be well, as after a start.
const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// States in which a coordinator waits for nothing.
const ENDED: [&str; 4] = ["Empty", "CompleteCommit", "CompleteAbort", "Dead"];

/// State in which its producer may still write.
const ONGOING: &str = "Ongoing";

/// Looks at partitions; waits for a while for leaders that are being elected and coordinators that load.
///
/// # Errors
/// The broker is away, or refuses what it takes to find out.
pub fn survey(cluster: &mut Cluster, partitions: &[TopicPartition]) -> Result<Survey, Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        match look(cluster, partitions) {
            Err(error) if error.is_passing() && Instant::now() < until => {
                thread::sleep(BETWEEN_LOOKS);
                cluster.refresh()?;
            }
            found => return found,
        }
    }
}

fn look(cluster: &mut Cluster, partitions: &[TopicPartition]) -> Result<Survey, Error> {
    let (producers, unseen) = cluster.producers(partitions)?;
    let open: Vec<Open> = producers.iter().filter_map(Producer::open).collect();
    if open.is_empty() {
        return Ok(Survey { unseen, ..Survey::default() });
    }
    let described = cluster.described(&open.iter().map(|open| open.producer_id).collect())?;
    let (mut running, suspects) = sorted(open, &described);
    let again: Vec<TopicPartition> = suspects.iter().map(|open| open.at.clone()).collect();
    let (again, _) = cluster.producers(&again)?;
    let still = still_open(suspects, &again);
    if still.is_empty() {
        return Ok(Survey { running, unseen, ..Survey::default() });
    }
    let firsts = firsts(cluster, &still)?;
    let history = history(cluster, &still, &firsts, &described)?;
    let mut hanging = Vec::new();
    for (open, first) in still.into_iter().zip(firsts) {
        match history.awaited_by(&open).map(str::to_owned) {
            Some(transactional_id) => running.push(Running { open, transactional_id, is_ending: true }),
            None => hanging.push((open, first)),
        }
    }
    let hanging = judged(cluster, history, &producers, &hanging)?;
    Ok(Survey { hanging, running, unseen })
}

/// Transactions that a coordinator will end, with their ids, and the others.
fn sorted(open: Vec<Open>, described: &[Described]) -> (Vec<Running>, Vec<Open>) {
    let (mut running, mut suspects) = (Vec::new(), Vec::new());
    for open in open {
        let is_awaited = |described: &&Described| {
            ENDED.iter().all(|ended| described.state != *ended)
                && described.producer_id == open.producer_id
                && described.partitions.contains(&open.at)
        };
        match described.iter().find(is_awaited) {
            Some(described) => running.push(Running {
                open,
                transactional_id: described.transactional_id.clone(),
                is_ending: described.state != ONGOING,
            }),
            None => suspects.push(open),
        }
    }
    (running, suspects)
}

/// Those that a second look finds as the first did.
fn still_open(suspects: Vec<Open>, again: &[Producer]) -> Vec<Open> {
    let is_same = |open: &Open| {
        again.iter().any(|producer| {
            producer.at == open.at
                && producer.id == open.producer_id
                && producer.open_from == Some(open.start_offset)
        })
    };
    suspects.into_iter().filter(is_same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(partition: i32, producer_id: i64, start_offset: i64) -> Open {
        let at = TopicPartition::new("t", partition);
        Open { at, producer_id, producer_epoch: 3, coordinator_epoch: 1, start_offset, last_ms: 900 }
    }

    fn described(producer_id: i64, state: &str, partitions: &[i32]) -> Described {
        Described {
            transactional_id: format!("id-{producer_id}"),
            producer_id,
            state: state.to_owned(),
            partitions: partitions.iter().map(|partition| TopicPartition::new("t", *partition)).collect(),
        }
    }

    #[test]
    fn a_transaction_is_suspect_where_no_coordinator_waits_for_it() {
        let coordinators = [
            described(1, "Ongoing", &[0, 1]),
            described(2, "PrepareCommit", &[1]),
            described(3, "CompleteCommit", &[]),
            described(4, "Empty", &[]),
            described(6, "CompleteCommit", &[0]),
        ];
        for (partition, producer, is_running) in [
            (0, 1, true),
            (1, 1, true),
            // A coordinator that still sends markers waits for some partitions only.
            (1, 2, true),
            (0, 2, false),
            (0, 3, false),
            (0, 4, false),
            (0, 6, false),
            // Nobody knows it.
            (0, 5, false),
            // In no transaction of its own.
            (2, 1, false),
        ] {
            let (running, suspects) = sorted(vec![open(partition, producer, 10)], &coordinators);
            assert!(running.iter().all(|running| running.is_ending == (producer == 2)));
            let found = (running.len(), suspects.len());
            assert_eq!(found, if is_running { (1, 0) } else { (0, 1) }, "t/{partition} of {producer}");
        }
    }

    #[test]
    fn what_moves_between_two_looks_does_not_hang() {
        let producer = |partition, id, open_from| Producer {
            at: TopicPartition::new("t", partition),
            id,
            epoch: 3,
            coordinator_epoch: 1,
            last_ms: 950,
            open_from,
        };
        let suspects = vec![open(0, 1, 10), open(1, 1, 20), open(2, 1, 30)];
        let again = [producer(0, 1, Some(10)), producer(1, 1, Some(25)), producer(2, 1, None)];
        assert_eq!(still_open(suspects, &again), [open(0, 1, 10)]);
    }
}
