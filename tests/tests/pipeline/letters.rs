//! Dead letters as an operator sees to them: counted by kind, written again, parked, discarded, and a way past the guard.

use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};
use schemas::{DigestDlq, GroupMessageIngested};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tests::{
    Foreign, Isolation, PATIENCE, Pipeline, Seen, TENANT, day_is_over, decode_all, eventually, partition_of,
    read, said, settle,
};

const INGESTED: &str = "group.message.ingested.v1";
const DEAD_LETTERS: &str = "digest.dlq.v1";
const GROUP: &str = "alpha";
const PARTITIONS: i32 = 4;

fn key() -> String {
    format!("{TENANT}/{GROUP}")
}

fn home() -> i32 {
    partition_of(key().as_bytes(), PARTITIONS)
}

/// Values as they are, into the partition of the chat, each with two headers.
fn produce(pipeline: &Pipeline, values: &[Vec<u8>]) -> anyhow::Result<()> {
    let producer: BaseProducer = pipeline.stack.client().create()?;
    let (topic, key) = (pipeline.topic(INGESTED), key());
    for value in values {
        let headers = OwnedHeaders::new()
            .insert(Header { key: "origin", value: Some(&[0_u8, 255][..]) })
            .insert(Header::<&Vec<u8>> { key: "nothing", value: None });
        let record = BaseRecord::<str, Vec<u8>>::to(&topic).key(&key).payload(value).partition(home());
        producer.send(record.headers(headers)).map_err(|(error, _)| error)?;
    }
    Ok(producer.flush(PATIENCE)?)
}

/// Bytes that are no Avro, each otherwise.
fn noise(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|number| vec![7, 0, 0, 0, 1, number, number.wrapping_mul(31)]).collect()
}

