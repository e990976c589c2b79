//! History: a digest says that something came up before, in its own group alone; a run whose `context_builder` is killed says
//! the same.

use crate::kills::{assert_aborted, kill_repeatedly};
use schemas::{DigestContextPrepared, DigestReadyForDelivery};
use serde_json::json;
use std::{fmt::Write, fs, path::PathBuf};
use tests::{
    PATIENCE, Pipeline, Points, Relay, Seen, assert_equal, decode_all, eventually, expected, free_port,
    items, settle, settle_without,
};

const DAY_MS: i64 = 86_400_000;
/// 2026-01-05T00:00:00Z.
const FIRST_DAY_MS: i64 = 1_767_571_200_000;
const DAYS: i64 = 32;
const A_DAY: i64 = 25;
const EARLIER: &str = "Does anybody know why the nightly arm64 installer has an expired signing certificate?";
const ASKED: &str = "Who knows how to renew the signing certificate of the nightly installer for arm64?";
/// Ids of the two questions: on the fourth day, and the last of the day before the last: nothing after it may answer it, so
/// that its digest tells of it.
const EARLIER_ID: i64 = 3 * A_DAY + 5;
const ASKED_ID: i64 = 31 * A_DAY;

/// A chat about builds, with these questions in it; days of some 25 messages.
fn chat(pipeline: &Pipeline, group: &str, questions: &[(i64, &str)]) -> anyhow::Result<PathBuf> {
    let mut lines = String::new();
    for number in 0..DAYS * A_DAY {
        let id = number + 1;
        let asked = questions.iter().find(|question| question.0 == id);
        let told = format!("the build of branch{} is slow on runner {}", number * 7 % 1_000, number % 9);
        let person = ["Ann", "Bo", "Cem"][usize::try_from(number % 3)?];
        let line = json!({
            "id": id,
            "sent_at": FIRST_DAY_MS + number / A_DAY * DAY_MS + number % A_DAY * 600_000,
            "author": { "id": format!("u_{person}"), "name": person },
            "text": asked.map_or(told.as_str(), |question| question.1),
        });
        writeln!(lines, "{line}")?;
    }
    let path = pipeline.directory().join(format!("{group}.jsonl"));
    fs::write(&path, lines)?;
    Ok(path)
}

/// Three groups: one that asked twice, one that asked long ago, and one that asks now for the first time.
fn import(pipeline: &Pipeline) -> anyhow::Result<()> {
    let (before, now) = ((EARLIER_ID, EARLIER), (ASKED_ID, ASKED));
    for (group, questions) in [("twice", &[before, now][..]), ("long_ago", &[before]), ("now", &[now])] {
        pipeline.import(&chat(pipeline, group, questions)?, group)?;
    }
    Ok(())
}

fn contexts(pipeline: &Pipeline, seen: &[Seen]) -> anyhow::Result<Vec<DigestContextPrepared>> {
    decode_all(pipeline, seen, "digest.context.prepared.v1")
}

#[test]
fn what_came_up_before_is_told_in_its_group_alone_and_the_same_after_kills() -> anyhow::Result<()> {
    let Some(calm) = Pipeline::start("past")? else { return Ok(()) };
    let Some(points) = Points::of(&calm) else { return calm.finish() };
    let up = calm.spawn("up", &["up"], &points.variables())?;
    import(&calm)?;
    let seen = settle(&calm)?.into_seen();
    let found = contexts(&calm, &seen)?;
    assert!(found.iter().all(|context| context.history == "ok"), "the index was there all the time");
    let matched: Vec<_> = found.iter().filter(|context| !context.history_matches.is_empty()).collect();
    assert_eq!(matched.len(), 1, "one day of one group has a past");
    assert_eq!((matched[0].group_id.as_str(), matched[0].history_matches.len()), ("twice", 1));
    let only = &matched[0].history_matches[0];
    let what = (only.item_id.as_str(), only.message_id, only.text.as_str());
    assert_eq!(what, (EARLIER_ID.to_string().as_str(), ASKED_ID, ""));
    let ready: Vec<DigestReadyForDelivery> = decode_all(&calm, &seen, "digest.ready_for_delivery.v1")?;
    let recalls: Vec<_> = ready.iter().flat_map(|ready| &ready.delivery_payload.recalls).collect();
    assert_eq!(recalls.len(), 1, "the digest tells of it");
    assert_eq!((recalls[0].message_id, recalls[0].earlier[0].message_id), (ASKED_ID, EARLIER_ID));
    up.stop(PATIENCE)?;

    let Some(pipeline) = Pipeline::start("past_kills")? else { return Ok(()) };
    let Some(killed) = Points::of(&pipeline) else { return pipeline.finish() };
    let arguments = ["up", "--without", "context_builder"];
    let _up = pipeline.spawn("up", &arguments, &killed.variables())?;
    import(&pipeline)?;
    let victim = ("context_builder", "digest.context.prepared.v1");
    let (_survivor, hits) = kill_repeatedly(&pipeline, victim, 1, &killed.variables())?;
    assert_eq!(hits.len(), 1, "a kill hit an open transaction");
    assert_equal(&seen, &settle(&pipeline)?.into_seen());
    assert_aborted(&pipeline, &hits)?;
    killed.delete_collection()?;
    points.delete_collection()?;
    calm.finish()?;
    pipeline.finish()
}

