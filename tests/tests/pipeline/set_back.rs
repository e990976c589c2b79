//! A lane that ran ahead by a wrong promise, and is set back by the operator.

use schemas::{GroupMessageIngested, GroupWindowReady};
use tests::{Foreign, Pipeline, TENANT, day_is_over, decode_all, partition_of, said, settle};

const PARTITIONS: i32 = 4;
const GROUP: &str = "ahead";
const DAY_MS: i64 = 86_400_000;

fn send(pipeline: &Pipeline, records: &[GroupMessageIngested]) -> anyhow::Result<()> {
    let (producer, key) = (Foreign::to(pipeline)?, format!("{TENANT}/{GROUP}"));
    for record in records {
        producer.send(record, Some(&key), partition_of(key.as_bytes(), PARTITIONS))?;
    }
    producer.flush()
}

/// Messages of the revisions of the day, in order.
fn counts(pipeline: &Pipeline) -> anyhow::Result<Vec<i32>> {
    let seen = settle(pipeline)?.into_seen();
    let ready: Vec<GroupWindowReady> = decode_all(pipeline, &seen, "group.window.ready.v1")?;
    Ok(ready.iter().map(|ready| ready.message_count).collect())
}

#[test]
fn after_a_wrong_promise_a_lane_set_back_makes_digests_again() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("set_back")? else { return Ok(()) };
    let _up = pipeline.up_without(&[])?;
    let over = day_is_over(GROUP);
    let day_end = over.complete_until.unwrap_or_default();
    let promise = |until| GroupMessageIngested { complete_until: Some(until), ..over.clone() };
    let day: Vec<_> = (1..=12).map(|id| said(GROUP, id)).collect();
    send(&pipeline, &[&day[..], &[promise(day_end + 30 * DAY_MS)]].concat())?;
    assert_eq!(counts(&pipeline)?, [12]);
    send(&pipeline, &[said(GROUP, 13), promise(day_end + 31 * DAY_MS)])?;
    assert_eq!(counts(&pipeline)?, [12], "late, and lost to the digest");

    let of_group = ["--tenant", TENANT, "--group", GROUP, "--json"];
    let lanes = || -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_str(&pipeline.gistmill(&[&["group", "lane", "ls"][..], &of_group].concat())?)?)
    };
    let before = lanes()?;
    assert_eq!(
        (&before["lanes"][0]["lane"], &before["lanes"][0]["clock"]),
        (&"live".into(), &(day_end + 31 * DAY_MS).into())
    );
    let set_back = [&["group", "lane", "set-back", "--to", "2026-03-02T12:00:00Z"][..], &of_group].concat();
    let refused = pipeline.gistmill(&set_back).map_err(|error| format!("{error:#}"));
    assert!(refused.is_err_and(|error| error.contains("nothing was changed; --yes does it")));
    assert_eq!(lanes()?, before, "a dry run");
    pipeline.gistmill(&[&set_back[..], &["--yes"]].concat())?;
    let after = lanes()?;
    let lane = &after["lanes"][0];
    let back = serde_json::Value::from(day_end - DAY_MS / 2);
    assert_eq!((&lane["clock"], &lane["set_back_to"], &lane["is_ahead"]), (&back, &back, &false.into()));

    send(&pipeline, &[said(GROUP, 14), said(GROUP, 15), over.clone()])?;
    assert_eq!(counts(&pipeline)?, [12, 15], "with what came late");
    let export = ["digest", "export", "--tenant", TENANT, "--group", GROUP, "--canonical"];
    let digest: serde_json::Value = serde_json::from_str(&pipeline.gistmill(&export)?)?;
    assert_eq!((&digest["version"], &digest["message_count"]), (&"2.0".into(), &15.into()));
    pipeline.finish()
}
