//! Lines of the log for what goes well: of a digest all units have one or none has, and none holds a word of the chat.

use anyhow::{Context, ensure};
use schemas::trace_id;
use serde_json::Value;
use sqlx::Row;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader},
    process::Command,
};
use tests::{Chat, PATIENCE, Pipeline, settle};

/// Everybody who works on a digest that is delivered as a file.
const UNITS: [&str; 13] = [
    "context_builder",
    "delivery_manager",
    "digest_trigger",
    "emotion",
    "file_sink",
    "postgres_outbox_source",
    "postgres_sink",
    "roles",
    "segmenter",
    "synthesis",
    "thread_builder",
    "topic",
    "writer",
];

/// Who has a line, by trace.
fn told(log: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for line in lines.filter(|line| line["message"] == "event passed") {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        assert!(line["took_ms"].is_u64() && line["level"] == "INFO", "{line}");
        told.entry(text("trace_id")).or_default().insert(text("stage"));
    }
    told
}

#[test]
fn of_a_digest_all_units_have_a_line_or_none_has() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("log_lines")? else { return Ok(()) };
    let up = pipeline.spawn("up", &["up"], &[("GISTMILL_TELEMETRY__SAMPLE", "0.4")])?;
    let chat = Chat::new("told", 30, 20);
    pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
    settle(&pipeline)?;
    let log = up.log()?;
    let (told, mut all, mut none) = (told(&log), 0, 0);
    for row in pipeline.rows.query("SELECT window_id, version FROM digests", &[])? {
        let (window_id, version): (String, String) = (row.try_get("window_id")?, row.try_get("version")?);
        match told.get(&trace_id(&format!("{window_id}/{version}"))) {
            None => none += 1,
            Some(units) => {
                let units: Vec<&str> = units.iter().map(String::as_str).collect();
                assert_eq!(units, UNITS, "{window_id}");
                all += 1;
            }
        }
    }
    assert!(all > 2 && none > 2, "{all} told, {none} not");
    for words in ["invoice export", "status.example", "Dora"] {
        assert!(!log.contains(words), "the log holds {words:?}");
    }
    up.stop(PATIENCE).context("up")?;
    pipeline.finish()
}

#[test]
fn a_process_whose_log_nobody_reads_any_more_ends_when_it_is_asked_to() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("unread")? else { return Ok(()) };
    let log = pipeline.directory().join("unread.log");
    ensure!(Command::new("mkfifo").arg(&log).status()?.success(), "could not make a pipe");
    let reader = std::thread::spawn(move || {
        let mut lines = BufReader::new(File::open(log)?).lines();
        let is_at_work =
            |line: std::io::Result<String>| line.is_ok_and(|line| line.contains("partitions held"));
        anyhow::Ok(lines.any(is_at_work))
    });
    let unit = pipeline.spawn("unread", &["run", "segmenter"], &[])?;
    assert!(reader.join().expect("the reader did not panic")?, "it works");
    // What it says of its end meets a pipe that is closed.
    unit.stop(PATIENCE)?;
    pipeline.finish()
}
