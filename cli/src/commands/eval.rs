//! `gistmill eval`: the stages and the digests against data with known answers.
//!
//! Invariant: it needs no broker and no database, and no network but for an endpoint that it is told to ask; it calls the very
//! code of the stages.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use evaluation::{Among, Report, gold};
use model::Model;
use rendering::View;
use schemas::DigestState;
use serde_json::json;

use crate::{exit::Exit, settings::Settings};

mod endpoint;
mod model;

/// Measure the stages against data with known answers
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill eval all --data ../shared/data
  gistmill eval gold --data ../shared/data --split test --json
  gistmill eval day 2019-06-05 --data ../shared/data";

#[derive(Debug, Subcommand)]
enum What {
    /// Reply links and conversations
    #[command(after_help = "Examples:\n  gistmill eval thread --data ../shared/data")]
    Thread(Data),
    /// Segments
    #[command(after_help = "Examples:\n  gistmill eval segment --data ../shared/data")]
    Segment(Data),
    /// Tone
    #[command(after_help = "Examples:\n  gistmill eval emotion --data ../shared/data")]
    Emotion(Data),
    /// Topics
    #[command(after_help = "Examples:\n  gistmill eval topic --data ../shared/data")]
    Topic(Data),
    /// Summaries
    #[command(after_help = "Examples:\n  gistmill eval synthesis --data ../shared/data")]
    Synthesis(Data),
    /// The quality score against human judgement
    #[command(after_help = "Examples:\n  gistmill eval quality --data ../shared/data")]
    Quality(Data),
    /// Search: a question finds the replies to it
    #[command(after_help = SEARCH_HELP)]
    Search(Search),
    /// Digests against labelled windows
    #[command(after_help = GOLD_HELP)]
    Gold(Worded),
    /// Everything
    #[command(after_help = "Examples:\n  gistmill eval all --data ../shared/data")]
    All(Gold),
    /// Print the digest of one day of the large group, as it is made today
    #[command(after_help = "Examples:\n  gistmill eval day 2019-06-05 --data ../shared/data --messages")]
    Day(Day),
}

#[derive(Debug, Args)]
struct Data {
    /// Folder of the data sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const SEARCH_HELP: &str = "\
Examples:
  gistmill eval search --data ../shared/data
  GISTMILL_EMBEDDING__URL=http://localhost:8000/v1 GISTMILL_EMBEDDING__MODEL=e5-passage \\
    GISTMILL_EMBEDDING__QUERY_MODEL=e5-query GISTMILL_EMBEDDING__DIMENSION=384 \\
    gistmill eval search --data ../shared/data --endpoint

--endpoint asks for the vector of each message and question, some 80,000 (with --last-fifth 18,000); nothing of it is
kept.";

#[derive(Debug, Args)]
struct Search {
    #[command(flatten)]
    data: Data,
    /// Also by the vectors of the endpoint that the settings name (`[embedding]`)
    #[arg(long)]
    endpoint: bool,
    /// Search among the messages of the last fifth alone, which the questions are of
    #[arg(long)]
    last_fifth: bool,
}

const GOLD_HELP: &str = "\
Examples:
  gistmill eval gold --data ../shared/data
  gistmill --config models.toml eval gold --data ../shared/data --split test --with pro --answers answers.jsonl

--with puts the digests into the words of a provider of the settings (`[[llm.providers]]`), as the stage `writer` does, and prints
both side by side, with what it took. Messages of the data are sent to that provider. With --answers a second run asks for
nothing that the first was answered.";

#[derive(Debug, Args)]
struct Worded {
    #[command(flatten)]
    gold: Gold,
    /// Also in the words of this provider of the settings
    #[arg(long, value_name = "PROVIDER", conflicts_with = "errors")]
    with: Option<String>,
    /// File of answers: read first, and added to
    #[arg(long, value_name = "FILE", requires = "with")]
    answers: Option<PathBuf>,
    /// Only so many windows
    #[arg(long, value_name = "WINDOWS", requires = "with")]
    limit: Option<usize>,
}

#[derive(Debug, Args)]
struct Gold {
    #[command(flatten)]
    data: Data,
    /// Folder of the labelled windows
    #[arg(long = "gold", value_name = "DIR", default_value = "evaluation/gold")]
    labels: PathBuf,
    /// Only these windows
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// Also list what each digest got wrong, by message ids
    #[arg(long)]
    errors: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Split {
    Train,
    Test,
    Samples,
}

impl Split {
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
            Self::Samples => "samples",
        }
    }
}

