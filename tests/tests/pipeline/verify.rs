//! Digests held against the log: all is well, a row changed by hand is named, and an edit makes a revision.

use schemas::{GroupMessageIngested, LIVE_LANE, Message};
use serde_json::{Value, json};
use tests::{Foreign, Pipeline, TENANT, partition_of, settle};

const GROUP: &str = "alpha";
const DAY_MS: i64 = 86_400_000;
/// 2026-03-02T12:00:00Z.
const NOON_MS: i64 = 1_772_452_800_000;

fn texts() -> [(&'static str, &'static str); 6] {
    [
        ("Quirina", "Which day does the release go out?"),
        ("Ann", "We decided: the release goes out on Thursday."),
        ("Bo", "I will write the notes by Friday."),
        ("Ann", "Could somebody look at the invoice export?"),
        ("Bo", "The invoice export works again since this morning."),
        ("Ann", "Thanks, the invoice export looks great now!"),
    ]
}

fn sent_at(id: i64) -> i64 {
    NOON_MS + id * 60_000
}

/// The talk as it happens, in the live lane, and a promise that its day is over.
fn talk(pipeline: &Pipeline) -> anyhow::Result<()> {
    let messages: Vec<Message> = (1..).zip(texts()).map(|(id, (name, text))| said(id, name, text)).collect();
    send(pipeline, messages, NOON_MS + DAY_MS, Some(NOON_MS + DAY_MS))
}

fn said(id: i64, name: &str, text: &str) -> Message {
    let author = schemas::Author { id: format!("u_{name}"), name: name.to_owned(), is_bot: false };
    Message { author: Some(author), ..Message::plain(id, sent_at(id), text) }
}

fn send(
    pipeline: &Pipeline,
    messages: Vec<Message>,
    observed_at: i64,
    complete_until: Option<i64>,
) -> anyhow::Result<()> {
    let record = GroupMessageIngested {
        tenant_id: TENANT.to_owned(),
        group_id: GROUP.to_owned(),
        lane: LIVE_LANE.to_owned(),
        observed_at,
        messages,
        complete_until,
        ..GroupMessageIngested::default()
    };
    let key = format!("{TENANT}/{GROUP}");
    let producer = Foreign::to(pipeline)?;
    producer.send(&record, Some(&key), partition_of(key.as_bytes(), 4))?;
    producer.flush()
}

/// Exit code and report.
fn verified(pipeline: &Pipeline, arguments: &[&str]) -> anyhow::Result<(Option<i32>, Value)> {
    let output = pipeline.output(&[&["verify"], arguments, &["--json"]].concat(), &[])?;
    let report = serde_json::from_slice(&output.stdout)?;
    Ok((output.status.code(), report))
}

fn kinds(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings.iter().filter_map(|finding| finding["kind"].as_str()).collect()
}

#[test]
fn a_row_changed_by_hand_is_named_and_an_edit_is_one_revision() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("verify")? else { return Ok(()) };
    let _up = pipeline.up_without(&[])?;
    talk(&pipeline)?;
    settle(&pipeline)?;
    let (code, report) = verified(&pipeline, &["--all"])?;
    assert_eq!((code, kinds(&report)), (Some(0), vec![]), "{report}");
    assert_eq!((&report["digests"], report["citations"].as_u64() > Some(2)), (&json!(1), true), "{report}");

    // By hand: a digest's words, then a message's.
    let owner = |sql| pipeline.rows.query(sql, &[]).map(drop);
    let keep = pipeline.rows.query("SELECT digest_id, headline FROM digests", &[])?;
    let (digest, headline): (String, String) = {
        use sqlx::Row;
        (keep[0].try_get(0)?, keep[0].try_get(1)?)
    };
    owner("UPDATE digests SET headline = 'by hand'")?;
    let (code, report) = verified(&pipeline, &["--all"])?;
    assert_eq!((code, kinds(&report)), (Some(1), vec!["row_differs"]), "{report}");
    assert_eq!(report["findings"][0]["digest_id"], digest.as_str());
    assert!(
        report["findings"][0]["detail"].as_str().is_some_and(|it| it.starts_with("headline is not what"))
    );
    pipeline.rows.query("UPDATE digests SET headline = $1", &[headline.as_str()])?;
    owner("UPDATE messages SET text = text || '!' WHERE id = 2")?;
    let (code, report) = verified(&pipeline, &[&digest])?;
    assert_eq!((code, kinds(&report)), (Some(1), vec!["message_differs"]), "{report}");
    let cites = report["digest"]["cites"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(cites.iter().any(|cite| cite["outcome"] == "differs" && cite["message_id"] == 2), "{report}");
    assert!(report["digest"]["runs"].as_array().is_some_and(|runs| runs.len() > 5), "{report}");
    owner("UPDATE messages SET text = left(text, -1) WHERE id = 2")?;
    owner("DELETE FROM messages WHERE id = 2")?;
    let (_, report) = verified(&pipeline, &["--all"])?;
    assert_eq!(kinds(&report), ["dangling_citation"], "{report}");
    pipeline.finish()
}

#[test]
fn an_edit_of_a_cited_message_is_a_revision_and_a_digest_that_is_lost_is_missed() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("verify_edit")? else { return Ok(()) };
    let _up = pipeline.up_without(&[])?;
    talk(&pipeline)?;
    settle(&pipeline)?;
    let edited_at = NOON_MS + DAY_MS + 3_600_000;
    let edited = Message {
        revision: edited_at,
        kind: "edited".to_owned(),
        ..said(2, "Ann", "We decided: the release goes out on Monday.")
    };
    send(&pipeline, vec![edited], edited_at, None)?;
    send(&pipeline, Vec::new(), edited_at + 3_600_000, Some(edited_at + 3_600_000))?;
    settle(&pipeline)?;
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM digests")?, 2, "one revision");
    let (code, report) = verified(&pipeline, &["--all"])?;
    assert_eq!((code, kinds(&report)), (Some(0), vec![]), "{report}");
    pipeline.rows.query("DELETE FROM digests WHERE revision = 2", &[])?;
    let (code, report) = verified(&pipeline, &["--all"])?;
    assert_eq!((code, kinds(&report)), (Some(1), vec!["event_without_row"]), "{report}");
    let unknown = pipeline.output(&["verify", "no-such-digest"], &[])?;
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no digest has the id no-such-digest"));
    pipeline.finish()
}
