//! A dead letter as a line, as JSON, and opened to read.

use std::io::{self, Write};

use operate::{DeadLetter, OpenedLetter, TextOrHex, hex};
use schemas::{DigestDlq, Fingerprint, RecordHeader};
use serde_json::{Value, json};
use state::LetterState;

use crate::{
    commands::tap::value_text,
    printing::{bytes_text, headers_json, printable, when},
};

/// Bytes of a raw value shown in text.
const PREVIEW_BYTES: usize = 256;
const BYTES_PER_LINE: usize = 16;
/// Characters of a value that is read again: a few screens.
const READ_AGAIN_CHARACTERS: usize = 8_000;

/// A letter of an input that has `count` of them. A terminal gets first what says most; a pipe gets everything.
pub(super) fn line(dead: &DeadLetter, count: u64, columns: Option<usize>) -> String {
    let (place, time) = (dead.place.to_string(), when(dead.append_time_ms));
    let letter = match &dead.letter {
        Err(why) => return format!("{place:<10} {time}  not a dead letter: {}", printable(why)),
        Ok(letter) => letter,
    };
    let mut times = if count > 1 { format!(" ({count} letters)") } else { String::new() };
    if dead.state != LetterState::Open {
        times = format!(" [{}]{times}", dead.state);
    }
    let (reason, error) = (printable(&letter.error_class), printable(&letter.error));
    if columns.is_some() {
        let minute = time.get(..16).unwrap_or(&time).replace('T', " ");
        return format!("{place:<6} {minute}  {} {reason}{times}: {error}", letter.stage);
    }
    format!(
        "{place:<10} {time}  {:<16} {reason:<16} {}/{}:{}  {}  {} B  {}{times}: {error}",
        letter.stage,
        printable(&letter.topic),
        letter.partition,
        letter.offset,
        bytes_text(letter.key.as_deref()),
        letter.value.as_ref().map_or(0, Vec::len),
        letter.next_action,
    )
}

/// What a letter's next action means.
fn explained(next_action: &str) -> String {
    let meaning = match next_action {
        "investigate" => "the input itself is at fault: mend what produced it, and produce it anew",
        "fix_schema" => {
            "register the schema that is missing or mend the one that does not fit, then `gistmill reset`"
        }
        _ => return printable(next_action),
    };
    format!("{next_action}: {meaning}")
}

pub(super) fn letter_json(dead: &DeadLetter) -> Value {
    let mut object = json!({
        "place": dead.place.to_string(), "partition": dead.place.partition, "offset": dead.place.offset,
        "append_time": when(dead.append_time_ms), "state": dead.state,
    });
    match &dead.letter {
        Err(why) => object["undecodable"] = json!(why),
        Ok(letter) => {
            for (name, value) in fields(letter) {
                object[name] = value;
            }
        }
    }
    object
}

