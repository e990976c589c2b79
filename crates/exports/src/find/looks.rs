//! What a file looks like that is no export.

use crate::store::Store;

/// Beginnings of files that people take for an export.
const BEGINNINGS: [(&[u8], &str); 14] = [
    (b"%PDF", "a PDF: what is printed cannot be read back"),
    (b"SQLite format 3", "a database of a phone, not an export"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"Rar!", "a rar archive: unpack it"),
    (b"\xfd7zXZ", "an xz archive: unpack it"),
    (b"BZh", "a bzip2 archive: unpack it"),
    (b"(\xb5/\xfd", "a zstd archive: unpack it"),
    (b"\xff\xfe", "text in UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
    (b"{\\rtf", "a document of a word processor: export the chat as text"),
    (b"BEGIN:VCARD", "a contact"),
];

/// What the first bytes look like; `None` for what may be JSON, and for text.
pub(super) fn like(head: &[u8]) -> Option<&'static str> {
    if let Some((_, looks)) = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning)) {
        return Some(looks);
    }
    // An archive in a gzip: the source has words for it.
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return None;
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some("a tar archive: unpack it");
    }
    let start = head.trim_ascii_start();
    match start.first()? {
        b'{' => None,
        b'<' if !start.starts_with(b"<?xml") => Some("a web page that Telegram Desktop did not write"),
        b'<' => Some("XML"),
        b'[' => is_slack_day(start)
            .then_some("one day of a Slack export: give the whole export, as a zip or a folder"),
        _ if start.iter().take(4096).any(|byte| *byte == 0) => Some("a file of bytes, not of text"),
        _ => Some("text in which no line begins as a message of WhatsApp does, with a date and a time"),
    }
}

fn is_slack_day(start: &[u8]) -> bool {
    let has = |what: &[u8]| start.windows(what.len()).any(|window| window == what);
    has(b"\"ts\"") && (has(b"\"user\"") || has(b"\"subtype\""))
}

/// What a folder or an archive holds.
pub(super) fn of_store(store: &Store) -> String {
    let kind = if store.is_archive { "a zip" } else { "a folder" };
    let names: Vec<&str> = store.parts.iter().map(|part| part.name.as_str()).take(5).collect();
    let names: Vec<&str> = names.into_iter().chain(store.others.iter().map(String::as_str)).take(5).collect();
    if names.iter().any(|name| *name == "[Content_Types].xml" || name.starts_with("word/")) {
        return "a document of a word processor: export the chat as text".to_owned();
    }
    match names.as_slice() {
        [] => format!("{kind} with nothing in it"),
        names => format!("{kind} with {}, in which no chat is", names.join(", ")),
    }
}
