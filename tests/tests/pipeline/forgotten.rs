//! A broker killed between a decision and its markers forgets them: what is proven is ended by the next start, the rest
//! by the operator, and readers go on.

use kafka_admin::{Outcome, TopicPartition, finish, survey};
use serde_json::Value;
use tests::{
    Forgotten, Isolation, OwnStack, PATIENCE, Pipeline, Process, Seen, committed, eventually, free_port,
    read, readyz,
};

/// Decided a moment after its last record: the log proves it.
const PROVEN: Forgotten<'static> = Forgotten {
    unit: "segmenter",
    output: "digest.stage.segmenter.completed.v1",
    has_offset: true,
    decided_after_ms: 1,
};
/// Decided before its first record, by the clocks: nothing proves it.
const UNPROVEN: Forgotten<'static> = Forgotten {
    unit: "roles",
    output: "digest.stage.roles.completed.v1",
    has_offset: false,
    decided_after_ms: -60_000,
};

/// Partitions in which a reader of committed records is given the one record.
fn visible(pipeline: &Pipeline, output: &str) -> anyhow::Result<Vec<i32>> {
    let seen = read(pipeline, Isolation::Committed)?;
    let mut visible: Vec<i32> =
        seen.iter().filter(|seen: &&Seen| seen.topic == output).map(|seen| seen.partition).collect();
    visible.sort_unstable();
    Ok(visible)
}

/// Runs a command that may fail: its exit code and its output.
fn run(pipeline: &Pipeline, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output = pipeline.command(arguments).output()?;
    Ok((output.status.code(), String::from_utf8(output.stdout)?))
}

fn json(pipeline: &Pipeline, arguments: &[&str]) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&run(pipeline, arguments)?.1)?)
}

/// Ends one partition's part of it with COMMIT, as an operator or another tool may have done.
fn commit_in(pipeline: &Pipeline, at: &TopicPartition) -> anyhow::Result<()> {
    let mut cluster = pipeline.stack.cluster()?;
    let found = survey(&mut cluster, std::slice::from_ref(at))?.hanging;
    let wanted: Vec<_> = found.into_iter().map(|hanging| (hanging, Outcome::Commit)).collect();
    let finished = finish(&mut cluster, &wanted)?;
    assert_eq!(finished.iter().map(|it| &it.failure).collect::<Vec<_>>(), [&None], "{at}");
    Ok(())
}

/// The reader that it holds up, and what that says of itself once it has looked.
fn reader(pipeline: &Pipeline, port: u16) -> anyhow::Result<Process> {
    let topic = pipeline.unit("topic", &[("GISTMILL_HTTP__LISTEN", &format!("127.0.0.1:{port}"))])?;
    let (status, body) = eventually("readyz names what hangs", PATIENCE, || {
        Ok(readyz(port)?.filter(|(_, body)| body.contains("a transaction that hangs")))
    })?;
    assert_eq!(status, 503);
    let output = pipeline.topic(UNPROVEN.output);
    for partition in [0, 1] {
        assert!(body.contains(&format!("{output}/{partition} is held open from offset 0 on")), "{body}");
    }
    assert!(body.contains("topic reads no further: see `gistmill txn finish`"), "{body}");
    Ok(topic)
}

/// What doctor and lag say of the transaction that nothing proves.
fn assert_named(pipeline: &Pipeline) -> anyhow::Result<()> {
    let output = pipeline.topic(UNPROVEN.output);
    let id = pipeline.prefix.transactional_id("roles-0-0");
    let doctor = json(pipeline, &["doctor", "--json"])?;
    let checks = doctor["checks"].as_array().expect("checks");
    let failed = |check: &&Value| check["name"] == "transactions" && check["level"] == "fail";
    let findings: Vec<&str> =
        checks.iter().filter(failed).filter_map(|check| check["finding"].as_str()).collect();
    assert_eq!(findings.len(), 2, "{findings:?}");
    for (finding, partition) in findings.iter().zip([0, 1]) {
        assert!(
            finding.starts_with(&format!("{output}/{partition} is held open from offset 0 on for ")),
            "{finding}"
        );
        assert!(finding.contains(&format!("epoch 0 ({id}); topic reads no further")), "{finding}");
    }
    let lag = json(pipeline, &["lag", "--json"])?;
    let hanging = lag["hanging"].as_array().expect("hanging");
    let places: Vec<(&Value, &Value)> = hanging.iter().map(|it| (&it["topic"], &it["partition"])).collect();
    assert_eq!(places, [(&output.as_str().into(), &0.into()), (&output.as_str().into(), &1.into())]);
    Ok(())
}

#[test]
fn transactions_that_a_killed_broker_forgot_are_ended_as_they_were_decided() -> anyhow::Result<()> {
    let Some(own) = OwnStack::start()? else { return Ok(()) };
    let pipeline = Pipeline::start_on(own.addresses()?, "forgotten")?;
    let left = [PROVEN.make(&pipeline)?, UNPROVEN.make(&pipeline)?];
    OwnStack::kill(own.pid("kafka")?)?;
    let said = own.restart_aloud()?;
    drop(left);

    let wrote = said.lines().filter(|line| line.contains("wrote the missing COMMIT")).count();
    assert_eq!(wrote, 3, "two partitions and the log of offsets: {said}");
    assert_eq!(said.matches("nothing proves how it has to end").count(), 2, "{said}");
    assert_eq!(visible(&pipeline, PROVEN.output)?, [0, 1]);
    assert_eq!(committed(&pipeline, "segmenter")?[0], 7);

    let port = free_port()?;
    let topic = reader(&pipeline, port)?;
    assert_named(&pipeline)?;
    let (code, shown) = run(&pipeline, &["txn", "finish", "--yes"])?;
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("not proven: ") && shown.contains("--as commit --yes"), "{shown}");
    assert_eq!(visible(&pipeline, UNPROVEN.output)?, [0; 0]);

    // A partition that has its marker decides for the other.
    let first = TopicPartition::new(pipeline.topic(UNPROVEN.output), 0);
    commit_in(&pipeline, &first)?;
    let (code, shown) = run(&pipeline, &["txn", "finish"])?;
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains(&format!("ends with COMMIT: {first} has its COMMIT at offset 1")), "{shown}");
    assert_eq!(visible(&pipeline, UNPROVEN.output)?, [0]);
    let finished = json(&pipeline, &["txn", "finish", "--yes", "--json"])?;
    assert_eq!(finished["finished"][0]["failure"], Value::Null, "{finished}");
    assert_eq!(visible(&pipeline, UNPROVEN.output)?, [0, 1]);
    assert_eq!(run(&pipeline, &["txn", "ls"])?, (Some(0), "no transaction hangs\n".to_owned()));
    eventually("the reader goes on", PATIENCE, || {
        Ok((committed(&pipeline, "topic")?[..2] == [1, 1]).then_some(()))
    })?;
    eventually("the reader is ready", PATIENCE, || {
        Ok(readyz(port)?.filter(|(status, _)| *status == 200).map(|_| ()))
    })?;
    topic.stop(PATIENCE)?;
    pipeline.finish()
}
