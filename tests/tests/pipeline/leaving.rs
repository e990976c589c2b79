//! Members that leave their groups: at a stop at once, at a kill when their session ends, and never for somebody else.
//!
//! Sessions are as long as a test run here: a group that is empty has been left.

use anyhow::Context;
use kafka_admin::{Member, leave};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::Duration;
use tests::{PATIENCE, Pipeline, Process, eventually};

const UNITS: usize = 14;
const ASKED: Duration = Duration::from_secs(10);

/// A configuration file with sessions of five minutes.
fn long_sessions(pipeline: &Pipeline) -> anyhow::Result<String> {
    let path = pipeline.directory().join("long_sessions.toml");
    std::fs::write(&path, "[kafka.consumer_properties]\n'session.timeout.ms' = '300000'\n")?;
    Ok(path.to_str().context("a path in UTF-8")?.to_owned())
}

/// Members of each unit's group, as `gistmill lag` tells.
fn members(pipeline: &Pipeline) -> anyhow::Result<Vec<i64>> {
    let lag: serde_json::Value = serde_json::from_str(&pipeline.gistmill(&["lag", "--json"])?)?;
    let units = lag["units"].as_array().context("lag has units")?;
    Ok(units.iter().filter_map(|unit| unit["members"].as_i64()).collect())
}

/// Starts everything, and waits until each group has its member.
fn up(pipeline: &Pipeline, name: &str) -> anyhow::Result<Process> {
    let up = pipeline.spawn(name, &["--config", &long_sessions(pipeline)?, "up"], &[])?;
    eventually(
        "every group has a member",
        PATIENCE,
        || Ok((members(pipeline)? == [1; UNITS]).then_some(())),
    )?;
    Ok(up)
}

#[test]
fn a_stopped_process_has_left_its_groups_and_a_killed_one_has_not() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("leaving")? else { return Ok(()) };
    up(&pipeline, "up-stopped")?.stop(PATIENCE)?;
    assert_eq!(members(&pipeline)?, [0; UNITS]);
    pipeline.gistmill(&["reset", "topic", "--to", "end", "--yes"])?;
    pipeline.gistmill(&["reset", "file_sink", "--to", "end", "--yes"])?;
    up(&pipeline, "up-killed")?.kill()?;
    assert_eq!(members(&pipeline)?, [1; UNITS]);
    let reset = pipeline.output(&["reset", "topic", "--to", "end", "--yes"], &[])?;
    let said = String::from_utf8_lossy(&reset.stderr);
    assert!(said.contains("topic is running: its group has a member"), "{said}");
    pipeline.finish()
}

#[test]
fn whoever_has_taken_a_members_name_over_stays() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("namesake")? else { return Ok(()) };
    let mut unit = pipeline.unit("topic", &[])?;
    let consumer: BaseConsumer = pipeline.stack.client().create()?;
    let group = pipeline.prefix.group("topic");
    let ids = || -> anyhow::Result<Vec<String>> {
        let list = consumer.fetch_group_list(Some(&group), ASKED)?;
        let groups = list.groups().iter().flat_map(rdkafka::groups::GroupInfo::members);
        Ok(groups.map(|member| member.id().to_owned()).collect())
    };
    let before =
        eventually("the group has a member", PATIENCE, || Ok(Some(ids()?).filter(|ids| !ids.is_empty())))?;
    let mut cluster = pipeline.stack.cluster()?;
    let predecessor =
        Member { group: group.clone(), instance: "0-0".to_owned(), id: "0-0-before".to_owned() };
    let unknown = Member { instance: "1-0".to_owned(), ..predecessor.clone() };
    let stay = leave(&mut cluster, &[predecessor, unknown])?;
    assert!(stay.is_empty(), "{stay:?}");
    assert_eq!(ids()?, before);
    assert!(unit.is_running()?);
    unit.stop(PATIENCE)?;
    assert_eq!(ids()?, Vec::<String>::new());
    pipeline.finish()
}
