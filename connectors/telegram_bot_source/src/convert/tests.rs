use super::*;
use crate::turn::{Around, read, turn};
use ingest::Group;
use runtime::{Source, SourceBatch};
use schemas::{GroupMessageIngested, Message as State};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use telegram_export_source::{FileOptions, FileSource, Meter};

const CHAT: i64 = -1_001_234_567_890;

fn group() -> Group {
    Group::new("acme", "garden").expect("names")
}

/// What an export with these messages becomes.
fn imported(messages: &[Value]) -> Vec<State> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    let document =
        json!({ "name": "Garden", "type": "private_supergroup", "id": 1_234_567_890, "messages": messages });
    std::fs::write(&path, document.to_string()).expect("written");
    let options = FileOptions {
        group: group(),
        path,
        chat: None,
        time_zone: None,
        date_order: None,
        skip_damaged: false,
    };
    let mut source = FileSource::open(&options, Meter::default()).expect("importable");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let SourceBatch::Records { emissions, .. } = runtime.block_on(source.next(None)).expect("readable")
    else {
        panic!("no records")
    };
    let records =
        emissions.iter().map(|emission| emission.downcast::<GroupMessageIngested>().expect("its type"));
    records.flat_map(|record| record.messages.clone()).collect()
}

/// What the same messages become when a bot hears them.
fn heard(messages: &[Value]) -> Vec<State> {
    let updates = messages.iter().zip(1..).map(|(message, id)| {
        let kind = if message["edit_date"].is_null() { "message" } else { "edited_message" };
        let mut update = json!({ "update_id": id });
        update[kind] = message.clone();
        update
    });
    let links = BTreeMap::from([(CHAT, group())]);
    let around = Around {
        identity: "bot/1",
        links: &links,
        of_sessions: &BTreeSet::new(),
        bot: None,
        now: 1_772_446_000_000,
        is_drained: false,
    };
    let turned =
        turn(&crate::position::BotPosition::default(), read(updates.collect()).expect("updates"), &around);
    turned.records.into_iter().flat_map(|record| record.messages).collect()
}

/// An export's message, and a bot's.
fn exported(id: i64, fields: &Value) -> Value {
    let base = json!({
        "id": id, "type": "message", "date": "2026-03-02T10:00:00",
        "date_unixtime": (1_772_445_600 + id).to_string(), "from": "Ann Lee", "from_id": "user7",
    });
    merged(base, fields)
}

fn received(id: i64, fields: &Value) -> Value {
    let base = json!({
        "message_id": id, "date": 1_772_445_600 + id,
        "from": { "id": 7, "is_bot": false, "first_name": "Ann", "last_name": "Lee", "language_code": "en" },
        "chat": { "id": CHAT, "type": "supergroup", "title": "Garden" },
    });
    merged(base, fields)
}

fn merged(mut base: Value, fields: &Value) -> Value {
    if let (Some(base), Some(fields)) = (base.as_object_mut(), fields.as_object()) {
        base.extend(fields.clone());
    }
    base
}

/// The same message by both ways is the same bytes.
#[track_caller]
fn assert_same(export: &[Value], bot: &[Value]) -> Vec<State> {
    let (imported, heard) = (imported(export), heard(bot));
    assert_eq!(heard, imported);
    let bytes = |states: &[State]| serde_json::to_vec(states).expect("JSON");
    assert_eq!(bytes(&heard), bytes(&imported));
    heard
}

#[test]
fn texts_and_their_places_are_those_of_an_export() {
    let export = exported(
        5,
        &json!({ "text": [
            "👉 see ", { "type": "link", "text": "https://a.example/x" }, " or ",
            { "type": "text_link", "text": "this", "href": "https://b.example" }, ", ",
            { "type": "mention_name", "text": "Bob", "user_id": 9 }, " ",
            { "type": "bold", "text": "now" }, " ", { "type": "phone", "text": "+7 900 123-45-67" },
        ] }),
    );
    let text = "👉 see https://a.example/x or this, Bob now +7 900 123-45-67";
    let entities = json!([
        { "type": "url", "offset": 7, "length": 19 },
        { "type": "text_link", "offset": 30, "length": 4, "url": "https://b.example" },
        { "type": "text_mention", "offset": 36, "length": 3, "user": { "id": 9, "is_bot": false, "first_name": "Bob" } },
        { "type": "bold", "offset": 40, "length": 3 },
        { "type": "italic", "offset": 40, "length": 2 },
        { "type": "phone_number", "offset": 44, "length": 16 },
    ]);
    let same = assert_same(&[export], &[received(5, &json!({ "text": text, "entities": entities }))]);
    assert!(!same[0].text.contains("900"), "masked: {}", same[0].text);
    assert_eq!(same[0].entities.len(), 5);
}

