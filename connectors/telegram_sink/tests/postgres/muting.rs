//! A muted chat gets no digest of a window that ended while it was.

use crate::support::{CHAT, World, blocked, digest, event, row};
use state::Mute;

async fn mute(world: &World, at_ms: i64, until_ms: i64) {
    let group_id = digest(0, "1.0").group_id;
    let (tenant_id, chat) = ("t".to_owned(), CHAT.to_string());
    let mute = Mute { tenant_id, group_id, chat, at_ms, message_id: at_ms, until_ms };
    world.database.store.mute_chat(&mute).await.unwrap();
}

#[tokio::test]
async fn versions_of_a_window_that_ended_while_its_chat_was_muted_are_never_posted() {
    let Some(world) = World::new("telegram_muted").await else { return };
    let (first, second) = (digest(0, "1.0").window.window_end, digest(1, "1.0").window.window_end);
    mute(&world, first, second).await;
    world.deliver(&[digest(0, "1.0"), digest(1, "1.0")]).await.unwrap();
    // What is decided stays so, after /unmute and for a newer version.
    mute(&world, second + 1, second + 1).await;
    world.deliver(&[digest(0, "1.0"), digest(0, "2.0")]).await.unwrap();
    world.block(blocked("3.0", 0)).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage"]);
    assert!(world.texts()[0].starts_with("day 1 version 1.0\n"), "{:?}", world.texts());
    let mut ledger = world.ledger().await;
    ledger.retain(|it| it.2 != "sent");
    assert_eq!(
        ledger,
        [row("1.0", 1, "muted", None), row("2.0", 1, "muted", None), row("3.0", 0, "blocked", None)]
    );
    assert_eq!(world.said().await, [event("1.0", "success", None)], "of what was not posted nothing is said");
    world.database.drop().await;
}

#[tokio::test]
async fn what_is_in_the_chat_goes_on_being_edited_and_who_asks_is_answered() {
    let Some(world) = World::new("telegram_muted_edits").await else { return };
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    mute(&world, 0, i64::MAX).await;
    let mut asked = digest(1, "1.0");
    asked.window.size_hours = 0;
    asked.window.settings.chat = Some(format!("{CHAT}/45"));
    world.bot.add_chat(tests::bot_api::Chat::new(CHAT, tests::bot_api::Kind::Forum, "Team").topic(45, "T"));
    world.deliver(&[asked]).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage", "sendMessage"]);
    let mut topic = digest(2, "1.0");
    topic.window.settings.chat = Some(format!("{CHAT}/45"));
    world.deliver(&[topic]).await.unwrap();
    assert_eq!(world.methods().len(), 2, "a chat is muted in all of its topics");
    world.deliver(&[digest(0, "2.0")]).await.unwrap();
    assert_eq!(world.methods().pop().as_deref(), Some("editMessageText"));
    world.database.drop().await;
}
