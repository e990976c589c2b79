//! A person is erased: neither a word of theirs nor their name is left where people or programs read, whenever the command
//! is killed, and whatever the log brings again; what others wrote stays.

use crate::undisturbed::export;
use anyhow::Context;
use serde_json::{Value, json};
use sqlx::Row;
use std::{fs, path::Path};
use tests::{PATIENCE, Pipeline, Points, eventually, settle};

/// 2026-01-05T12:00:00Z, within one day.
const NOON: i64 = 1_767_614_400_000;
const DAY_MS: i64 = 86_400_000;
const PERSON: &str = "u_quirina";
/// The person's name, the person's id, and words that nobody else uses.
const TRACES: [&str; 4] = ["quirina", "zanzibar", "xylophon", "obelisk"];
const ERASE: [&str; 7] = ["erase", "--tenant", "acme", "--user", PERSON, "--yes", "--json"];

fn said(id: i64, person: &str, text: &str) -> Value {
    let author = json!({ "id": format!("u_{}", person.to_lowercase()), "name": person });
    json!({ "id": id, "sent_at": NOON + id / 100 * DAY_MS + id * 60_000, "author": author, "text": text })
}

/// Two days of three people.
fn chat() -> Vec<Value> {
    let day = |first: i64| {
        vec![
            said(first, "Quirina", "Which day does the Zanzibar release go out?"),
            said(first + 1, "Quirina", "We decided: the Xylophon cluster is moved on Thursday."),
            said(first + 2, "Quirina", "I will write the Obelisk notes by Friday."),
            said(first + 3, "Ann", "Could somebody look at the invoice export?"),
            said(first + 4, "Bo", "The invoice export works again since this morning."),
            said(first + 5, "Ann", "Thanks, the invoice export looks great now!"),
            said(first + 6, "Bo", "We decided: the backup runs at night from Monday."),
            said(first + 7, "Ann", "I will change the schedule of the backup by Friday."),
            said(first + 8, "Bo", "Who has the password of the backup server?"),
        ]
    };
    [day(1), day(101)].concat()
}

fn import(pipeline: &Pipeline, name: &str, lines: &[Value]) -> anyhow::Result<()> {
    let path = pipeline.directory().join(name);
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n"))?;
    pipeline.import(&path, "alpha").map(|_| ())
}

/// Asks every table of the schema, whatever tables there are.
const SEE_TRACES: &str = "
CREATE OR REPLACE FUNCTION pg_temp.traces(trace text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    seen text;
    holds boolean;
BEGIN
    FOR seen IN SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I AS held WHERE held::text ILIKE ''%%'' || $1 || ''%%'')', seen)
            INTO holds USING trace;
        IF holds THEN
            RETURN NEXT seen;
        END IF;
    END LOOP;
END $$";

/// Tables of the schema that hold a trace, and which.
fn rows_with_traces(pipeline: &Pipeline) -> anyhow::Result<Vec<String>> {
    pipeline.rows.query(SEE_TRACES, &[])?;
    let mut found = Vec::new();
    for trace in TRACES {
        for row in pipeline.rows.query("SELECT pg_temp.traces($1) AS name", &[trace])? {
            found.push(format!("{}: {trace}", row.try_get::<String, _>("name")?));
        }
    }
    Ok(found)
}

/// Names of files below a folder that hold a trace, and how many files there are.
fn files_with_traces(folder: &Path) -> anyhow::Result<(Vec<String>, usize)> {
    let (mut found, mut count) = (Vec::new(), 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let (inner, files) = files_with_traces(&path)?;
            found.extend(inner);
            count += files;
            continue;
        }
        count += 1;
        let text = fs::read_to_string(&path)?.to_lowercase();
        found.extend(
            TRACES
                .iter()
                .filter(|trace| text.contains(**trace))
                .map(|trace| format!("{}: {trace}", path.display())),
        );
    }
    Ok((found, count))
}

fn assert_gone(pipeline: &Pipeline, when: &str) -> anyhow::Result<()> {
    assert_eq!(rows_with_traces(pipeline)?, Vec::<String>::new(), "{when}");
    let (files, count) = files_with_traces(&pipeline.files())?;
    assert_eq!(files, Vec::<String>::new(), "{when}");
    assert_eq!(count, 4, "{when}: a page and its JSON of each day");
    let digests = export(pipeline)?;
    assert_eq!(digests.lines().count(), 2, "{when}");
    assert!(digests.contains("invoice export") && digests.contains("\"Ann\""), "{when}: {digests}");
    let kept = "SELECT count(*) FROM messages_current WHERE text ILIKE '%invoice%' OR text ILIKE '%backup%'";
    assert_eq!(pipeline.rows.number(kept)?, 12, "{when}");
    Ok(())
}

