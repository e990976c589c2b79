//! Days that begin when a group's settings say, and windows that are counted from there.

use schemas::GroupWindowReady;
use std::collections::BTreeSet;
use tests::{Chat, PATIENCE, Pipeline, TENANT, decode_all, settle};

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_days_window_ends_at_the_time_that_was_set() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("day_start")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    let group = ["group", "set", "--tenant", TENANT, "--group", "alpha"];
    let wanted = ["--window", "2h,24h", "--at", "09:00", "--time-zone", "Asia/Tokyo"];
    pipeline.gistmill(&[&group[..], &wanted[..]].concat())?;
    let chat = Chat::new("alpha", 3, 30);
    pipeline.import(&chat.write(pipeline.directory())?, "alpha")?;
    let seen = settle(&pipeline)?.into_seen();
    let windows: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    assert!(windows.iter().all(|ready| ready.settings.day_start_minutes == 540));
    let of = |size: i32| windows.iter().filter(move |ready| ready.size_hours == size);
    // Nine in Tokyo is midnight in UTC, where the chat's days are counted.
    let days: BTreeSet<i64> = of(24).map(|ready| ready.window_start).collect();
    assert_eq!(days, chat.days.keys().copied().collect());
    assert!(of(24).all(|ready| ready.window_end == ready.window_start + 24 * HOUR_MS));
    assert!(of(2).all(|ready| ready.window_start % (2 * HOUR_MS) == 0), "counted from nine");
    assert!(of(2).all(|ready| ready.window_end == ready.window_start + 2 * HOUR_MS));
    let messages = |size: i32| of(size).map(|ready| ready.message_count).sum::<i32>();
    assert_eq!(messages(2), messages(24), "each message is in one window of each size");
    up.stop(PATIENCE)?;
    pipeline.finish()
}
