//! Chats that sessions read, and how sessions end.

use crate::{
    database::Database,
    messages::write_group,
    samples::{START, message},
};
use state::{ChatTaken, KeyName, SealedKey, SessionChat, TelegramChat};

fn chat(chat_id: i64, group_id: &str, user_id: i64) -> SessionChat {
    SessionChat {
        chat: TelegramChat { chat_id, tenant_id: "acme".to_owned(), group_id: group_id.to_owned() },
        user_id,
        access_hash: 9,
        title: "Garden".to_owned(),
        begin_pts: Some(7),
        begin_message: 5,
        history_from: None,
        taken_at: 0,
    }
}

#[tokio::test]
async fn a_chat_is_read_in_one_way_and_its_session_goes_with_its_link() {
    let Some(database) = Database::new("telegram_sessions").await else { return };
    let store = &database.store;
    let garden = chat(-1001, "garden", 42);
    store.link_telegram_chat(&garden.chat).await.unwrap();
    assert_eq!(store.chats_of_sessions(&[-1001]).await.unwrap(), [].into(), "a bot reads it");
    assert_eq!(store.take_chat(&garden, None).await.unwrap(), ChatTaken::Read { from_bot: true });
    assert_eq!(store.chats_of_sessions(&[-1001, -1002]).await.unwrap(), [-1001].into());
    assert_eq!(store.take_chat(&chat(-1001, "garden", 43), None).await.unwrap(), ChatTaken::ReadBy(42));
    let refused = store.take_chat(&chat(-1001, "other", 43), None).await.unwrap();
    assert_eq!(refused, ChatTaken::OfAnotherGroup(garden.chat.clone()));
    assert_eq!(
        store.take_chat(&chat(-1002, "garden", 42), None).await.unwrap(),
        ChatTaken::GroupHasChat(-1001)
    );
    let followed = store.take_chat(&chat(-1002, "garden", 42), Some(-1001)).await.unwrap();
    assert_eq!(followed, ChatTaken::Read { from_bot: false });
    let read: Vec<i64> = store.session_chats().await.unwrap().iter().map(|read| read.chat.chat_id).collect();
    assert_eq!(read, [-1002, -1001]);
    let found = store.session_chats().await.unwrap().pop().unwrap();
    assert_eq!(SessionChat { taken_at: 0, ..found }, garden);
    store.unlink_telegram_chat(-1001).await.unwrap();
    assert_eq!(store.chats_of_sessions(&[-1001]).await.unwrap(), [].into());
    database.drop().await;
}

#[tokio::test]
async fn why_a_session_is_over_is_kept_until_it_is_logged_in_again() {
    let Some(database) = Database::new("telegram_sessions_end").await else { return };
    let store = &database.store;
    let name = KeyName {
        tenant_id: "acme".to_owned(),
        owner: "user42".to_owned(),
        provider: "telegram session".to_owned(),
    };
    let key = |id: u8| SealedKey {
        id: vec![id],
        master_id: "m".to_owned(),
        salt: vec![1],
        nonce: vec![2],
        ciphertext: vec![3],
    };
    store.put_provider_key(&name, &key(1), "reads chats").await.unwrap();
    assert!(!store.end_session(&name, &[2], "banned").await.unwrap(), "another login");
    assert!(store.end_session(&name, &[1], "banned").await.unwrap());
    assert_eq!(store.ended_sessions("acme").await.unwrap()["user42"], "banned");
    assert_eq!(store.provider_keys("acme").await.unwrap()[0].key.ciphertext, [0_u8; 0]);
    store.put_provider_key(&name, &key(2), "reads chats").await.unwrap();
    assert!(store.ended_sessions("acme").await.unwrap().is_empty());
    database.drop().await;
}

#[tokio::test]
async fn a_message_is_placed_by_its_newest_revision() {
    let Some(database) = Database::new("telegram_sessions_placed").await else { return };
    let states = [
        (3, message(1, 0, "new", "a")),
        (3, message(2, 0, "new", "b")),
        (7, message(2, 9, "edited", "c")),
        (8, message(1, 1, "deleted", "")),
    ];
    write_group(&database.store, "garden", &states).await;
    let placed = database.store.placed_messages(("t", "garden"), &[1, 2, 3]).await.unwrap();
    assert_eq!(placed, [(2, START + 2_000, 9)], "one is gone, one was never there");
    assert_eq!(database.store.placed_messages(("u", "garden"), &[2]).await.unwrap(), []);
    database.drop().await;
}
