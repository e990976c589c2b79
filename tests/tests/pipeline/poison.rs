//! Records that nobody can read: one dead letter each, with what is needed to replay it; the guard when all are.

use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};
use schemas::{
    DigestDlq, Encoder, GroupMessageIngested, GroupSettings, GroupWindowReady, LIVE_LANE, frame_schema_id,
};
use std::{collections::BTreeMap, time::Duration};
use tests::{
    Chat, Foreign, Isolation, PATIENCE, Pipeline, Seen, day_is_over, decode_all, partition_of, read, said,
    settle,
};

const INGESTED: &str = "group.message.ingested.v1";
const DEAD_LETTERS: &str = "digest.dlq.v1";
const KEY: &str = "acme/alpha";
/// What the guard lets through before it stops a processor: a streak of a hundred ends it.
const LET_THROUGH_MAX: usize = 99;

fn partition() -> i32 {
    partition_of(KEY.as_bytes(), 4)
}

/// Produces values as they are, with a header, into the partition of the chat.
fn produce(pipeline: &Pipeline, values: &[Option<Vec<u8>>]) -> anyhow::Result<()> {
    let producer: BaseProducer = pipeline.stack.client().create()?;
    let topic = pipeline.topic(INGESTED);
    for value in values {
        let headers = OwnedHeaders::new()
            .insert(Header { key: "origin", value: Some(&[0_u8, 255][..]) })
            .insert(Header::<&Vec<u8>> { key: "nothing", value: None });
        let mut record =
            BaseRecord::<str, Vec<u8>>::to(&topic).key(KEY).partition(partition()).headers(headers);
        record.payload = value.as_ref();
        producer.send(record).map_err(|(error, _)| error)?;
    }
    producer.flush(PATIENCE)?;
    Ok(())
}

/// Bytes without an order that a reader could find: an LCG's high byte, never the magic byte first.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes: Vec<u8> = (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    if let Some(first) = bytes.first_mut() {
        *first |= 1;
    }
    bytes
}

fn windows(seen: &[GroupWindowReady]) -> BTreeMap<i64, i32> {
    seen.iter().map(|ready| (ready.window_start, ready.message_count)).collect()
}

type Change = fn(&mut GroupMessageIngested);

/// Records that decode and that no reader can use, and why: each a message of the chat with one thing wrong.
fn unusable(pipeline: &Pipeline) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let seen = read(pipeline, Isolation::Committed)?;
    let mut records: Vec<GroupMessageIngested> = decode_all(pipeline, &seen, INGESTED)?;
    records.retain(|record| !record.messages.is_empty());
    let value = seen.iter().find(|seen| seen.topic == INGESTED).and_then(|seen| seen.value.as_deref());
    let encoder = Encoder::new(frame_schema_id(value.unwrap_or_default())?)?;
    let wrong: [(&str, Change); 4] = [
        ("bad_sent_at", |record| record.messages[0].sent_at = 0),
        ("unknown_kind", |record| record.messages[0].kind = "pinned".to_owned()),
        ("bad_settings", |record| {
            record.settings = Some(GroupSettings { window_hours: vec![5], ..GroupSettings::default() });
        }),
        ("clock_ahead", |record| {
            (record.lane, record.observed_at) = (LIVE_LANE.to_owned(), 7_452_518_400_000);
        }),
    ];
    wrong
        .into_iter()
        .map(|(reason, change)| {
            let mut record = records[0].clone();
            record.messages.truncate(1);
            record.messages[0].id = 1_000_000;
            change(&mut record);
            let mut bytes = Vec::new();
            encoder.encode(&record, &mut bytes)?;
            Ok((reason, bytes))
        })
        .collect()
}