fn lines(text: &str) -> anyhow::Result<Vec<Value>> {
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn stat(pipeline: &Pipeline) -> anyhow::Result<BTreeMap<String, (String, u64)>> {
    let kinds = lines(&pipeline.gistmill(&["dlq", "stat", "--json"])?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = |it: &Value| {
        (text(&it["reason"]), (text(&it["fingerprint"]), it["inputs"].as_u64().unwrap_or_default()))
    };
    Ok(kinds.iter().map(kind).collect())
}

/// What a command says that is refused.
fn refused(pipeline: &Pipeline, arguments: &[&str]) -> anyhow::Result<String> {
    let output = pipeline.output(arguments, &[])?;
    anyhow::ensure!(!output.status.success(), "gistmill {arguments:?} is done");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn messages(pipeline: &Pipeline) -> anyhow::Result<i64> {
    pipeline.rows.number("SELECT count(*) FROM messages")
}

/// Records of the chat that were written again.
fn again(pipeline: &Pipeline) -> anyhow::Result<Vec<Seen>> {
    let seen = read(pipeline, Isolation::Committed)?;
    let is_again = |seen: &Seen| seen.headers.iter().any(|(name, _)| name == "replay_count");
    Ok(seen.into_iter().filter(|seen| seen.topic == INGESTED && is_again(seen)).collect())
}

/// Three kinds of what nobody can read: of noise, misplaced messages, and a message of a kind that is not known.
fn poison(pipeline: &Pipeline) -> anyhow::Result<()> {
    produce(pipeline, &noise(12))?;
    let producer = Foreign::to(pipeline)?;
    for id in 1..=8 {
        producer.send(&said(GROUP, id), Some(&key()), home())?;
    }
    for id in 9..=14 {
        producer.send(&said(GROUP, id), Some(&key()), (home() + 1) % PARTITIONS)?;
    }
    let mut pinned = said(GROUP, 15);
    pinned.messages[0].kind = "pinned".to_owned();
    producer.send(&pinned, Some(&key()), home())?;
    producer.flush()
}

#[test]
fn one_kind_of_letters_comes_back_once_and_the_others_stay() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("letters")? else { return Ok(()) };
    poison(&pipeline)?;
    let _up = pipeline.up_without(&[])?;
    settle(&pipeline)?;
    let kinds = stat(&pipeline)?;
    let counts: BTreeMap<&str, u64> =
        kinds.iter().map(|(reason, (_, count))| (reason.as_str(), *count)).collect();
    assert_eq!(counts, BTreeMap::from([("wrong_magic", 12), ("wrong_partition", 6), ("unknown_kind", 1)]));
    assert_eq!(messages(&pipeline)?, 8);
    let misplaced = kinds["wrong_partition"].0.as_str();
    let listed = lines(&pipeline.gistmill(&["dlq", "ls", "--fingerprint", misplaced, "--json"])?)?;
    assert!(listed.len() == 6 && listed.iter().all(|line| line["reason"] == "wrong_partition"));

    let replay = ["dlq", "replay", "--fingerprint", misplaced];
    let as_they_are = refused(&pipeline, &[&replay[..], &["--yes"]].concat())?;
    assert!(as_they_are.contains("6 would fail again with wrong_partition (--rekey"), "{as_they_are}");
    let dry = refused(&pipeline, &[&replay[..], &["--rekey"]].concat())?;
    assert!(dry.contains("nothing was written; --yes does it"), "{dry}");
    assert_eq!(again(&pipeline)?.len(), 0, "a look writes nothing");
    let done = pipeline.gistmill(&[&replay[..], &["--rekey", "--yes", "--json"]].concat())?;
    let done: Value = serde_json::from_str(&done)?;
    assert_eq!((&done["inputs"], &done["rekeyed"], &done["done"]), (&6.into(), &6.into(), &true.into()));
    settle(&pipeline)?;
    assert_eq!(messages(&pipeline)?, 14, "every reader takes what none had taken");
    let again = again(&pipeline)?;
    let said: Vec<(String, String)> =
        again.iter().map(|seen| (seen.header("replay_for"), seen.header("replay_count"))).collect();
    assert_eq!(said, vec![("*".to_owned(), "1".to_owned()); 6]);
    assert!(again.iter().all(|seen| seen.partition == home() && seen.key_text() == key()));

    let after = stat(&pipeline)?;
    assert!(!after.contains_key("wrong_partition") && after["wrong_magic"].1 == 12, "{after:?}");
    let twice = refused(&pipeline, &[&replay[..], &["--rekey", "--yes"]].concat())?;
    assert!(twice.contains("no dead letter of these is open"), "{twice}");
    let none = refused(&pipeline, &["dlq", "replay", "--fingerprint", "0000000000000000", "--yes"])?;
    assert!(none.contains("no dead letter of these is open"), "{none}");
    settled(&pipeline, &after["wrong_magic"].0)?;
    pipeline.finish()
}

/// Letters are parked, discarded and opened again; each is on record.
fn settled(pipeline: &Pipeline, noise: &str) -> anyhow::Result<()> {
    let parking = ["dlq", "park", "--fingerprint", noise];
    assert!(refused(pipeline, &parking)?.contains("nothing was changed"));
    pipeline.gistmill(&[&parking[..], &["--yes"]].concat())?;
    assert!(!stat(pipeline)?.contains_key("wrong_magic"));
    let listed = |state| -> anyhow::Result<Vec<Value>> {
        lines(&pipeline.gistmill(&["dlq", "ls", "--state", state, "--json"])?)
    };
    assert_eq!((listed("parked")?.len(), listed("replayed")?.len(), listed("all")?.len()), (12, 6, 19));
    let parked = listed("parked")?;
    let first = parked[0]["place"].as_str().unwrap_or_default();
    assert!(refused(pipeline, &["dlq", "discard", first, "--yes"])?.contains("--reason"));
    pipeline.gistmill(&["dlq", "discard", first, "--reason", "a test", "--yes"])?;
    pipeline.gistmill(&["dlq", "reopen", "--fingerprint", noise, "--yes"])?;
    assert_eq!((listed("parked")?.len(), listed("discarded")?.len(), listed("open")?.len()), (0, 0, 13));
    let audit = lines(&pipeline.gistmill(&["audit", "ls", "--json"])?)?;
    let actions: Vec<&str> = audit.iter().filter_map(|line| line["action"].as_str()).collect();
    let about: Vec<&str> = actions.into_iter().filter(|action| action.starts_with("dlq")).collect();
    assert_eq!(about, ["dlq replay", "dlq replay done", "dlq park", "dlq discard", "dlq reopen"]);
    Ok(())
}

#[test]
fn what_fails_again_and_again_is_parked_and_its_headers_do_not_grow() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("loops")? else { return Ok(()) };
    let producer = Foreign::to(&pipeline)?;
    let ahead = GroupMessageIngested { observed_at: 7_452_518_400_000, ..said(GROUP, 1) };
    producer.send(&ahead, Some(&key()), home())?;
    producer.flush()?;
    // A letter that says another reason than the record has now, as one of another release may: it is written again.
    let _up = pipeline.up_without(&[])?;
    settle(&pipeline)?;
    let letters: Vec<DigestDlq> =
        decode_all(&pipeline, &read(&pipeline, Isolation::Committed)?, DEAD_LETTERS)?;
    assert_eq!(letters.len(), 1);
    let unfit = refused(&pipeline, &["dlq", "replay", "--reason", "clock_ahead", "--yes"])?;
    assert!(unfit.contains("1 would fail again with clock_ahead"), "{unfit}");
    let to_dead_letters = Foreign::to(&pipeline)?;
    let mut headers = vec![schemas::RecordHeader { key: "a".to_owned(), value: None }];
    headers.push(schemas::RecordHeader { key: "replay_count".to_owned(), value: Some(b"3".to_vec()) });
    let tired = DigestDlq { offset: 1_000, headers, ..letters[0].clone() };
    to_dead_letters.send(&tired, Some(&key()), home())?;
    to_dead_letters.flush()?;
    let parked = pipeline.gistmill(&["dlq", "replay", "--reason", "clock_ahead", "--yes", "--json"])?;
    let parked: Value = serde_json::from_str(&parked)?;
    assert_eq!((&parked["inputs"], &parked["parked"]), (&0.into(), &1.into()));
    let listed = lines(&pipeline.gistmill(&["dlq", "ls", "--state", "parked", "--json"])?)?;
    assert_eq!((listed.len(), &listed[0]["origin"]["offset"]), (1, &1_000.into()));
    pipeline.finish()
}

#[test]
fn a_record_for_one_reader_is_taken_by_that_one_alone() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("replay_for")? else { return Ok(()) };
    let foreign = Foreign::to(&pipeline)?;
    for id in 1..=6 {
        foreign.send(&said(GROUP, id), Some(&key()), home())?;
    }
    foreign.flush()?;
    // The seventh is for the windows alone.
    let registry = pipeline.stack.registry()?;
    let subject = pipeline.prefix.subject(INGESTED);
    let avsc = <GroupMessageIngested as schemas::Record>::AVSC;
    let id = pipeline.rows.block_on(registry.lookup(&subject, avsc))?;
    let mut value = Vec::new();
    schemas::Encoder::new(id)?.encode(&said(GROUP, 7), &mut value)?;
    let group = pipeline.prefix.group("window_builder");
    let headers = OwnedHeaders::new().insert(Header { key: "replay_for", value: Some(group.as_bytes()) });
    let producer: BaseProducer = pipeline.stack.client().create()?;
    let (topic, key) = (pipeline.topic(INGESTED), key());
    let record = BaseRecord::<str, Vec<u8>>::to(&topic).key(&key).payload(&value).partition(home());
    producer.send(record.headers(headers)).map_err(|(error, _)| error)?;
    producer.flush(PATIENCE)?;
    foreign.send(&day_is_over(GROUP), Some(&key), home())?;
    foreign.flush()?;
    let _up = pipeline.up_without(&[])?;
    let seen = settle(&pipeline)?.into_seen();
    let ready: Vec<schemas::GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    assert_eq!(ready.iter().map(|ready| ready.message_count).collect::<Vec<_>>(), [7]);
    assert_eq!(messages(&pipeline)?, 6);
    pipeline.finish()
}