#[test]
fn edits_answers_topics_and_albums_are_those_of_an_export() {
    let export = [
        json!({ "id": 10, "type": "service", "date_unixtime": "1772445610", "action": "topic_created", "title": "Seeds" }),
        exported(11, &json!({ "text": "first", "reply_to_message_id": 10 })),
        exported(
            12,
            &json!({ "text": "second", "reply_to_message_id": 11, "edited_unixtime": "1772449999" }),
        ),
        exported(13, &json!({ "text": "a", "photo": "(File not included.)", "photo_file_size": 900 })),
        exported(14, &json!({ "text": "", "photo": "(File not included.)", "photo_file_size": 800 })),
        exported(15, &json!({ "text": "fwd", "forwarded_from": "Daily News" })),
    ];
    let topic = json!({ "message_id": 10, "date": 1, "chat": { "id": CHAT, "type": "supergroup" },
        "forum_topic_created": { "name": "Seeds", "icon_color": 1 } });
    let in_topic = |id, fields: Value| {
        received(id, &merged(json!({ "message_thread_id": 10, "is_topic_message": true }), &fields))
    };
    let sizes =
        |size: i64| json!([{ "file_id": "s", "file_size": 10 }, { "file_id": "l", "file_size": size }]);
    let bot = [
        topic.clone(),
        in_topic(11, json!({ "text": "first", "reply_to_message": topic })),
        in_topic(
            12,
            json!({ "text": "second", "edit_date": 1_772_449_999, "reply_to_message": received(11, &json!({})) }),
        ),
        received(13, &json!({ "caption": "a", "media_group_id": "9", "photo": sizes(900) })),
        received(14, &json!({ "media_group_id": "9", "photo": sizes(800) })),
        received(
            15,
            &json!({ "text": "fwd", "forward_origin": { "type": "channel", "date": 5,
            "chat": { "id": -1005, "type": "channel", "title": "Daily News" }, "message_id": 3 } }),
        ),
    ];
    let same = assert_same(&export, &bot);
    assert_eq!(
        same.iter().map(|state| state.topic_id).collect::<Vec<_>>(),
        [Some(10), Some(10), None, None, None]
    );
    assert_eq!((same[0].reply_to, same[1].reply_to), (None, Some(11)));
    assert_eq!((same[1].kind.as_str(), same[1].revision), ("edited", 1_772_449_999_000));
}

#[test]
fn attachments_polls_and_lists_are_those_of_an_export() {
    let file = |kind: &str, name: &str| {
        json!({ "text": "", "file": "(File not included.)", "media_type": kind,
        "file_name": name, "mime_type": "video/mp4", "file_size": 70 })
    };
    let export = [
        exported(1, &file("video_file", "trip.mp4")),
        exported(2, &file("animation", "cat.mp4")),
        exported(
            3,
            &json!({ "text": "", "file": "(File not included.)", "file_name": "plan.pdf", "mime_type": "application/pdf", "file_size": 5 }),
        ),
        exported(
            4,
            &json!({ "text": "", "file": "(File not included.)", "media_type": "sticker", "file_size": 6, "sticker_emoji": "🎉" }),
        ),
        exported(5, &json!({ "text": "", "location_information": { "latitude": 1.5, "longitude": 2.5 } })),
        exported(
            6,
            &json!({ "text": "", "poll": { "question": "When?", "closed": true, "total_voters": 3,
            "answers": [{ "text": "Mon", "voters": 2, "chosen": false }, { "text": "Tue", "voters": 1, "chosen": false }] } }),
        ),
        exported(
            7,
            &json!({ "text": "", "todo_list": { "title": "Shop", "answers": [{ "text": "milk", "id": 1 }] } }),
        ),
    ];
    let file =
        |name: &str| json!({ "file_id": "x", "file_name": name, "mime_type": "video/mp4", "file_size": 70 });
    let bot = [
        received(1, &json!({ "video": file("trip.mp4") })),
        received(2, &json!({ "animation": file("cat.mp4"), "document": file("cat.mp4") })),
        received(
            3,
            &json!({ "document": { "file_id": "x", "file_name": "plan.pdf", "mime_type": "application/pdf", "file_size": 5 } }),
        ),
        received(
            4,
            &json!({ "sticker": { "file_id": "x", "file_size": 6, "emoji": "🎉", "type": "regular" } }),
        ),
        received(5, &json!({ "location": { "latitude": 1.5, "longitude": 2.5 } })),
        received(
            6,
            &json!({ "poll": { "id": "1", "question": "When?", "is_closed": true, "total_voter_count": 3,
            "options": [{ "text": "Mon", "voter_count": 2 }, { "text": "Tue", "voter_count": 1 }] } }),
        ),
        received(7, &json!({ "checklist": { "title": "Shop", "tasks": [{ "id": 1, "text": "milk" }] } })),
    ];
    let same = assert_same(&export, &bot);
    assert_eq!(same[5].text, "When?\n- Mon: 2\n- Tue: 1\n[closed]");
}

