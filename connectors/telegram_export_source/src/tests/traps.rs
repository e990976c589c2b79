//! Every oddity of Telegram Desktop's exports.

use super::support::{drain, export, file, gzip, import, message, messages, one, options};
use crate::{FileSource, Meter, Phase};
use schemas::{Author, END_OF_LANE, Entity, Message};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn entity(kind: &str, offset: i32, length: i32, url: Option<&str>) -> Entity {
    Entity { kind: kind.to_owned(), offset, length, url: url.map(str::to_owned) }
}

#[test]
fn a_plain_message() {
    let expected = Message {
        id: 5,
        revision: 0,
        kind: "new".to_owned(),
        author: Some(Author { id: "user1".to_owned(), name: "Ann".to_owned(), is_bot: false }),
        sent_at: 1_772_445_605_000,
        text: "hello".to_owned(),
        entities: Vec::new(),
        reply_to: None,
        topic_id: None,
        media: None,
        forward: None,
        reactions: Vec::new(),
    };
    assert_eq!(one(&json!({"unknown": {"deep": [1, {"x": null}]}, "text_entities": []})), expected);
}

#[test]
fn text_is_a_string_or_an_array_of_both() {
    let got = one(&json!({"text": [
        "😀 см. ", {"type": "text_link", "text": "сюда", "href": "https://x.example/?m=a@b.example"}, " ",
        {"type": "bold", "text": "же\u{0}"}, {"type": "plain", "text": "!"}, 7, null,
        {"type": "mention_name", "text": "Bob", "user_id": 42}, {"type": "code", "text": ""},
    ]}));
    assert_eq!(got.text, "😀 см. сюда же!Bob");
    assert_eq!(
        got.entities,
        [
            entity("text_link", 7, 4, Some("https://x.example/?m=[email]")),
            entity("bold", 12, 2, None),
            entity("mention_name", 15, 3, Some("tg://user?id=42")),
        ]
    );
    assert_eq!(one(&json!({"text": 12})).text, "");
    assert_eq!(one(&json!({"text": null})).text, "");
}

#[test]
fn personal_data_is_masked_and_entities_move() {
    let got = one(&json!({"text": [
        "пиши ", {"type": "email", "text": "ann@corp.example"}, " или ", {"type": "phone", "text": "123-4567"}, " ",
        {"type": "link", "text": "https://x.example"}, " +7 916 123-45-67",
    ]}));
    assert_eq!(got.text, "пиши [email] или [phone] https://x.example [phone]");
    assert_eq!(
        got.entities,
        [entity("email", 5, 7, None), entity("phone", 17, 7, None), entity("link", 25, 17, None)]
    );
}

#[test]
fn text_entities_serve_where_text_is_missing() {
    let (records, _) = import(
        "result.json",
        &export(&[json!({"id": 1, "type": "message", "date_unixtime": "1772445600",
            "text_entities": [{"type": "plain", "text": "a "}, {"type": "bold", "text": "b"}]})]),
    );
    let got = messages(records).remove(0);
    assert_eq!((got.text.as_str(), got.author), ("a b", None));
    assert_eq!(got.entities, [entity("bold", 2, 1, None)]);
}

#[test]
fn authors_in_all_their_forms() {
    let author = |fields| one(&fields).author.map(|author| (author.id, author.name, author.is_bot));
    let person = |id: &str, name: &str, is_bot| Some((id.to_owned(), name.to_owned(), is_bot));
    assert_eq!(author(json!({"from": null})), person("user1", "", false), "a deleted account");
    assert_eq!(author(json!({"from_id": 4_515_353})), person("user4515353", "Ann", false));
    assert_eq!(author(json!({"from_id": "channel9"})), person("channel9", "Ann", false));
    assert_eq!(author(json!({"from_id": null})), person("name:Ann", "Ann", false));
    assert_eq!(author(json!({"from": null, "from_id": null})), None);
    assert_eq!(author(json!({"from": "CI bot"})), person("user1", "CI bot", true));
    assert_eq!(author(json!({"from": "Talbot", "via_bot": "@gif"})), person("user1", "Talbot", false));
    assert_eq!(author(json!({"from": "ann@corp.example"})), person("user1", "[email]", false));
}

