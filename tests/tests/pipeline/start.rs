//! What cannot work is said at once; what is away is waited for, and the log says what it is.

use std::time::Duration;
use tests::{PATIENCE, Pipeline, eventually, free_port};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_second_process_of_one_name_is_refused_by_name() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("second")? else { return Ok(()) };
    let first = pipeline.unit("digest_trigger", &[])?;
    eventually("the first is ready", PATIENCE, || {
        Ok(first.log()?.contains("partitions held").then_some(()))
    })?;
    let mut second = pipeline.spawn("up-second", &["up"], &[])?;
    assert_eq!(second.wait(SOON)?.code(), Some(1));
    let log = second.log()?;
    assert!(log.contains("digest_trigger is already running here as instance \"0\""), "{log}");
    assert!(log.contains("GISTMILL_INSTANCE"), "says what to do: {log}");
    first.stop(PATIENCE)?;
    let third = pipeline.unit("digest_trigger", &[])?;
    eventually("the name is free again", PATIENCE, || {
        Ok((third.log()?.matches("partitions held").count() >= 2).then_some(()))
    })?;
    third.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn doctor_says_once_that_tables_are_missing() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("untouched")? else { return Ok(()) };
    let doctor = pipeline.output(&["doctor"], &[("GISTMILL_PREFIX", "never_migrated")])?;
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(doctor.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("gistmill migrate").count(), 1, "{said}");
    assert!(!said.contains("relation"), "{said}");
    pipeline.finish()
}

#[test]
fn a_wrong_configuration_key_is_named() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("wrongkey")? else { return Ok(()) };
    for (variable, value, named) in [
        ("GISTMILL_KAFKA__BROKERZ", "x:1", "brokerz"),
        ("GISTMILL_KAFKA__PAIRS", "0", "pairs"),
        ("GISTMILL_DIGEST__QUALITY_THRESHOLD", "7", "quality_threshold"),
    ] {
        let mut up = pipeline.spawn(&format!("up-{named}"), &["up"], &[(variable, value)])?;
        let status = up.wait(SOON)?;
        let log = up.log()?;
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.contains(named), "{log}");
    }
    pipeline.finish()
}

#[test]
fn what_is_away_is_waited_for_by_name_and_sigterm_ends_the_wait() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("away")? else { return Ok(()) };
    let port = free_port()?;
    let cases = [
        ("GISTMILL_KAFKA__BROKERS", format!("127.0.0.1:{port}"), "kafka at"),
        ("GISTMILL_REGISTRY__URL", format!("http://127.0.0.1:{port}/apis/ccompat/v7"), "schema registry at"),
        ("GISTMILL_POSTGRES__URL", format!("postgres://gistmill_app@127.0.0.1:{port}/gistmill"), "postgres"),
    ];
    let mut waiting = Vec::new();
    for (variable, address, what) in cases {
        let name = format!("up-{}", what.replace(' ', "-"));
        waiting.push((pipeline.spawn(&name, &["up"], &[(variable, &address)])?, what));
        let (process, _) = waiting.last_mut().expect("just pushed");
        eventually(&format!("it waits for {what}"), PATIENCE, || {
            let log = process.log()?;
            let is_said = |line: &str| line.contains("waiting") && line.to_lowercase().contains(what);
            Ok(log.lines().any(is_said).then_some(()))
        })?;
        assert!(process.is_running()?, "it goes on waiting for {what}");
        let (process, _) = waiting.pop().expect("just pushed");
        process.stop(PATIENCE)?;
    }
    pipeline.finish()
}
