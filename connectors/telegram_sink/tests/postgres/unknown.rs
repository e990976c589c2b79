//! What may have been posted is never posted again, and says so until an operator settles it.

use crate::{
    database::{CLUSTER, partition as stored_partition},
    support::{CHAT, READY, World, deliver_by, digest, event, later, partition, ready_batch, row},
};
use runtime::{Sink, SinkError};
use schemas::DigestReadyForDelivery;
use state::{
    BatchBounds, Delivery, DeliveryStatus, EffectState, Opened, Settled, Settlement, UnknownDelivery,
};
use tests::bot_api::Fault;

const NOW_MS: i64 = 1_709_300_000_000;

fn settlement(of: &UnknownDelivery, reference: Option<&str>) -> Settlement {
    Settlement {
        tenant_id: "t".to_owned(),
        digest_id: of.digest_id.clone(),
        channel: "telegram".to_owned(),
        chat: None,
        part: of.part,
        reference: reference.map(str::to_owned),
    }
}

/// What a sink leaves behind that dies once `sending` is committed.
async fn die_while_sending(world: &World, ready: &DigestReadyForDelivery, reference: Option<&str>) {
    let partition = stored_partition("telegram_sink", READY);
    let claim = world.database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    let Opened::Batch(mut open) = world.database.store.open_batch(&bounds).await.unwrap() else {
        panic!("written")
    };
    let delivery = Delivery {
        tenant_id: "t",
        group_id: "g",
        window_id: &ready.window_id,
        digest_id: &ready.digest_id,
        version: ready.version.parse().unwrap(),
        channel: "telegram",
        chat: "-1001234",
        part: 1,
    };
    let sending = EffectState { status: DeliveryStatus::Sending, reference, error: None };
    open.put_effect(&delivery, &sending).await.unwrap();
    open.commit_without_offset().await.unwrap();
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_unknown_and_never_posted_again() {
    let Some(world) = World::new("telegram_lost").await else { return };
    for fault in [Fault::CloseAfter, Fault::HtmlAfter(504), Fault::GarbageAfter("{}".to_owned())] {
        let day = world.methods().len() as i64;
        world.bot.fault("sendMessage", None, fault);
        world.deliver(&[digest(day, "1.0")]).await.unwrap();
        // Read again, as after a reset, and by another process.
        world.deliver(&[digest(day, "1.0")]).await.unwrap();
    }
    assert_eq!((world.methods().len(), world.texts().len()), (3, 3));
    assert_eq!(world.ledger().await, vec![row("1.0", 1, "unknown", None); 3]);
    assert_eq!(world.said().await, []);
    world.database.drop().await;
}

#[tokio::test]
async fn a_newer_version_waits_for_the_operator_and_then_edits() {
    let Some(world) = World::new("telegram_settled").await else { return };
    world.bot.fault("sendMessage", None, Fault::CloseAfter);
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.deliver(&[digest(0, "2.0")]).await.unwrap();
    let held = "nobody knows whether version 1.0 was posted: see gistmill delivery ls";
    assert_eq!(world.said().await, [event("2.0", "failed", Some(held))]);
    assert_eq!(world.methods().len(), 1);

    let store = &world.database.store;
    let [unknown] = &store.unknown_deliveries("t").await.unwrap()[..] else { panic!("one") };
    let message = world.bot.posts(CHAT)[0]["message_id"].to_string();
    let settled = store.settle_delivery(&settlement(unknown, Some(&message)), NOW_MS).await.unwrap();
    assert_eq!(settled, Settled::Delivered);
    world.deliver(&[digest(0, "3.0")]).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage", "editMessageText"]);
    assert!(world.texts()[0].starts_with("day 0 version 3.0\n"), "{:?}", world.texts());
    world.database.drop().await;
}

#[tokio::test]
async fn what_an_operator_did_not_find_is_posted_by_the_next_version() {
    let Some(world) = World::new("telegram_not_there").await else { return };
    die_while_sending(&world, &digest(0, "1.0"), None).await;
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert_eq!(world.methods().len(), 0, "nobody knows whether it was posted");
    assert_eq!(world.ledger().await, [row("1.0", 1, "unknown", None)]);
    let store = &world.database.store;
    let unknown = store.unknown_deliveries("t").await.unwrap();
    assert_eq!(unknown[0].error.as_deref(), Some("the sink ended before it knew"));
    store.settle_delivery(&settlement(&unknown[0], None), NOW_MS).await.unwrap();
    world.deliver(&[digest(0, "1.0"), digest(0, "2.0")]).await.unwrap();
    assert_eq!(world.methods(), ["sendMessage"]);
    let why = Some("an operator found that it was not delivered");
    assert_eq!(world.said().await, [event("1.0", "failed", why), event("2.0", "success", None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn an_edit_of_which_nobody_knows_is_made_again() {
    let Some(world) = World::new("telegram_edit_lost").await else { return };
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.bot.fault("editMessageText", None, Fault::CloseAfter);
    let why = later(world.deliver(&[digest(0, "2.0")]).await);
    assert!(why.starts_with("messages to Telegram: error sending request"), "{why}");
    assert_eq!(world.ledger().await[1], row("2.0", 1, "sending", Some("1")));
    world.deliver(&[digest(0, "2.0")]).await.unwrap();
    die_while_sending(&world, &digest(0, "3.0"), Some("1")).await;
    world.deliver(&[digest(0, "3.0")]).await.unwrap();
    let success = |version| event(version, "success", None);
    assert_eq!(world.said().await, [success("1.0"), success("2.0"), success("3.0")]);
    assert_eq!(world.methods().iter().filter(|method| *method == "sendMessage").count(), 1);
    assert!(world.texts()[0].starts_with("day 0 version 3.0\n"));
    world.database.drop().await;
}

#[tokio::test]
async fn a_zombie_posts_nothing() {
    let Some(world) = World::new("telegram_zombie").await else { return };
    let (zombie, successor) = (world.sink(), world.sink());
    let claim = zombie.claim(&partition(READY)).await.unwrap();
    deliver_by(&successor, &[digest(0, "1.0")]).await.unwrap();
    let error = zombie.write(&ready_batch(claim, &[digest(0, "1.0"), digest(1, "1.0")])).await.unwrap_err();
    assert!(matches!(error, SinkError::Fenced), "{error:?}");
    assert_eq!(world.methods(), ["sendMessage"]);
    world.database.drop().await;
}

#[tokio::test]
async fn an_operator_may_rather_have_a_digest_twice_than_never_and_has_it_twice_at_most() {
    let Some(world) = World::new("telegram_resend").await else { return };
    let settings =
        runtime::config::Telegram { unknown: runtime::config::Unknown::Resend, ..world.settings() };
    let sink = world.sink_with(&settings);
    world.bot.fault("sendMessage", Some(CHAT), Fault::CloseAfter);
    deliver_by(&sink, &[digest(0, "1.0")]).await.unwrap();
    assert_eq!(world.texts().len(), 2, "the one whose answer was lost is there, and another");
    assert_eq!(world.ledger().await, [row("1.0", 1, "sent", Some("2"))]);
    for _ in 0..2 {
        world.bot.fault("sendMessage", Some(CHAT), Fault::CloseAfter);
    }
    deliver_by(&sink, &[digest(1, "1.0")]).await.unwrap();
    deliver_by(&sink, &[digest(1, "1.0")]).await.unwrap();
    assert_eq!(world.texts().len(), 4, "lost again, it waits for an operator");
    let unknown = world.database.store.unknown_deliveries("t").await.unwrap();
    assert_eq!(
        unknown.iter().map(|it| it.digest_id.clone()).collect::<Vec<_>>(),
        [digest(1, "1.0").digest_id]
    );
    // One that a killed sink has begun is posted once more too.
    die_while_sending(&world, &digest(2, "1.0"), None).await;
    deliver_by(&sink, &[digest(2, "1.0")]).await.unwrap();
    assert_eq!(world.texts().len(), 5);
    world.database.drop().await;
}
