//! Codes that link a chat to a group, once.

use crate::database::Database;
use sqlx::Row;
use state::{Redeemed, TelegramChat};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_code_links_one_chat_once_and_the_same_command_finds_that_again() {
    let Some(database) = Database::new("link_codes").await else { return };
    let store = &database.store;
    store.make_link_code(b"one", ("acme", "garden"), HOUR).await.unwrap();
    let redeem =
        async |hash: &[u8], chat, command| store.redeem_link_code(hash, chat, command).await.unwrap();
    assert_eq!(redeem(b"two", -1001, "c1").await, Redeemed::NoCode);
    assert_eq!(redeem(b"one", -1001, "c2").await, Redeemed::Linked);
    assert_eq!(redeem(b"one", -1001, "c2").await, Redeemed::Linked, "killed before it had said so");
    assert_eq!(redeem(b"one", -1002, "c3").await, Redeemed::NoCode, "used");
    let garden = TelegramChat { chat_id: -1001, tenant_id: "acme".to_owned(), group_id: "garden".to_owned() };
    assert_eq!(store.all_telegram_chats().await.unwrap(), [garden]);

    store.make_link_code(b"shed", ("acme", "shed"), HOUR).await.unwrap();
    assert_eq!(redeem(b"shed", -1001, "c4").await, Redeemed::OfAnotherGroup);
    assert_eq!(redeem(b"shed", -1003, "c5").await, Redeemed::Linked, "it was not used up");
    store.make_link_code(b"again", ("acme", "garden"), HOUR).await.unwrap();
    assert_eq!(redeem(b"again", -1001, "c6").await, Redeemed::Linked, "linked already, to the same group");
    database.drop().await;
}

#[tokio::test]
async fn a_code_is_over_after_its_time_and_forgotten_later() {
    let Some(database) = Database::new("link_codes_over").await else { return };
    let store = &database.store;
    store.make_link_code(b"over", ("acme", "garden"), Duration::ZERO).await.unwrap();
    assert_eq!(store.redeem_link_code(b"over", -1001, "c1").await.unwrap(), Redeemed::NoCode);
    assert_eq!(store.all_telegram_chats().await.unwrap(), []);
    let mut owner = database.owner().await;
    sqlx::query("UPDATE link_codes SET expires_at = now() - interval '3 days'")
        .execute(&mut owner)
        .await
        .unwrap();
    store.make_link_code(b"new", ("acme", "garden"), HOUR).await.unwrap();
    let kept = sqlx::query("SELECT code_hash FROM link_codes").fetch_all(&mut owner).await.unwrap();
    assert_eq!(kept.iter().map(|row| row.get::<Vec<u8>, _>(0)).collect::<Vec<_>>(), [b"new"]);
    database.drop().await;
}
