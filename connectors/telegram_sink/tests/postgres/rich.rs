//! Digests as rich messages, where the server takes them.

use crate::support::{CHAT, World, digest, event, row};
use schemas::{Claim, DigestReadyForDelivery, DigestTopic};
use serde_json::{Value, json};
use tests::bot_api::{Answer, BotApi, Fault};

/// A digest of many lines, among them those of a topic.
fn long(version: &str) -> DigestReadyForDelivery {
    let mut ready = digest(0, version);
    let claim = |id: i64| Claim { text: format!("line {id} <b>of</b> {version}"), message_ids: vec![id] };
    ready.delivery_payload.summary = (1..=4).map(claim).collect();
    ready.delivery_payload.decisions = (5..=9).map(claim).collect();
    ready.delivery_payload.topics = vec![DigestTopic {
        title: "Release".to_owned(),
        keywords: Vec::new(),
        message_count: 9,
        threads: Vec::new(),
        message_ids: vec![20, 21],
        story: vec![claim(20), claim(21)],
        outcome: None,
    }];
    ready
}

/// The one message in the chat, as blocks.
fn blocks(world: &World) -> Vec<Value> {
    let posts = world.bot.posts(CHAT);
    assert_eq!(posts.len(), 1, "{posts:?}");
    posts[0]["rich_message"]["blocks"].as_array().cloned().unwrap_or_default()
}

/// Methods of all calls, those that only ask among them.
fn calls(bot: &BotApi) -> Vec<(String, u16)> {
    let status = |answer: &Answer| answer.status();
    let calls = bot.calls().into_iter();
    calls.map(|call| (call.method, call.answer.as_ref().map_or(0, status))).collect()
}

fn call(method: &str, status: u16) -> (String, u16) {
    (method.to_owned(), status)
}

#[tokio::test]
async fn a_digest_is_one_rich_message_with_its_topics_folded_and_is_edited_as_one() {
    let Some(world) = World::new("telegram_rich").await else { return };
    world.bot.take_rich(true);
    let sink = world.sink();
    crate::support::deliver_by(&sink, &[long("1.0")]).await.unwrap();
    let first = blocks(&world);
    let types: Vec<&str> = first.iter().filter_map(|block| block["type"].as_str()).collect();
    assert_eq!(types, ["heading", "paragraph", "list", "heading", "list", "heading", "details"]);
    assert_eq!(first[6]["summary"][0], json!({ "type": "bold", "text": "Release" }));
    let line = &first[2]["items"][0]["blocks"][0]["text"];
    assert_eq!(line[0], "line 1 <b>of</b> 1.0 ");
    assert_eq!(line[1], json!({ "type": "url", "text": "[1]", "url": "https://t.me/c/1234/1" }));

    crate::support::deliver_by(&sink, &[long("2.0")]).await.unwrap();
    assert_eq!(blocks(&world)[2]["type"], "paragraph", "what is otherwise");
    // The server is asked once what it takes.
    let expected = [call("sendRichMessage", 400), call("sendRichMessage", 200), call("editMessageText", 200)];
    assert_eq!(calls(&world.bot), expected);
    assert_eq!(world.ledger().await, [row("1.0", 1, "sent", Some("1")), row("2.0", 1, "sent", Some("1"))]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_server_without_rich_messages_is_asked_once_and_gets_text() {
    let Some(world) = World::new("telegram_not_rich").await else { return };
    let sink = world.sink();
    crate::support::deliver_by(&sink, &[long("1.0")]).await.unwrap();
    crate::support::deliver_by(&sink, &[long("2.0")]).await.unwrap();
    let expected = [call("sendRichMessage", 404), call("sendMessage", 200), call("editMessageText", 200)];
    assert_eq!(calls(&world.bot), expected);
    assert!(world.texts()[0].contains("<b>of</b> 2.0"), "{:?}", world.texts());
    world.database.drop().await;
}

#[tokio::test]
async fn a_rich_message_that_is_refused_is_posted_as_text_and_edited_as_one_when_it_is_taken() {
    let Some(world) = World::new("telegram_rich_refused").await else { return };
    world.bot.take_rich(true);
    let sink = world.sink();
    let refusal = Fault::Refuse(400, "Bad Request: can't parse rich message".to_owned());
    // The first call only asks.
    world.bot.fault("sendRichMessage", Some(CHAT), refusal);
    crate::support::deliver_by(&sink, &[long("1.0")]).await.unwrap();
    assert!(world.texts()[0].contains("<b>of</b> 1.0"), "{:?}", world.texts());
    crate::support::deliver_by(&sink, &[long("2.0")]).await.unwrap();
    assert_eq!(blocks(&world)[0]["type"], "heading");
    assert_eq!(world.said().await, [event("1.0", "success", None), event("2.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn what_was_posted_as_a_rich_message_is_not_posted_again_as_text() {
    let Some(world) = World::new("telegram_rich_again").await else { return };
    world.bot.take_rich(true);
    // As text it would be two messages.
    let mut ready = long("1.0");
    let claim = |id: i64| Claim {
        text: format!("{id} {}", "ж".repeat(60)),
        message_ids: (id * 10..id * 10 + 9).collect(),
    };
    ready.delivery_payload.decisions = (5..=12).map(claim).collect();
    ready.delivery_payload.questions = (15..=22).map(claim).collect();
    ready.delivery_payload.message_count = 99;
    world.deliver(&[ready.clone()]).await.unwrap();
    // The server is another one, and the topic is read again.
    world.bot.take_rich(false);
    world.deliver(&[ready]).await.unwrap();
    assert_eq!(world.bot.posts(CHAT).len(), 1);
    assert_eq!(world.bot.calls_of("sendMessage").len(), 0);
    world.database.drop().await;
}

#[tokio::test]
async fn rich_messages_can_be_turned_off() {
    let Some(world) = World::new("telegram_rich_off").await else { return };
    world.bot.take_rich(true);
    let settings = runtime::config::Telegram { rich_messages: false, ..world.settings() };
    let sink = world.sink_with(&settings);
    crate::support::deliver_by(&sink, &[long("1.0")]).await.unwrap();
    assert_eq!(calls(&world.bot), [call("sendMessage", 200)]);
    world.database.drop().await;
}
