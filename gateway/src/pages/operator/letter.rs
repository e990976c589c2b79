//! A dead letter, opened.

use super::super::{entry::Visit, frame::page};
use crate::{app::App, blocking::look, extract::Path, problem::Problem, times::told};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Letter, LetterField};
use operate::{Decoded, Error, LetterPlace, OpenedLetter, WithTimes, hex, text};
use schemas::{DigestDlq, Fingerprint};

const PREVIEW_BYTES: usize = 256;
const BYTES_PER_ROW: usize = 16;
/// Characters of a value that is read again: a few screens.
const READ_AGAIN_CHARACTERS: usize = 8_000;

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(place): Path<String>,
) -> Result<Response<Body>, Problem> {
    let none = || Problem::not_found("the tenant has no dead letter there");
    let place: LetterPlace = place.parse().map_err(|_| none())?;
    let opened = look(&app, move |config, map| match operate::dead_letter(config, map, place) {
        Ok(opened) => Ok(Some(opened)),
        Err(Error::Refused(_) | Error::UnknownPartition { .. }) => Ok(None),
        Err(error) => Err(error),
    });
    let opened = opened.await?.ok_or_else(none)?;
    match &opened.letter.letter {
        Ok(letter) if letter.tenant_id == visit.tenant() => page(&visit.frame, &view(&opened, letter)),
        _ => Err(none()),
    }
}

fn view(opened: &OpenedLetter, letter: &DigestDlq) -> Letter {
    let headers = letter.headers.iter().map(|it| field(&it.key, bytes(it.value.as_deref())));
    let value = letter.value.as_deref();
    Letter {
        place: opened.letter.place.to_string(),
        fingerprint: Fingerprint::of_letter(letter).to_string(),
        appended_at_ms: opened.letter.append_time_ms,
        state: opened.letter.state.to_string(),
        error: letter.error.clone(),
        next_action: letter.next_action.clone(),
        fields: fields(opened, letter),
        headers: headers.collect(),
        value_bytes: value.map(|value| value.len() as u64),
        preview: value.map(preview).unwrap_or_default(),
        read_again: read_again(&opened.now),
        may_replay: true,
    }
}

fn field(name: &str, value: impl Into<String>) -> LetterField {
    LetterField { name: name.to_owned(), value: value.into() }
}

fn fields(opened: &OpenedLetter, letter: &DigestDlq) -> Vec<LetterField> {
    let mut fields = vec![
        field("given up by", &*letter.stage),
        field("reason", &*letter.error_class),
        field("attempts", letter.retry_count.to_string()),
        field("group", format!("{}/{}", letter.tenant_id, letter.group_id)),
        field("digest", letter.digest_id.as_deref().unwrap_or("-")),
        field("input", format!("{}/{}:{}", letter.topic, letter.partition, letter.offset)),
        field("appended", told(letter.timestamp)),
        field("key", bytes(letter.key.as_deref())),
    ];
    if let Some(misplaced) = &opened.misplaced {
        let place = misplaced.place();
        let belongs = format!("partition {} of 0 to {}, key {}", place.partition, place.count - 1, place.key);
        fields.push(field("belongs to", belongs));
    }
    fields
}

fn bytes(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "-".to_owned(),
        Some(bytes) => text(bytes).map_or_else(|| format!("0x{}", hex(bytes)), str::to_owned),
    }
}

/// The first bytes, in hexadecimal and as text.
fn preview(value: &[u8]) -> Vec<String> {
    let shown = &value[..value.len().min(PREVIEW_BYTES)];
    let row = |(at, row): (usize, &[u8])| {
        let digits: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let printable = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
        let text: String = row.iter().map(printable).collect();
        format!("{:06x}  {:<47}  {text}", at * BYTES_PER_ROW, digits.join(" "))
    };
    shown.chunks(BYTES_PER_ROW).enumerate().map(row).collect()
}

/// The value read now, as text; empty where it still cannot be read.
fn read_again(now: &Decoded) -> String {
    let text = match now {
        Decoded::Avro(value) => serde_json::to_string_pretty(&WithTimes(value)).unwrap_or_default(),
        Decoded::Text(text) => text.clone(),
        Decoded::Bytes(_) | Decoded::Tombstone | Decoded::Undecodable { .. } => String::new(),
    };
    match text.char_indices().nth(READ_AGAIN_CHARACTERS) {
        None => text,
        Some((end, _)) => format!("{}\n…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_rows_and_no_more_than_can_be_looked_at() {
        let rows = preview(b"abcdefghijklmnop\x00q");
        assert_eq!(rows[0], "000000  61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70  abcdefghijklmnop");
        assert!(rows[1].starts_with("000010  00 71 ") && rows[1].ends_with("  .q"), "{rows:?}");
        assert_eq!(preview(&[0; 1_000]).len(), PREVIEW_BYTES / BYTES_PER_ROW);
        assert_eq!(
            (bytes(None), bytes(Some(b"k")), bytes(Some(&[0xff]))),
            ("-".into(), "k".into(), "0xff".into())
        );
    }
}
