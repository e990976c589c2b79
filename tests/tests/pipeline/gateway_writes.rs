//! What is written over HTTP: once, or not at all; and what is told as it happens.

use schemas::{DigestGenerateRequested, GroupMessageIngested};
use tests::{Chat, Door, Pipeline, TENANT, decode_all, settle};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const LINES: (&str, &str) = ("Content-Type", "application/x-ndjson");
const DAY: &str = "{\"since\": \"2026-01-05T00:00:00Z\", \"until\": \"2026-01-06T00:00:00Z\"}";

fn line(id: i64, text: &str) -> String {
    format!("{{\"id\": {id}, \"sent_at\": \"2026-01-07T10:00:00Z\", \"text\": \"{text}\"}}\n")
}

#[test]
fn lines_under_one_key_are_written_once_and_other_lines_are_refused() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_lines")? else { return Ok(()) };
    let door = Door::open(&pipeline, &[])?;
    let key = Door::key(&pipeline, TENANT, &["--role", "member"])?;
    let post = |name: &str, body: &str| {
        door.call_as(&key, "POST /api/v1/groups/posted/messages", &[LINES, ("Idempotency-Key", name)], body)
    };
    let body = line(1, "one") + &line(2, "two");
    let first = post("a", &body)?;
    assert_eq!((first.status, &first.json()["already"]), (202, &false.into()), "{first:?}");
    let again = post("a", &body)?;
    assert_eq!((again.status, &again.json()["already"]), (202, &true.into()), "{again:?}");
    assert_eq!((&again.json()["lines"], &again.json()["messages"]), (&2.into(), &2.into()));
    let other = post("a", &line(3, "three"))?;
    assert_eq!((other.status, other.code().as_str()), (422, "other_lines"));
    let at_once: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| post("b", &line(4, "four")).map(|answer| answer.status))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).collect::<anyhow::Result<_>>()
    })?;
    assert_eq!(at_once, [202; 4]);
    let seen = settle_log(&pipeline)?;
    let ids: Vec<i64> =
        seen.iter().flat_map(|record| record.messages.iter().map(|message| message.id)).collect();
    assert_eq!(ids, [1, 2, 4], "each once, and nothing of what was refused");
    assert!(seen.iter().all(|record| record.lane == "live"));
    door.close()?;
    pipeline.finish()
}

/// What the log of messages holds.
fn settle_log(pipeline: &Pipeline) -> anyhow::Result<Vec<GroupMessageIngested>> {
    let mut stranger = tests::Stranger::of(pipeline, tests::Isolation::Committed)?;
    while stranger.catch_up()? {}
    decode_all(pipeline, stranger.seen(), "group.message.ingested.v1")
}

#[test]
fn a_tenant_that_the_flag_and_the_list_leave_out_gets_403_and_no_event() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_canary")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&Chat::new("alpha", 2, 40).write(pipeline.directory())?, "alpha")?;
    settle(&pipeline)?;
    let key = Door::key(&pipeline, TENANT, &["--role", "admin"])?;
    let ask = |door: &Door| door.call_as(&key, "POST /api/v1/groups/alpha/digest", &[JSON], DAY);
    let asked = || -> anyhow::Result<usize> {
        let seen = settle(&pipeline)?.into_seen();
        let requests: Vec<DigestGenerateRequested> =
            decode_all(&pipeline, &seen, "digest.generate.requested.v1")?;
        Ok(requests.iter().filter(|request| request.requested_by != "schedule").count())
    };
    for list in ["", "other", "[\"other\"]"] {
        let off = [("DIGEST_AGENT_ENABLED", "0"), ("DIGEST_AGENT_CANARY_TENANTS", list)];
        let door = Door::open(&pipeline, &off)?;
        let refused = ask(&door)?;
        assert_eq!((refused.status, refused.code().as_str()), (403, "feature_flag"), "{list}");
        let metrics = tests::metrics(door.port())?;
        let counted = "digest_stage_status_total{reason=\"feature_flag\",result=\"blocked\",stage=\"digest\",status=\"blocked\"} 1";
        assert!(metrics.contains(counted), "{metrics}");
        assert!(door.log()?.contains("Group digest rollout blocked for tenant"));
        door.close()?;
    }
    assert_eq!(asked()?, 0);
    for list in [TENANT, "[\"acme\", \"other\"]"] {
        let on = [("DIGEST_AGENT_ENABLED", "0"), ("DIGEST_AGENT_CANARY_TENANTS", list)];
        let door = Door::open(&pipeline, &on)?;
        let taken = ask(&door)?;
        assert_eq!(taken.status, 202, "{taken:?}");
        settle(&pipeline)?;
        let made = door.get(&key, taken.header("location"))?;
        assert_eq!(made["digest_id"], taken.json()["digest_id"]);
        door.close()?;
    }
    assert_eq!(asked()?, 1, "the same was asked for twice");
    up.stop(tests::PATIENCE)?;
    pipeline.finish()
}

