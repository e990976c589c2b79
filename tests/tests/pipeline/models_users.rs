//! Users and language models: who asks for a digest pays for it where there is a key, is held to so many calls in a day where there is
//! none, and nobody else pays for the rest of a window whose key is gone.

use crate::models::{CALLS, MASTER, settings, written};
use anyhow::Context;
use schemas::DigestStageCompleted;
use serde_json::{Value, json};
use std::time::Duration;
use tests::{Chat, Models, PATIENCE, Pipeline, TENANT, eventually, settle};

const GROUP: &str = "alpha";
const BY: [&str; 5] = ["--by", "user,payer", "--tenant", TENANT, "--json"];

/// Asks for the digest of a day, and waits for it.
fn ask(pipeline: &Pipeline, who: &str, day: u32) -> anyhow::Result<()> {
    let (from, to) = (format!("2026-01-{day:02}"), format!("2026-01-{:02}", day + 1));
    let group = ["digest", "now", "--tenant", TENANT, "--group", GROUP, "--requested-by", who];
    pipeline.gistmill(&[&group[..], &["--between", &from, &to, "--json"]].concat())?;
    Ok(())
}

/// The run about the window that somebody asked for, of that day.
fn run_of(runs: &[DigestStageCompleted], who: &str, day: u32) -> anyhow::Result<DigestStageCompleted> {
    let is_of = |run: &&DigestStageCompleted| {
        let start = &run.state.window.window_start;
        run.state.window.asked_by() == Some(who) && start / 86_400_000 == i64::from(20_453 + day)
    };
    runs.iter().find(is_of).cloned().with_context(|| format!("there is no run of {who} of day {day}"))
}

#[test]
fn who_asks_pays_where_it_has_a_key_and_asks_so_often_in_a_day() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("models_users")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&Chat::new(GROUP, 6, 40).write(pipeline.directory())?, GROUP)?;
    settle(&pipeline)?;
    up.stop(PATIENCE)?;

    let pro = Models::start()?;
    let config = settings(&pipeline, &pro, None)?;
    let key = ["--tenant", TENANT, "--user", "ann", "--provider", "pro"];
    let set =
        [&["keys", "set"][..], &key, &["--purpose", "mine", "--unchecked", "--config", &config]].concat();
    pipeline.feed(&set, &[("GISTMILL_KEYS__MASTER", MASTER)], "sk-of-ann\n")?;
    let variables = [("GISTMILL_KEYS__MASTER", MASTER), ("DIGEST_USER_QUOTA_REQUESTS_PER_DAY", "1")];
    let up = pipeline.spawn("up", &["up", "--config", &config], &variables)?;
    for (who, day) in [("ann", 5), ("bo", 6), ("bo", 7), ("ann", 8)] {
        ask(&pipeline, who, day)?;
    }
    settle(&pipeline)?;
    let runs = written(&pipeline)?;
    let over = run_of(&runs, "bo", 7)?;
    assert_eq!((over.outcome.as_str(), over.tokens), ("fallback", 0));
    assert_eq!(over.quality_metrics.get("fallback_user_quota"), Some(&1.0), "{:?}", over.quality_metrics);
    for (who, day) in [("ann", 5), ("bo", 6), ("ann", 8)] {
        assert_eq!(run_of(&runs, who, day)?.model_id, "part/1 pro/small", "{who} {day}");
    }
    assert_eq!(pro.keys(), [String::new(), "sk-of-ann".to_owned()].into());
    let cost = pipeline.gistmill(&[&["cost"][..], &BY].concat())?;
    let told = |line: &str| -> anyhow::Result<_> {
        let line: Value = serde_json::from_str(line)?;
        Ok((line["user"].clone(), line["payer"].clone(), line["settled"].clone()))
    };
    let told = cost.lines().map(told).collect::<anyhow::Result<Vec<_>>>()?;
    let line = |user: &str, payer: &str, calls: i32| (json!(user), json!(payer), json!(calls));
    assert_eq!(told, [line("ann", "user", 2), line("bo", "operator", 1)]);

    // Her key is revoked while the first answer, which does not read, is on its way: what would be asked again is not.
    pro.answer_always(Some((200, unreadable())));
    pro.take(Duration::from_secs(3));
    let (calls, asked) = (pipeline.rows.number(CALLS)?, pro.asked().len());
    let group = ["digest", "now", "--tenant", TENANT, "--group", GROUP, "--requested-by", "ann", "--no-wait"];
    pipeline.gistmill(&[&group[..], &["--between", "2026-01-09", "2026-01-10"]].concat())?;
    eventually("the call is on its way", PATIENCE, || {
        Ok((pipeline.rows.number(CALLS)? > calls).then_some(()))
    })?;
    pipeline.gistmill(&[&["keys", "revoke"][..], &key].concat())?;
    settle(&pipeline)?;
    let run = run_of(&written(&pipeline)?, "ann", 9)?;
    assert_eq!(run.quality_metrics.get("fallback_key_revoked"), Some(&1.0), "{:?}", run.quality_metrics);
    assert_eq!(pro.asked().len(), asked + 1, "nobody else pays for the rest");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

/// An answer without JSON.
fn unreadable() -> String {
    json!({
        "id": "1", "object": "chat.completion", "model": "small",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Sure!"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    })
    .to_string()
}
