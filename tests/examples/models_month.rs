//! What a month of a real group costs with a model: its last days are imported, each digest is put into words by a provider on the
//! loopback address that answers from the window itself, and the ledger is held against the provider's own count. Then all of it
//! again, which has to cost nothing.
//!
//! `models_month EXPORT [DAYS]`: `result.json` of Telegram Desktop and 30 days, on the stack that the environment names;
//! `tests/models_month` runs it on one of its own. Prices are those of `gpt-4.1-mini`, a token is four bytes: an estimate of a bill.

use anyhow::{Context, ensure};
use schemas::DigestStageCompleted;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufReader, Write, stdout},
    path::PathBuf,
    time::{Duration, Instant},
};
use tests::{
    Isolation, Models, PATIENCE, Pipeline, TENANT, decode_all, end_children_on_signals, eventually, read,
    settle_within,
};

const GROUP: &str = "month";
const WRITTEN: &str = "digest.stage.writer.completed.v1";
const BEFORE: &str = "digest.stage.synthesis.completed.v1";
const LONG: Duration = Duration::from_mins(15);

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let mut words = std::env::args().skip(1);
    let export = words.next().context("name an export: models_month EXPORT [DAYS]")?;
    let days: usize = words.next().map_or(Ok(30), |days| days.parse()).context("DAYS is a number")?;
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {text}", began.elapsed().as_secs_f64());
    let pipeline = Pipeline::start("models_month")?.context("there is no stack")?;
    let (file, messages) = last_days(&pipeline, &export, days)?;

    let up = pipeline.up_without(&[])?;
    pipeline.import(&file, GROUP)?;
    settle_within(&pipeline, &[], LONG)?;
    let offline = written(&pipeline)?;
    say(&format!("{} digests of {messages} messages, without a model", offline.len()))?;
    say(&hop(&pipeline, &offline)?)?;
    up.stop(PATIENCE)?;

    let pro = Models::start()?;
    let config = settings(&pipeline, &pro)?;
    again(&pipeline, &config, offline.len() * 2)?;
    let runs = written(&pipeline)?.split_off(offline.len());
    let (asked, tokens) = (pro.asked(), pro.tokens());
    let different: BTreeSet<&String> = asked.iter().collect();
    ensure!(different.len() == asked.len(), "a question was asked twice");
    let told = ledger(&pipeline)?;
    ensure!(told == (asked.len() as i64, tokens), "the ledger has {told:?}, the provider {tokens} tokens");
    say(&format!("{} calls, {tokens} tokens: the ledger is the provider's bill", asked.len()))?;
    say(&format!("how they came out: {:?}", outcomes(&runs)))?;
    for by in ["day,model", "group,stage,model"] {
        let cost = pipeline.gistmill(&["cost", "--tenant", TENANT, "--by", by])?;
        say(&format!("cost by {by}: {}", cost.trim()))?;
    }

    again(&pipeline, &config, offline.len() * 3)?;
    ensure!(pro.asked().len() == asked.len(), "a replay asked the provider");
    ensure!(ledger(&pipeline)? == told, "a replay has rows in the ledger");
    let replayed = written(&pipeline)?.split_off(offline.len() * 2);
    let bytes = |runs: &[DigestStageCompleted]| -> BTreeSet<String> {
        runs.iter().map(|run| format!("{run:?}")).collect()
    };
    ensure!(bytes(&replayed) == bytes(&runs), "a replay comes out differently");
    say("all of it again: 0 calls, 0 tokens, the same digests")?;
    pipeline.finish()
}

/// The messages of the last days of an export, in a file of their own, and how many they are.
fn last_days(pipeline: &Pipeline, export: &str, days: usize) -> anyhow::Result<(PathBuf, usize)> {
    let file = File::open(export).with_context(|| format!("could not open {export}"))?;
    let mut chat: Value = serde_json::from_reader(BufReader::new(file)).context("could not read it")?;
    let messages = chat["messages"].as_array_mut().context("it has no messages")?;
    let day = |message: &Value| -> Option<String> {
        let date = message["date"].as_str().filter(|_| message["type"] == "message")?;
        date.get(..10).map(str::to_owned)
    };
    let all: BTreeSet<String> = messages.iter().filter_map(day).collect();
    let first = all.iter().rev().nth(days.saturating_sub(1)).or(all.first()).cloned();
    let first = first.context("it has no message with a date")?;
    messages.retain(|message| day(message).is_some_and(|day| day >= first));
    let count = messages.len();
    let path = pipeline.directory().join("month.json");
    fs::write(&path, chat.to_string()).context("could not write the last days")?;
    Ok((path, count))
}

