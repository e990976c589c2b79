//! Chats that get no digests for a while.

use crate::{
    database::Database,
    effects::{open, part},
    samples::ready,
};
use state::{DeliveryStatus, EffectState, Mute, MutedDelivery};

fn mute(at_ms: i64, message_id: i64, until_ms: i64) -> Mute {
    let (tenant_id, group_id, chat) = ("t".to_owned(), "g".to_owned(), "-5".to_owned());
    Mute { tenant_id, group_id, chat, at_ms, message_id, until_ms }
}

#[tokio::test]
async fn the_newest_command_up_to_a_time_says_what_holds_then() {
    let Some(database) = Database::new("mutes").await else { return };
    let store = &database.store;
    // As they may come: the last one first, and one of them twice.
    for command in
        [mute(500, 9, 500), mute(100, 1, 200), mute(300, 2, 900), mute(300, 2, 900), mute(300, 3, 400)]
    {
        store.mute_chat(&command).await.unwrap();
    }
    let mut batch = open(store).await;
    let mut until = async |chat: &str, at| batch.muted_until(("t", "g"), chat, at).await.unwrap();
    for (at, expected) in [
        (99, None),
        (100, Some(200)),
        (199, Some(200)),
        (200, None),
        (300, Some(400)),
        (399, Some(400)),
        (450, None),
        (500, None),
        (600, None),
    ] {
        assert_eq!(until("-5", at).await, expected, "at {at}");
    }
    assert_eq!(until("-6", 150).await, None, "another chat");
    assert_eq!(batch.muted_until(("other", "g"), "-5", 150).await.unwrap(), None, "another tenant");
    batch.abandon().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn what_a_muted_chat_did_not_get_is_listed() {
    let Some(database) = Database::new("mutes_listed").await else { return };
    let of = ready("t", 0, "2.0");
    let mut batch = open(&database.store).await;
    let state = EffectState { status: DeliveryStatus::Muted, reference: None, error: Some("muted") };
    batch.put_effect(&part(&of, "-5", 1), &state).await.unwrap();
    let sent = EffectState { status: DeliveryStatus::Sent, reference: Some("7"), error: None };
    batch.put_effect(&part(&of, "-6", 1), &sent).await.unwrap();
    batch.commit().await.unwrap();
    let expected = MutedDelivery {
        group_id: of.group_id.clone(),
        digest_id: of.digest_id.clone(),
        version: "2.0".to_owned(),
        channel: "telegram".to_owned(),
        chat: "-5".to_owned(),
        error: Some("muted".to_owned()),
    };
    assert_eq!(database.store.muted_deliveries("t", 10).await.unwrap(), [expected]);
    assert_eq!(database.store.muted_deliveries("other", 10).await.unwrap(), []);
    database.drop().await;
}
