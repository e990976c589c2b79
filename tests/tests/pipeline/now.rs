//! A digest that somebody asks for: made by the same chain, once, and apart from those of the group's windows.

use schemas::{DigestContextPrepared, DigestGenerateRequested};
use serde_json::Value;
use std::fs;
use tests::{Chat, PATIENCE, Pipeline, TENANT, decode_all, settle};

const DAY: [&str; 3] = ["--between", "2026-01-05", "2026-01-06"];

fn asking<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let group = ["digest", command, "--tenant", TENANT, "--group", "alpha"];
    group.iter().chain(more).copied().collect()
}

fn json(text: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(text)?)
}

/// Requests that somebody made, and contexts prepared for them.
fn chain(pipeline: &Pipeline) -> anyhow::Result<(Vec<DigestGenerateRequested>, usize)> {
    let seen = settle(pipeline)?.into_seen();
    let mut requests: Vec<DigestGenerateRequested> =
        decode_all(pipeline, &seen, "digest.generate.requested.v1")?;
    requests.retain(|request| request.requested_by != "schedule");
    let contexts: Vec<DigestContextPrepared> = decode_all(pipeline, &seen, "digest.context.prepared.v1")?;
    let asked = contexts.iter().filter(|context| context.window.is_asked()).count();
    Ok((requests, asked))
}

fn files(pipeline: &Pipeline) -> anyhow::Result<Vec<String>> {
    let group = pipeline.files().join(TENANT).join("alpha");
    let names = fs::read_dir(group)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<std::io::Result<_>>()?;
    Ok(names.into_iter().filter(|name| name.contains("_asked_")).collect())
}

#[test]
fn a_digest_that_is_asked_for_twice_is_made_once_and_hides_no_other() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("now")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    let chat = Chat::new("alpha", 3, 40);
    pipeline.import(&chat.write(pipeline.directory())?, "alpha")?;
    settle(&pipeline)?;
    let export = asking("export", &["--canonical"]);
    let (exported, listed) = (pipeline.gistmill(&export)?, pipeline.gistmill(&asking("ls", &[]))?);

    let ask = asking("now", &[&DAY[..], &["--json"]].concat());
    let first = pipeline.gistmill(&ask)?;
    let digest = json(&first)?;
    let (start, day) = chat.days.first_key_value().expect("a first day");
    assert_eq!((&digest["window_start"], &digest["lane"]), (&(*start).into(), &"asked:operator".into()));
    assert_eq!(digest["message_count"], day.ids.len());
    let cited = digest["digest"]["summary"].as_array().into_iter().flatten();
    let cited: Vec<i64> = cited
        .flat_map(|claim| claim["message_ids"].as_array().into_iter().flatten())
        .filter_map(Value::as_i64)
        .collect();
    assert!(!cited.is_empty() && cited.iter().all(|id| day.ids.contains(id)), "{cited:?}");
    assert_eq!(pipeline.gistmill(&ask)?, first);

    let (requests, contexts) = chain(&pipeline)?;
    let of = |request: &DigestGenerateRequested| (request.version.clone(), request.delivery_channel.clone());
    assert_eq!(requests.iter().map(of).collect::<Vec<_>>(), [("1.1".to_owned(), String::new())]);
    assert_eq!((contexts, files(&pipeline)?), (1, vec![]), "nobody else gets it");
    assert_eq!((pipeline.gistmill(&export)?, pipeline.gistmill(&asking("ls", &[]))?), (exported, listed));
    let shown = pipeline.gistmill(&asking("ls", &["--asked", "--json"]))?;
    assert_eq!(json(&shown)?["digest_id"], digest["digest_id"]);

    pipeline.gistmill(&asking("now", &[&DAY[..], &["--deliver"]].concat()))?;
    settle(&pipeline)?;
    assert_eq!(files(&pipeline)?.len(), 2, "Markdown and JSON");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_request_whose_answer_nobody_makes_yet_is_answered_once_after_a_kill() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("now_kill")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&Chat::new("alpha", 2, 40).write(pipeline.directory())?, "alpha")?;
    settle(&pipeline)?;
    up.kill()?;
    let asked = json(&pipeline.gistmill(&asking("now", &[&DAY[..], &["--no-wait", "--json"]].concat()))?)?;
    let late = pipeline.output(&asking("now", &[&DAY[..], &["--wait", "0"]].concat()), &[])?;
    let said = String::from_utf8_lossy(&late.stderr);
    assert_eq!(late.status.code(), Some(1), "{said}");
    assert!(said.contains("has not come within 0 s: `gistmill lag` shows where it is"), "{said}");

    let up = pipeline.up_without(&[])?;
    let digest = json(&pipeline.gistmill(&asking("now", &[&DAY[..], &["--json"]].concat()))?)?;
    assert_eq!(digest["digest_id"], asked["digest_id"]);
    let (requests, contexts) = chain(&pipeline)?;
    assert_eq!((requests.len(), contexts), (1, 1));
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn what_cannot_be_digested_is_answered_with_why() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("now_refused")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&Chat::new("alpha", 2, 40).write(pipeline.directory())?, "alpha")?;
    settle(&pipeline)?;
    let refused = |arguments: &[&str], variables: &[(&str, &str)]| -> anyhow::Result<String> {
        let output = pipeline.output(arguments, variables)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        Ok(said)
    };
    let empty = refused(&asking("now", &["--between", "2020-01-05", "2020-01-06"]), &[])?;
    assert!(
        empty.contains("nobody wrote in acme/alpha between 2020-01-05 00:00 and 2020-01-06 00:00 (UTC)"),
        "{empty}"
    );
    let off = refused(&asking("now", &DAY), &[("DIGEST_AGENT_ENABLED", "false")])?;
    assert!(off.contains("digests are switched off for tenant acme"), "{off}");
    let scopes = ["--scopes", "NONSENSE", "--block-digests"];
    let set = [&["group", "set", "--tenant", TENANT, "--group", "alpha"][..], &scopes[..]].concat();
    pipeline.gistmill(&set)?;
    let blocked = refused(&asking("now", &DAY), &[])?;
    assert!(blocked.contains("blocked: the group lacks scope DIGEST_READ"), "{blocked}");
    up.stop(PATIENCE)?;
    pipeline.finish()
}
