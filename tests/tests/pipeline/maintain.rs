//! Retention: what is older goes out of tables and files, what is kept stays, and neither a replay of the log, nor an edit, nor an
//! import of it brings it back.

use serde_json::{Value, json};
use std::fs;
use tests::{PATIENCE, Pipeline, settle};

const DAY_MS: i64 = 86_400_000;
const MAINTAIN: [&str; 2] = ["maintain", "--json"];

fn said(id: i64, at: i64, person: &str, text: &str) -> Value {
    let author = json!({ "id": format!("u_{}", person.to_lowercase()), "name": person });
    json!({ "id": id, "sent_at": at + id * 60_000, "author": author, "text": text })
}

/// A talk of some minutes; the first message is by somebody who says nothing else.
fn day(first: i64, at: i64, person: &str) -> Vec<Value> {
    vec![
        said(first, at, person, "Which day does the release go out?"),
        said(first + 1, at, "Ann", "We decided: the release goes out on Thursday."),
        said(first + 2, at, "Bo", "I will write the notes by Friday."),
        said(first + 3, at, "Ann", "Could somebody look at the invoice export?"),
        said(first + 4, at, "Bo", "The invoice export works again since this morning."),
        said(first + 5, at, "Ann", "Thanks, the invoice export looks great now!"),
    ]
}

fn import(pipeline: &Pipeline, name: &str, lines: &[Value]) -> anyhow::Result<()> {
    let path = pipeline.directory().join(name);
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n"))?;
    pipeline.import(&path, "alpha").map(|_| ())
}

fn told(pipeline: &Pipeline, arguments: &[&str]) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&pipeline.gistmill(arguments)?)?)
}

/// Messages, those with words, people by name, digests, deliveries, and files.
fn held(pipeline: &Pipeline) -> anyhow::Result<[i64; 6]> {
    let mut held = [0; 6];
    let tables = ["messages", "words", "author_names", "digests", "deliveries"];
    for (count, table) in held.iter_mut().zip(tables) {
        *count = pipeline.rows.number(match table {
            "words" => "SELECT count(*) FROM messages WHERE text <> ''",
            "messages" => "SELECT count(*) FROM messages",
            "author_names" => "SELECT count(DISTINCT author_id) FROM author_names",
            "digests" => "SELECT count(*) FROM digests",
            _ => "SELECT count(*) FROM deliveries",
        })?;
    }
    held[5] = i64::try_from(fs::read_dir(pipeline.files().join("acme/alpha"))?.count())?;
    Ok(held)
}

#[test]
fn what_is_past_its_retention_is_gone_and_comes_back_by_no_way() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("maintain")? else { return Ok(()) };
    let up = pipeline.up_without(&["postgres_sink", "file_sink"])?;
    let sinks = || -> anyhow::Result<_> {
        Ok([pipeline.unit("postgres_sink", &[])?, pipeline.unit("file_sink", &[])?])
    };
    let running = sinks()?;
    // Noon, a hundred and ten days ago: two windows of one import.
    let now = pipeline.rows.number("SELECT (extract(epoch FROM now()) * 1000)::bigint")?;
    let noon = |days: i64| (now / DAY_MS - days) * DAY_MS + DAY_MS / 2;
    let chat = [day(1, noon(100), "Quirina"), day(11, noon(10), "Zoe")].concat();
    import(&pipeline, "chat.jsonl", &chat)?;
    settle(&pipeline)?;
    let before = held(&pipeline)?;
    assert_eq!(before, [12, 12, 4, 2, 2, 4]);

    // Without a retention there is nothing to take; with one it is counted, and then taken.
    assert_eq!(told(&pipeline, &MAINTAIN)?["taken"]["messages"], Value::Null);
    let set = ["tenant", "set", "--tenant", "acme", "--retention-days", "30", "--json"];
    assert_eq!(told(&pipeline, &set)?["retention_days"], 30);
    let look = told(&pipeline, &[&MAINTAIN[..], &["--dry-run"]].concat())?;
    assert_eq!(
        (&look["taken"]["messages"], &look["taken"]["windows"], &look["taken"]["files"]),
        (&json!(6), &json!(1), &json!(2))
    );
    assert_eq!(held(&pipeline)?, before, "a look changes nothing");
    let done = told(&pipeline, &MAINTAIN)?;
    for (table, rows) in [
        ("messages", 6),
        ("message_words", 6),
        ("digests", 1),
        ("deliveries", 1),
        ("files", 2),
        ("author_names", 1),
    ] {
        assert_eq!(done["taken"][table], rows, "{table}: {done}");
    }
    let kept = [6, 6, 3, 1, 1, 2];
    assert_eq!(held(&pipeline)?, kept);
    assert_eq!((&done["files_without_digest"], &done["digests_without_messages"]), (&json!(0), &json!(0)));

    // The log is read again from its beginning; a message of what is gone is edited, and imported once more.
    for process in running {
        process.stop(PATIENCE)?;
    }
    for sink in ["postgres_sink", "file_sink"] {
        pipeline.gistmill(&["reset", sink, "--to", "beginning", "--yes"])?;
    }
    let running = sinks()?;
    settle(&pipeline)?;
    assert_eq!(held(&pipeline)?, kept, "read again");
    let mut edited = day(1, noon(100), "Quirina");
    edited[1]["text"] = json!("We decided: the release goes out on Monday.");
    edited[1]["edited_at"] = json!(noon(100) + DAY_MS / 4);
    edited[1]["kind"] = json!("edited");
    import(&pipeline, "edited.jsonl", &edited)?;
    settle(&pipeline)?;
    assert_eq!(held(&pipeline)?, kept, "edited, and imported again");
    let again = told(&pipeline, &MAINTAIN)?;
    assert!(again["taken"].as_object().is_some_and(|taken| taken.values().all(|rows| rows == 0)), "{again}");

    // What the job did is on record, and `doctor` knows of it.
    let audited = "SELECT count(*) FROM audit_log WHERE action IN ('tenant set', 'maintain')";
    assert_eq!(pipeline.rows.number(audited)?, 2);
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM maintenance_status WHERE outcome = 'done'")?, 3);
    let doctor = told(&pipeline, &["doctor", "--json"])?;
    let check = doctor["checks"].as_array().and_then(|all| all.iter().find(|it| it["name"] == "maintenance"));
    let finding = check.map_or("", |check| check["finding"].as_str().unwrap_or_default());
    assert!(finding.ends_with("took 0 rows; 1 tenant has a retention"), "{doctor}");
    let unknown = pipeline.output(&["maintain", "--tenant", "acmee"], &[])?;
    let why = String::from_utf8(unknown.stderr)?;
    assert!(!unknown.status.success() && why.contains("tenants with messages: acme"), "{why}");
    for process in running.into_iter().chain([up]) {
        process.stop(PATIENCE)?;
    }
    pipeline.finish()
}
