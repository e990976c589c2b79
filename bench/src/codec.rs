//! Decoding and encoding in process, without a broker.

use crate::{
    error::Error,
    fingerprint::Fingerprint,
    generator::Job,
    report::{Line, Report, Run},
    session::{Findings, Options, Session},
    testbed::Say,
    watcher::Shipped,
};
use rustix::time::{ClockId, clock_gettime};
use schemas::{Decoder, Encoder, GroupMessageIngested};
use std::{hint::black_box, time::Instant};

/// Any id will do: no registry is asked.
const SCHEMA_ID: u32 = 1;

/// Decodes, checks and encodes the records of the job.
///
/// # Errors
/// A record does not come back as it was.
pub fn codec(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("codec", options, say)?;
    let mut findings = Findings { notes: vec![NOTE.to_owned()], ..Findings::default() };
    for messages in &options.records {
        let job = Job::of(*messages);
        session.say(format!("making {} records …", job.records()));
        let sample = Sample::new(job)?;
        let mut lines = TASKS.map(|(name, _)| Line::new(name, job.records()));
        for number in 0..options.runs {
            for turn in 0..TASKS.len() {
                let at = (turn + number) % TASKS.len();
                session.say(format!("run {} of {}: {} …", number + 1, options.runs, TASKS[at].0));
                let run = timed(|| TASKS[at].1(&sample))?;
                lines[at].add(run, Ok("the same values".to_owned()));
            }
        }
        findings.lines.extend(lines);
        findings.inputs.push(Fingerprint::of(job, SCHEMA_ID)?);
    }
    session.finish(findings)
}

type Task = fn(&Sample) -> Result<(), Error>;

const TASKS: [(&str, Task); 3] =
    [("decode", Sample::decode), ("decode and check", Sample::read), ("encode", Sample::encode)];

/// The records of a job, as values and as bytes.
#[derive(Debug)]
pub(crate) struct Sample {
    values: Vec<GroupMessageIngested>,
    encoded: Vec<Vec<u8>>,
}

impl Sample {
    /// Makes them, and sees that values come back as they were.
    pub(crate) fn new(job: Job) -> Result<Self, Error> {
        let encoder = Encoder::<GroupMessageIngested>::new(SCHEMA_ID)?;
        let mut decoder: Decoder<GroupMessageIngested> = Shipped::decoder();
        let mut sample = Self { values: Vec::new(), encoded: Vec::new() };
        for generated in job.generate() {
            let mut bytes = Vec::new();
            encoder.encode(&generated.record, &mut bytes)?;
            if decoder.decode(Some(&bytes))? != generated.record {
                return Err(Error::Copy { name: "decode" });
            }
            sample.values.push(generated.record);
            sample.encoded.push(bytes);
        }
        Ok(sample)
    }

    /// The bytes.
    pub(crate) fn into_encoded(self) -> Vec<Vec<u8>> {
        self.encoded
    }

    pub(crate) fn decode(&self) -> Result<(), Error> {
        let mut decoder: Decoder<GroupMessageIngested> = Shipped::decoder();
        for bytes in &self.encoded {
            black_box(decoder.decode(Some(black_box(bytes)))?);
        }
        Ok(())
    }

    pub(crate) fn read(&self) -> Result<(), Error> {
        let mut decoder: Decoder<GroupMessageIngested> = Shipped::decoder();
        for bytes in &self.encoded {
            black_box(decoder.read(Some(black_box(bytes)), 0)?);
        }
        Ok(())
    }

    pub(crate) fn encode(&self) -> Result<(), Error> {
        let encoder = Encoder::<GroupMessageIngested>::new(SCHEMA_ID)?;
        let mut bytes = Vec::new();
        for value in &self.values {
            bytes.clear();
            encoder.encode(black_box(value), &mut bytes)?;
            black_box(&bytes);
        }
        Ok(())
    }
}

/// Processor time of this thread, in seconds.
fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn timed(task: impl FnOnce() -> Result<(), Error>) -> Result<Run, Error> {
    let (began, before) = (Instant::now(), thread_seconds());
    task()?;
    let cpu_seconds = thread_seconds() - before;
    let wall_seconds = began.elapsed().as_secs_f64();
    Ok(Run { cpu_seconds, broker_cpu_seconds: None, wall_seconds, peak_bytes: None })
}

const NOTE: &str =
    "One thread over records in memory, one reader and one writer for all of them; no broker takes part.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_does_its_work() {
        let sample = Sample::new(Job::of(200)).expect("records come back");
        assert_eq!(sample.values.len(), sample.encoded.len());
        for (name, task) in TASKS {
            let run = timed(|| task(&sample)).expect(name);
            assert!(run.cpu_seconds >= 0.0 && run.broker_cpu_seconds.is_none());
        }
    }
}