#[test]
fn each_poison_is_one_dead_letter_and_the_good_ones_around_it_flow_on() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("poison")? else { return Ok(()) };
    let (before, after) = (Chat::new("alpha", 4, 12), Chat::later("alpha", 10, 4, 12));
    let unknown_schema = [&[0_u8, 0x7f, 0xff, 0xff, 0xf0][..], &noise(3, 20)].concat();
    let _up = pipeline.up_without(&[])?;
    pipeline.import(&before.write(pipeline.directory())?, "alpha")?;
    let undecodable = [
        ("wrong_magic", Some(noise(1, 300))),
        ("unknown_schema", Some(unknown_schema)),
        ("no_value", None),
        ("too_short", Some(Vec::new())),
        ("too_short", Some(vec![0, 0, 0])),
    ];
    let unusable = unusable(&pipeline)?.into_iter().map(|(reason, value)| (reason, Some(value)));
    let (reasons, poison): (Vec<_>, Vec<_>) = undecodable.into_iter().chain(unusable).unzip();
    produce(&pipeline, &poison)?;
    pipeline.import(&after.write(pipeline.directory())?, "alpha")?;
    let seen = settle(&pipeline)?.into_seen();

    let letters: Vec<DigestDlq> = decode_all(&pipeline, &seen, DEAD_LETTERS)?;
    let by_offset: BTreeMap<i64, &DigestDlq> = letters.iter().map(|letter| (letter.offset, letter)).collect();
    assert_eq!((letters.len(), by_offset.len()), (poison.len(), poison.len()), "one each");
    for ((letter, value), reason) in by_offset.values().zip(&poison).zip(reasons) {
        assert_eq!(&letter.value, value);
        assert_eq!(letter.key.as_deref(), Some(KEY.as_bytes()));
        assert_eq!((letter.topic.as_str(), letter.partition), (INGESTED, partition()));
        assert_eq!((letter.stage.as_str(), letter.error_class.as_str()), ("window_builder", reason));
        let headers: Vec<(&str, Option<&[u8]>)> =
            letter.headers.iter().map(|header| (header.key.as_str(), header.value.as_deref())).collect();
        assert_eq!(headers, [("origin", Some(&[0_u8, 255][..])), ("nothing", None)]);
        assert_eq!((letter.tenant_id.as_str(), letter.group_id.as_str()), ("acme", "alpha"));
    }
    assert_origins(&pipeline, &seen);

    let expected: BTreeMap<i64, i32> =
        before.days.iter().chain(&after.days).map(|(start, day)| (*start, day.ids.len() as i32)).collect();
    let ready: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    assert_eq!((windows(&ready), ready.len()), (expected.clone(), expected.len()));
    let states = before.states.len() + after.states.len();
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, states as i64);
    assert!(!pipeline.rows.outbox()?.contains_key("dead_letters"), "the sink leaves them to the owner");
    pipeline.finish()
}

/// The headers of dead letters lead back to the record on the broker.
fn assert_origins(pipeline: &Pipeline, seen: &[Seen]) {
    for letter in seen.iter().filter(|seen| seen.topic == DEAD_LETTERS) {
        let offset: i64 = letter.header("dlq_offset").parse().expect("an offset");
        let origin = seen
            .iter()
            .find(|seen| seen.topic == INGESTED && seen.partition == partition() && seen.offset == offset);
        assert!(origin.is_some(), "offset {offset} is a record of the topic");
        assert_eq!(letter.header("dlq_physical_topic"), pipeline.topic(INGESTED));
        assert_eq!(letter.header("kafka_dlt-original-topic"), pipeline.topic(INGESTED));
        assert_eq!(letter.header("__connect.errors.offset"), offset.to_string());
        assert_eq!(letter.header("ce_type"), DEAD_LETTERS);
    }
}

#[test]
fn a_reason_that_quotes_megabytes_does_not_wedge_its_partition() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("quoted")? else { return Ok(()) };
    let producer = Foreign::to(&pipeline)?;
    let mut poison = said("alpha", 2);
    poison.messages[0].kind = "x".repeat(3_500_000);
    for record in [said("alpha", 1), poison, said("alpha", 3), day_is_over("alpha")] {
        producer.send(&record, Some(KEY), partition())?;
    }
    producer.flush()?;
    let _up = pipeline.up_without(&[])?;
    let seen = settle(&pipeline)?.into_seen();
    let ready: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    assert_eq!(windows(&ready).into_values().collect::<Vec<_>>(), [2]);
    let letters: Vec<DigestDlq> = decode_all(&pipeline, &seen, DEAD_LETTERS)?;
    let of_owner: Vec<&DigestDlq> =
        letters.iter().filter(|letter| letter.stage == "window_builder").collect();
    let [letter] = of_owner[..] else { panic!("{} letters", of_owner.len()) };
    assert_eq!(letter.error_class, "unknown_kind");
    assert!(letter.error.len() < 3_000 && letter.error.ends_with("bytes in all)"), "{}", letter.error.len());
    assert!(letter.value.as_ref().is_some_and(|value| value.len() > 3_500_000), "the input is kept whole");
    pipeline.finish()
}

#[test]
fn the_guard_stops_readers_of_a_topic_that_nobody_can_read() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("guard")? else { return Ok(()) };
    let poison: Vec<_> = (0..400).map(|seed| Some(noise(seed, 40))).collect();
    produce(&pipeline, &poison)?;
    for name in ["window_builder", "postgres_sink"] {
        let mut unit = pipeline.unit(name, &[])?;
        let status = unit.wait(Duration::from_mins(1))?;
        let log = unit.log()?;
        assert_eq!(status.code(), Some(1), "{name}: {log}");
        let first = format!("inputs were rejected, first {INGESTED}/");
        let past = format!(
            "let them through into the dead letters with `gistmill dlq drain {name} --topic {INGESTED}"
        );
        assert!(log.contains(&first) && log.contains(&past), "{name}: {log}");
    }
    let seen = read(&pipeline, Isolation::Committed)?;
    let letters = seen.iter().filter(|seen| seen.topic == DEAD_LETTERS).count();
    assert!(letters <= LET_THROUGH_MAX, "{letters} dead letters");
    assert!(!pipeline.rows.outbox()?.contains_key("dead_letters"));
    pipeline.finish()
}