/// Deletions in the log, as the store has them.
const DELETIONS: &str = "SELECT count(*) FROM messages WHERE deleted";
const LISTED: &str = "SELECT count(*) FROM erased_messages";
const AUDITED: &str = "SELECT count(*) FROM audit_log WHERE action = 'erase' AND actor = 'Ops'";

#[test]
fn nothing_of_an_erased_person_is_left_whenever_the_command_is_killed_and_whatever_comes_again()
-> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("erase")? else { return Ok(()) };
    let points = Points::of(&pipeline);
    let up = pipeline.up_without(&["postgres_sink"])?;
    let index = points.as_ref().map(Points::sink).transpose()?;
    let store = pipeline.unit("postgres_sink", &[])?;
    import(&pipeline, "chat.jsonl", &chat())?;
    settle(&pipeline)?;
    let before = rows_with_traces(&pipeline)?;
    for table in ["messages", "message_words", "author_names", "digests", "outbox"] {
        let seen = before.iter().any(|row| row.starts_with(&format!("{table}: ")));
        assert!(seen || table == "outbox", "{table} does not show what is to be erased: {before:?}");
    }
    assert!(!files_with_traces(&pipeline.files())?.0.is_empty());

    // Nobody of that name; then a look, which changes nothing.
    let stranger = pipeline.output(&["erase", "--tenant", "acme", "--user", "Quirina", "--yes"], &[])?;
    let why = String::from_utf8(stranger.stderr)?;
    assert!(!stranger.status.success() && why.contains("--user takes the id that messages have"), "{why}");
    let look: Value =
        serde_json::from_str(&pipeline.gistmill(&[&ERASE[..5], &["--dry-run", "--json"]].concat())?)?;
    assert_eq!((&look["found_messages"], &look["messages"]), (&json!(6), &json!(0)));
    assert_eq!(rows_with_traces(&pipeline)?, before);

    // Without its sink nothing ends; what is erased is noted, and the words are gone at once. Killed, it goes on later.
    store.stop(PATIENCE)?;
    let killed = pipeline.spawn("erase", &[&ERASE[..], &["--operator", "Ops"]].concat(), &[])?;
    eventually("the list is there", PATIENCE, || Ok((pipeline.rows.number(LISTED)? == 6).then_some(())))?;
    killed.kill()?;
    assert_eq!(rows_with_traces(&pipeline)?, Vec::<String>::new(), "words are gone once they are listed");
    let impatient = pipeline.output(&[&ERASE[..], &["--patience", "1"]].concat(), &[])?;
    let why = String::from_utf8(impatient.stderr)?;
    assert_eq!(impatient.status.code(), Some(3), "{why}");
    assert!(why.contains("postgres_sink has stood still for 1 s with 6 deletions to write"), "{why}");

    let store = pipeline.unit("postgres_sink", &[])?;
    let told: Value = serde_json::from_str(&pipeline.gistmill(&ERASE)?)?;
    assert!(
        told["remains"].as_array().context("a list")?.iter().any(|topic| topic["retention"] == "unlimited")
    );
    settle(&pipeline)?;
    assert_gone(&pipeline, "erased")?;
    assert_eq!(pipeline.rows.number(DELETIONS)?, 6, "each message is deleted once");
    assert_eq!(pipeline.rows.number(AUDITED)?, 1);
    if let Some(points) = &points {
        let held = format!("{:?}", points.read()?).to_lowercase();
        assert!(TRACES.iter().all(|trace| !held.contains(trace)), "{held}");
    }

    // Again there is nothing to do, and nothing is done.
    let again: Value = serde_json::from_str(&pipeline.gistmill(&ERASE)?)?;
    assert_eq!((&again["messages"], &again["digests"]), (&json!(0), &json!(0)));
    settle(&pipeline)?;
    assert_eq!(pipeline.rows.number(DELETIONS)?, 6);

    // The log is read again from its beginning, and the same messages are imported from another file.
    store.stop(PATIENCE)?;
    pipeline.gistmill(&["reset", "postgres_sink", "--to", "beginning", "--yes"])?;
    let store = pipeline.unit("postgres_sink", &[])?;
    let mut copy = chat();
    copy.reverse();
    import(&pipeline, "copy.jsonl", &copy)?;
    settle(&pipeline)?;
    assert_gone(&pipeline, "read again")?;
    for process in [Some(store), index, Some(up)].into_iter().flatten() {
        process.stop(PATIENCE)?;
    }
    if let Some(points) = points {
        points.delete_collection()?;
    }
    pipeline.finish()
}
