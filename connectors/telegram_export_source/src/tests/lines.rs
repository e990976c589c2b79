//! JSON Lines from a file.

use super::support::{file, gzip, import, messages, options};
use crate::{FileSource, Meter};
use schemas::Message;
use std::collections::BTreeMap;

const ONE: &str =
    r#"{"id": 1, "sent_at": "2026-03-02T10:00:00Z", "text": "see https://x.example/a, a@b.example"}"#;

fn one(line: &str) -> Result<Message, &'static str> {
    let (records, summary) = import("feed.jsonl", format!("{ONE}\n{line}\n").as_bytes());
    match summary.skipped.keys().next() {
        Some(reason) => Err(reason),
        None => Ok(messages(records).remove(1)),
    }
}

#[test]
fn the_documented_shape() {
    let line = r#"{"id": 2, "kind": "edited", "edited_at": "2026-03-02T10:05:00+00:00", "sent_at": 1772445600000,
        "author": {"id": 42, "name": "Ann", "is_bot": true}, "text": "😀 bold", "entities": [
        {"kind": "bold", "offset": 3, "length": 4}, {"kind": "bold", "offset": 1, "length": 1}, {"kind": "x", "offset": 3, "length": 99}],
        "reply_to": 1, "topic_id": 9, "media": {"kind": "photo"}, "forward": {"from": "News", "sent_at": 1772445600000},
        "reactions": [{"emoji": "+", "count": 2}], "more": []}"#;
    let got = one(&line.replace('\n', " ")).expect("a message");
    assert_eq!((got.id, got.revision, got.kind.as_str()), (2, 1_772_445_900_000, "edited"));
    assert_eq!(got.author.map(|author| (author.id, author.is_bot)), Some(("42".to_owned(), true)));
    assert_eq!(got.entities.len(), 1, "places outside the text or inside a character are dropped");
    assert_eq!((got.entities[0].offset, got.entities[0].length), (3, 4));
    assert_eq!((got.reply_to, got.topic_id, got.reactions[0].count), (Some(1), Some(9), 2));
    assert_eq!(got.forward.and_then(|forward| forward.sent_at), Some(1_772_445_600_000));
}

#[test]
fn a_poll_and_a_checklist_are_read_and_told() {
    let got = one(r#"{"id": 2, "sent_at": 1772445600000, "media": {"kind": "poll", "poll": {"question": "Write to a@b.example?",
        "options": [{"text": "yes", "votes": 2}, {"text": "no"}], "closed": true}}}"#.replace('\n', " ").as_str());
    let got = got.expect("a message");
    assert_eq!(got.text, "Write to [email]?\n- yes: 2\n- no\n[closed]");
    let poll = got.media.and_then(|media| media.poll).expect("a poll");
    assert_eq!(
        (poll.question.as_str(), poll.options[0].votes, poll.voters),
        ("Write to [email]?", Some(2), None)
    );
    let got = one(r#"{"id": 2, "sent_at": 1772445600000, "text": "Today:", "media": {"kind": "checklist",
        "checklist": {"title": "Release", "items": [{"text": "tag", "done": true}, {"text": "notes"}]}}}"#
        .replace('\n', " ")
        .as_str());
    assert_eq!(got.expect("a message").text, "Today:\nRelease\n- [x] tag\n- notes");
}

#[test]
fn links_are_marked_where_the_feed_marks_nothing() {
    let (records, _) = import("feed.jsonl", ONE.as_bytes());
    let got = messages(records).remove(0);
    assert_eq!(got.text, "see https://x.example/a, [email]");
    assert_eq!(
        (got.entities[0].kind.as_str(), got.entities[0].offset, got.entities[0].length),
        ("link", 4, 19)
    );
}