fn fields(letter: &DigestDlq) -> [(&'static str, Value); 11] {
    [
        ("tenant_id", json!(letter.tenant_id)),
        ("group_id", json!(letter.group_id)),
        ("digest_id", json!(letter.digest_id)),
        ("stage", json!(letter.stage)),
        ("reason", json!(letter.error_class)),
        ("error", json!(letter.error)),
        ("fingerprint", json!(Fingerprint::of_letter(letter).to_string())),
        ("retry_count", json!(letter.retry_count)),
        ("next_action", json!(letter.next_action)),
        (
            "origin",
            json!({
                "topic": letter.topic, "partition": letter.partition, "offset": letter.offset,
                "append_time": when(letter.timestamp), "key": letter.key.as_deref().map(TextOrHex),
            }),
        ),
        ("value_bytes", json!(letter.value.as_ref().map(Vec::len))),
    ]
}

fn pairs(headers: &[RecordHeader]) -> Vec<(String, Option<Vec<u8>>)> {
    headers.iter().map(|header| (header.key.clone(), header.value.clone())).collect()
}

pub(super) fn opened_json(opened: &OpenedLetter) -> anyhow::Result<Value> {
    let mut object = letter_json(&opened.letter);
    object["headers"] = headers_json(&opened.headers)?;
    if let Ok(letter) = &opened.letter.letter {
        object["origin"]["headers"] = headers_json(&pairs(&letter.headers))?;
        object["origin"]["value_hex"] = json!(letter.value.as_deref().map(hex));
        object["origin"]["belongs_to"] = json!(opened.misplaced.as_ref().map(|misplaced| {
            let place = misplaced.place();
            json!({ "key": place.key, "partition": place.partition, "partitions": place.count })
        }));
        object["origin"]["readable_now"] = match &opened.now {
            operate::Decoded::Undecodable { reason, .. } => json!({ "ok": false, "reason": reason }),
            _ => json!({ "ok": true }),
        };
    }
    Ok(object)
}

pub(super) fn show(opened: &OpenedLetter, out: &mut dyn Write) -> anyhow::Result<()> {
    let dead = &opened.letter;
    writeln!(out, "dead letter  {}, appended {}", dead.place, when(dead.append_time_ms))?;
    let letter = match &dead.letter {
        Ok(letter) => letter,
        Err(why) => return Ok(writeln!(out, "unreadable   {}", printable(why))?),
    };
    let owner = format!("{}/{}", letter.tenant_id, letter.group_id);
    for (name, value) in [
        ("given up by", letter.stage.clone()),
        (
            "reason",
            format!("{} (fingerprint {})", printable(&letter.error_class), Fingerprint::of_letter(letter)),
        ),
        ("error", printable(&letter.error)),
        ("next action", explained(&letter.next_action)),
        ("attempts", letter.retry_count.to_string()),
        ("state", dead.state.to_string()),
        ("group", if owner == "/" { "unknown".to_owned() } else { printable(&owner) }),
        ("digest", letter.digest_id.clone().unwrap_or_else(|| "-".to_owned())),
        ("input", format!("{}/{}:{}", letter.topic, letter.partition, letter.offset)),
        ("appended", when(letter.timestamp)),
        ("key", bytes_text(letter.key.as_deref())),
    ] {
        writeln!(out, "{name:<12} {value}")?;
    }
    if let Some(misplaced) = &opened.misplaced {
        let place = misplaced.place();
        let range = format!("of 0 to {}", place.count - 1);
        writeln!(out, "belongs to   partition {} {range}, key {}", place.partition, printable(&place.key))?;
    }
    for header in &letter.headers {
        writeln!(out, "header       {}: {}", printable(&header.key), bytes_text(header.value.as_deref()))?;
    }
    match letter.value.as_deref() {
        None => writeln!(out, "value        none: a tombstone, or left out as the error says")?,
        Some(value) => preview(value, out)?,
    }
    writeln!(out, "read again   {}", beginning(&value_text(&opened.now)?))?;
    Ok(())
}

/// As much of a text as can be read; how much more there is.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(READ_AGAIN_CHARACTERS) {
        None => text.to_owned(),
        Some((end, _)) => format!(
            "{}\n  the first {READ_AGAIN_CHARACTERS} of {} characters; --raw FILE writes its bytes",
            &text[..end],
            text.chars().count()
        ),
    }
}

