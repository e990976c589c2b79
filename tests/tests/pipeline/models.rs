//! Language models: digests are put into their words once each; a replay pays nothing; a quota leads to the next in the chain,
//! a provider that fails to the digest without it; and after SIGKILLs the ledger has every call that the provider has.

use crate::undisturbed::{chats, import};
use schemas::DigestStageCompleted;
use std::{collections::BTreeSet, fs, time::Duration};
use tests::{Isolation, Models, PATIENCE, Pipeline, assert_once, decode_all, eventually, read, settle};

const WRITTEN: &str = "digest.stage.writer.completed.v1";
/// Kills while calls are on their way.
const KILLS: usize = 6;
const SETTLED: &str =
    "SELECT coalesce(sum(tokens_in + tokens_out), 0)::bigint FROM llm_requests WHERE status = 'settled'";
pub(crate) const CALLS: &str = "SELECT count(*) FROM llm_requests";

/// The path of settings with `pro`, which streams, and `base` after it.
pub(crate) fn settings(pipeline: &Pipeline, pro: &Models, base: Option<&Models>) -> anyhow::Result<String> {
    let names = if base.is_some() { "\"pro\", \"base\"" } else { "\"pro\"" };
    let base = base.map(|base| base.provider("base")).unwrap_or_default();
    let file = pipeline.directory().join("models.toml");
    fs::write(
        &file,
        format!("{}stream = true\n{base}[llm.chains]\nwriter = [{names}]\n", pro.provider("pro")),
    )?;
    Ok(file.to_string_lossy().into_owned())
}

/// What the writer's topic holds now.
pub(crate) fn written(pipeline: &Pipeline) -> anyhow::Result<Vec<DigestStageCompleted>> {
    let seen = read(pipeline, Isolation::Committed)?;
    decode_all(pipeline, &seen, WRITTEN)
}

/// Has the writer read its input again, and shows that its `runs` runs come out the same.
pub(crate) fn write_again(pipeline: &Pipeline, config: &str, runs: usize) -> anyhow::Result<()> {
    pipeline.gistmill(&["reset", "writer", "--to", "beginning", "--yes"])?;
    let again = pipeline.spawn("writer", &["run", "writer", "--config", config], &[])?;
    eventually("the writer has read its input again", PATIENCE, || {
        Ok((written(pipeline)?.len() == 2 * runs).then_some(()))
    })?;
    again.stop(PATIENCE)?;
    let bytes: BTreeSet<String> = written(pipeline)?.iter().map(|run| format!("{run:?}")).collect();
    assert_eq!(bytes.len(), runs, "the same runs");
    Ok(())
}

#[test]
fn a_digest_is_put_into_words_once_and_a_replay_pays_nothing() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("models")? else { return Ok(()) };
    let (pro, base) = (Models::start()?, Models::start()?);
    let config = settings(&pipeline, &pro, Some(&base))?;
    let up = pipeline.spawn("up", &["up", "--config", &config], &[])?;
    import(&pipeline, &chats())?;
    settle(&pipeline)?;
    let runs = written(&pipeline)?;
    let worded = runs.iter().filter(|run| run.model_id == "part/1 pro/small").count();
    let fell: Vec<_> =
        runs.iter().filter(|run| run.outcome == "fallback").map(|run| &run.quality_metrics).collect();
    // What a model makes of a window may be worth less than what is known without it; then it is not taken.
    let judged = fell.iter().all(|measures| measures.contains_key("fallback_worse"));
    assert!(worded > 0 && judged && fell.len() * 4 < worded, "{worded} worded, {fell:?}");
    let asked = pro.asked();
    assert_eq!(asked.len(), asked.iter().collect::<BTreeSet<_>>().len(), "a question was asked twice");
    assert_eq!(asked.len(), worded);
    assert_eq!(pipeline.rows.number(SETTLED)?, pro.tokens(), "the ledger is the provider's bill");
    assert_eq!(runs.iter().map(|run| run.tokens).sum::<i64>(), pro.tokens());
    let cost = pipeline.gistmill(&["cost", "--tenant", tests::TENANT, "--by", "provider", "--json"])?;
    let cost: serde_json::Value = serde_json::from_str(cost.trim())?;
    let told = (&cost["provider"], &cost["settled"], &cost["failed"], &cost["unknown"], &cost["cost"]);
    let (calls, none) = (serde_json::json!(asked.len()), serde_json::json!(0));
    assert_eq!(told, (&serde_json::json!("pro"), &calls, &none, &none, &serde_json::Value::Null));
    up.stop(PATIENCE)?;

    // All of it again, and nothing is asked.
    write_again(&pipeline, &config, runs.len())?;
    assert_eq!((pro.asked().len(), base.asked().len()), (asked.len(), 0));
    pipeline.finish()
}

