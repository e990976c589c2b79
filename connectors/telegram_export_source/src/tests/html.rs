//! The HTML export of a chat is the JSON export of the same chat, but for what HTML does not tell.

use super::{
    html_pages::pages,
    support::{drain, export, import, message, messages, options},
};
use crate::{FileSource, Meter, Summary};
use schemas::{GroupMessageIngested, Message};
use serde_json::{Value, json};
use std::{io::Read, path::Path};
use tempfile::TempDir;

fn folder(messages: &[Value]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, page) in pages("Chat & friends", messages) {
        std::fs::write(folder.path().join(name), page).expect("written");
    }
    folder
}

fn read(path: &Path) -> (Vec<GroupMessageIngested>, Summary) {
    let meter = Meter::default();
    let mut source =
        FileSource::open(&options(path), meter.clone()).unwrap_or_else(|error| panic!("{error}"));
    let records = drain(&mut source, None).into_iter().flat_map(|(_, records)| records).collect();
    (records, meter.snapshot().summary)
}

/// A message without what HTML does not tell: ids of people, times of edits, what is known of files, when a message
/// that was passed on was sent.
fn told(message: Message) -> Message {
    let mut told = Message { revision: 0, kind: "new".to_owned(), ..message };
    let author = told.author.take();
    told.author = author
        .filter(|author| !author.name.is_empty())
        .map(|author| schemas::Author { id: String::new(), ..author });
    told.text = told.text.replace(['\u{2028}', '\u{2029}'], "\n");
    told.entities.retain(|entity| !matches!(entity.kind.as_str(), "bank_card"));
    for entity in &mut told.entities {
        entity.url = entity.url.take().filter(|_| entity.kind == "text_link");
    }
    if let Some(media) = &mut told.media {
        (media.mime_type, media.size_bytes) = (None, None);
        // Of what is not included the exporter shows no name, unless it is a file.
        media.file_name = media.file_name.take().filter(|_| media.kind == "file");
    }
    if let Some(forward) = &mut told.forward {
        forward.sent_at = None;
    }
    told
}

fn assert_same(json: Vec<Message>, html: Vec<Message>) {
    assert_eq!(json.len(), html.len());
    for (json, html) in json.into_iter().map(told).zip(html.into_iter().map(told)) {
        assert_eq!(json, html, "message {}", json.id);
    }
}

/// One message of every kind.
fn every_kind() -> Vec<Value> {
    let one = |id: i64, fields: Value| message(id, &fields);
    vec![
        json!({"id": 1, "type": "service", "date_unixtime": "1772445601", "actor": "Ann", "action": "topic_created", "title": "Trips", "text": ""}),
        one(2, json!({"text": "in the topic", "reply_to_message_id": 1})),
        one(3, json!({"text": "joined, and an answer", "reply_to_message_id": 2})),
        one(
            4,
            json!({"from": "Bob O'Neil & sons", "from_id": "user2", "text": " a < b\n\n  \"c\" \u{1f600} "}),
        ),
        one(5, json!({"from": null, "from_id": "user3", "text": "from nobody"})),
        json!({"id": 6, "type": "service", "date_unixtime": "1772445606", "actor": "Ann", "action": "pin_message", "text": ""}),
        one(
            7,
            json!({"text": [
                "see ", {"type": "link", "text": "https://a.example/?b=1&c=2"}, ", ",
                {"type": "text_link", "text": "here", "href": "https://d.example/"}, " ",
                {"type": "mention", "text": "@ann"}, " ", {"type": "mention_name", "text": "Zoe", "user_id": 77}, " ",
                {"type": "hashtag", "text": "#plan"}, " ", {"type": "cashtag", "text": "$USD"}, " ",
                {"type": "bold", "text": "b\nb"}, {"type": "italic", "text": "i"}, {"type": "underline", "text": "u"},
                {"type": "strikethrough", "text": "s"}, {"type": "code", "text": "x = 1"},
                {"type": "pre", "text": "fn main() {\n}"}, {"type": "spoiler", "text": "it ends"},
                {"type": "blockquote", "text": "said"}, {"type": "custom_emoji", "text": "\u{1f44d}", "document_id": "a"},
                {"type": "email", "text": "ann@example.org"}, " ", {"type": "phone", "text": "+4917012345678"}, " end "
            ]}),
        ),
        one(8, json!({"text": [{"type": "bot_command", "text": "/digest"}, ""]})),
        one(9, json!({"photo": "photos/photo_1.jpg", "text": "a photo"})),
        one(
            10,
            json!({"photo": "(File not included. Change data exporting settings to download.)", "text": ""}),
        ),
        one(11, json!({"media_type": "sticker", "file": "stickers/sticker.webp", "text": ""})),
        one(12, json!({"media_type": "voice_message", "file": "voice_messages/audio_1.ogg", "text": ""})),
        one(
            13,
            json!({"file": "files/plan.pdf", "file_name": "plan.pdf", "mime_type": "application/pdf", "text": "the plan"}),
        ),
        one(
            14,
            json!({"media_type": "video_file", "file": "video_files/v.mp4", "file_name": "v.mp4", "text": ""}),
        ),
        one(15, json!({"location_information": {"latitude": 1, "longitude": 2}, "text": ""})),
        one(
            16,
            json!({"poll": {"question": "Who?", "closed": true, "total_voters": 3, "answers": [
            {"text": "I", "voters": 2, "chosen": true}, {"text": "Not I", "voters": 0, "chosen": false}]}, "text": ""}),
        ),
        one(17, json!({"forwarded_from": "News of the day", "text": "passed on"})),
        one(18, json!({"forwarded_from": "News of the day", "text": "passed on, too"})),
        one(
            19,
            json!({"text": "reacted", "reactions": [
            {"type": "emoji", "emoji": "\u{1f44d}", "count": 5}, {"type": "emoji", "emoji": "\u{2764}", "count": 2},
            {"type": "custom_emoji", "document_id": "stickers/x.tgs", "count": 3}]}),
        ),
        one(20, json!({"text": "of another chat", "reply_to_message_id": 5, "reply_to_peer_id": "channel9"})),
        one(21, json!({"text": "changed", "edited_unixtime": "1772446000"})),
        one(22, json!({"media_type": "animation", "file": "video_files/a.mp4", "text": ""})),
        one(23, json!({"poll": {"question": "When?"}, "text": "nobody says how many answered"})),
    ]
}

