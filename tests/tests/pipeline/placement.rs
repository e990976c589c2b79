//! Records that lie elsewhere than their group, and topics that are cut otherwise than the map says.

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewPartitions},
    client::DefaultClientContext,
};
use rustix::process::Signal;
use schemas::{DigestBlocked, DigestDlq, GroupMessageIngested, GroupWindowReady};
use std::collections::{BTreeMap, BTreeSet};
use tests::{
    Chat, Foreign, PATIENCE, Pipeline, TENANT, day_is_over, decode_all, eventually, partition_of, said,
    settle,
};

const PARTITIONS: i32 = 4;
const GROUPS: [&str; 4] = ["split", "keyed", "keyless", "right"];

fn key(group: &str) -> String {
    format!("{TENANT}/{group}")
}

fn home(group: &str) -> i32 {
    partition_of(key(group).as_bytes(), PARTITIONS)
}

/// Eight messages of each group where they belong; of three groups four more that lie elsewhere, each group's in its way.
fn produce(pipeline: &Pipeline) -> anyhow::Result<()> {
    let producer = Foreign::to(pipeline)?;
    let send =
        |value: &GroupMessageIngested, key: Option<&str>, partition| producer.send(value, key, partition);
    for group in GROUPS {
        let (key, home) = (key(group), home(group));
        let next = (home + 1) % PARTITIONS;
        for id in 1..=12 {
            let record = said(group, id);
            match group {
                "split" if id > 8 => send(&record, Some(&key), next)?,
                "keyed" if id > 8 => send(&record, Some("someone/else"), home)?,
                "keyless" if id > 8 => send(&record, None, home)?,
                _ => send(&record, Some(&key), home)?,
            }
        }
        let end = day_is_over(group);
        send(&end, Some(&key), home)?;
        send(&end, Some(&key), next)?;
    }
    producer.flush()
}

#[test]
fn a_foreign_producer_splits_no_group_and_each_record_that_lies_elsewhere_is_a_dead_letter()
-> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("placement")? else { return Ok(()) };
    produce(&pipeline)?;
    let example = include_str!("../../../schemas/examples/digest.blocked.v1/too_small.json");
    let blocked = DigestBlocked {
        tenant_id: TENANT.to_owned(),
        group_id: "right".to_owned(),
        ..serde_json::from_str(example)?
    };
    let to_sink = Foreign::to(&pipeline)?;
    to_sink.send(&blocked, Some(&key("right")), (home("right") + 2) % PARTITIONS)?;
    to_sink.flush()?;
    let _up = pipeline.up_without(&[])?;
    let seen = settle(&pipeline)?.into_seen();

    let ready: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    let counts: BTreeMap<&str, i32> = ready.iter().map(|r| (r.group_id.as_str(), r.message_count)).collect();
    let whole = |group: &&'static str| (*group, if *group == "right" { 12 } else { 8 });
    assert_eq!((counts, ready.len()), (GROUPS.iter().map(whole).collect(), GROUPS.len()));
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, 3 * 8 + 12);

    let letters: Vec<DigestDlq> = decode_all(&pipeline, &seen, "digest.dlq.v1")?;
    let mut reasons: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for letter in &letters {
        let place = (letter.stage.as_str(), letter.group_id.as_str(), letter.error_class.as_str());
        *reasons.entry(place).or_default() += 1;
        assert!(letter.error.contains("partitioner=murmur2_random"), "{}", letter.error);
        assert!(
            letter.error.contains(&format!("partition {} of 0 to 3", home(&letter.group_id))),
            "{}",
            letter.error
        );
    }
    // Each group's end in the wrong partition is one more.
    let expected = BTreeMap::from([
        (("window_builder", "split", "wrong_partition"), 5),
        (("window_builder", "keyed", "wrong_key"), 4),
        (("window_builder", "keyed", "wrong_partition"), 1),
        (("window_builder", "keyless", "wrong_key"), 4),
        (("window_builder", "keyless", "wrong_partition"), 1),
        (("window_builder", "right", "wrong_partition"), 1),
        (("postgres_sink", "right", "wrong_partition"), 1),
    ]);
    assert_eq!(reasons, expected);
    shown(&pipeline)?;
    pipeline.finish()
}

/// What an operator sees of it.
fn shown(pipeline: &Pipeline) -> anyhow::Result<()> {
    let tapped = pipeline.gistmill(&["tap", "group.message.ingested.v1", "--group", "split", "--json"])?;
    let lines: Vec<serde_json::Value> = tapped.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let marked: BTreeSet<(i64, bool)> = lines
        .iter()
        .map(|line| (line["partition"].as_i64().unwrap_or(-1), line["misplaced"].is_object()))
        .collect();
    let home = i64::from(home("split"));
    assert_eq!(marked, BTreeSet::from([(home, false), ((home + 1) % 4, true)]));
    let listed = pipeline.gistmill(&["dlq", "ls", "--reason", "wrong_key", "--limit", "1"])?;
    let place = listed.split_whitespace().next().unwrap_or_default();
    let opened: serde_json::Value =
        serde_json::from_str(&pipeline.gistmill(&["dlq", "show", place, "--json"])?)?;
    let group = opened["group_id"].as_str().unwrap_or_default();
    let belongs = serde_json::json!({ "key": key(group), "partition": self::home(group), "partitions": 4 });
    assert_eq!(opened["origin"]["belongs_to"], belongs);
    Ok(())
}

/// Gives a topic more partitions, as an administrator may.
fn widen(pipeline: &Pipeline, topic: &str) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = pipeline.stack.client().create()?;
    let physical = pipeline.topic(topic);
    let more = [NewPartitions::new(&physical, 8)];
    for widened in pipeline.rows.block_on(admin.create_partitions(&more, &AdminOptions::new()))? {
        widened.map_err(|(topic, code)| anyhow::anyhow!("could not widen {topic}: {code}"))?;
    }
    Ok(())
}

#[test]
fn a_topic_with_another_partition_count_is_refused_at_start_and_while_units_run() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("widened")? else { return Ok(()) };
    let mut up = pipeline.up_without(&[])?;
    eventually("it holds partitions", PATIENCE, || {
        Ok(up.log()?.contains("\"unit\":\"window_builder\"").then_some(()))
    })?;
    let refused =
        format!("topic {} has 8 partitions where the map has 4", pipeline.topic("group.message.ingested.v1"));
    widen(&pipeline, "group.message.ingested.v1")?;
    for unit in ["window_builder", "postgres_sink"] {
        eventually(&format!("{unit} gives up"), PATIENCE, || {
            let log = up.log()?;
            let is_end =
                |line: &str| line.contains(&refused) && line.contains(&format!("\"unit\":\"{unit}\""));
            Ok(log.lines().any(is_end).then_some(()))
        })?;
    }
    assert!(up.is_running()?, "units that do not use the topic go on");
    up.signal(Signal::TERM)?;
    assert_eq!(up.wait(PATIENCE)?.code(), Some(1));

    let file = Chat::new("alpha", 3, 6).write(pipeline.directory())?;
    let file = file.to_str().expect("a name");
    for (name, arguments) in [
        ("import", &Pipeline::import_arguments(file, "alpha")[..]),
        ("window_builder", &["run", "window_builder"]),
        ("postgres_sink", &["run", "postgres_sink"]),
    ] {
        let mut process = pipeline.spawn(&format!("{name}-refused"), arguments, &[])?;
        assert_eq!(process.wait(PATIENCE)?.code(), Some(1), "{name}");
        assert!(process.log()?.contains(&refused), "{name}: {}", process.log()?);
    }
    pipeline.finish()
}
