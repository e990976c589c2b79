//! Records sent at a steady rate through a unit, and when each output is there.
//!
//! Invariant: the clock of an output is read when it is polled, before anything is done with it.

use crate::{
    clients,
    error::{Error, kafka},
    fingerprint::{Fingerprint, Fingerprinting},
    report::Run,
    running::Running,
    sender::{Outgoing, steadily},
    testbed::Testbed,
};
use rdkafka::{Message as _, consumer::BaseConsumer};
use std::time::{Duration, Instant};

const POLL_WAIT: Duration = Duration::from_millis(20);
const SETTLES_WITHIN: Duration = Duration::from_mins(1);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// After the last record: an output that has not come by then does not come.
const SILENCE: Duration = Duration::from_secs(10);
/// Outputs that are too many come within this.
const AFTERMATH: Duration = Duration::from_secs(1);

/// What is sent through a unit.
pub(crate) struct Steady<'a> {
    pub(crate) bed: &'a Testbed,
    /// Consumer group of the unit.
    pub(crate) group: &'a str,
    /// Physical names of its input and of its output.
    pub(crate) topics: (&'a str, &'a str),
    pub(crate) records: &'a [Outgoing],
    pub(crate) per_second: f64,
}

/// What came of it.
pub(crate) struct Passed {
    /// When each record was handed over.
    pub(crate) sent: Vec<Instant>,
    /// Each output, and when it was there.
    pub(crate) seen: Vec<(Instant, Vec<u8>)>,
    /// What the unit took meanwhile.
    pub(crate) run: Run,
    /// Of what was sent.
    pub(crate) fingerprint: Fingerprint,
}

impl Steady<'_> {
    /// Waits until the unit has its partitions, sends, and waits for so many outputs.
    pub(crate) fn run(&self, mut running: Running, outputs: usize) -> Result<(Passed, Running), Error> {
        self.settle(&mut running)?;
        let brokers = self.bed.addresses.kafka.as_str();
        let consumer = clients::consumer(brokers, "bench")?;
        clients::assign(&consumer, self.topics.1)?;
        // The first poll connects.
        consumer.poll(POLL_WAIT).transpose().map_err(kafka("read outputs"))?;
        let (before, broker) = (running.usage()?, self.bed.broker_seconds()?);
        let began = Instant::now();
        let (sent, seen) = std::thread::scope(|scope| {
            let sender = scope.spawn(|| steadily(brokers, self.topics.0, self.records, self.per_second));
            let seen = watch(&consumer, &mut running, outputs, || sender.is_finished());
            let sent = sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok::<_, Error>((sent?, seen?))
        })?;
        let (now, broker) = (running.usage()?, self.bed.broker_seconds()? - broker);
        let run = Run {
            cpu_seconds: now.cpu_seconds - before.cpu_seconds,
            broker_cpu_seconds: Some(broker),
            wall_seconds: began.elapsed().as_secs_f64(),
            peak_bytes: Some(now.peak_bytes),
        };
        let mut taken = Fingerprinting::default();
        for record in self.records {
            taken.take(record.partition, record.key.as_bytes(), &record.value);
        }
        Ok((Passed { sent, seen, run, fingerprint: taken.finish() }, running))
    }

    fn settle(&self, running: &mut Running) -> Result<(), Error> {
        let consumer = clients::consumer(&self.bed.addresses.kafka, "bench")?;
        let began = Instant::now();
        while !clients::has_settled(&consumer, self.group) {
            running.check()?;
            if began.elapsed() > SETTLES_WITHIN {
                return Err(running.slow(SETTLES_WITHIN));
            }
            std::thread::park_timeout(LOOK_INTERVAL);
        }
        Ok(())
    }
}

/// Outputs until there are as many as expected and some time more, or none comes any longer.
fn watch(
    consumer: &BaseConsumer,
    running: &mut Running,
    outputs: usize,
    has_sent_all: impl Fn() -> bool,
) -> Result<Vec<(Instant, Vec<u8>)>, Error> {
    let mut seen = Vec::with_capacity(outputs);
    let mut last = Instant::now();
    loop {
        if let Some(polled) = consumer.poll(POLL_WAIT) {
            last = Instant::now();
            let message = polled.map_err(kafka("read outputs"))?;
            seen.push((last, message.payload().unwrap_or_default().to_vec()));
            continue;
        }
        running.check()?;
        let patience = if seen.len() >= outputs { AFTERMATH } else { SILENCE };
        if has_sent_all() && last.elapsed() > patience {
            return Ok(seen);
        }
    }
}
