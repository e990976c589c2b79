//! Kills a sink of `courier`'s kind with SIGKILL while it delivers, and holds what is there in the end against what its peer got.
//!
//! Invariant: what may be at the peer without the ledger knowing is decided from the ledger alone, after the kill and before the
//! next start.

use crate::{
    chance::Die,
    foreign::Foreign,
    kill::catch,
    murmur2::partition_of,
    patience::{PATIENCE, eventually},
    pipeline::{Pipeline, TENANT},
    process::Process,
    seen::decode_all,
    stranger::{Isolation, read},
};
use anyhow::{Context, ensure};
use schemas::{DigestDelivered, DigestReadyForDelivery, digest_id, window_id};
use sqlx::Row;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A digest to make others of.
const SAMPLE: &str =
    include_str!("../../schemas/examples/digest.ready_for_delivery.v1/day_of_an_import.json");
const READY: &str = "digest.ready_for_delivery.v1";
const DELIVERED: &str = "digest.delivered.v1";
const DAY_MS: i64 = 86_400_000;
/// Each has a target of its own: one target is tried by one try at a time.
const GROUPS: i64 = 8;
const CATCH: Duration = Duration::from_secs(20);
/// Longest life of a sink after its first delivery.
const LIFE_MS: u64 = 300;
/// Keeps each write to the ledger open for long enough to be killed in.
const SLOW_WRITES: [&str; 2] = [
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.01); RETURN NULL; END'",
    "CREATE TRIGGER slowly AFTER INSERT ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
];
/// What failed is tried again soon, so that a run does not wait for it.
const SOON: &str = "
UPDATE delivery_queue SET next_at = now() WHERE worker IS NULL AND next_at > now() + interval '1 s'";

/// When the sink is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DoorMoment {
    /// While it writes that it is about to deliver, or how that ended.
    Writing,
    /// After the peer got a delivery, before its answer has come.
    Delivered,
    /// So long after the peer got the first.
    After(Duration),
}

impl DoorMoment {
    /// A moment by a die.
    pub fn roll(die: &mut Die) -> Self {
        match die.roll(4) {
            0 => Self::Writing,
            1 => Self::Delivered,
            _ => Self::After(Duration::from_millis(die.roll(LIFE_MS))),
        }
    }

    /// What it is, in a report.
    pub fn told(self) -> &'static str {
        match self {
            Self::Writing => "with a write to the ledger open",
            Self::Delivered => "between a delivery and its answer",
            Self::After(_) => "somewhere after its first delivery",
        }
    }
}

/// One thing that a peer got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// What it is known by.
    pub id: String,
    /// All of it.
    pub text: String,
}

/// What a sink delivers to.
pub trait Peer {
    /// The sink.
    const SINK: &'static str;
    /// Its channel.
    const CHANNEL: &'static str;
    /// True where a delivery of which nobody knows how it ended is made again.
    const REPEATS: bool;

    /// Settings of the sink.
    fn variables(&self) -> Vec<(String, String)>;

    /// Makes this the target of a group.
    ///
    /// # Errors
    /// The stack refuses.
    fn receive(&self, pipeline: &Pipeline, group: &str) -> anyhow::Result<()>;

    /// Everything that it got, in order.
    ///
    /// # Errors
    /// It cannot be asked.
    fn got(&self) -> anyhow::Result<Vec<Got>>;

    /// Whether it answers late from now on, so late that the sink is killed before.
    fn be_late(&self, is_late: bool);
}

/// What there was in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DoorTold {
    /// Windows with two versions each.
    pub windows: usize,
    /// Different things that the peer got.
    pub got: usize,
    /// Of those, things that it got more than once.
    pub repeated: usize,
    /// Deliveries that are `unknown`.
    pub unknown: usize,
    /// Of those, deliveries that the peer got.
    pub unknown_and_got: usize,
}

/// A pipeline whose sink is killed.
#[derive(Debug)]
pub struct DoorKills<'a, P: Peer> {
    pipeline: &'a Pipeline,
    peer: P,
    feed: Foreign<DigestReadyForDelivery>,
    windows: i64,
    /// Windows that have a second version.
    second: i64,
    fed: i64,
    /// Digests that were begun when the sink was killed.
    doubtful: BTreeSet<String>,
}

impl<'a, P: Peer> DoorKills<'a, P> {
    /// Targets for some groups, and a sink that writes slowly.
    ///
    /// # Errors
    /// The stack refuses.
    pub fn of(pipeline: &'a Pipeline, peer: P) -> anyhow::Result<Self> {
        for number in 0..GROUPS {
            peer.receive(pipeline, &group(number))?;
        }
        for statement in SLOW_WRITES {
            pipeline.rows.query(statement, &[])?;
        }
        let feed = Foreign::to(pipeline)?;
        Ok(Self { pipeline, peer, feed, windows: 0, second: 0, fed: 0, doubtful: BTreeSet::new() })
    }