#[derive(Debug, Args)]
struct Day {
    /// UTC days: `2019-06-05`
    #[arg(required = true, value_name = "DATE")]
    dates: Vec<String>,
    /// Folder of the data sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Sample to take the days from, instead of the large group
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,
    /// Print the messages too
    #[arg(long, conflicts_with = "json")]
    messages: bool,
    /// Print everything that the digest has
    #[arg(long)]
    full: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match arguments.what {
        What::Thread(data) => stage("thread_builder", &data, out),
        What::Segment(data) => stage("segmenter", &data, out),
        What::Emotion(data) => stage("emotion", &data, out),
        What::Topic(data) => stage("topic", &data, out),
        What::Synthesis(data) => stage("synthesis", &data, out),
        What::Quality(data) => stage("quality", &data, out),
        What::Search(wanted) => search(&wanted, settings, out),
        What::Gold(worded) => match &worded.with {
            Some(provider) => compared(&worded, provider, settings, out),
            None => labelled(&worded.gold, out),
        },
        What::All(gold) => all(&gold, out),
        What::Day(day) => days(&day, out),
    }
}

fn stage(name: &str, data: &Data, out: &mut dyn Write) -> anyhow::Result<Exit> {
    print(&[evaluation::run(name, folder(&data.data)?)?], data.json, out)
}

fn search(wanted: &Search, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let folder = folder(&wanted.data.data)?;
    let endpoint = if wanted.endpoint { Some(endpoint::Endpoint::of(&settings.config()?)?) } else { None };
    let model = endpoint.as_ref().map(|endpoint| endpoint as &dyn evaluation::Embeddings);
    let among = if wanted.last_fifth { Among::LastFifth } else { Among::All };
    print(&[evaluation::search(folder, model, among)?], wanted.data.json, out)
}

fn all(gold: &Gold, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let data = folder(&gold.data.data)?;
    let mut reports = Vec::new();
    for name in evaluation::STAGES {
        reports.push(evaluation::run(name, data)?);
    }
    reports.push(gold::evaluate(data, folder(&gold.labels)?, gold.split.map(Split::name))?);
    print(&reports, gold.data.json, out)
}

fn labelled(gold: &Gold, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (data, labels) = (folder(&gold.data.data)?, folder(&gold.labels)?);
    let split = gold.split.map(Split::name);
    if gold.errors {
        for window in gold::windows(data, labels, split)? {
            let measured = gold::measure(&window);
            writeln!(out, "{} ({} messages)", window.label.window, window.label.messages)?;
            for (kind, found) in [
                ("decisions", &measured.decisions),
                ("actions", &measured.actions),
                ("open questions", &measured.questions),
                ("answers", &measured.answers),
            ] {
                writeln!(
                    out,
                    "  {kind}: wrong {:?} missed {:?}",
                    cited(&window, kind, &found.wrong),
                    found.missed
                )?;
            }
        }
    }
    print(&[gold::evaluate(data, labels, split)?], gold.data.json, out)
}

