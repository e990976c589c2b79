//! What cannot be imported says why and what to do, before anything is written.

use super::support::{export, file, gzip, import, message, options};
use crate::{BadName, Error, FileSource, Group, Meter};
use serde_json::json;

fn refusal(name: &str, content: &[u8]) -> (Error, String) {
    let folder = file(name, content);
    let path = folder.path().join(name);
    let error = FileSource::open(&options(&path), Meter::default()).expect_err(name);
    let message = error.to_string().replace(&path.display().to_string(), "FILE");
    (error, message)
}

fn good() -> Vec<u8> {
    export(&[message(1, &json!({})), message(2, &json!({"text": "привет"}))])
}

#[test]
fn files_that_are_no_export() {
    let table: [(&str, &[u8], &str); 13] = [
        ("a.json", b"", "FILE is empty"),
        ("a.json", b" \n\t", "FILE is empty"),
        (
            "a.json",
            b"hello there",
            "FILE is no chat export that is known here: it looks like text in which no line",
        ),
        (
            "a.json",
            &[0x89, b'P', b'N', b'G', 0, 1, 2],
            "FILE is no chat export that is known here: it looks like a picture",
        ),
        ("a.json", b"[1, 2]", "FILE is not a chat export (a JSON array)"),
        ("a.json", b"{\"a\": 1}", "FILE is not a chat export (JSON without messages or chats)"),
        ("a.json", b"{\"messages\": \"none\"}", "FILE is not a chat export (JSON without messages or chats)"),
        (
            "m.html",
            b"<!DOCTYPE html>\n<html>..",
            "FILE is no chat export that is known here: it looks like a web page",
        ),
        ("a.zip", b"PK\x03\x04....", "FILE is a zip archive"),
        ("a.json", b"PK\x05\x06....", "FILE is a zip archive"),
        ("a.json", b"{\"messages\": []}", "FILE has no messages to import (skipped: nothing)"),
        ("a.json", b"{\"chats\": {\"list\": []}}", "FILE is not a chat export"),
        (
            "a.json",
            b"{\"messages\": [{\"role\": \"user\"}]}",
            "FILE has no messages to import (skipped: no_id 1)",
        ),
    ];
    for (name, content, expected) in table {
        let (_, message) = refusal(name, content);
        assert!(message.starts_with(expected), "{message}");
        let (_, packed) = refusal(&format!("{name}.gz"), &gzip(content));
        assert!(packed.starts_with(expected), "{packed}");
    }
}

#[test]
fn json_that_breaks_off_is_refused_wherever_it_breaks() {
    let content = good();
    for end in (1..content.len()).filter(|end| !content[..*end].ends_with(b"{")) {
        let (error, message) = refusal("a.json", &content[..end]);
        let is_expected = match error {
            Error::Truncated { at, .. } => at == end as u64,
            // Cut inside a two-byte letter.
            Error::InvalidUtf8 { .. } => std::str::from_utf8(&content[..end]).is_err(),
            _ => false,
        };
        assert!(is_expected, "cut at {end}: {message}");
        assert!(message.contains("nothing was imported"), "{message}");
    }
}

#[test]
fn damage_is_named_by_its_place() {
    let content = String::from_utf8(good()).expect("text");
    let (error, message) = refusal("a.json", content.replacen("\"text\":", "\"text\"", 1).as_bytes());
    assert!(matches!(error, Error::Malformed { line, .. } if line == 10), "{message}");
    let (_, message) = refusal("a.json", format!("{content}x").as_bytes());
    let (line, byte) = (content.lines().count(), content.len());
    assert!(
        message.starts_with(&format!("FILE is damaged at line {line} (byte {byte}): something")),
        "{message}"
    );
    let mut bytes = content.clone().into_bytes();
    let letter = content.find("привет").expect("a letter");
    bytes[letter] = 0xff;
    let (error, _) = refusal("a.json", &bytes);
    assert!(matches!(error, Error::InvalidUtf8 { .. }), "{error}");
    let deep = format!("{{\"messages\": [{}{}]}}", "[".repeat(500), "]".repeat(500));
    assert!(refusal("a.json", deep.as_bytes()).1.contains("nested too deeply"));
}

#[test]
fn damaged_gzip_is_refused_wherever_it_breaks() {
    let packed = gzip(&good());
    for end in (3..packed.len()).step_by(7) {
        let (error, _) = refusal("a.json.gz", &packed[..end]);
        assert!(matches!(error, Error::Gzip { .. }), "cut at {end}: {error}");
    }
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    assert!(matches!(
        refusal("a.json.gz", &flipped).0,
        Error::Gzip { .. } | Error::Malformed { .. } | Error::InvalidUtf8 { .. }
    ));
}

#[test]
fn paths() {
    let folder = file("other.txt", b"");
    let open = |path: &std::path::Path| FileSource::open(&options(path), Meter::default());
    let unknown = |opened| matches!(opened, Err(Error::Export(exports::Error::Unknown { .. })));
    assert!(unknown(open(folder.path())));
    assert!(matches!(open(&folder.path().join("absent.json")), Err(Error::Missing { .. })));
    let pages = file("messages.html", b"<html>");
    assert!(unknown(open(pages.path())));
    let export = file("result.json", &good());
    assert!(open(export.path()).is_ok(), "a folder with a result.json is that file");
}

#[test]
fn service_messages_alone_are_no_chat() {
    let content = export(&[json!({"id": 1, "type": "service", "action": "create_group"})]);
    assert!(refusal("a.json", &content).1.ends_with("has no messages to import (skipped: service 1)"));
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    let content = [&[0xef, 0xbb, 0xbf][..], &good()].concat();
    assert_eq!(import("result.json", &content).1.read, 2);
}

#[test]
fn names_that_cannot_be_keys() {
    for name in ["", "a/b", "a b", "x\n", &"x".repeat(129)] {
        assert!(matches!(Group::new(name, "g"), Err(BadName { what: "tenant", .. })), "{name:?}");
        assert!(matches!(Group::new("t", name), Err(BadName { what: "group", .. })), "{name:?}");
    }
    assert!(Group::new("acme", "-100123:чат@x+y.z_").is_ok());
}