#[test]
fn settings_are_changed_as_the_command_changes_them_and_are_on_record() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_settings")? else { return Ok(()) };
    let door = Door::open(&pipeline, &[])?;
    let key = Door::key(&pipeline, TENANT, &["--role", "admin"])?;
    let change = "{\"window_hours\": [6, 24], \"time_zone\": \"Europe/Berlin\"}";
    let path = "/api/v1/groups/alpha/settings";
    let changed = door.call_as(&key, &format!("PATCH {path}"), &[JSON], change)?;
    assert_eq!(
        (changed.status, &changed.json()["window_hours"]),
        (200, &serde_json::json!([6, 24])),
        "{changed:?}"
    );
    assert_eq!(door.get(&key, path)?, changed.json());
    let shown = pipeline.gistmill(&["group", "show", "--tenant", TENANT, "--group", "alpha", "--json"])?;
    assert!(shown.contains("\"window_hours\":[6,24]") && shown.contains("Europe/Berlin"), "{shown}");
    let audit = door.get(&key, "/api/v1/audit")?;
    let actor = format!("key-{}", &key[3..19]);
    let of_change = &audit["items"][0];
    assert_eq!((&of_change["action"], &of_change["actor"]), (&"group set".into(), &actor.into()), "{audit}");
    door.close()?;
    pipeline.finish()
}

#[test]
fn a_listener_who_comes_back_misses_nothing_and_hears_nothing_twice() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_events")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    let door = Door::open(&pipeline, &[])?;
    let (viewer, stranger) = (
        Door::key(&pipeline, TENANT, &["--role", "viewer"])?,
        Door::key(&pipeline, "beta", &["--role", "viewer"])?,
    );
    let (mut whole, mut first) = (door.listen(&viewer, None)?, door.listen(&viewer, None)?);
    let mut others = door.listen(&stranger, None)?;
    let unspoken = door.listen(&viewer, None)?.begins()?;
    pipeline.import(&Chat::new("alpha", 3, 40).write(pipeline.directory())?, "alpha")?;
    let begun = first.hear()?.expect("an event");
    drop(first);
    settle(&pipeline)?;
    let mut rest = door.listen(&viewer, Some(&begun.id))?;
    let revoked =
        |key: &str| pipeline.gistmill(&["gateway", "key", "revoke", "--tenant", TENANT, &key[3..19]]);
    let all = |stream: &mut tests::Listening, enough: usize| -> anyhow::Result<Vec<(String, String)>> {
        let mut all = Vec::new();
        while all.len() < enough {
            let heard = stream.hear()?.expect("an event");
            all.push((heard.name, heard.data));
        }
        all.sort();
        Ok(all)
    };
    let seen = settle(&pipeline)?.into_seen();
    let topics = ["group.window.ready.v1", "digest.persisted.v1", "digest.blocked.v1", "digest.delivered.v1"];
    let expected = seen.iter().filter(|record| topics.contains(&record.topic.as_str())).count();
    assert!(expected >= 6, "{expected} events");
    let heard = all(&mut whole, expected)?;
    let mut resumed = all(&mut rest, expected - 1)?;
    resumed.push((begun.name, begun.data));
    resumed.sort();
    assert_eq!(resumed, heard);
    let mut late = door.listen(&viewer, Some(&unspoken))?;
    assert_eq!(all(&mut late, expected)?, heard, "who heard nothing before it went comes back as well");
    revoked(&viewer)?;
    let last = whole.hear()?.expect("a word");
    assert_eq!((last.name.as_str(), last.data.as_str()), ("dropped", "{\"reason\":\"revoked\"}"));
    assert_eq!(whole.hear()?, None);
    door.close()?;
    let last = others.hear()?.expect("a word");
    assert_eq!(
        (last.name.as_str(), last.data.as_str()),
        ("dropped", "{\"reason\":\"stopping\"}"),
        "nothing of acme's"
    );
    up.stop(tests::PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_key_has_so_many_requests_a_minute_and_is_told_how_many_are_left() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_rate")? else { return Ok(()) };
    let door = Door::open(&pipeline, &[("GISTMILL_GATEWAY__RATE_PER_MINUTE", "3")])?;
    let (one, other) = (
        Door::key(&pipeline, TENANT, &["--role", "viewer"])?,
        Door::key(&pipeline, TENANT, &["--role", "viewer"])?,
    );
    let call = |key: &str| door.call_as(key, "GET /api/v1/groups", &[], "");
    for left in ["2", "1", "0"] {
        let answer = call(&one)?;
        assert_eq!(
            (answer.status, answer.header("ratelimit-remaining"), answer.header("ratelimit-limit")),
            (200, left, "3")
        );
    }
    let refused = call(&one)?;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    let wait: u64 = refused.header("retry-after").parse()?;
    assert!((1..=21).contains(&wait), "{wait}");
    assert_eq!(call(&other)?.status, 200, "each key has its own");
    door.close()?;
    pipeline.finish()
}