#[test]
fn a_quota_leads_to_the_next_and_a_failure_to_the_digest_without_a_model() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("models_chain")? else { return Ok(()) };
    let (pro, base) = (Models::start()?, Models::start()?);
    let config = settings(&pipeline, &pro, Some(&base))?;
    let quota = [("DIGEST_PRO_QUOTA_TOKENS_PER_MONTH", "1")];
    let up = pipeline.spawn("up", &["up", "--config", &config], &quota)?;
    import(&pipeline, &chats()[..1])?;
    settle(&pipeline)?;
    let runs = written(&pipeline)?;
    assert!(runs.iter().any(|run| run.model_id == "part/1 base/small"));
    assert_eq!(pro.asked().len(), 0, "the tenant may use one token of it");
    base.answer_always(Some((500, "busy".to_owned())));
    import(&pipeline, &chats()[1..2])?;
    settle(&pipeline)?;
    let runs = written(&pipeline)?;
    let fell: Vec<&DigestStageCompleted> = runs.iter().filter(|run| run.outcome == "fallback").collect();
    assert!(!fell.is_empty());
    for run in &fell {
        let why: Vec<&String> = run.quality_metrics.keys().collect();
        let known = ["fallback_server_error", "fallback_breaker_open", "fallback_quota"];
        assert!(why.iter().any(|why| known.contains(&why.as_str())), "{why:?}");
        assert_eq!((run.model_id.as_str(), run.tokens), ("offline", 0));
        assert!(run.state.digest.is_some());
    }
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn after_kills_the_ledger_has_every_call_that_the_provider_has() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("models_kills")? else { return Ok(()) };
    let pro = Models::start()?;
    pro.take(Duration::from_millis(300));
    let config = settings(&pipeline, &pro, None)?;
    let up = pipeline.up_without(&["writer"])?;
    import(&pipeline, &chats())?;
    for _ in 0..KILLS {
        let before = pipeline.rows.number(CALLS)?;
        let victim = pipeline.spawn("writer", &["run", "writer", "--config", &config], &[])?;
        eventually("a call is on its way", PATIENCE, || {
            Ok((pipeline.rows.number(CALLS)? > before).then_some(()))
        })?;
        victim.kill()?;
    }
    pro.take(Duration::ZERO);
    let writer = pipeline.spawn("writer", &["run", "writer", "--config", &config], &[])?;
    let seen = settle(&pipeline)?.into_seen();
    assert_once(&seen);
    let (rows, calls) = (pipeline.rows.number(CALLS)?, pro.asked().len() as i64);
    assert!(rows >= calls, "{rows} rows of {calls} calls");
    let open = "SELECT coalesce(sum(tokens_reserved), 0)::bigint FROM llm_requests WHERE status IN ('reserved', 'unknown')";
    let (settled, open) = (pipeline.rows.number(SETTLED)?, pipeline.rows.number(open)?);
    assert!(
        settled <= pro.tokens() && pro.tokens() <= settled + open,
        "{settled} of {}, {open} unknown",
        pro.tokens()
    );
    assert!(open > 0, "no kill hit a call on its way");
    eprintln!("{calls} calls, {rows} rows, {settled} tokens settled of {}, {open} reserved", pro.tokens());
    writer.stop(PATIENCE)?;
    up.stop(PATIENCE)?;
    pipeline.finish()
}

/// Two master keys, 32 bytes each.
pub(crate) const MASTER: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const OTHER_MASTER: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";

#[test]
fn a_tenants_own_key_is_used_and_none_in_its_place_where_it_does_not_open() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("models_keys")? else { return Ok(()) };
    let pro = Models::start()?;
    let config = settings(&pipeline, &pro, None)?;
    let tenant = ["keys", "set", "--tenant", tests::TENANT, "--provider", "pro", "--purpose", "digests"];
    let set = [&tenant[..], &["--config", &config]].concat();
    pipeline.feed(&set, &[("GISTMILL_KEYS__MASTER", MASTER)], "sk-of-the-tenant\n")?;
    assert_eq!(pro.keys(), ["sk-of-the-tenant".to_owned()].into(), "looked at on entry");
    let arguments = ["up", "--config", &config];
    let up = pipeline.spawn("up", &arguments, &[("GISTMILL_KEYS__MASTER", MASTER)])?;
    import(&pipeline, &chats()[..1])?;
    settle(&pipeline)?;
    let calls = pro.asked().len();
    assert!(calls > 1, "{calls} calls");
    assert_eq!(pro.keys(), ["sk-of-the-tenant".to_owned()].into());
    let log = up.log()?;
    up.stop(PATIENCE)?;

    let up = pipeline.spawn("up", &arguments, &[("GISTMILL_KEYS__MASTER", OTHER_MASTER)])?;
    import(&pipeline, &chats()[1..2])?;
    settle(&pipeline)?;
    assert_eq!(pro.asked().len(), calls, "nobody else pays");
    let runs = written(&pipeline)?;
    let unopened =
        runs.iter().filter(|run| run.quality_metrics.contains_key("fallback_key_not_opened")).count();
    assert!(unopened > 0, "{:?}", runs.iter().map(|run| &run.quality_metrics).collect::<Vec<_>>());
    assert!(![log, up.log()?].concat().contains("sk-of-the-tenant"));
    up.stop(PATIENCE)?;
    pipeline.finish()
}
