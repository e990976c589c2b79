//! Notices what holds this process's units up and does not end by itself: transactions that hang, and readers that do not
//! go on though there is something to read. Said once in the log, and by `/readyz` for as long as it lasts.
//!
//! Invariant: a look changes nothing, joins no group and costs an idle process next to nothing.

use super::Shared;
use crate::{
    metrics::{Findings, OutboxLag},
    observe::{
        Error, Stalled, Transactions, connect, find_transactions,
        gauges::{Memory, State},
        outbox_place, outbox_sources,
        stalled::{self, ReaderPosition},
    },
};
use kafka_admin::{Cluster, Open, Running};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tracing::{error, info, warn};

/// Time before the first look, and between two looks.
const WAITS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

/// Runs of maintenance that are looked through for one that succeeded.
const MAINTENANCE_RUNS: i64 = 50;

/// What was found at the last look: a line for each thing, by what stays the same of it.
#[derive(Debug, Default)]
pub(crate) struct HeldUp(Mutex<BTreeMap<String, String>>);

impl HeldUp {
    /// A line for each, for people.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Takes the new findings; gives the lines that were not there before, and those that are gone.
    fn take(&self, found: BTreeMap<String, String>) -> (Vec<String>, Vec<String>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let only_in = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
            one.iter().filter(|(key, _)| !other.contains_key(*key)).map(|(_, line)| line.clone()).collect()
        };
        let news = (only_in(&found, &held), only_in(&held, &found));
        *held = found;
        news
    }
}