/// What the contexts of a group say of its history, in the order of their windows.
fn told(pipeline: &Pipeline, seen: &[Seen], group: &str) -> anyhow::Result<Vec<(String, usize)>> {
    let mut found = contexts(pipeline, seen)?;
    found.retain(|context| context.group_id == group);
    found.sort_by_key(|context| context.window.window_start);
    Ok(found.into_iter().map(|context| (context.history, context.history_matches.len())).collect())
}

#[test]
fn digests_go_on_without_history_while_qdrant_is_away_or_silent_and_with_it_once_it_speaks()
-> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("past_away")? else { return Ok(()) };
    let Some(points) = Points::of(&pipeline) else { return pipeline.finish() };
    let questions = [(EARLIER_ID, EARLIER), (ASKED_ID, ASKED)];
    let nobody = format!("http://127.0.0.1:{}", free_port()?);
    let up = pipeline.spawn("up", &["up"], &[("GISTMILL_QDRANT__URL", &nobody)])?;
    pipeline.import(&chat(&pipeline, "away", &questions)?, "away")?;
    let without = settle_without(&pipeline, &["qdrant_sink"])?.into_seen();
    let is_silent = |(history, matches): &(String, usize)| history == "unavailable" && *matches == 0;
    let away = told(&pipeline, &without, "away")?;
    assert_eq!(away.iter().filter(|told| is_silent(told)).count(), 2, "the days with a question: {away:?}");
    up.stop(PATIENCE)?;

    // It takes connections and says nothing; then it speaks, and nobody is started again.
    let relay = Relay::to(points.url().trim_start_matches("http://"))?;
    relay.fall_silent(true);
    let url = format!("http://{}", relay.address());
    let [_, front] = points.variables();
    let _up = pipeline.spawn("up", &["up"], &[("GISTMILL_QDRANT__URL", &*url), front])?;
    pipeline.import(&chat(&pipeline, "silent", &questions)?, "silent")?;
    let seen = settle_without(&pipeline, &["qdrant_sink"])?.into_seen();
    let silent = told(&pipeline, &seen, "silent")?;
    assert_eq!(silent.iter().filter(|told| is_silent(told)).count(), 2, "{silent:?}");
    relay.fall_silent(false);
    points.wait_for_claims()?;
    settle(&pipeline)?;
    let mut groups = (1..).map(|number| format!("heard{number}"));
    let (heard, seen) = eventually("history is told again", PATIENCE, || {
        // A sink that stood still is given little time until it has answered once.
        let group = groups.next().unwrap_or_default();
        pipeline.import(&chat(&pipeline, &group, &questions)?, &group)?;
        let seen = settle(&pipeline)?.into_seen();
        let told = told(&pipeline, &seen, &group)?;
        Ok(told.iter().all(|(history, _)| history == "ok").then_some((told, seen)))
    })?;
    assert_eq!(heard.iter().map(|told| told.1).sum::<usize>(), 1, "{heard:?}");
    assert_eq!(told(&pipeline, &seen, "away")?, away, "what was told stays");
    let digests = seen.iter().filter(|seen| seen.topic == "digest.persisted.v1").count();
    assert_eq!(digests, contexts(&pipeline, &seen)?.len());
    assert_eq!(items(&points.read()?)?, expected(&pipeline, &seen)?);
    points.delete_collection()?;
    pipeline.finish()
}
