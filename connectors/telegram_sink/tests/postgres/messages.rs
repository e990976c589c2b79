//! Digests as messages: posted once, in parts where they are long, edited from then on.

use crate::support::{CHAT, World, blocked, covered, deliver_by, digest, event, row};
use schemas::Claim;
use tests::bot_api::{Chat, Kind};

#[tokio::test]
async fn a_digest_is_posted_once_with_styles_beside_the_text_and_without_previews() {
    let Some(world) = World::new("telegram_once").await else { return };
    let mut ready = digest(0, "1.0");
    ready.delivery_payload.headline = "👩‍👩‍👧 *Release* on <b>Friday</b>".to_owned();
    world.deliver(&[ready.clone()]).await.unwrap();
    // Read again, as after a reset: it is known.
    world.deliver(&[ready]).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage"]);
    let call = world.last_call().body;
    assert_eq!(call["link_preview_options"], serde_json::json!({ "is_disabled": true }));
    assert_eq!(
        (&call["parse_mode"], &call["message_thread_id"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    let [post] = &world.bot.posts(CHAT)[..] else { panic!("one message") };
    assert!(post["text"].as_str().unwrap().starts_with("👩‍👩‍👧 *Release* on <b>Friday</b>\n"), "{post}");
    let entities = post["entities"].as_array().unwrap();
    assert_eq!(entities[0]["type"], "bold");
    assert_eq!(covered(post, &entities[0]), "👩‍👩‍👧 *Release* on <b>Friday</b>");
    let link = entities.iter().find(|entity| entity["type"] == "text_link").unwrap();
    assert_eq!((covered(post, link), &link["url"]), ("[1]".to_owned(), &"https://t.me/c/1234/1".into()));
    assert_eq!(world.ledger().await, [row("1.0", 1, "sent", Some("1"))]);
    assert_eq!(world.said().await, [event("1.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_newer_version_edits_the_message_and_an_older_one_never_replaces_it() {
    let Some(world) = World::new("telegram_edit").await else { return };
    for version in ["1.0", "3.0", "2.0"] {
        world.deliver(&[digest(0, version)]).await.unwrap();
    }
    assert_eq!(world.methods(), ["sendMessage", "editMessageText"]);
    assert!(world.texts()[0].starts_with("day 0 version 3.0\n"), "{:?}", world.texts());
    let expected = [
        row("1.0", 1, "sent", Some("1")),
        row("2.0", 1, "superseded", None),
        row("3.0", 1, "sent", Some("1")),
    ];
    assert_eq!(world.ledger().await, expected);
    assert_eq!(world.said().await, [event("1.0", "success", None), event("3.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_version_that_reads_the_same_is_delivered_without_a_change() {
    let Some(world) = World::new("telegram_same").await else { return };
    let mut same = digest(0, "2.0");
    same.delivery_payload = digest(0, "1.0").delivery_payload;
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.deliver(&[same]).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage", "editMessageText"]);
    assert_eq!(world.last_call().answer.unwrap().status(), 400, "not modified");
    assert_eq!(world.said().await, [event("1.0", "success", None), event("2.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_digest_for_another_channel_is_none_of_ours() {
    let Some(world) = World::new("telegram_other").await else { return };
    let mut ready = digest(0, "1.0");
    ready.channels = vec!["file".to_owned()];
    world.deliver(&[ready]).await.unwrap();
    assert_eq!((world.methods().len(), world.ledger().await.len()), (0, 0));
    world.database.drop().await;
}

#[tokio::test]
async fn a_digest_goes_to_the_topic_of_a_forum() {
    let Some(world) = World::new("telegram_topic").await else { return };
    world.bot.add_chat(Chat::new(CHAT, Kind::Forum, "Team").topic(45, "Digests"));
    let of = |version: &str| {
        let mut ready = digest(0, version);
        ready.window.settings.chat = Some(format!("{CHAT}/45"));
        ready
    };
    world.deliver(&[of("1.0")]).await.unwrap();
    assert_eq!(world.last_call().body["message_thread_id"], 45);
    let entities = world.bot.posts(CHAT)[0]["entities"].clone();
    let is_link = |entity: &&serde_json::Value| entity["type"] == "text_link";
    let link = entities.as_array().unwrap().iter().find(is_link).unwrap();
    assert_eq!(link["url"], "https://t.me/c/1234/1");
    world.deliver(&[of("2.0")]).await.unwrap();
    assert_eq!((world.methods().len(), &world.bot.posts(CHAT)[0]["message_thread_id"]), (2, &45.into()));
    world.database.drop().await;
}

#[tokio::test]
async fn a_long_digest_is_several_messages_and_those_too_many_are_emptied() {
    let Some(world) = World::new("telegram_parts").await else { return };
    let mut long = digest(0, "1.0");
    long.delivery_payload.headline = "🎉 headline ".repeat(600);
    let told = "все решили перенести выпуск на пятницу ";
    long.delivery_payload.summary = vec![Claim { text: told.repeat(20), message_ids: vec![1] }; 3];
    // One sink: parts go to one chat, and it waits between them.
    deliver_by(&world.sink(), &[long]).await.unwrap();
    let texts = world.texts();
    assert!(texts.len() > 1, "{texts:?}");
    assert!(texts.iter().all(|text| text.encode_utf16().count() <= 4_096));
    let answered: Vec<_> =
        world.calls().iter().map(|call| call.body["reply_parameters"]["message_id"].as_i64()).collect();
    assert_eq!(answered[0], None);
    assert!(answered[1..].iter().all(|id| *id == Some(1)), "{answered:?}");
    assert_eq!(world.said().await, [event("1.0", "success", None)]);

    deliver_by(&world.sink(), &[digest(0, "2.0")]).await.unwrap();
    let now = world.texts();
    assert_eq!(now.len(), texts.len());
    assert!(now[0].starts_with("day 0 version 2.0\n"));
    assert!(now[1..].iter().all(|text| text == "This part is no longer in the digest."), "{now:?}");
    assert_eq!(world.said().await, [event("1.0", "success", None), event("2.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_message_that_can_be_edited_no_more_is_answered_with_a_correction() {
    let Some(world) = World::new("telegram_frozen").await else { return };
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.bot.freeze(CHAT, 1);
    world.deliver(&[digest(0, "2.0")]).await.unwrap();
    world.deliver(&[digest(0, "3.0")]).await.unwrap();
    let methods = ["sendMessage", "editMessageText", "sendMessage", "editMessageText"];
    assert_eq!(world.methods(), methods);
    let correction = &world.calls()[2].body["reply_parameters"];
    let expected = serde_json::json!({ "message_id": 1, "allow_sending_without_reply": true });
    assert_eq!(correction, &expected);
    let texts = world.texts();
    assert!(
        texts[0].starts_with("day 0 version 1.0\n") && texts[1].starts_with("day 0 version 3.0\n"),
        "{texts:?}"
    );
    let expected = [
        row("1.0", 1, "sent", Some("1")),
        row("2.0", 1, "sent", Some("2")),
        row("3.0", 1, "sent", Some("2")),
    ];
    assert_eq!(world.ledger().await, expected);
    world.database.drop().await;
}

/// A digest of the first day with one line, in so many messages.
fn stating(version: &str, line: &str, message_count: i32) -> schemas::DigestReadyForDelivery {
    let mut ready = digest(0, version);
    ready.delivery_payload.summary = vec![Claim { text: line.to_owned(), message_ids: vec![2] }];
    ready.delivery_payload.message_count = message_count;
    ready
}

#[tokio::test]
async fn an_edited_post_says_what_is_otherwise_than_in_the_post_before_it() {
    let Some(world) = World::new("telegram_changed").await else { return };
    let note = |world: &World| {
        let lines = world.texts()[0].lines().map(str::to_owned).collect::<Vec<_>>();
        lines.into_iter().find(|line| line.starts_with("Updated"))
    };
    let states = [
        ("1.0", "Bo: the garden opens on Thursday", 8, None),
        ("2.0", "Bo: the garden opens on Friday", 8, Some("Updated: now “opens on Friday”")),
        ("3.0", "Bo: the garden opens on Friday", 10, Some("Updated: 2 messages came later")),
        ("4.0", "Bo: the garden opens on Friday", 9, Some("Updated: a message was withdrawn")),
        ("5.0", "Bo: the garden opens on Friday", 9, None),
    ];
    for (version, line, count, expected) in states {
        world.deliver(&[stating(version, line, count)]).await.unwrap();
        assert_eq!(note(&world).as_deref(), expected, "{version}");
    }
    let sql = "SELECT revision FROM deliveries WHERE stated IS NOT NULL";
    let remembered = world.database.rows("t", sql).await;
    let remembered: Vec<i32> = remembered.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    assert_eq!(remembered, [5], "what older versions stated is not kept");

    // What was withdrawn is compared with nothing.
    world.block(blocked("6.0", 2)).await.unwrap();
    assert_eq!(world.database.rows("t", sql).await.len(), 0);
    world.deliver(&[stating("7.0", "Bo: the garden opens", 9)]).await.unwrap();
    assert_eq!(note(&world), None);
    world.database.drop().await;
}

#[tokio::test]
async fn an_edit_that_is_tried_again_says_the_same() {
    let Some(world) = World::new("telegram_changed_again").await else { return };
    world.deliver(&[stating("1.0", "Bo: the garden opens on Thursday", 8)]).await.unwrap();
    world.bot.fault("editMessageText", None, tests::bot_api::Fault::HtmlAfter(502));
    let newer = [stating("2.0", "Bo: the garden opens on Friday", 8)];
    world.deliver(&newer).await.unwrap_err();
    let shown = world.texts();
    world.deliver(&newer).await.unwrap();
    assert_eq!(world.texts(), shown, "the second attempt changes nothing");
    assert!(shown[0].contains("Updated: now “opens on Friday”"), "{shown:?}");
    world.database.drop().await;
}
