//! What Telegram refuses: tried again, done otherwise, or failed by name.

use crate::support::{CHAT, READY, World, deliver_by, digest, event, later, partition, row};
use runtime::{Sink, SinkError};
use tests::bot_api::{Chat, Fault, Kind, Membership};

#[tokio::test]
async fn what_was_not_done_is_tried_again_and_done_once() {
    let Some(world) = World::new("telegram_again").await else { return };
    let faults = [
        (Fault::Html(502), "it answers 502 Bad Gateway with something that is not the Bot API's"),
        (Fault::Refuse(500, "Internal Server Error".to_owned()), "Internal Server Error"),
    ];
    for (fault, why) in faults {
        world.bot.fault("sendMessage", None, fault);
        assert_eq!(later(world.deliver(&[digest(0, "1.0")]).await), format!("messages to Telegram: {why}"));
        assert_eq!(world.ledger().await, [row("1.0", 1, "planned", None)]);
    }
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert_eq!((world.methods().len(), world.texts().len()), (3, 1));
    assert_eq!(world.said().await, [event("1.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for() {
    let Some(world) = World::new("telegram_away").await else { return };
    let World { database, bot } = world;
    let settings = runtime::config::Telegram {
        token: Some("1:x".into()),
        api: "http://127.0.0.1:1".to_owned(),
        ..runtime::config::Telegram::default()
    };
    let api = telegram_sink::BotApi::new(&settings).unwrap();
    let sink = telegram_sink::TelegramSink::new(database.store.clone(), crate::database::CLUSTER, api);
    let why = later(deliver_by(&sink, &[digest(0, "1.0")]).await);
    assert!(why.contains("error sending request") && !why.contains("1:x"), "{why}");
    let world = World { database, bot };
    assert_eq!(world.ledger().await, [row("1.0", 1, "planned", None)]);
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert_eq!(world.texts().len(), 1);
    world.database.drop().await;
}

#[tokio::test]
async fn a_chat_that_asks_to_wait_is_left_alone_and_others_are_not() {
    let Some(world) = World::new("telegram_wait").await else { return };
    world.bot.add_chat(Chat::new(-1_009, Kind::Supergroup, "Other"));
    world.bot.fault("sendMessage", Some(CHAT), Fault::TooMany(35));
    let mut other = digest(1, "1.0");
    other.window.settings.chat = Some("-1009".to_owned());
    let (sink, batch) = (world.sink(), [digest(0, "1.0"), other]);
    let why = later(deliver_by(&sink, &batch).await);
    assert_eq!(why, "messages to Telegram: Telegram asks to wait for 35s");
    assert_eq!((world.texts().len(), world.bot.posts(-1_009).len()), (0, 1));
    let why = later(deliver_by(&sink, &batch).await);
    assert_eq!(why, "messages to Telegram: the chat takes no further message for now");
    assert_eq!(world.methods().len(), 2, "nothing was asked for meanwhile");
    // Whoever starts anew does not know of it; Telegram would say so again.
    world.deliver(&batch).await.unwrap();
    assert_eq!((world.texts().len(), world.bot.posts(-1_009).len()), (1, 1));
    world.database.drop().await;
}

#[tokio::test]
async fn what_comes_before_a_message_that_waits_is_passed_and_the_chat_keeps_its_order() {
    let Some(world) = World::new("telegram_prefix").await else { return };
    world.bot.add_chat(Chat::new(-1_009, Kind::Supergroup, "Other"));
    world.bot.fault("sendMessage", Some(CHAT), Fault::TooMany(35));
    let elsewhere = |day| {
        let mut other = digest(day, "1.0");
        other.window.settings.chat = Some("-1009".to_owned());
        other
    };
    let batch = [elsewhere(0), digest(1, "1.0"), elsewhere(2), digest(3, "1.0")];
    let why = later(world.deliver(&batch).await);
    assert_eq!(why, "messages to Telegram: Telegram asks to wait for 35s");
    assert_eq!((world.texts().len(), world.bot.posts(-1_009).len()), (0, 2));
    assert_eq!(world.methods().len(), 3, "the second message to the chat waits behind the first");
    let claim = world.sink().claim(&partition(READY)).await.unwrap();
    assert_eq!(claim.next_offset, 1);

    deliver_by(&world.sink(), &batch[1..]).await.unwrap();
    let texts = world.texts();
    assert!(texts[0].starts_with("day 1 ") && texts[1].starts_with("day 3 "), "{texts:?}");
    assert_eq!((world.bot.posts(-1_009).len(), world.said().await.len()), (2, 4));
    world.database.drop().await;
}

#[tokio::test]
async fn entities_that_are_refused_are_left_out_once() {
    let Some(world) = World::new("telegram_plain").await else { return };
    let refusal = || Fault::Refuse(400, "Bad Request: ENTITY_BOUNDS_INVALID".to_owned());
    world.bot.fault("sendMessage", None, refusal());
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    let calls = world.calls();
    assert!(calls[0].body["entities"].is_array() && calls[1].body["entities"].is_null(), "{calls:?}");
    assert_eq!((calls.len(), world.texts().len()), (2, 1));
    for _ in 0..2 {
        world.bot.fault("sendMessage", None, refusal());
    }
    world.deliver(&[digest(1, "1.0")]).await.unwrap();
    assert_eq!(world.methods().len(), 4);
    let failed = event("1.0", "failed", Some("Bad Request: ENTITY_BOUNDS_INVALID"));
    assert_eq!(world.said().await, [event("1.0", "success", None), failed]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_chat_that_the_bot_was_thrown_out_of_is_disabled_by_name_until_it_is_enabled() {
    let Some(world) = World::new("telegram_kicked").await else { return };
    world.bot.set_membership(CHAT, Membership::Kicked);
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.deliver(&[digest(0, "1.0"), digest(1, "1.0")]).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage"]);
    let why = "Forbidden: bot was kicked from the supergroup chat";
    let disabled = format!("the target is disabled: {why}");
    let failures = [event("1.0", "failed", Some(why)), event("1.0", "failed", Some(&disabled))];
    assert_eq!(world.said().await, failures);
    let targets = world.database.store.disabled_targets("t").await.unwrap();
    assert_eq!(targets.iter().map(|it| (&*it.chat, &*it.reason)).collect::<Vec<_>>(), [("-1001234", why)]);

    world.bot.set_membership(CHAT, Membership::Member);
    assert!(world.database.store.enable_target("t", "telegram", "-1001234").await.unwrap());
    world.deliver(&[digest(0, "2.0")]).await.unwrap();
    assert_eq!(world.texts().len(), 1);
    world.database.drop().await;
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed() {
    let Some(world) = World::new("telegram_moved").await else { return };
    world.bot.add_chat(Chat::new(-77, Kind::Group, "Small"));
    let of = |day, version: &str| {
        let mut ready = digest(day, version);
        ready.window.settings.chat = Some("-77".to_owned());
        ready
    };
    world.deliver(&[of(0, "1.0")]).await.unwrap();
    let supergroup = world.bot.migrate(-77);
    // Messages from before are in the chat that was left, where nobody can edit them.
    world.deliver(&[of(0, "2.0")]).await.unwrap();
    world.deliver(&[of(0, "3.0")]).await.unwrap();
    let made: Vec<_> = world.calls().iter().map(|call| (call.method.clone(), call.chat)).collect();
    let expected = [
        ("sendMessage", -77),
        ("editMessageText", -77),
        ("sendMessage", supergroup),
        ("editMessageText", supergroup),
    ];
    assert_eq!(made, expected.map(|(method, chat)| (method.to_owned(), Some(chat))));
    let posts = world.bot.posts(supergroup);
    assert!(posts[0]["text"].as_str().unwrap().starts_with("day 0 version 3.0\n"), "{posts:?}");
    assert_eq!(posts.len(), 1);
    world.database.drop().await;
}

#[tokio::test]
async fn a_group_without_a_chat_fails_by_name() {
    let Some(world) = World::new("telegram_nowhere").await else { return };
    let of = |day, chat: Option<&str>| {
        let mut ready = digest(day, "1.0");
        ready.window.settings.chat = chat.map(str::to_owned);
        ready
    };
    world.deliver(&[of(0, None), of(1, Some("https://t.me/team"))]).await.unwrap();
    let failures = [
        event("1.0", "failed", Some("the group's settings name no chat")),
        event(
            "1.0",
            "failed",
            Some("the chat in the group's settings is neither a number nor @name, maybe with /TOPIC"),
        ),
    ];
    assert_eq!(world.said().await, failures);
    assert_eq!(world.methods().len(), 0);
    world.database.drop().await;
}

#[tokio::test]
async fn a_topic_that_is_gone_fails_the_digest_and_not_the_chat() {
    let Some(world) = World::new("telegram_no_topic").await else { return };
    let mut ready = digest(0, "1.0");
    ready.window.settings.chat = Some(format!("{CHAT}/45"));
    world.deliver(&[ready, digest(1, "1.0")]).await.unwrap();
    let why = "Bad Request: message thread not found";
    assert_eq!(world.said().await, [event("1.0", "failed", Some(why)), event("1.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_token_that_is_revoked_is_named_and_nothing_is_lost() {
    let Some(world) = World::new("telegram_revoked").await else { return };
    world.bot.revoke(true);
    let why = later(world.deliver(&[digest(0, "1.0")]).await);
    assert_eq!(why, "messages to Telegram: the bot's token in telegram.token is refused: Unauthorized");
    world.bot.revoke(false);
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert_eq!((world.texts().len(), world.said().await), (1, vec![event("1.0", "success", None)]));
    world.database.drop().await;
}

#[tokio::test]
async fn a_digest_that_the_ledger_cannot_hold_is_poison_before_anything_is_posted() {
    let Some(world) = World::new("telegram_poison").await else { return };
    let mut bad = digest(0, "1.0");
    bad.version = "one".to_owned();
    let error = world.deliver(&[bad]).await.unwrap_err();
    assert!(matches!(error, SinkError::Poison { offset: 0, reason: "bad_version", .. }), "{error:?}");
    assert_eq!(world.methods().len(), 0);
    world.database.drop().await;
}

#[tokio::test]
async fn a_server_that_fails_again_and_again_is_not_asked_for_every_chat() {
    let Some(world) = World::new("telegram_breaker").await else { return };
    let to_a_chat = |day: i64| {
        let mut ready = digest(day, "1.0");
        ready.window.settings.chat = Some((CHAT - 1 - day).to_string());
        ready
    };
    let batch: Vec<_> = (0..12).map(to_a_chat).collect();
    for _ in &batch {
        world.bot.fault("sendMessage", None, Fault::Html(502));
    }
    let sink = world.sink();
    let why = later(deliver_by(&sink, &batch).await);
    assert!(why.contains("502"), "{why}");
    assert_eq!(world.methods().len(), 5);
    let why = later(deliver_by(&sink, &batch).await);
    assert!(why.contains("it is asked once in a while until it answers"), "{why}");
    assert_eq!(world.methods().len(), 5, "nothing was asked for meanwhile");
    let planned = world.ledger().await.iter().filter(|row| row.2 == "planned").count();
    assert_eq!((planned, world.said().await.len()), (5, 0));
    world.database.drop().await;
}
