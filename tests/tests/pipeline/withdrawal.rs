//! A cited message deleted until its window is too small for a digest: its words go from wherever people read, and an
//! event says so.

use crate::undisturbed::export;
use schemas::{DigestBlocked, DigestDelivered, DigestReadyForDelivery};
use serde_json::{Value, json};
use std::fs;
use tests::{PATIENCE, Pipeline, assert_once, decode_all, settle};

/// 2026-01-05T12:00:00Z, within one day and one window of each size.
const NOON: i64 = 1_767_614_400_000;
/// In every digest of the chat, and nowhere else.
const WORD: &str = "zanzibar";

macro_rules! with_word {
    ($table:literal) => {
        concat!("SELECT count(*) FROM ", $table, " AS seen WHERE seen::text ILIKE '%zanzibar%'")
    };
}

/// Rows that a tenant's reader can see; `messages` is the log's own history, which as-of reads need.
const READ: [&str; 5] = [
    with_word!("digests"),
    with_word!("digests_current"),
    with_word!("blocked_digests"),
    with_word!("deliveries"),
    with_word!("messages_current"),
];

fn said(id: i64, text: &str) -> Value {
    let person = if id % 2 == 0 { "Ann" } else { "Bo" };
    json!({ "id": id, "sent_at": NOON + id * 60_000, "author": { "id": format!("u_{person}"), "name": person },
        "text": text })
}

fn chat() -> Vec<Value> {
    vec![
        said(1, "Which day does the Zanzibar release go out?"),
        said(2, "We decided: the Zanzibar release goes out on Thursday."),
        said(3, "I will write the notes for the Zanzibar release by Friday."),
        said(4, "Could somebody look at the invoice export?"),
        said(5, "The invoice export works again since this morning."),
        said(6, "Thanks, the invoice export looks great now!"),
    ]
}

fn deleted(ids: impl Iterator<Item = i64>) -> Vec<Value> {
    let gone = |id| json!({ "id": id, "kind": "deleted", "deleted_at": NOON + 3_600_000, "sent_at": NOON + id * 60_000 });
    ids.map(gone).collect()
}

fn import(pipeline: &Pipeline, name: &str, lines: &[Value]) -> anyhow::Result<()> {
    let path = pipeline.directory().join(name);
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n"))?;
    pipeline.import(&path, "alpha")?;
    Ok(())
}

/// Files of the group, and those that hold the word.
fn files(pipeline: &Pipeline) -> anyhow::Result<(Vec<String>, usize)> {
    let (mut names, mut holding) = (Vec::new(), 0);
    for entry in fs::read_dir(pipeline.files().join("acme/alpha"))? {
        let entry = entry?;
        names.push(entry.file_name().to_string_lossy().into_owned());
        holding += usize::from(fs::read_to_string(entry.path())?.to_lowercase().contains(WORD));
    }
    names.sort();
    Ok((names, holding))
}

/// Rows that hold the word, by table.
fn rows_with_word(pipeline: &Pipeline) -> anyhow::Result<Vec<i64>> {
    READ.iter().map(|count| pipeline.rows.number(count)).collect()
}

#[test]
fn deleted_words_go_with_the_digest_that_cites_them() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("withdrawal")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    import(&pipeline, "chat.jsonl", &chat())?;
    settle(&pipeline)?;
    assert!(export(&pipeline)?.to_lowercase().contains(WORD));
    assert_eq!(files(&pipeline)?.1, 2, "the page and its JSON");
    assert_eq!(rows_with_word(&pipeline)?, [1, 1, 0, 0, 3]);

    // Three are left, where five are wanted.
    import(&pipeline, "deletions.jsonl", &deleted(1..=3))?;
    let seen = settle(&pipeline)?.into_seen();
    assert_eq!(export(&pipeline)?, "");
    assert_eq!(files(&pipeline)?, (vec![], 0));
    assert_eq!(rows_with_word(&pipeline)?, [0; READ.len()]);
    let ready: Vec<DigestReadyForDelivery> = decode_all(&pipeline, &seen, "digest.ready_for_delivery.v1")?;
    let blocked: Vec<DigestBlocked> = decode_all(&pipeline, &seen, "digest.blocked.v1")?;
    let reasons: Vec<_> = blocked.iter().map(|blocked| (&*blocked.version, &*blocked.reason)).collect();
    assert_eq!((ready.len(), reasons), (1, vec![("2.0", "too_small")]));
    let delivered: Vec<DigestDelivered> = decode_all(&pipeline, &seen, "digest.delivered.v1")?;
    let told: Vec<_> = delivered
        .iter()
        .map(|it| (&*it.version, &*it.status, &*it.channel, it.withdrawn_by.as_deref()))
        .collect();
    assert_eq!(told, [("1.0", "success", "file", None), ("1.0", "withdrawn", "file", Some("2.0"))]);
    assert!(delivered.iter().all(|it| it.digest_id == ready[0].digest_id));
    assert_once(&seen);

    let show = pipeline.command(&["digest", "show", &ready[0].digest_id, "--tenant", "acme"]).output()?;
    let why = String::from_utf8(show.stderr)?;
    assert_eq!((show.status.code(), show.stdout.is_empty()), (Some(1), true), "{why}");
    assert!(
        why.contains("(version 1.0) was withdrawn: version 2.0 of its window was blocked as too_small"),
        "{why}"
    );
    let list = ["digest", "ls", "--tenant", "acme", "--blocked", "--json"];
    assert_eq!(pipeline.gistmill(&list)?.lines().count(), 1);

    // Late messages make the window large enough again.
    let late = [said(7, "The backup is broken again."), said(8, "Done, the backup is deployed.")];
    import(&pipeline, "late.jsonl", &late)?;
    settle(&pipeline)?;
    assert_eq!(export(&pipeline)?.lines().count(), 1);
    assert_eq!(pipeline.gistmill(&list)?, "");
    let stem = "2026-01-05T000000Z_24h_r3";
    assert_eq!(files(&pipeline)?, (vec![format!("{stem}.json"), format!("{stem}.md")], 0));
    assert_eq!(rows_with_word(&pipeline)?, [0; READ.len()]);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