#[test]
fn what_is_no_message_is_counted() {
    let (records, summary) = import(
        "result.json",
        &export(&[
            message(1, &json!({})),
            json!({"id": 2, "type": "unsupported"}),
            json!({"id": 3, "type": "service", "date": "", "action": "invite_members", "text": ""}),
            json!({"id": 4, "type": "hologram"}),
            json!({"type": "message", "text": "x"}),
            message(5, &json!({"id": "five"})),
            message(6, &json!({"date_unixtime": null, "date": null})),
            message(7, &json!({"date_unixtime": null, "date": ""})),
            message(8, &json!({"date_unixtime": "999999999999999"})),
            message(9, &json!({"date_unixtime": "-5"})),
            json!("text"),
            json!(null),
            message(10, &json!({"text": "x".repeat(1024 * 1024 + 1)})),
            message(
                11,
                &json!({"text": [{"type": "bold", "text": "x".repeat(600_000)}, "y".repeat(600_000)]}),
            ),
            message(12, &json!({"text": "x".repeat(1024 * 1024)})),
            message(13, &json!({"id": "13"})),
        ]),
    );
    let skipped = BTreeMap::from([
        ("bad_date", 2),
        ("no_date", 2),
        ("no_id", 2),
        ("not_an_object", 2),
        ("service", 1),
        ("too_large", 2),
        ("unknown_type", 1),
        ("unsupported", 1),
    ]);
    assert_eq!(summary.skipped, skipped);
    let got: Vec<(i64, usize)> =
        messages(records).iter().map(|message| (message.id, message.text.len())).collect();
    assert_eq!(got, [(1, 5), (12, 1024 * 1024), (13, 5)]);
}

/// Of a bot of this kind. A command to another one, inside of a text, or below a picture, is said to people.
#[test]
fn a_command_is_no_message_and_what_answers_it_keeps_its_topic() {
    let command = |text: &str| json!([{ "type": "bot_command", "text": text }, " 3h"]);
    let (records, summary) = import(
        "result.json",
        &export(&[
            json!({ "id": 1, "type": "service", "date_unixtime": "1772445600", "action": "topic_created", "text": "" }),
            message(2, &json!({ "text": command("/digest"), "reply_to_message_id": 1 })),
            message(3, &json!({ "text": command("/help@other_bot") })),
            message(8, &json!({ "text": command("/stat@other_bot") })),
            message(4, &json!({ "text": ["see ", { "type": "bot_command", "text": "/digest" }] })),
            message(5, &json!({ "text": command("/digest"), "photo": "(File not included.)" })),
            message(6, &json!({ "text": "thanks", "reply_to_message_id": 2 })),
            message(7, &json!({ "text": "/etc/hosts is wrong" })),
        ]),
    );
    assert_eq!(summary.skipped, BTreeMap::from([("command", 2), ("service", 1)]));
    let got: Vec<(i64, Option<i64>)> =
        messages(records).iter().map(|message| (message.id, message.topic_id)).collect();
    assert_eq!(got, [(8, None), (4, None), (5, None), (6, Some(1)), (7, None)]);
}

#[test]
fn replies_and_forum_topics() {
    let (records, summary) = import(
        "result.json",
        &export(&[
            json!({"id": 10, "type": "service", "action": "topic_created", "title": "Dev"}),
            message(11, &json!({"reply_to_message_id": 10})),
            message(12, &json!({"reply_to_message_id": 11})),
            message(13, &json!({})),
            message(14, &json!({"reply_to_message_id": 13})),
            message(15, &json!({"reply_to_message_id": 12, "date_unixtime": null, "date": null})),
            message(16, &json!({"reply_to_message_id": 15})),
            message(17, &json!({"reply_to_message_id": 11, "reply_to_peer_id": "channel5"})),
        ]),
    );
    let created: Vec<_> = records.iter().flat_map(|record| record.topics.clone()).collect();
    assert_eq!(created, [10], "the topic is told beside the messages");
    let got: Vec<_> = messages(records).iter().map(|m| (m.id, m.reply_to, m.topic_id)).collect();
    let expected = [
        (11, None, Some(10)),
        (12, Some(11), Some(10)),
        (13, None, None),
        (14, Some(13), None),
        (16, Some(15), Some(10)),
        (17, None, None),
    ];
    assert_eq!(got, expected);
    assert_eq!(summary.topics, 1);
}