    /// Adds windows, and a newer version of those that were added before.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn feed(&mut self, count: i64) -> anyhow::Result<()> {
        for number in self.second..self.windows {
            self.send(number, "2.0")?;
        }
        self.second = self.windows;
        for number in self.windows..self.windows + count {
            self.send(number, "1.0")?;
        }
        self.windows += count;
        self.feed.flush()
    }

    fn send(&mut self, number: i64, version: &str) -> anyhow::Result<()> {
        let key = format!("{TENANT}/{}", group(number));
        let partition = partition_of(key.as_bytes(), self.pipeline.map.topic(READY)?.partitions);
        self.feed.send(&digest::<P>(number, version)?, Some(&key), partition)?;
        self.fed += 1;
        Ok(())
    }

    /// Starts the sink and kills it; false where the moment did not come.
    ///
    /// # Errors
    /// The stack refuses.
    pub fn kill(&mut self, moment: DoorMoment) -> anyhow::Result<bool> {
        let before = self.peer.got()?.len();
        self.pipeline.rows.query(SOON, &[])?;
        self.peer.be_late(moment == DoorMoment::Delivered);
        let sink = self.sink()?;
        let has_got = || Ok((self.peer.got()?.len() > before).then_some(()));
        let first = || eventually("a delivery", CATCH, has_got).is_ok();
        let has_come = match moment {
            DoorMoment::Writing => {
                catch(&sink, CATCH, || Ok(!self.pipeline.rows.open_writes("deliveries")?.is_empty()))?
            }
            DoorMoment::Delivered => first(),
            DoorMoment::After(time) => {
                let has_begun = first();
                std::thread::park_timeout(time);
                has_begun
            }
        };
        sink.kill()?;
        self.peer.be_late(false);
        self.look()?;
        Ok(has_come)
    }

    fn sink(&self) -> anyhow::Result<Process> {
        let variables = self.peer.variables();
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.pipeline.unit(P::SINK, &variables)
    }

    /// Remembers what was begun and is not over, once the killed process's own last write is.
    fn look(&mut self) -> anyhow::Result<()> {
        eventually("the writes of a killed sink end", PATIENCE, || {
            Ok(self.pipeline.rows.open_writes("deliveries")?.is_empty().then_some(()))
        })?;
        for row in
            self.pipeline.rows.query("SELECT digest_id FROM deliveries WHERE status = 'sending'", &[])?
        {
            self.doubtful.insert(row.try_get(0)?);
        }
        Ok(())
    }

    /// Lets a sink go on until everything is delivered, publishes what it said, and holds that against what the peer got.
    ///
    /// # Errors
    /// The peer has something twice, the ledger does not say `unknown` exactly where nobody can know, or something was not said once.
    pub fn settle(&mut self) -> anyhow::Result<DoorTold> {
        for number in self.second..self.windows {
            self.send(number, "2.0")?;
        }
        self.feed.flush()?;
        let sink = self.sink()?;
        let deadline = PATIENCE + Duration::from_secs(self.windows.unsigned_abs());
        eventually("everything is delivered", deadline, || {
            let passed = self.pipeline.rows.sink_offsets()?;
            let of_ready = passed.iter().filter(|((sink, topic, _), _)| sink == P::SINK && topic == READY);
            let is_passed = of_ready.map(|(_, offset)| offset).sum::<i64>() == self.fed;
            self.pipeline.rows.query(SOON, &[])?;
            let waiting = self.pipeline.rows.number("SELECT count(*) FROM delivery_queue")?;
            Ok((is_passed && waiting == 0).then_some(()))
        })?;
        sink.stop(PATIENCE)?;
        let source = self.pipeline.unit("postgres_outbox_source", &[])?;
        let wanted = self.pipeline.rows.outbox()?.get("delivered").copied().unwrap_or_default();
        let delivered = eventually("the outbox is published", PATIENCE, || {
            let seen = read(self.pipeline, Isolation::Committed)?;
            let delivered: Vec<DigestDelivered> = decode_all(self.pipeline, &seen, DELIVERED)?;
            Ok((delivered.len() as i64 >= wanted).then_some(delivered))
        })?;
        source.stop(PATIENCE)?;
        self.judge(&delivered)
    }

    fn judge(&self, delivered: &[DigestDelivered]) -> anyhow::Result<DoorTold> {
        let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        let mut newest: BTreeMap<String, String> = BTreeMap::new();
        for Got { id, text } in self.peer.got()? {
            let (window, version) = window_of(&text)?;
            let last = newest.entry(window.clone()).or_insert_with(|| version.clone());
            ensure!(*last <= version, "version {version} of {window} came after {last}");
            *last = version;
            texts.entry(id.clone()).or_default().insert(text);
            *times.entry(id).or_default() += 1;
        }
        let changed: Vec<_> = texts.iter().filter(|(_, texts)| texts.len() > 1).collect();
        ensure!(changed.is_empty(), "one id with two bodies: {changed:?}");
        let repeated = times.values().filter(|times| **times > 1).count();
        ensure!(P::REPEATS || repeated == 0, "{repeated} came twice: {times:?}");
        let unknown = self.digests("SELECT digest_id FROM deliveries WHERE status = 'unknown'")?;
        if P::REPEATS {
            ensure!(unknown.is_empty(), "unknown: {unknown:?}");
        } else {
            ensure!(unknown == self.doubtful, "unknown {unknown:?}, begun when killed {:?}", self.doubtful);
        }
        self.judge_said(delivered, &unknown)?;
        let mut unknown_and_got = 0;
        for number in 0..self.windows {
            let window = window(number);
            let last = digest_id(&window, "2.0");
            let has_newest = newest.get(&window).is_some_and(|version| version == "2.0");
            ensure!(has_newest || unknown.contains(&last), "{window} did not come in its newest version");
            for version in ["1.0", "2.0"] {
                let is_unknown = unknown.contains(&digest_id(&window, version));
                let headline = headline(number, version);
                let is_there = texts.values().flatten().any(|text| text.contains(&headline));
                unknown_and_got += usize::from(is_unknown && is_there);
            }
        }
        Ok(DoorTold {
            windows: self.windows.unsigned_abs() as usize,
            got: texts.len(),
            repeated,
            unknown: unknown.len(),
            unknown_and_got,
        })
    }

    /// Each newest version was said to be there, once; an older one too, unless a newer one took its place.
    fn judge_said(&self, delivered: &[DigestDelivered], unknown: &BTreeSet<String>) -> anyhow::Result<()> {
        let mut said: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for event in delivered {
            *said.entry((&event.digest_id, &event.status)).or_default() += 1;
        }
        let wrong: Vec<_> =
            said.iter().filter(|((_, status), times)| *status != "success" || **times != 1).collect();
        ensure!(wrong.is_empty(), "said {wrong:?}");
        let sent = self.digests("SELECT digest_id FROM deliveries WHERE status = 'sent'")?;
        let told: BTreeSet<String> = said.keys().map(|(digest, _)| (*digest).to_owned()).collect();
        ensure!(told == sent, "said {told:?}, sent {sent:?}");
        for number in 0..self.windows {
            let last = digest_id(&window(number), "2.0");
            ensure!(sent.contains(&last) || unknown.contains(&last), "{last} is neither sent nor unknown");
        }
        Ok(())
    }

    fn digests(&self, sql: &'static str) -> anyhow::Result<BTreeSet<String>> {
        let rows = self.pipeline.rows.query(sql, &[])?;
        rows.iter().map(|row| row.try_get(0).context("no digest")).collect()
    }
}