#[test]
fn kinds_and_revisions() {
    let state = |rest: &str| {
        let line = format!(r#"{{"id": 2, "sent_at": 1772445600000, "text": "x"{rest}}}"#);
        one(&line).map(|got| (got.kind, got.revision, got.text))
    };
    let ok = |kind: &str, revision, text: &str| Ok((kind.to_owned(), revision, text.to_owned()));
    assert_eq!(state(""), ok("new", 0, "x"));
    assert_eq!(state(r#", "kind": "new", "revision": 0"#), ok("new", 0, "x"));
    let sent = |stamp: &str| one(&format!(r#"{{"id": 2, "sent_at": {stamp}}}"#)).map(|got| got.sent_at);
    for stamp in ["1772445600", "1772445600000", r#""1772445600""#, r#""2026-03-02T13:00:00+03:00""#] {
        assert_eq!(sent(stamp), Ok(1_772_445_600_000), "{stamp}");
    }
    assert_eq!(sent(r#""2026-03-02T10:00:00""#), Err("bad_date"), "no zone");
    assert_eq!(state(r#", "revision": 7"#), ok("edited", 7, "x"));
    assert_eq!(state(r#", "kind": "edited", "edited_at": 5"#), ok("edited", 5000, "x"));
    assert_eq!(state(r#", "kind": "deleted""#), ok("deleted", 0, ""));
    assert_eq!(
        state(r#", "kind": "deleted", "deleted_at": 1772445600000"#),
        ok("deleted", 1_772_445_600_000, "")
    );
    assert_eq!(state(r#", "kind": "edited""#), Err("no_revision"));
    assert_eq!(state(r#", "kind": "burnt""#), Err("unknown_kind"));
    assert_eq!(state(r#", "revision": -1"#), Err("bad_revision"));
    assert_eq!(state(r#", "edited_at": "yesterday""#), Err("bad_revision"));
    assert_eq!(state(r#", "reply_to": "five""#), Err("bad_shape"));
    assert_eq!(one("[1]").map(|got| got.id), Err("bad_shape"));
    assert_eq!(one(r#"{"text": "x"}"#).map(|got| got.id), Err("no_id"));
    assert_eq!(one(r#"{"id": 2}"#).map(|got| got.id), Err("no_date"));
    assert_eq!(one(r#"{"id": 2, "sent_at": 0}"#).map(|got| got.id), Err("bad_date"));
    assert_eq!(one(r#"{"complete_until": "soon"}"#).map(|got| got.id), Err("bad_date"));
    let long = format!(r#"{{"id": 2, "sent_at": 1, "text": "{}"}}"#, "x".repeat(1024 * 1024 + 1));
    assert_eq!(one(&long).map(|got| got.id), Err("too_large"));
    let longer = format!(r#"{{"id": 2, "sent_at": 1, "text": "{}"}}"#, "x".repeat(5 * 1024 * 1024));
    assert_eq!(one(&longer).map(|got| got.id), Err("too_large"));
}

#[test]
fn control_lines_keep_their_place() {
    let content = format!(
        "{ONE}\n\n{{\"complete_until\": \"2026-03-02T11:00:00Z\"}}\r\n{}",
        ONE.replace("\"id\": 1", "\"id\": 2")
    );
    for (name, content) in
        [("feed.jsonl", content.clone().into_bytes()), ("feed.json.gz", gzip(content.as_bytes()))]
    {
        let (records, summary) = import(name, &content);
        let got: Vec<_> =
            records.iter().map(|record| (record.messages.len(), record.complete_until)).collect();
        assert_eq!(got, [(1, None), (0, Some(1_772_449_200_000)), (1, None), (0, Some(i64::MAX))]);
        assert_eq!((summary.read, summary.skipped), (2, BTreeMap::new()));
    }
}

#[test]
fn a_line_that_is_not_json_refuses_the_file() {
    for bad in ["{\"id\": 2, \"sent_at\"", "nonsense", "{\"id\": 2, \"text\": \"\\qff\"}"] {
        let folder = file("feed.jsonl", format!("{ONE}\n{bad}").as_bytes());
        let path = folder.path().join("feed.jsonl");
        let error = FileSource::open(&options(&path), Meter::default()).expect_err("refused").to_string();
        assert!(error.starts_with(&format!("line 2 of {} is not a message", path.display())), "{error}");
        assert!(error.contains("; nothing was imported: correct it, or give --skip-damaged"), "{error}");
    }
}