fn settings(pipeline: &Pipeline, pro: &Models) -> anyhow::Result<String> {
    let provider = pro.provider("pro").replace("\"small\"", "\"gpt-4.1-mini\"\nvendor = \"openai\"");
    let file = pipeline.directory().join("models.toml");
    fs::write(&file, format!("{provider}[llm.chains]\nwriter = [\"pro\"]\n"))?;
    Ok(file.to_string_lossy().into_owned())
}

fn written(pipeline: &Pipeline) -> anyhow::Result<Vec<DigestStageCompleted>> {
    decode_all(pipeline, &read(pipeline, Isolation::Committed)?, WRITTEN)
}

/// Lets `writer` read all of its input again, until its topic holds so many runs.
fn again(pipeline: &Pipeline, config: &str, runs: usize) -> anyhow::Result<()> {
    pipeline.gistmill(&["reset", "writer", "--to", "beginning", "--yes"])?;
    let writer = pipeline.spawn("writer", &["run", "writer", "--config", config], &[])?;
    eventually("the writer has read its input again", LONG, || {
        Ok((written(pipeline)?.len() >= runs).then_some(()))
    })?;
    writer.stop(PATIENCE)
}

/// Calls and tokens of the ledger; every call has ended well.
fn ledger(pipeline: &Pipeline) -> anyhow::Result<(i64, i64)> {
    let rows = pipeline.rows.number("SELECT count(*) FROM llm_requests")?;
    let settled = pipeline.rows.number("SELECT count(*) FROM llm_requests WHERE status = 'settled'")?;
    ensure!(rows == settled, "{settled} of {rows} calls were answered");
    let tokens = "SELECT coalesce(sum(tokens_in + tokens_out), 0)::bigint FROM llm_requests";
    Ok((rows, pipeline.rows.number(tokens)?))
}

fn outcomes(runs: &[DigestStageCompleted]) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    for run in runs {
        let why = run.quality_metrics.keys().find(|name| name.starts_with("fallback_"));
        let name = why.cloned().unwrap_or_else(|| format!("{} {}", run.outcome, run.model_id));
        *outcomes.entry(name).or_insert(0) += 1;
    }
    outcomes
}

/// Milliseconds between the results of `synthesis` and of `writer`, and of the stage before, by the broker's clock: with no model
/// set, what the stage costs every digest.
fn hop(pipeline: &Pipeline, runs: &[DigestStageCompleted]) -> anyhow::Result<String> {
    let (mut hops, mut before) = (Vec::new(), Vec::new());
    let group = ["--tenant", TENANT, "--group", GROUP, "--json"];
    for run in runs {
        let trace = pipeline.gistmill(&[&["trace", &run.window_id][..], &group].concat())?;
        let trace: Value = serde_json::from_str(&trace).context("could not read a trace")?;
        let at = |topic: &str| {
            let mut steps = trace["steps"].as_array().into_iter().flatten();
            steps.find(|step| step["topic"] == topic).and_then(|step| step["appended_at_ms"].as_i64())
        };
        if let (Some(synthesis), Some(writer)) = (at(BEFORE), at(WRITTEN)) {
            hops.push(writer - synthesis);
            before.extend(at("digest.stage.topic.completed.v1").map(|topic| synthesis - topic));
        }
    }
    ensure!(!hops.is_empty(), "no trace has both stages");
    hops.sort_unstable();
    before.sort_unstable();
    let part = |of: &[i64], per_cent: usize| {
        of.get((of.len().saturating_sub(1)) * per_cent / 100).copied().unwrap_or(0)
    };
    Ok(format!(
        "the hop of writer in {} digests: {} ms in half of them, {} ms in nine of ten; that of synthesis {} and {} ms",
        hops.len(),
        part(&hops, 50),
        part(&hops, 90),
        part(&before, 50),
        part(&before, 90)
    ))
}