#[test]
fn every_kind_of_message_is_the_same_from_html_as_from_json() {
    let elements = every_kind();
    let (json, from_json) = import("result.json", &export(&elements));
    let (html, from_html) = read(folder(&elements).path());
    assert_same(messages(json.clone()), messages(html.clone()));
    assert_eq!(
        (from_html.read, &from_html.skipped, from_html.topics),
        (from_json.read, &from_json.skipped, 1)
    );
    let topics = |records: &[GroupMessageIngested]| {
        records.iter().flat_map(|record| record.topics.clone()).collect::<Vec<_>>()
    };
    assert_eq!((topics(&json), from_html.zone_assumed), (topics(&html), 0));
    assert_eq!(from_html.notes[1], "the chat is called \"Chat & friends\"");
}

#[test]
fn an_edit_that_json_told_is_not_undone_by_html() {
    let elements = [message(1, &json!({"text": "changed", "edited_unixtime": "1772446000"}))];
    let json = messages(import("result.json", &export(&elements)).0).remove(0);
    let html = messages(read(folder(&elements).path()).0).remove(0);
    assert_eq!((json.id, json.revision, html.id, html.revision), (1, 1_772_446_000_000, 1, 0));
}

#[test]
fn pages_are_read_in_order_and_none_may_be_missing() {
    let elements: Vec<Value> =
        (1..=2500).map(|id| message(id, &json!({"text": format!("m{id}"), "reply_to_message_id": (id % 7 == 0).then_some(id / 2 + 1)}))).collect();
    let folder = folder(&elements);
    let (html, summary) = read(folder.path());
    assert_same(messages(import("result.json", &export(&elements)).0), messages(html.clone()));
    assert_eq!(summary.read, 2500);
    let (again, _) = read(&folder.path().join("messages2.html"));
    assert_eq!(again, html, "one page leads to all");
    for (name, missing) in [("messages2.html", "messages2.html"), ("messages3.html", "messages3.html")] {
        let kept = std::fs::read(folder.path().join(name)).expect("a page");
        std::fs::remove_file(folder.path().join(name)).expect("removed");
        let error =
            FileSource::open(&options(folder.path()), Meter::default()).expect_err("a page is missing");
        assert!(error.to_string().contains(&format!("({missing} is missing)")), "{error}");
        std::fs::write(folder.path().join(name), kept).expect("written");
    }
}

#[test]
fn an_import_of_html_goes_on_where_it_stopped() {
    let elements: Vec<Value> = (1..=3000).map(|id| message(id, &json!({"text": format!("m{id}")}))).collect();
    let folder = folder(&elements);
    let open = || FileSource::open(&options(folder.path()), Meter::default()).expect("importable");
    let given = drain(&mut open(), None);
    assert!(given.len() > 2);
    for index in 0..given.len() {
        assert_eq!(drain(&mut open(), Some(given[index].0.clone())), &given[index + 1..]);
    }
}

#[test]
fn a_page_that_breaks_off_or_goes_on_is_refused() {
    let elements: Vec<Value> = (1..=3).map(|id| message(id, &json!({}))).collect();
    let (_, page) = pages("Chat", &elements).remove(0);
    let refusal = |content: &str| {
        let folder = super::support::file("messages.html", content.as_bytes());
        FileSource::open(&options(folder.path()), Meter::default()).expect_err("no").to_string()
    };
    let head = page.find("id=\"message2\"").expect("a message");
    for end in (head..page.len() - 10).step_by(37) {
        assert!(refusal(&page[..end]).contains("it ends in the middle of the page"), "cut at {end}");
    }
    assert!(refusal(&format!("{page}{page}")).contains("something follows the end of the page"));
    assert!(refusal(&format!("{page}{{}}")).contains("something follows the end of the page"));
}

#[test]
fn a_real_chat_is_the_same_from_html_as_from_json() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/telegram_qa_load/result.json.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("readable");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let elements: Vec<Value> =
        document["messages"].as_array().expect("messages").iter().take(20_000).cloned().collect();
    let (json, from_json) = import("result.json", &export(&elements));
    let (html, from_html) = read(folder(&elements).path());
    assert_same(messages(json), messages(html));
    assert_eq!((from_html.read, from_html.skipped), (from_json.read, from_json.skipped));
}
