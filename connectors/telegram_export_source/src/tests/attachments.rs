//! What hangs on a message of an export: media, polls, forwards, reactions.

use super::support::one;
use schemas::{Forward, Media, Reaction};
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
        Some(Media { kind: kind.to_owned(), file_name, mime_type, size_bytes: size })
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
fn polls_forwards_and_reactions() {
    let poll = json!({"question": "Когда?", "closed": false, "answers": [{"text": "днём", "voters": 1}, {"text": "ночью"}]});
    let got = one(&json!({"text": "", "poll": poll}));
    assert_eq!(got.text, "Когда?\n- днём\n- ночью");
    assert_eq!(got.media.map(|media| media.kind).as_deref(), Some("poll"));
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
    assert_eq!(got.reactions, [reaction("👍", 3), reaction("stickers/1.webm", 1), reaction("paid", 2)]);
}
