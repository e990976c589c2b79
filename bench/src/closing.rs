//! From the record that closes a window to the row of the window, at a steady rate.

use crate::{
    error::Error,
    fingerprint::Fingerprint,
    generator::Job,
    oracle::{Row, closings, difference},
    report::Run,
    running::Running,
    sender::Outgoing,
    session::Options,
    steady::{Passed, Steady},
    testbed::{INGESTED, Testbed},
    watcher::{OURS, READY, Shipped},
};
use schemas::{Encoder, GroupMessageIngested, GroupWindowReady, Record as _};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use topology::Prefix;

/// What was found at a steady rate.
pub(crate) struct Closed {
    /// Of the input.
    pub(crate) fingerprint: Fingerprint,
    /// What the unit took.
    pub(crate) run: Run,
    /// Whether the output was right.
    pub(crate) compared: Result<String, String>,
    /// Of each output, from the record that it is due to.
    pub(crate) times: Vec<Duration>,
}

/// Sends a job of so many messages through `window_builder`.
pub(crate) fn run(bed: &Testbed, options: &Options, messages: u64, per_second: f64) -> Result<Closed, Error> {
    let job = Job::of(messages);
    let closed = closings(job.generate());
    let prefix = bed.apply()?;
    let records = encoded(bed, &prefix, job)?;
    let command = bed.command(&options.program, &prefix, &["run", OURS]);
    let running = Running::start(&prefix.group(OURS), command, bed.directory())?;
    let topics = (prefix.topic(INGESTED), prefix.topic(READY));
    let plan = Steady {
        bed,
        group: &prefix.group(OURS),
        topics: (&topics.0, &topics.1),
        records: &records,
        per_second,
    };
    let (passed, running) = plan.run(running, closed.len())?;
    running.stop()?;
    bed.delete(&prefix)?;
    let rows = rows(&passed)?;
    let mut expected: Vec<Row> = closed.iter().map(|(row, _)| row.clone()).collect();
    let mut found: Vec<Row> = rows.iter().map(|(_, row)| row.clone()).collect();
    expected.sort_unstable();
    found.sort_unstable();
    let compared = match difference(&expected, &found) {
        None => Ok(format!("{} rows", found.len())),
        Some(difference) => Err(difference.to_string()),
    };
    let closers: HashMap<Row, usize> = closed.into_iter().collect();
    let since = |(seen, row): &(Instant, Row)| {
        let sent = passed.sent.get(*closers.get(row)?)?;
        Some(seen.saturating_duration_since(*sent))
    };
    let times = rows.iter().filter_map(since).collect();
    Ok(Closed { fingerprint: passed.fingerprint, run: passed.run, compared, times })
}

fn encoded(bed: &Testbed, prefix: &Prefix, job: Job) -> Result<Vec<Outgoing>, Error> {
    let schema_id = bed.schema_id::<GroupMessageIngested>(prefix, INGESTED)?;
    let encoder = Encoder::<GroupMessageIngested>::new(schema_id)?;
    let outgoing = |generated: crate::generator::Generated| {
        let mut value = Vec::new();
        encoder.encode(&generated.record, &mut value)?;
        Ok::<_, Error>(Outgoing { partition: generated.partition, key: generated.record.key(), value })
    };
    job.generate().map(outgoing).collect()
}

fn rows(passed: &Passed) -> Result<Vec<(Instant, Row)>, Error> {
    let mut decoder = Shipped::<GroupWindowReady>::decoder();
    let row = |(seen, value): &(Instant, Vec<u8>)| {
        Ok::<_, Error>((*seen, Row::from(&decoder.decode(Some(value))?)))
    };
    passed.seen.iter().map(row).collect()
}
