//! A newer version that is blocked edits the message to say that it does not hold any more.

use crate::support::{CHAT, World, blocked, digest, event, row};
use sqlx::Row;

const NONE_LEFT: &str = "2024-03-01 (UTC)\n\nThis digest was withdrawn: no messages of this time are left.";

#[tokio::test]
async fn a_digest_whose_window_is_empty_is_edited_to_say_so_and_may_come_back() {
    let Some(world) = World::new("telegram_withdrawn").await else { return };
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.block(blocked("2.0", 0)).await.unwrap();
    // Read again.
    world.block(blocked("2.0", 0)).await.unwrap();
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage", "editMessageText"]);
    assert_eq!(world.texts(), [NONE_LEFT]);
    let rows = [
        row("1.0", 1, "withdrawn", Some("1")),
        row("2.0", 0, "blocked", None),
        row("2.0", 1, "withdrawn", Some("1")),
    ];
    assert_eq!(world.ledger().await, rows);
    assert_eq!(world.said().await, [event("1.0", "success", None), event("1.0", "withdrawn", None)]);

    world.deliver(&[digest(0, "3.0")]).await.unwrap();
    assert!(world.texts()[0].starts_with("day 0 version 3.0\n"));
    assert_eq!(world.said().await[2], event("3.0", "success", None));
    world.database.drop().await;
}

#[tokio::test]
async fn a_version_that_comes_after_a_newer_blocked_one_is_not_posted() {
    let Some(world) = World::new("telegram_blocked_first").await else { return };
    world.block(blocked("2.0", 3)).await.unwrap();
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert_eq!(world.methods().len(), 0);
    assert_eq!(world.ledger().await, [row("1.0", 1, "withdrawn", None), row("2.0", 0, "blocked", None)]);
    assert_eq!(world.said().await, []);
    world.database.drop().await;
}

#[tokio::test]
async fn a_digest_is_withdrawn_where_it_was_posted_and_not_where_the_next_would_be() {
    let Some(world) = World::new("telegram_chats").await else { return };
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    let mut elsewhere = blocked("2.0", 3);
    elsewhere.window.settings.chat = Some("-1009".to_owned());
    elsewhere.window.settings.language = "ru".to_owned();
    world.block(elsewhere).await.unwrap();
    assert_eq!(world.last_call().chat, Some(CHAT));
    let text = "2024-03-01 (UTC)\n\nДайджест отозван: сообщения, о которых он был, изменились.";
    assert_eq!((world.methods().len(), world.texts()), (2, vec![text.to_owned()]));
    world.database.drop().await;
}

#[tokio::test]
async fn a_group_without_the_channel_leaves_nothing_in_the_ledger() {
    let Some(world) = World::new("telegram_no_channel").await else { return };
    let mut of_files = blocked("2.0", 0);
    of_files.window.settings.channels = vec!["file".to_owned()];
    world.block(of_files).await.unwrap();
    let rows = world.database.rows("t", "SELECT count(*) FROM deliveries").await;
    assert_eq!((rows[0].get::<i64, _>(0), world.methods().len()), (0, 0));
    world.database.drop().await;
}
