//! What is produced, asked and killed.

use crate::Poison;
use anyhow::{Context, ensure};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use schemas::{DigestDlq, Encoder, GroupMessageIngested, Record};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tests::{Isolation, PATIENCE, Pipeline, TENANT, eventually, partition_of, read, said};

const INGESTED: &str = GroupMessageIngested::TYPE;
const PARTITIONS: i32 = 4;
const GROUP: &str = "letters";
/// Records a second of the replay that is killed.
const SLOW: &str = "200";

pub(crate) struct Show<'a> {
    pipeline: &'a Pipeline,
    encoder: Encoder<GroupMessageIngested>,
    /// The id that the next schema will have.
    next_id: u32,
    producer: BaseProducer,
}

impl<'a> Show<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> anyhow::Result<Self> {
        let registry = pipeline.stack.registry()?;
        let subject = pipeline.prefix.subject(INGESTED);
        let id = pipeline.rows.block_on(registry.lookup(&subject, GroupMessageIngested::AVSC))?;
        // Ids are given in turn: the one after a schema that nobody has.
        let newest = pipeline
            .rows
            .block_on(registry.register(&show_subject(pipeline, "before"), &documented("before")))?;
        let mut settings = pipeline.stack.client();
        settings.set("queue.buffering.max.messages", "1000000");
        let producer = settings.create().context("could not create a producer")?;
        Ok(Self { pipeline, encoder: Encoder::new(id)?, next_id: newest + 1, producer })
    }

    /// Units of the map but for these.
    pub(crate) fn others(&self, units: &[&str]) -> Vec<&'a str> {
        let map = &self.pipeline.map;
        let processors = map.processors().map(|it| it.name.as_str());
        let connectors = map.connectors().map(|it| it.name.as_str());
        processors.chain(connectors).filter(|name| !units.contains(name)).collect()
    }

    fn send(&self, topic: &str, (key, value): (&str, &[u8]), partition: i32) -> anyhow::Result<()> {
        loop {
            let record = BaseRecord::<str, [u8]>::to(topic).key(key).payload(value).partition(partition);
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((error, _))
                    if error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull) =>
                {
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((error, _)) => return Err(error).context("could not queue a record"),
            }
        }
    }

    /// Good records with poison spread among them; how many there are of each kind.
    pub(crate) fn produce(&self, good: usize, poisoned: usize) -> anyhow::Result<BTreeMap<Poison, u64>> {
        let (topic, key) = (self.pipeline.topic(INGESTED), format!("{TENANT}/{GROUP}"));
        let home = partition_of(key.as_bytes(), PARTITIONS);
        let mut counts = BTreeMap::new();
        let every = (good / poisoned.max(1)).max(1);
        let mut made = 0;
        for number in 0..good {
            self.send(&topic, (&key, &self.value(number as i64 + 1)?), home)?;
            if number % every == 0 && made < poisoned {
                let kind = Poison::of(made);
                let mut value = self.value((good + made) as i64 + 1)?;
                let mut partition = home;
                match kind {
                    Poison::UnknownSchema => value[1..5].copy_from_slice(&self.next_id.to_be_bytes()),
                    Poison::WrongMagic => value[0] = 1 + (made % 200) as u8,
                    Poison::WrongPartition => partition = (home + 1) % PARTITIONS,
                }
                self.send(&topic, (&key, &value), partition)?;
                *counts.entry(kind).or_default() += 1;
                made += 1;
            }
        }
        self.producer.flush(PATIENCE).context("could not deliver records")?;
        ensure!(made == poisoned, "{made} poisoned records");
        Ok(counts)
    }

    fn value(&self, id: i64) -> anyhow::Result<Vec<u8>> {
        let mut record = said(GROUP, id);
        // One a second, so that a hundred thousand are a day or two.
        let at = record.messages[0].sent_at - id * 59_000;
        (record.messages[0].sent_at, record.observed_at) = (at, at);
        let mut value = Vec::new();
        self.encoder.encode(&record, &mut value)?;
        Ok(value)
    }

    /// Fingerprint and number of inputs of each open kind, by reason.
    pub(crate) fn kinds(&self) -> anyhow::Result<BTreeMap<String, (String, u64)>> {
        let text = self.pipeline.gistmill(&["dlq", "stat", "--json"])?;
        let mut kinds = BTreeMap::new();
        for line in text.lines() {
            let kind: Value = serde_json::from_str(line)?;
            let named = |name: &str| kind[name].as_str().map(str::to_owned).context("a kind is named");
            let count = kind["inputs"].as_u64().context("a kind is counted")?;
            ensure!(
                kinds.insert(named("reason")?, (named("fingerprint")?, count)).is_none(),
                "two of one reason"
            );
        }
        Ok(kinds)
    }

    pub(crate) fn messages(&self) -> anyhow::Result<i64> {
        self.pipeline.rows.number("SELECT count(*) FROM messages")
    }

    /// The missing schema is registered.
    pub(crate) fn fix(&self) -> anyhow::Result<()> {
        let registry = self.pipeline.stack.registry()?;
        let subject = show_subject(self.pipeline, "late");
        let id = self.pipeline.rows.block_on(registry.register(&subject, &documented("late")))?;
        ensure!(
            id == self.next_id,
            "the registry gave id {id}, not {}: somebody else registers schemas",
            self.next_id
        );
        Ok(())
    }

    /// Starts a slow replay and kills it when some records are written; how many were committed.
    pub(crate) fn replay_killed(&self, fingerprint: &str) -> anyhow::Result<u64> {
        let arguments = ["dlq", "replay", "--fingerprint", fingerprint, "--yes", "--rate", SLOW];
        let mut command: Command = self.pipeline.command(&arguments);
        let mut replay = command.stdout(Stdio::null()).spawn().context("could not start the replay")?;
        let is_begun = || {
            let settled =
                self.pipeline.rows.number("SELECT count(*) FROM settled_letters WHERE state = 'replayed'")?;
            Ok((settled >= 2 * SLOW.parse::<i64>()?).then_some(()))
        };
        let begun = eventually("some are written", PATIENCE, is_begun);
        replay.kill().context("could not kill the replay")?;
        replay.wait().context("could not wait for the replay")?;
        begun?;
        Ok(self.again()?.len() as u64)
    }

    /// Where records came from that were written again.
    fn again(&self) -> anyhow::Result<Vec<String>> {
        let seen = read(self.pipeline, Isolation::Committed)?;
        let is_again = |name: &str| name == "replay_of";
        let again = seen.iter().filter(|seen| seen.topic == INGESTED);
        Ok(again
            .filter(|seen| seen.headers.iter().any(|(name, _)| is_again(name)))
            .map(|seen| seen.header("replay_of"))
            .collect())
    }

    pub(crate) fn came_back_once(&self, wanted: u64) -> anyhow::Result<()> {
        let again = self.again()?;
        let places: BTreeSet<&str> = again.iter().map(String::as_str).collect();
        ensure!(
            again.len() as u64 == wanted,
            "{} records were written again, {wanted} were wanted",
            again.len()
        );
        ensure!(places.len() == again.len(), "{} of them twice", again.len() - places.len());
        Ok(())
    }

    /// How fast many letters come back, with nobody reading them.
    pub(crate) fn measure(
        &self,
        many: usize,
        say: &dyn Fn(&str) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        let registry = self.pipeline.stack.registry()?;
        let subject = self.pipeline.prefix.subject(DigestDlq::TYPE);
        let id = self.pipeline.rows.block_on(registry.lookup(&subject, DigestDlq::AVSC))?;
        let encoder: Encoder<DigestDlq> = Encoder::new(id)?;
        let (topic, key) = (self.pipeline.topic(DigestDlq::TYPE), format!("{TENANT}/{GROUP}"));
        let home = partition_of(key.as_bytes(), PARTITIONS);
        for number in 0..many {
            let letter = self.letter(number as i64, (&key, home))?;
            let mut value = Vec::new();
            encoder.encode(&letter, &mut value)?;
            self.send(&topic, (&key, &value), home)?;
        }
        self.producer.flush(PATIENCE).context("could not deliver letters")?;
        say(&format!("{many} letters more are made"))?;
        let started = Instant::now();
        let done: Value = serde_json::from_str(
            &self.pipeline.gistmill(&["dlq", "replay", "--reason", "measured", "--yes", "--json"])?,
        )?;
        let (took, inside) = (started.elapsed().as_secs_f64(), done["seconds"].as_f64().unwrap_or_default());
        ensure!(done["inputs"] == many, "{done}");
        say(&format!(
            "{many} inputs written again in {took:.1} s ({inside:.1} s of it between start and end): {:.0} a second",
            many as f64 / took
        ))?;
        Ok(())
    }

    fn letter(&self, number: i64, (key, partition): (&str, i32)) -> anyhow::Result<DigestDlq> {
        Ok(DigestDlq {
            tenant_id: TENANT.to_owned(),
            group_id: GROUP.to_owned(),
            digest_id: None,
            stage: "window_builder".to_owned(),
            error: "made for the measurement".to_owned(),
            error_class: "measured".to_owned(),
            fingerprint: String::new(),
            retry_count: 0,
            next_action: "investigate".to_owned(),
            topic: INGESTED.to_owned(),
            partition,
            offset: 1_000_000_000 + number,
            timestamp: 0,
            key: Some(key.as_bytes().to_vec()),
            headers: Vec::new(),
            value: Some(self.value(number + 1)?),
        })
    }
}

fn show_subject(pipeline: &Pipeline, name: &str) -> String {
    pipeline.prefix.subject(&format!("{name}.{INGESTED}"))
}

/// The schema of ingested messages with another documentation: the same bytes, another id.
fn documented(word: &str) -> String {
    let mut schema: Value = serde_json::from_str(GroupMessageIngested::AVSC).unwrap_or_default();
    schema["doc"] = Value::from(format!("of a producer that came {word} {}", std::process::id()));
    schema.to_string()
}
