//! A digest that somebody asked for alone: seen by nobody else, whatever the server takes.

use crate::support::{CHAT, World, digest, event, row};
use schemas::{DigestReadyForDelivery, Version, WindowRef};
use tests::bot_api::{Chat, Fault, Kind, Membership};

const ANN: i64 = 7;

/// What Ann missed.
fn missed() -> DigestReadyForDelivery {
    let mut ready = digest(0, "1.1");
    let settings = schemas::GroupSettings {
        channels: vec!["telegram".to_owned()],
        chat: Some(format!("{CHAT}/3+{ANN}")),
        ..ready.window.settings.clone()
    };
    ready.channels.clone_from(&settings.channels);
    let bounds = (ready.window.window_start, ready.window.window_end);
    ready.window = WindowRef { message_count: 9, ..WindowRef::asked(bounds, "command:user7", settings) };
    ready
}

async fn world(test: &str) -> Option<World> {
    let world = World::new(test).await?;
    world.bot.add_chat(Chat::new(CHAT, Kind::Forum, "Team").topic(3, "Seeds"));
    Some(world)
}

#[tokio::test]
async fn where_the_server_has_messages_for_one_person_the_chat_shows_it_to_that_one() {
    let Some(world) = world("telegram_ephemeral").await else { return };
    world.bot.take_ephemeral(true);
    world.bot.take_rich(true);
    world.deliver(&[missed()]).await.unwrap();
    let [whisper] = &world.bot.whispers(CHAT, ANN)[..] else { panic!("not one") };
    assert!(whisper["entities"].to_string().contains("https://t.me/c/1234/"), "{whisper}");
    assert!(world.texts().is_empty(), "nobody else sees it");
    assert_eq!(world.last_call().body["message_thread_id"], 3);
    assert_eq!(world.ledger().await, [row("1.1", 1, "sent", Some("ephemeral:1"))]);
    assert_eq!(world.said().await, [event("1.1", "success", None)]);
    world.deliver(&[missed()]).await.unwrap();
    assert_eq!(world.methods().len(), 1, "once");
    world.database.drop().await;
}

#[tokio::test]
async fn elsewhere_it_comes_in_the_private_chat() {
    let Some(world) = world("telegram_private").await else { return };
    world.bot.add_chat(Chat::new(ANN, Kind::Private, "Ann"));
    world.deliver(&[missed()]).await.unwrap();
    let [post] = &world.bot.posts(ANN)[..] else { panic!("not one") };
    assert!(post["message_thread_id"].is_null() && post["reply_to_message"].is_null(), "{post}");
    assert!(world.texts().is_empty());
    // The server has learnt it, and does not let this bot.
    world.bot.take_ephemeral(true);
    world.bot.fault("sendMessage", Some(CHAT), Fault::Refuse(403, "Forbidden: not here".to_owned()));
    let mut later = missed();
    later.window_id = "later".to_owned();
    world.deliver(&[later]).await.unwrap();
    assert_eq!((world.bot.posts(ANN).len(), world.bot.whispers(CHAT, ANN).len()), (2, 0));
    world.database.drop().await;
}

#[tokio::test]
async fn who_cannot_be_reached_is_told_in_the_chat_how_that_is_done() {
    let Some(world) = world("telegram_unreached").await else { return };
    let mut ann = Chat::new(ANN, Kind::Private, "Ann");
    world.bot.add_chat(ann.clone());
    world.bot.set_membership(ANN, Membership::Left);
    world.deliver(&[missed()]).await.unwrap();
    let [told] = &world.texts()[..] else { panic!("not one") };
    assert!(told.contains("press Start"), "{told}");
    assert_eq!(world.bot.posts(CHAT)[0]["message_thread_id"], 3);
    let why = "the bot may not write to the one who asked, which the chat was told";
    assert_eq!(world.said().await, [event("1.1", "failed", Some(why))]);
    assert_eq!(world.ledger().await, [row("1.1", 1, "sent", Some("1"))]);
    // Nothing is disabled: who has pressed Start gets the next one.
    ann = Chat::new(ANN, Kind::Private, "Ann");
    world.bot.add_chat(ann);
    let mut later = missed();
    later.window_id = "later".to_owned();
    world.deliver(&[later]).await.unwrap();
    assert_eq!((world.bot.posts(ANN).len(), world.texts().len()), (1, 1));
    assert_eq!(missed().version, Version { revision: 1, attempt: 1 }.to_string());
    world.database.drop().await;
}