/// The first bytes, in hexadecimal and as text.
fn preview(value: &[u8], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "value        {} bytes", value.len())?;
    let shown = &value[..value.len().min(PREVIEW_BYTES)];
    for (index, row) in shown.chunks(BYTES_PER_LINE).enumerate() {
        let digits: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = row
            .iter()
            .map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' })
            .collect();
        writeln!(out, "  {:06x}  {:<47}  {text}", index * BYTES_PER_LINE, digits.join(" "))?;
    }
    if value.len() > shown.len() {
        writeln!(out, "  the first {} of {} bytes; --raw FILE writes all of them", shown.len(), value.len())?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use operate::{Decoded, KeyedPlace, LetterPlace, Misplaced};

    pub(in super::super) fn opened(value: Option<Vec<u8>>) -> OpenedLetter {
        let letter = DigestDlq {
            tenant_id: "acme".into(),
            group_id: "qa".into(),
            digest_id: None,
            stage: "window_builder".into(),
            error: "first byte is 0x01".into(),
            error_class: "wrong_magic".into(),
            fingerprint: "00ff".into(),
            retry_count: 0,
            next_action: "investigate".into(),
            topic: "group.message.ingested.v1".into(),
            partition: 3,
            offset: 9,
            timestamp: 0,
            key: Some(b"acme/qa".to_vec()),
            headers: vec![RecordHeader { key: "h".into(), value: Some(vec![255]) }],
            value,
        };
        let place = LetterPlace { partition: 2, offset: 17 };
        let letter = DeadLetter {
            place,
            append_time_ms: 1_542_895_468_000,
            letter: Ok(letter),
            state: LetterState::Open,
        };
        let now = Decoded::Undecodable { reason: "wrong_magic", detail: "d".into(), bytes: None };
        let headers = vec![("dlq_offset".into(), Some(b"9".to_vec()))];
        OpenedLetter { letter, headers, now, misplaced: None }
    }

    #[test]
    fn a_letter_is_a_line() {
        assert_eq!(
            line(&opened(Some(vec![1, 2])).letter, 1, None),
            "2:17       2018-11-22T14:04:28.000Z  window_builder   wrong_magic      \
             group.message.ingested.v1/3:9  acme/qa  2 B  investigate: first byte is 0x01"
        );
        assert_eq!(
            line(&opened(Some(vec![1, 2])).letter, 3, Some(80)),
            "2:17   2018-11-22 14:04  window_builder wrong_magic (3 letters): first byte is 0x01"
        );
    }

    #[test]
    fn a_value_of_megabytes_fills_a_few_screens() {
        assert_eq!(beginning("short"), "short");
        let text = beginning(&"й".repeat(READ_AGAIN_CHARACTERS + 1));
        assert_eq!(text.lines().next().map(|line| line.chars().count()), Some(READ_AGAIN_CHARACTERS));
        let more = "  the first 8000 of 8001 characters; --raw FILE writes its bytes";
        assert_eq!(text.lines().nth(1), Some(more));
    }

    #[test]
    fn every_next_action_that_a_letter_may_have_is_explained() {
        for action in runtime::NEXT_ACTIONS {
            assert!(explained(action).starts_with(&format!("{action}: ")), "{action}");
        }
        assert_eq!(explained("ask\u{1b}"), "ask\\u{1b}");
    }

    #[test]
    fn an_open_letter_has_origin_headers_and_bytes() {
        let object = opened_json(&opened(Some(vec![1, 255]))).unwrap();
        assert_eq!(object["place"], "2:17");
        assert_eq!(object["origin"]["key"], "acme/qa");
        assert_eq!(object["origin"]["value_hex"], "01ff");
        assert_eq!(object["origin"]["headers"]["h"]["hex"], "ff");
        assert_eq!(object["origin"]["readable_now"], json!({ "ok": false, "reason": "wrong_magic" }));
        assert_eq!(object["headers"]["dlq_offset"], "9");
    }

    #[test]
    fn a_misplaced_input_is_shown_with_where_it_belongs() {
        let place = KeyedPlace { key: "acme/qa".to_owned(), partition: 2, count: 4 };
        let misplaced = Some(Misplaced::Key { found: None, place });
        let opened = OpenedLetter { misplaced, ..opened(Some(vec![1])) };
        let expected = json!({ "key": "acme/qa", "partition": 2, "partitions": 4 });
        assert_eq!(opened_json(&opened).unwrap()["origin"]["belongs_to"], expected);
        let mut out = Vec::new();
        show(&opened, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\nbelongs to   partition 2 of 0 to 3, key acme/qa\n"), "{text}");
    }

    #[test]
    fn a_preview_says_what_it_leaves_out() {
        let mut out = Vec::new();
        preview(&[0x41; 300], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 1 + 16 + 1);
        assert!(text.ends_with("the first 256 of 300 bytes; --raw FILE writes all of them\n"), "{text}");
    }
}
