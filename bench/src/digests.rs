//! What a pipeline tells of the windows of a chat: digests and why there are none, as they are committed.

use crate::{
    clients,
    error::{Error, kafka},
    fingerprint::hex,
    pipeline::Pipeline,
    running::Running,
    watcher::Shipped,
};
use rdkafka::{Message as _, consumer::BaseConsumer};
use schemas::{Decoder, DigestBlocked, DigestReadyForDelivery};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

const READY: &str = "digest.ready_for_delivery.v1";
const BLOCKED: &str = "digest.blocked.v1";
/// What is told of a digest that is ready, by its sinks.
const AFTERWARDS: [&str; 2] = ["digest.persisted.v1", "digest.delivered.v1"];
const POLL_WAIT: Duration = Duration::from_millis(20);
/// A pipeline that tells nothing for so long has told what it has.
const SILENCE: Duration = Duration::from_mins(2);
/// What is too much comes within this.
const AFTERMATH: Duration = Duration::from_secs(2);

/// What became of a window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    /// Start of the window in ms.
    pub(crate) start_ms: i64,
    /// Whether there is a digest.
    pub(crate) is_ready: bool,
    /// Of the whole event, but for the offset that its window names.
    sha256: String,
}

/// Reads the topics at the end of a pipeline from their beginning.
pub(crate) struct Digests {
    consumer: BaseConsumer,
    topics: BTreeMap<String, &'static str>,
    windows: usize,
    counts: BTreeMap<&'static str, usize>,
    values: Vec<(&'static str, Vec<u8>)>,
}

impl Digests {
    /// Watches for the digests of so many windows.
    pub(crate) fn watch(pipeline: &Pipeline<'_>, windows: usize) -> Result<Self, Error> {
        let all = [READY, BLOCKED].into_iter().chain(AFTERWARDS);
        let topics: BTreeMap<String, &str> = all.map(|topic| (pipeline.topic(topic), topic)).collect();
        let consumer = clients::consumer(&pipeline.bed.addresses.kafka, "bench")?;
        clients::assign_all(&consumer, &topics.keys().map(String::as_str).collect::<Vec<_>>())?;
        Ok(Self { consumer, topics, windows, counts: BTreeMap::new(), values: Vec::new() })
    }

    /// Waits until every window has been told of, and sinks have said so of each digest, or nothing comes any more; when
    /// the last came.
    pub(crate) fn wait(&mut self, running: &mut [Running]) -> Result<Instant, Error> {
        let mut last = Instant::now();
        while !self.is_complete() && last.elapsed() < SILENCE {
            if self.poll()? {
                last = Instant::now();
                continue;
            }
            for process in &mut *running {
                process.check()?;
            }
        }
        Ok(last)
    }

    fn count(&self, topic: &str) -> usize {
        self.counts.get(topic).copied().unwrap_or_default()
    }

    fn is_complete(&self) -> bool {
        let ready = self.count(READY);
        ready + self.count(BLOCKED) >= self.windows
            && AFTERWARDS.iter().all(|topic| self.count(topic) >= ready)
    }

    fn poll(&mut self) -> Result<bool, Error> {
        let Some(polled) = self.consumer.poll(POLL_WAIT) else { return Ok(false) };
        let message = polled.map_err(kafka("read digests"))?;
        let Some(topic) = self.topics.get(message.topic()).copied() else { return Ok(false) };
        *self.counts.entry(topic).or_default() += 1;
        if !AFTERWARDS.contains(&topic) {
            self.values.push((topic, message.payload().unwrap_or_default().to_vec()));
        }
        Ok(true)
    }

    /// What was told, by the start of the window; an error where sinks said less or more than that.
    pub(crate) fn finish(mut self) -> Result<Result<Vec<Told>, String>, Error> {
        let until = Instant::now() + AFTERMATH;
        while Instant::now() < until {
            self.poll()?;
        }
        let (mut ready, mut blocked) = (Shipped::decoder(), Shipped::decoder());
        let told = self.values.iter().map(|(topic, value)| {
            if *topic == READY { of_ready(&mut ready, value) } else { of_blocked(&mut blocked, value) }
        });
        let mut told = told.collect::<Result<Vec<_>, Error>>()?;
        told.sort_unstable();
        let expected = self.count(READY);
        let wrong = AFTERWARDS.iter().find(|topic| self.count(topic) != expected);
        Ok(wrong.map_or(Ok(told), |topic| {
            Err(format!("{topic} tells of {} digests and not of {expected}", self.count(topic)))
        }))
    }
}

fn of_ready(decoder: &mut Decoder<DigestReadyForDelivery>, value: &[u8]) -> Result<Told, Error> {
    let mut ready = decoder.decode(Some(value))?;
    ready.window.source_offset = 0;
    Ok(Told { start_ms: ready.window.window_start, is_ready: true, sha256: sha256(&ready)? })
}

fn of_blocked(decoder: &mut Decoder<DigestBlocked>, value: &[u8]) -> Result<Told, Error> {
    let mut blocked = decoder.decode(Some(value))?;
    blocked.window.source_offset = 0;
    Ok(Told { start_ms: blocked.window.window_start, is_ready: false, sha256: sha256(&blocked)? })
}

fn sha256(event: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_vec(event);
    let text = text.map_err(|source| Error::Json { what: "a digest".to_owned(), source })?;
    Ok(hex(Sha256::new_with_prefix(text)))
}

/// Holds what a run told, in the order of the windows, to the days that a chat has messages in, and to what the first run
/// told; what was found, or how it differs.
pub(crate) fn held_to(told: &[Told], days: &BTreeSet<i64>, first: Option<&[Told]>) -> Result<String, String> {
    let found: Vec<i64> = told.iter().map(|one| one.start_ms).collect();
    if !found.iter().eq(days) {
        let missing = days.iter().filter(|day| !found.contains(day)).count();
        let (found, days) = (found.len(), days.len());
        return Err(format!(
            "{found} windows are told of and {days} days have messages; {missing} days are missing"
        ));
    }
    let differ =
        first.map_or(0, |first| first.iter().zip(told).filter(|(first, other)| first != other).count());
    if differ > 0 {
        return Err(format!("{differ} windows are told of otherwise than in the first run"));
    }
    let ready = told.iter().filter(|one| one.is_ready).count();
    Ok(format!("{} days, {ready} digests, {} blocked", told.len(), told.len() - ready))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(start_ms: i64, is_ready: bool) -> Told {
        Told { start_ms, is_ready, sha256: format!("{start_ms}") }
    }

    #[test]
    fn each_day_is_told_of_once_and_as_in_the_first_run() {
        let days = BTreeSet::from([1, 2, 3]);
        let all = [told(1, true), told(2, false), told(3, true)];
        assert_eq!(held_to(&all, &days, None), Ok("3 days, 2 digests, 1 blocked".to_owned()));
        assert_eq!(held_to(&all, &days, Some(&all)), Ok("3 days, 2 digests, 1 blocked".to_owned()));
        let missing = held_to(&all[..2], &days, None);
        assert_eq!(
            missing,
            Err("2 windows are told of and 3 days have messages; 1 days are missing".to_owned())
        );
        let twice = [told(1, true), told(1, true), told(2, false), told(3, true)];
        assert!(held_to(&twice, &days, None).is_err());
        let otherwise = [told(1, true), told(2, true), told(3, true)];
        let differs = held_to(&otherwise, &days, Some(&all));
        assert_eq!(differs, Err("1 windows are told of otherwise than in the first run".to_owned()));
    }
}