#[test]
fn a_full_export_needs_a_choice() {
    let chat = |id: i64, name: Value, messages: Vec<Value>| json!({"name": name, "type": "private_group", "id": id, "messages": messages});
    let document = json!({
        "about": "all of it", "contacts": {"list": [{"first_name": "x"}]},
        "chats": {"about": "", "list": [
            chat(1, json!("One"), vec![message(1, &json!({"text": "first"}))]),
            chat(2, json!(null), vec![]),
            {"messages": [message(1, &json!({"text": "third"}))], "id": 3, "name": "Two words"},
        ]},
        "left_chats": {"list": [chat(4, json!("One"), vec![message(1, &json!({"text": "fourth"}))])]},
    });
    let folder = file("result.json", &serde_json::to_vec(&document).expect("JSON"));
    let open = |chat: Option<&str>| {
        let mut options = options(&folder.path().join("result.json"));
        options.chat = chat.map(str::to_owned);
        FileSource::open(&options, Meter::default())
    };
    let mut identities = Vec::new();
    for (wanted, text) in [("1", "first"), ("3", "third"), ("Two words", "third"), ("4", "fourth")] {
        let mut source = open(Some(wanted)).expect("importable");
        let records: Vec<_> = drain(&mut source, None).into_iter().flat_map(|(_, records)| records).collect();
        assert_eq!(messages(records)[0].text, text);
        identities.push(runtime::Source::identity(&source));
    }
    identities.dedup();
    assert_eq!(identities.len(), 3, "two chats of a file are two sources");
    let list = "  1  One (private_group, 1 messages)\n  2  (no name) (private_group, 0 messages)\n  3  Two words (chat, 1 messages)\n  4  One (private_group, 1 messages)";
    let refused = |chat| open(chat).expect_err("refused").to_string();
    assert!(refused(None).ends_with(&format!("holds 4 chats: choose one with --chat ID\n{list}")));
    assert!(
        refused(Some("One")).ends_with(&format!("has not exactly one chat \"One\": choose by ID\n{list}"))
    );
    assert!(refused(Some("9")).contains("has not exactly one chat \"9\""));
    assert!(refused(Some("2")).ends_with("has no messages to import (skipped: nothing)"));
}

#[test]
fn the_lane_ends_and_is_named_by_the_content() {
    let content = export(&[message(1, &json!({})), message(2, &json!({}))]);
    let folder = file("a.json", &content);
    std::fs::write(folder.path().join("b.json.gz"), gzip(&content)).expect("written");
    let meter = Meter::default();
    let open = |name: &str| {
        FileSource::open(&options(&folder.path().join(name)), meter.clone()).expect("importable")
    };
    let (mut plain, mut packed) = (open("a.json"), open("b.json.gz"));
    assert_eq!(plain.lane(), packed.lane());
    assert_eq!(plain.lane(), schemas::lane_id(&runtime::Source::identity(&plain)));
    let records: Vec<_> = drain(&mut plain, None).into_iter().flat_map(|(_, records)| records).collect();
    let again = drain(&mut packed, None);
    assert_eq!(records, again.iter().flat_map(|(_, records)| records.clone()).collect::<Vec<_>>());
    let [first, last] = records.as_slice() else { panic!("{} records", records.len()) };
    assert_eq!((first.messages.len(), first.observed_at, first.complete_until), (2, 1_772_445_602_000, None));
    assert_eq!(
        (last.messages.len(), last.observed_at, last.complete_until),
        (0, 1_772_445_602_000, Some(END_OF_LANE))
    );
    assert_ne!(first.ingest_trace_id, last.ingest_trace_id);
    let position = again.last().map(|(position, _)| position.clone());
    assert_eq!(drain(&mut open("a.json"), position), [], "imported again: nothing new");
    let snapshot = meter.snapshot();
    assert_eq!((snapshot.phase, snapshot.summary.read, snapshot.summary.given), (Phase::Done, 2, 0));
    assert_eq!(Some(snapshot.bytes_done), snapshot.bytes_total);
}
