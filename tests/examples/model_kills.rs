//! Proves that a call to a model is paid once: `writer` is killed again and again while it asks, at moments that are drawn from a
//! seed; then the provider's own count, the ledger and the digests are compared.
//!
//! `model_kills [KILLS [SEED]]`: 50 kills and seed 1, unless told otherwise, on the stack that the environment names;
//! `tests/model_kills` runs it on one of its own.

use anyhow::{Context, ensure};
use schemas::{DigestPersisted, DigestStageCompleted, GroupWindowReady};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Write, stdout},
    thread,
    time::{Duration, Instant},
};
use tests::{
    Chat, Models, PATIENCE, Pipeline, Seen, assert_once, decode_all, end_children_on_signals, eventually,
    kills_and_seed, settle_within,
};

/// Days of the chat that is imported before each kill: more windows than are asked about until then.
const DAYS: i64 = 6;
/// Longest life of a writer after its first call, and how long an answer takes.
const LIFE_MS: u64 = 900;
const ANSWER: Duration = Duration::from_millis(150);
/// Longest wait for all answers to a window; a call is of unknown outcome a minute after that.
const DEADLINE_S: u64 = 10;
const LONG: Duration = Duration::from_mins(15);

const CALLS: &str = "SELECT count(*) FROM llm_requests";
const RESERVED: &str = "SELECT count(*) FROM llm_requests WHERE status IN ('reserved', 'unknown')";
const OPEN: &str = "SELECT count(*) FROM llm_requests WHERE status = 'reserved' AND expires_at > now()";
const FAILED: &str = "SELECT count(*) FROM llm_requests WHERE status = 'failed'";
const SETTLED: &str =
    "SELECT coalesce(sum(tokens_in + tokens_out), 0)::bigint FROM llm_requests WHERE status = 'settled'";
const MORE: &str = "SELECT coalesce(sum(tokens_reserved), 0)::bigint FROM llm_requests WHERE status IN ('reserved', 'unknown')";
const TWICE: &str = "SELECT count(*) FROM (SELECT FROM llm_requests WHERE status = 'settled' \
     GROUP BY tenant_id, question HAVING count(*) > 1) AS twice";

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let (kills, seed, mut die) = kills_and_seed(50)?;
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {text}", began.elapsed().as_secs_f64());
    let pipeline = Pipeline::start("model_kills")?.context("there is no stack")?;
    let pro = Models::start()?;
    pro.take(ANSWER);
    let file = pipeline.directory().join("models.toml");
    let chains = "[llm.chains]\nwriter = [\"pro\"]\n";
    fs::write(&file, format!("[llm]\ndeadline_s = {DEADLINE_S}\n\n{}{chains}", pro.provider("pro")))?;
    let config = file.to_string_lossy().into_owned();
    let run = ["run", "writer", "--config", &config];
    let up = pipeline.up_without(&["writer"])?;
    say(&format!("seed {seed}, {kills} kills"))?;
    for count in 1..=kills {
        let chat = Chat::new(&format!("g{count}"), DAYS, 40);
        pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
        let before = pipeline.rows.number(CALLS)?;
        let victim = pipeline.spawn("writer", &run, &[])?;
        eventually("a call is on its way", PATIENCE, || {
            Ok((pipeline.rows.number(CALLS)? > before).then_some(()))
        })?;
        thread::park_timeout(Duration::from_millis(die.roll(LIFE_MS)));
        victim.kill()?;
        if count % 10 == 0 {
            say(&format!("{count} kills, {} calls", pro.asked().len()))?;
        }
    }
    pro.take(Duration::ZERO);
    let writer = pipeline.spawn("writer", &run, &[])?;
    let seen = settle_within(&pipeline, &[], LONG)?.into_seen();
    say("the writer that is not killed has caught up")?;
    writer.stop(PATIENCE)?;
    up.stop(PATIENCE)?;
    say(&digests(&pipeline, &seen)?)?;
    say(&ledger(&pipeline, &pro)?)?;
    eventually("what is unknown has expired", LONG, || Ok((pipeline.rows.number(OPEN)? == 0).then_some(())))?;
    let cost = pipeline.gistmill(&["cost", "--by", "model"])?;
    say(&format!("cost: {}", cost.trim()))?;
    pipeline.finish()
}

/// Every digest that comes to the stage leaves it once; windows without one are those that are blocked before.
fn digests(pipeline: &Pipeline, seen: &[Seen]) -> anyhow::Result<String> {
    assert_once(seen);
    let windows: Vec<GroupWindowReady> = decode_all(pipeline, seen, "group.window.ready.v1")?;
    let given: Vec<DigestStageCompleted> = decode_all(pipeline, seen, "digest.stage.synthesis.completed.v1")?;
    let runs: Vec<DigestStageCompleted> = decode_all(pipeline, seen, "digest.stage.writer.completed.v1")?;
    let versions = |runs: &[DigestStageCompleted]| -> BTreeSet<(String, String)> {
        runs.iter().map(|run| (run.window_id.clone(), run.version.clone())).collect()
    };
    ensure!(versions(&given) == versions(&runs), "{} digests came, {} left", given.len(), runs.len());
    ensure!(versions(&runs).len() == runs.len(), "a digest left twice");
    let kept: Vec<DigestPersisted> = decode_all(pipeline, seen, "digest.persisted.v1")?;
    let of_window: BTreeSet<&str> = windows.iter().map(|ready| ready.window_id.as_str()).collect();
    let of_run: BTreeSet<&str> = runs.iter().map(|run| run.window_id.as_str()).collect();
    let (without, worded) =
        (of_window.difference(&of_run).count(), runs.iter().filter(|run| run.model_id != "offline").count());
    Ok(format!(
        "{} windows, {without} without a digest; {} digests came and left once each, {worded} in a model's words; {} are kept",
        of_window.len(),
        runs.len(),
        kept.len()
    ))
}

/// The provider's count against the ledger's.
fn ledger(pipeline: &Pipeline, pro: &Models) -> anyhow::Result<String> {
    let (asked, paid) = (pro.asked(), pro.tokens());
    let (calls, rows) = (asked.len() as i64, pipeline.rows.number(CALLS)?);
    let (unknown, failed) = (pipeline.rows.number(RESERVED)?, pipeline.rows.number(FAILED)?);
    let (settled, more) = (pipeline.rows.number(SETTLED)?, pipeline.rows.number(MORE)?);
    let mut times: BTreeMap<&String, i64> = BTreeMap::new();
    for question in &asked {
        *times.entry(question).or_default() += 1;
    }
    let again = calls - times.len() as i64;
    ensure!(rows >= calls, "{rows} rows of {calls} calls");
    ensure!(again <= unknown + failed, "{again} questions were asked again, {unknown} calls are unknown");
    ensure!(pipeline.rows.number(TWICE)? == 0, "an answer is settled twice");
    ensure!(
        settled <= paid && paid <= settled + more,
        "{paid} tokens paid, {settled} settled, {more} unknown"
    );
    Ok(format!(
        "{calls} calls seen by the provider, {rows} rows: {} settled, {failed} failed, {unknown} unknown; {again} questions asked \
         again, none settled twice; {paid} tokens paid, {settled} settled, at most {more} more unknown",
        rows - failed - unknown
    ))
}
