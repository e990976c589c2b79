//! Links between chats and groups.

use crate::database::Database;
use state::TelegramChat;

fn chat(chat_id: i64, group_id: &str) -> TelegramChat {
    TelegramChat { chat_id, tenant_id: "acme".to_owned(), group_id: group_id.to_owned() }
}

#[tokio::test]
async fn a_chat_is_one_group_until_it_is_unlinked() {
    let Some(database) = Database::new("telegram_chats").await else { return };
    let store = &database.store;
    let (garden, shed) = (chat(-1001, "garden"), chat(-1002, "shed"));
    assert!(store.link_telegram_chat(&garden).await.unwrap());
    assert!(store.link_telegram_chat(&shed).await.unwrap());
    assert!(!store.link_telegram_chat(&chat(-1001, "other")).await.unwrap(), "linked already");
    assert_eq!(store.telegram_chats(&[-1001, -1003]).await.unwrap(), std::slice::from_ref(&garden));
    assert_eq!(store.all_telegram_chats().await.unwrap(), [shed.clone(), garden.clone()]);
    assert_eq!(store.unlink_telegram_chat(-1001).await.unwrap(), Some(garden));
    assert_eq!(store.unlink_telegram_chat(-1001).await.unwrap(), None);
    assert_eq!(store.telegram_chats(&[-1001, -1002]).await.unwrap(), [shed]);
    database.drop().await;
}