/// The digests as they are and in a model's words, side by side.
fn compared(
    worded: &Worded,
    provider: &str,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let gold = &worded.gold;
    let folders = (folder(&gold.data.data)?, folder(&gold.labels)?);
    let mut model = Model::of(&settings.config()?, provider, worded.answers.as_deref())?;
    let wanted = (gold.split.map(Split::name), worded.limit.unwrap_or(usize::MAX));
    let (offline, with) = gold::compare(folders, wanted, &mut model)?;
    let told = model.told();
    if gold.data.json {
        let both = json!({ "offline": offline, "with": with, "provider": provider, "model": told });
        writeln!(out, "{}", serde_json::to_string_pretty(&both)?)?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{:<44} {:<34} {:>8} {:>10} {:>8}", "gold", "", "offline", provider, "to beat")?;
    for (before, after) in offline.rows.iter().zip(&with.rows) {
        let bound = before.baseline.map_or(String::new(), |bound| format!("{bound:.3}"));
        let (value, worded) = (before.value, after.value);
        writeln!(
            out,
            "  {:<42} {:<34} {value:>8.3} {worded:>10.3} {bound:>8}",
            before.dataset, before.metric
        )?;
    }
    let fallen: Vec<String> = told.fell_back.iter().map(|(why, count)| format!("{count} {why}")).collect();
    let fallen = if fallen.is_empty() { "none".to_owned() } else { fallen.join(", ") };
    writeln!(
        out,
        "{} windows in its words, {} not asked about; fell back: {fallen}",
        told.worded, told.not_asked
    )?;
    let (half, most) = (told.percentile(50), told.percentile(95));
    writeln!(
        out,
        "{} tokens, cost {:.4}; {half:.1} s a window (p50), {most:.1} s (p95)",
        told.tokens, told.cost
    )?;
    Ok(Exit::Done)
}

/// First ids of the lines at these places of a list.
fn cited(window: &gold::Window, kind: &str, places: &[usize]) -> Vec<i64> {
    let Some(digest) = &window.state.digest else { return Vec::new() };
    let lists: Vec<&[i64]> = match kind {
        "decisions" => digest.decisions.iter().map(|claim| claim.message_ids.as_slice()).collect(),
        "actions" => digest.actions.iter().map(|action| action.message_ids.as_slice()).collect(),
        "answers" => digest.answers.iter().map(|answer| answer.question.message_ids.as_slice()).collect(),
        _ => digest.questions.iter().map(|claim| claim.message_ids.as_slice()).collect(),
    };
    places.iter().filter_map(|place| lists.get(*place)?.first().copied()).collect()
}

fn days(wanted: &Day, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let days = gold::days(folder(&wanted.data)?, wanted.sample.as_deref())?;
    for date in &wanted.dates {
        let Some(state) = days.get(date) else { bail!("the data has no messages on {date}") };
        let mut state = state.clone();
        if wanted.messages {
            messages(&state, out)?;
        }
        gold::digest_after(&mut gold::memory_before(&days, date), &mut state);
        let digest = state.digest.as_ref().context("the last stage left no digest")?;
        let view = View {
            tenant_id: "eval",
            group_id: wanted.sample.as_deref().unwrap_or("group"),
            digest_id: "",
            version: "1.0",
            window: &state.window,
            digest,
            extent: if wanted.full { rendering::Extent::Everything } else { rendering::Extent::Page },
        };
        let text = if wanted.json { rendering::json(&view) } else { rendering::markdown(&view) };
        writeln!(out, "{text}")?;
    }
    Ok(Exit::Done)
}

fn messages(state: &DigestState, out: &mut dyn Write) -> anyhow::Result<()> {
    for message in &state.messages {
        let reply = message.reply_to.map_or(String::new(), |to| format!(" -> {to}"));
        let text = message.text.replace('\n', " / ");
        writeln!(out, "{}{reply} {}: {text}", message.id, message.author_name)?;
    }
    Ok(writeln!(out)?)
}

fn folder(path: &Path) -> anyhow::Result<&Path> {
    if !path.is_dir() {
        bail!("there is no folder {}: name the one that holds the data", path.display());
    }
    Ok(path)
}

fn print(reports: &[Report], json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(reports)?)?;
        return Ok(Exit::Done);
    }
    for report in reports {
        writeln!(out, "{:<44} {:<44} {:>8} {:>8}", report.stage, "", "ours", "to beat")?;
        for row in &report.rows {
            let bound = row.baseline.map_or(String::new(), |bound| format!("{bound:.3}"));
            writeln!(out, "  {:<42} {:<44} {:>8.3} {bound:>8}", row.dataset, row.metric, row.value)?;
        }
    }
    Ok(Exit::Done)
}