/// The fingerprint that a stopped unit names.
fn named(log: &str) -> &str {
    let rest = log.split("--fingerprint ").nth(1).unwrap_or_default();
    rest.split_whitespace().next().unwrap_or_default()
}

#[test]
fn a_way_past_the_guard_lets_through_what_it_names_and_nothing_else() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("drain")? else { return Ok(()) };
    produce(&pipeline, &noise(250))?;
    let producer = Foreign::to(&pipeline)?;
    for id in 1..=8 {
        producer.send(&said(GROUP, id), Some(&key()), home())?;
    }
    producer.flush()?;
    for name in ["window_builder", "postgres_sink", "command_router"] {
        let mut unit = pipeline.unit(name, &[])?;
        assert_eq!(unit.wait(Duration::from_mins(1))?.code(), Some(1), "the guard stops it");
        let log = unit.log()?;
        let (fingerprint, partition) = (named(&log).to_owned(), home().to_string());
        let order = [
            "dlq",
            "drain",
            name,
            "--topic",
            INGESTED,
            "--partition",
            &partition,
            "--fingerprint",
            &fingerprint,
        ];
        // A unit that ended by itself is a member of its group until its session ends.
        let beyond = eventually("its group has no member", PATIENCE, || {
            let said = refused(&pipeline, &[&order[..], &["--until", "100000"]].concat())?;
            Ok((!said.contains("is running")).then_some(said))
        })?;
        assert!(beyond.contains("which ends at 258"), "{beyond}");
        let dry = pipeline.output(&[&order[..], &["--until", "250"]].concat(), &[])?;
        let told = String::from_utf8_lossy(&dry.stdout);
        assert!(!dry.status.success() && told.contains("of which"), "{told}");
        let done = [&order[..], &["--until", "250", "--reason", "a test", "--yes", "--json"]].concat();
        let done: Value = serde_json::from_str(&pipeline.gistmill(&done)?)?;
        let let_through = done["let_through"].as_u64().unwrap_or_default();
        assert!((151..=250).contains(&let_through) && done["others"] == serde_json::json!({}), "{done}");
    }
    let up = pipeline.up_without(&[])?;
    let seen = settle(&pipeline)?.into_seen();
    let letters = seen.iter().filter(|seen| seen.topic == DEAD_LETTERS).count();
    assert_eq!((letters, messages(&pipeline)?), (250, 8), "each has its letter, and the good ones flow");
    // An order ends where it says.
    up.stop(PATIENCE)?;
    produce(&pipeline, &noise(150))?;
    let mut unit = pipeline.unit("window_builder", &[])?;
    assert_eq!(unit.wait(Duration::from_mins(1))?.code(), Some(1), "the guard stands as it was");
    pipeline.finish()
}