#[test]
fn a_command_is_left_out_as_it_is_of_an_export() {
    let export = [
        exported(1, &json!({ "text": [{ "type": "bot_command", "text": "/digest" }, " 3h"] })),
        exported(2, &json!({ "text": ["see ", { "type": "bot_command", "text": "/digest" }] })),
        exported(
            3,
            &json!({ "text": [{ "type": "bot_command", "text": "/digest" }], "photo": "(File not included.)", "photo_file_size": 9 }),
        ),
    ];
    let mark = |offset: i64| json!([{ "type": "bot_command", "offset": offset, "length": 7 }]);
    let bot = [
        received(1, &json!({ "text": "/digest 3h", "entities": mark(0) })),
        received(2, &json!({ "text": "see /digest", "entities": mark(4) })),
        received(
            3,
            &json!({ "caption": "/digest", "caption_entities": mark(0), "photo": [{ "file_id": "s", "file_size": 9 }] }),
        ),
    ];
    let same = assert_same(&export, &bot);
    assert_eq!(same.iter().map(|state| state.id).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn authors_are_those_of_an_export() {
    let export = [
        exported(1, &json!({ "text": "a", "from": "Garden", "from_id": "channel1234567890" })),
        exported(2, &json!({ "text": "b", "from": null, "from_id": "user8" })),
        exported(3, &json!({ "text": "c", "from": "CI bot", "from_id": "user55" })),
    ];
    let chat = json!({ "id": CHAT, "type": "supergroup", "title": "Garden" });
    let bot = [
        received(
            1,
            &json!({ "text": "a", "sender_chat": chat, "from": { "id": 1_087_968_824, "is_bot": true, "first_name": "Group" } }),
        ),
        received(2, &json!({ "text": "b", "from": { "id": 8, "is_bot": false, "first_name": "" } })),
        received(3, &json!({ "text": "c", "from": { "id": 55, "is_bot": true, "first_name": "CI bot" } })),
    ];
    assert_same(&export, &bot);
}

#[test]
fn a_basic_groups_ids_lie_below_those_of_the_supergroup_that_it_may_become() {
    let message = json!({ "message_id": 5, "date": 9, "text": "a", "chat": { "id": -77, "type": "group" },
        "reply_to_message": { "message_id": 4 } });
    let Told::Message { chat: -77, draft } = told(json!({ "update_id": 1, "message": message })) else {
        panic!("no message")
    };
    let state = draft.finish();
    assert_eq!((state.id, state.reply_to), (-999_999_995, Some(-999_999_996)));
}

#[test]
fn what_is_no_message_is_told_by_its_kind() {
    let message = |fields: Value| told(json!({ "update_id": 1, "message": received(1, &fields) }));
    for (update, reason) in [
        (
            message(json!({ "new_chat_members": [{ "id": 9, "first_name": "Bob", "is_bot": false }] })),
            "service",
        ),
        (
            message(json!({ "left_chat_member": { "id": 9, "first_name": "Bob", "is_bot": false } })),
            "service",
        ),
        (message(json!({ "pinned_message": received(2, &json!({ "text": "x" })) })), "service"),
        (message(json!({ "text": "x", "date": 0 })), "no_date"),
        (message(json!({ "text": 7 })), "bad_shape"),
        (told(json!({ "update_id": 1, "message": "nonsense" })), "bad_shape"),
        (told(json!({ "update_id": 1, "message_reaction": {} })), "unknown_update"),
        (told(json!({ "update_id": 1, "kind_of_tomorrow": { "a": [1] } })), "unknown_update"),
        (told(json!({ "update_id": 1 })), "unknown_update"),
        (told(json!(null)), "unknown_update"),
    ] {
        assert!(matches!(update, Told::Skipped(told) if told == reason), "{reason}: {update:?}");
    }
    let migrated = message(json!({ "migrate_to_chat_id": -1009 }));
    assert!(matches!(migrated, Told::Migrated { from: CHAT, to: -1009 }));
    let removed = told(
        json!({ "update_id": 1, "my_chat_member": { "chat": { "id": -5 }, "new_chat_member": { "status": "kicked" } } }),
    );
    assert!(matches!(removed, Told::Membership { chat: -5, status } if status == "kicked"));
}