fn group(number: i64) -> String {
    format!("told{}", number.rem_euclid(GROUPS))
}

fn window(number: i64) -> String {
    window_id(TENANT, &group(number), 24, number * DAY_MS)
}

fn headline(number: i64, version: &str) -> String {
    format!("<window {number} version {version}>")
}

/// The window and version of something that came, by its headline.
fn window_of(text: &str) -> anyhow::Result<(String, String)> {
    let found = text.split("<window ").nth(1).and_then(|rest| rest.split('>').next());
    let (number, version) = found
        .and_then(|found| found.split_once(" version "))
        .with_context(|| format!("something of no window came: {text}"))?;
    Ok((window(number.parse()?), version.to_owned()))
}

fn digest<P: Peer>(number: i64, version: &str) -> anyhow::Result<DigestReadyForDelivery> {
    let mut ready: DigestReadyForDelivery = serde_json::from_str(SAMPLE)?;
    TENANT.clone_into(&mut ready.tenant_id);
    ready.group_id = group(number);
    version.clone_into(&mut ready.version);
    ready.window_id = window(number);
    ready.digest_id = digest_id(&ready.window_id, version);
    ready.channels = vec![P::CHANNEL.to_owned()];
    ready.window.window_start = number * DAY_MS;
    ready.window.window_end = (number + 1) * DAY_MS;
    ready.window.settings.channels.clone_from(&ready.channels);
    ready.delivery_payload.headline = headline(number, version);
    Ok(ready)
}
