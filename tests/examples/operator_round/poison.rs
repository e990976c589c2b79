//! Records that nobody can use, of five kinds and one too large to be quoted: each is one dead letter, which says why.

use crate::{
    look::Expected,
    round::{Round, imported, show},
};
use anyhow::Context;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use schemas::{Encoder, GroupMessageIngested, GroupSettings, GroupWindowReady, LIVE_LANE, Record};
use std::collections::BTreeMap;
use tests::{PATIENCE, Pipeline, TENANT, eventually, partition_of, said};

const GROUP: &str = "poisoned";
/// What clears a terminal and paints it, where it is let through.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[31mpinned";

/// The kinds: what it is, the reason that its letter gives, its bytes.
type Poison = (&'static str, &'static str, Vec<u8>);

pub(crate) fn step(round: &mut Round<'_>) -> anyhow::Result<()> {
    round.heading("poison of six kinds, and a chat is imported")?;
    let poison = poison(round.pipeline)?;
    produce(round.pipeline, &poison)?;
    for (what, reason, bytes) in &poison {
        round.say(&format!("so it is: {what}, {} bytes; its letter gives {reason}", bytes.len()))?;
    }
    let import = round.import()?;
    imported(import)?;
    let letters = eventually("each has its letter", PATIENCE, || {
        let listed = round.gistmill(&["dlq", "ls", "--json"])?;
        Ok((listed.text.lines().count() >= poison.len()).then_some(listed.text))
    })?;
    round.healed(&Expected {
        log: &["input given up as a dead letter"],
        readyz: &["window_builder: ready; dead letters since its start: 6"],
        doctor: &["6 in the last 24 hours", "gistmill dlq ls"],
        unwell: &["dead letters"],
        nowhere: &["could not reach", "\u{1b}[2J"],
        ..Expected::default()
    })?;
    let expected: BTreeMap<&str, usize> =
        poison.iter().fold(BTreeMap::new(), |mut reasons, (_, reason, _)| {
            *reasons.entry(*reason).or_default() += 1;
            reasons
        });
    for (reason, count) in expected {
        let found = letters.lines().filter(|line| line.contains(&format!("\"{reason}\""))).count();
        if found != count {
            round.untrue(&format!("{found} letters give {reason}, and {count} should"))?;
        }
    }
    letters_as_shown(round, &letters)
}

/// The list, and each letter opened.
fn letters_as_shown(round: &mut Round<'_>, letters: &str) -> anyhow::Result<()> {
    let listed = round.gistmill(&["dlq", "ls"])?;
    show(&format!("--- gistmill dlq ls\n{}", listed.text))?;
    let mut texts = vec![listed.text];
    for line in letters.lines() {
        let letter: serde_json::Value = serde_json::from_str(line)?;
        let place = letter["place"].as_str().context("a letter has a place")?.to_owned();
        let shown = round.gistmill(&["dlq", "show", &place])?;
        show(&format!("--- gistmill dlq show {place}\n{}", shown.text))?;
        texts.push(shown.text);
    }
    if texts.iter().any(|text| text.contains('\u{1b}')) {
        round.untrue("dlq lets through what steers a terminal")?;
    }
    Ok(())
}

fn produce(pipeline: &Pipeline, poison: &[Poison]) -> anyhow::Result<()> {
    let mut settings = pipeline.stack.client();
    settings.set("message.max.bytes", "8388608");
    let producer: BaseProducer = settings.create()?;
    let (topic, key) = (pipeline.topic(GroupMessageIngested::TYPE), format!("{TENANT}/{GROUP}"));
    for (_, _, bytes) in poison {
        let partition = partition_of(key.as_bytes(), 4);
        let record = BaseRecord::<str, Vec<u8>>::to(&topic).key(&key).payload(bytes).partition(partition);
        producer.send(record).map_err(|(error, _)| error)?;
    }
    producer.flush(PATIENCE).context("could not deliver poison")
}

fn encoded<R: Record>(pipeline: &Pipeline, value: &R) -> anyhow::Result<Vec<u8>> {
    let registry = pipeline.stack.registry()?;
    let id = pipeline.rows.block_on(registry.lookup(&pipeline.prefix.subject(R::TYPE), R::AVSC))?;
    let mut bytes = Vec::new();
    Encoder::new(id)?.encode(value, &mut bytes)?;
    Ok(bytes)
}

fn poison(pipeline: &Pipeline) -> anyhow::Result<Vec<Poison>> {
    let mut unknown = encoded(pipeline, &said(GROUP, 1))?;
    unknown.splice(1..5, [0x7f, 0xff, 0xff, 0xf0]);
    let mut truncated = encoded(pipeline, &said(GROUP, 2))?;
    truncated.truncate(truncated.len() - 9);
    let of_kind = |kind: &str| {
        let mut record = said(GROUP, 3);
        kind.clone_into(&mut record.messages[0].kind);
        encoded(pipeline, &record)
    };
    Ok(vec![
        ("no Avro, but JSON", "wrong_magic", br#"{"text":"hello"}"#.to_vec()),
        ("a schema that the registry does not have", "unknown_schema", unknown),
        ("an event of another type", "wrong_schema", encoded(pipeline, &window())?),
        ("cut off before its end", "undecodable", truncated),
        ("a message of a kind that steers terminals", "unknown_kind", of_kind(HOSTILE)?),
        ("a message whose kind has megabytes", "unknown_kind", of_kind(&"x".repeat(3_500_000))?),
    ])
}

fn window() -> GroupWindowReady {
    GroupWindowReady {
        tenant_id: TENANT.to_owned(),
        group_id: GROUP.to_owned(),
        window_id: "00000000-0000-5000-8000-000000000000".to_owned(),
        size_hours: 24,
        window_start: 1_772_409_600_000,
        window_end: 1_772_496_000_000,
        revision: 1,
        lane: LIVE_LANE.to_owned(),
        message_count: 9,
        participant_count: 3,
        scopes: Vec::new(),
        settings: GroupSettings::default(),
        source_partition: 0,
        source_offset: 9,
    }
}