/// Looks until the process is asked to stop, for the sake of the named units.
pub(super) async fn run(shared: Arc<Shared>, units: Vec<String>) {
    let units = Arc::new(units);
    let (mut cluster, mut memory, mut failure) = (None, Memory::default(), String::new());
    let mut wait = WAITS.0;
    loop {
        tokio::select! {
            biased;
            () = shared.stop.asked() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = WAITS.1;
        if shared.standing.is_away() {
            shared.metrics.measured(None);
            continue;
        }
        let (looking, asked) = (Arc::clone(&shared), Arc::clone(&units));
        let look = move || match look(&looking, &asked, (&mut cluster, &mut memory)) {
            Ok(found) => (cluster, memory, Ok(found)),
            Err(error) => (None, memory, Err(error)),
        };
        let Ok((kept, remembered, found)) = tokio::task::spawn_blocking(look).await else { return };
        (cluster, memory) = (kept, remembered);
        shared.metrics.measured(found.as_ref().ok().map(|(_, findings)| findings));
        match found {
            Ok((found, _)) => tell(shared.held_up.take(found)),
            // A broker that is away is told by others.
            Err(error) if error.is_away() => {}
            Err(error) => {
                let why = engine::chain(&error);
                if failure != why {
                    warn!("could not look for transactions that hang and units that stand still: {why}");
                    failure = why;
                }
            }
        }
    }
}

fn tell((appeared, gone): (Vec<String>, Vec<String>)) {
    for line in appeared {
        error!("{line}");
    }
    for line in gone {
        info!("over: {line}");
    }
}

fn look(
    shared: &Shared,
    units: &[String],
    (cluster, memory): (&mut Option<Cluster>, &mut Memory),
) -> Result<(BTreeMap<String, String>, Findings), Error> {
    let cluster = match cluster {
        Some(cluster) => cluster,
        None => cluster.insert(connect(&shared.config)?),
    };
    let is_ours = |unit: &str| units.iter().any(|ours| ours == unit);
    let transactions = find_transactions(cluster, &shared.config, &shared.map)?;
    let mut found = BTreeMap::new();
    for it in &transactions.hanging {
        if it.blocks.iter().any(|blocked| is_ours(&blocked.unit)) {
            let key = format!("{}/{} {} {}", it.topic, it.partition, it.producer_id, it.start_offset);
            found.insert(key, format!("{}: see `gistmill txn finish`", it.line()));
        }
    }
    let sinks = match shared.store.get() {
        Some(store) => shared.tasks.block_on(store.sink_offsets())?,
        None => Vec::new(),
    };
    let readers = stalled::readers(cluster, (&shared.config, &shared.map), &sinks, &is_ours)?;
    let stalled = stalled::stalled(cluster, &shared.config, &readers)?;
    for it in &stalled {
        let key = format!("{} {}/{} {}", it.unit, it.topic, it.partition, it.position);
        found.insert(key, format!("{}: see `gistmill lag`", it.line()));
    }
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let findings = Findings {
        lag: memory.lag(cluster, &readers, now_ms)?,
        stalled: counted(&readers, &stalled),
        maintained_at_seconds: maintained(shared)?,
        outboxes: outboxes(shared)?,
        transactions: memory.transactions(states(&transactions), now_ms),
        at_seconds: now_ms as f64 / 1000.0,
    };
    Ok((found, findings))
}

/// Partitions in which each of the readers' units stands still, those in none too.
fn counted(readers: &[ReaderPosition<'_>], stalled: &[Stalled]) -> Vec<(String, i64)> {
    let mut counts: BTreeMap<&str, i64> = readers.iter().map(|reader| (reader.unit, 0)).collect();
    for it in stalled {
        *counts.entry(&it.unit).or_default() += 1;
    }
    counts.into_iter().map(|(unit, count)| (unit.to_owned(), count)).collect()
}

/// Rows before the outbox sources that this process leads.
fn outboxes(shared: &Shared) -> Result<Vec<OutboxLag>, Error> {
    let Some(store) = shared.store.get() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for source in outbox_sources(&shared.map) {
        let Some(led) = shared.leading.place(source) else { continue };
        let place = led.position.and_then(|position| outbox_place(&position.0));
        let lag = shared.tasks.block_on(store.outbox_lag(place))?;
        let (rows, oldest_seconds) = (lag.readable + lag.stalled, lag.oldest_ms as f64 / 1000.0);
        found.push(OutboxLag { unit: source.to_owned(), rows, oldest_seconds });
    }
    Ok(found)
}

/// When maintenance last came to its end; told by the process that publishes the outbox, so that one of many asks.
fn maintained(shared: &Shared) -> Result<Option<f64>, Error> {
    let Some(store) = shared.store.get() else { return Ok(None) };
    if !outbox_sources(&shared.map).into_iter().any(|source| shared.leading.place(source).is_some()) {
        return Ok(None);
    }
    let runs = shared.tasks.block_on(store.maintenance_runs(MAINTENANCE_RUNS))?;
    let ended = runs.iter().filter(|run| run.outcome.as_deref() == Some("done")).find_map(|run| run.ended_at);
    Ok(ended.map(|at_ms| at_ms as f64 / 1000.0))
}

fn states(transactions: &Transactions) -> impl Iterator<Item = (&Open, State)> {
    let hanging = transactions.hanging.iter().map(|it| (&it.hanging.open, State::Hanging));
    let state = |it: &Running| if it.is_ending { State::Ending } else { State::Running };
    hanging.chain(transactions.running.iter().map(move |it| (&it.open, state(it))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_news_once_and_shown_as_it_is_now() {
        let held_up = HeldUp::default();
        let found = |line: &str| BTreeMap::from([("a/0 7".to_owned(), line.to_owned())]);
        let lines = |text: &str| vec![text.to_owned()];
        assert_eq!(held_up.take(found("for 30 s")), (lines("for 30 s"), Vec::new()));
        assert_eq!(held_up.take(found("for 45 s")), (Vec::new(), Vec::new()));
        assert_eq!(held_up.lines(), lines("for 45 s"));
        assert_eq!(held_up.take(BTreeMap::new()), (Vec::new(), lines("for 45 s")));
        assert_eq!(held_up.lines(), Vec::<String>::new());
    }
}
