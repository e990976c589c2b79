//! What hangs on a message of an export: media, polls, forwards, reactions.

use super::support::one;
use schemas::{Checklist, ChecklistItem, Forward, Media, Poll, PollOption, Reaction};
use serde_json::{Value, json};

#[test]
fn media_in_all_its_forms() {
    let media = |fields| {
        let mut all = json!({"text": ""});
        if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
            all.extend(fields);
        }
        one(&all).media
    };
    let expect = |kind: &str, name: Option<&str>, mime: Option<&str>, size: Option<i64>| {
        let (file_name, mime_type) = (name.map(str::to_owned), mime.map(str::to_owned));
        Some(Media { kind: kind.to_owned(), file_name, mime_type, size_bytes: size, ..Media::default() })
    };
    let absent = "(File not included. Change data exporting settings to download.)";
    let table = [
        (
            json!({"photo": "photos/photo_1.jpg", "photo_file_size": 10}),
            expect("photo", Some("photo_1.jpg"), None, Some(10)),
        ),
        (json!({"photo": absent}), expect("photo", None, None, None)),
        (
            json!({"file": absent, "file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 5}),
            expect("file", Some("a.pdf"), Some("application/pdf"), Some(5)),
        ),
        (
            json!({"file": "x/s.webp", "media_type": "sticker", "sticker_emoji": "🙂"}),
            expect("sticker", Some("s.webp"), None, None),
        ),
        (
            json!({"media_type": "voice_message", "duration_seconds": 3}),
            expect("voice_message", None, None, None),
        ),
        (json!({"location_information": {"latitude": 1.5}}), expect("location", None, None, None)),
        (
            json!({"contact_information": {"phone_number": "+79161234567"}}),
            expect("contact", None, None, None),
        ),
        (json!({"photo": null}), None),
    ];
    for (fields, expected) in table {
        assert_eq!(media(fields.clone()), expected, "{fields}");
    }
}

#[test]
fn a_poll_carries_its_votes_and_whether_it_is_over() {
    let option = |text: &str, votes| PollOption { text: text.to_owned(), votes };
    let asked = json!({"question": "Когда?", "closed": false, "total_voters": 3, "answers": [
        {"text": "днём", "voters": 1, "chosen": false}, {"text": "ночью"}, {"voters": 2}, "odd",
    ]});
    let got = one(&json!({"text": "", "poll": asked}));
    assert_eq!(got.text, "Когда?\n- днём: 1\n- ночью");
    let media = got.media.expect("a poll");
    assert_eq!(media.kind, "poll");
    let options = vec![option("днём", Some(1)), option("ночью", None)];
    let poll = Poll { question: "Когда?".to_owned(), options, closed: false, voters: Some(3) };
    assert_eq!(media.poll, Some(poll));
    // Newer versions mark texts inside a poll too.
    let over = json!({"question": ["Write to ", {"type": "email", "text": "ann"}, "?"], "closed": true,
        "answers": [{"text": [{"type": "bold", "text": "yes"}], "voters": 0}]});
    let got = one(&json!({"text": "Vote", "poll": over}));
    assert_eq!(got.text, "Vote\nWrite to [email]?\n- yes: 0\n[closed]");
    let poll = got.media.and_then(|media| media.poll).expect("a poll");
    assert_eq!((poll.question.as_str(), poll.closed), ("Write to [email]?", true));
    assert_eq!(poll.options, [option("yes", Some(0))]);
    assert_eq!(one(&json!({"text": "", "poll": {"closed": true}})).media, None, "nothing is asked");
}

#[test]
fn a_checklist_carries_its_items() {
    let list = json!({"title": "Before release", "others_can_append": true,
        "answers": [{"text": "tag", "id": 1}, {"text": ["write to ", {"type": "email", "text": "ann"}], "id": 2}]});
    let got = one(&json!({"text": "", "todo_list": list}));
    assert_eq!(got.text, "Before release\n- tag\n- write to [email]");
    let media = got.media.expect("a checklist");
    assert_eq!(media.kind, "checklist");
    let item = |text: &str| ChecklistItem { text: text.to_owned(), done: None };
    let items = vec![item("tag"), item("write to [email]")];
    assert_eq!(media.checklist, Some(Checklist { title: "Before release".to_owned(), items }));
}

#[test]
fn forwards_and_reactions() {
    let forward = |from: &str| Some(Forward { from: from.to_owned(), sent_at: None });
    assert_eq!(one(&json!({"forwarded_from": "News"})).forward, forward("News"));
    assert_eq!(one(&json!({"forwarded_from": null, "forwarded_from_id": "user3"})).forward, forward("user3"));
    assert_eq!(one(&json!({"forwarded_from": null})).forward, None);
    let got = one(&json!({"reactions": [
        {"type": "emoji", "count": 3, "emoji": "👍", "recent": [{"from": "Bob"}]},
        {"type": "custom_emoji", "count": 1, "document_id": "stickers/1.webm"},
        {"type": "paid", "count": 2}, {"type": "emoji", "emoji": "x"}, "odd",
    ]}));
    let reaction = |emoji: &str, count| Reaction { emoji: emoji.to_owned(), count };
    assert_eq!(got.reactions, [reaction("👍", 3), reaction("custom_emoji", 1), reaction("paid", 2)]);
}
