//! What an operator settles: what is unknown, and targets that refuse.

use crate::{
    database::Database,
    effects::{open, part, state},
    samples::ready,
};
use schemas::{DigestDelivered, DigestReadyForDelivery};
use state::{DeliveryStatus, DisabledTarget, Settled, Settlement};

const NOW_MS: i64 = 1_709_300_000_000;

fn settlement(of: &DigestReadyForDelivery, part: i32, reference: Option<&str>) -> Settlement {
    Settlement {
        tenant_id: of.tenant_id.clone(),
        digest_id: of.digest_id.clone(),
        channel: "telegram".to_owned(),
        chat: None,
        part,
        reference: reference.map(str::to_owned),
    }
}

/// Parts of a digest, in these states.
async fn put(database: &Database, of: &DigestReadyForDelivery, parts: &[DeliveryStatus]) {
    let mut batch = open(&database.store).await;
    for (status, number) in parts.iter().zip(1..) {
        batch.put_effect(&part(of, "-5", number), &state(*status, None)).await.unwrap();
    }
    batch.commit().await.unwrap();
}

/// What was said of deliveries: digest, state, error, when.
async fn said(database: &Database) -> Vec<(String, String, Option<String>, i64)> {
    let rows = database.outbox().await;
    let events = rows.iter().map(|(port, payload)| {
        assert_eq!(port, "delivered");
        serde_json::from_str::<DigestDelivered>(payload).unwrap()
    });
    events.map(|it| (it.digest_id, it.status, it.error, it.delivered_at)).collect()
}

#[tokio::test]
async fn an_unknown_delivery_is_settled_once_and_that_is_said_once() {
    use DeliveryStatus::{Sending, Sent, Unknown};
    let Some(database) = Database::new("unsettled_settle").await else { return };
    let (there, not_there) = (ready("t", 0, "1.0"), ready("t", 1, "1.0"));
    put(&database, &there, &[Unknown]).await;
    put(&database, &not_there, &[Unknown]).await;
    put(&database, &ready("t", 2, "1.0"), &[Sent]).await;
    put(&database, &ready("t", 3, "1.0"), &[Sending]).await;
    let store = &database.store;
    let unknown = store.unknown_deliveries("t").await.unwrap();
    let mut found: Vec<_> =
        unknown.iter().map(|it| (&*it.digest_id, &*it.version, &*it.chat, it.part)).collect();
    found.sort_unstable();
    let mut expected = [(&*there.digest_id, "1.0", "-5", 1), (&*not_there.digest_id, "1.0", "-5", 1)];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(store.unknown_deliveries("other").await.unwrap(), []);

    let settle =
        async |of, reference| store.settle_delivery(&settlement(of, 1, reference), NOW_MS).await.unwrap();
    assert_eq!(settle(&there, Some("7")).await, Settled::Delivered);
    assert_eq!(settle(&not_there, None).await, Settled::NotDelivered);
    assert_eq!(settle(&there, None).await, Settled::NotUnknown);
    assert_eq!(store.unknown_deliveries("t").await.unwrap(), []);
    let error = Some("an operator found that it was not delivered".to_owned());
    assert_eq!(
        said(&database).await,
        [
            (there.digest_id.clone(), "success".to_owned(), None, NOW_MS),
            (not_there.digest_id.clone(), "failed".to_owned(), error, NOW_MS)
        ]
    );
    let mut batch = open(store).await;
    let effects = batch.effects(&part(&there, "-5", 1)).await.unwrap();
    let found: Vec<_> = effects.iter().map(|it| (it.status, it.reference.as_deref())).collect();
    assert_eq!(found, [(Sent, Some("7"))]);
    drop(batch);
    database.drop().await;
}

#[tokio::test]
async fn a_digest_of_which_a_part_is_missing_is_not_called_delivered() {
    use DeliveryStatus::{Planned, Unknown};
    let Some(database) = Database::new("unsettled_parts").await else { return };
    let digest = ready("t", 0, "1.0");
    put(&database, &digest, &[Unknown, Planned]).await;
    let settled = database.store.settle_delivery(&settlement(&digest, 1, Some("7")), NOW_MS).await.unwrap();
    assert_eq!(settled, Settled::Partly);
    assert_eq!(said(&database).await, []);
    database.drop().await;
}

#[tokio::test]
async fn a_letter_that_did_not_arrive_is_no_failure_while_another_did_or_may() {
    use DeliveryStatus::{Failed, Sent, Unknown};
    let Some(database) = Database::new("unsettled_letters").await else { return };
    let (had, lost) = (ready("t", 0, "1.0"), ready("t", 1, "1.0"));
    let put = async |of: &DigestReadyForDelivery, chat: &str, status| {
        let mut batch = open(&database.store).await;
        let letter = state::Delivery { channel: "email", ..part(of, chat, 1) };
        batch.put_effect(&letter, &state(status, None)).await.unwrap();
        batch.commit().await.unwrap();
    };
    for (of, chat, status) in [
        (&had, "a@example.org", Sent),
        (&had, "b@example.org", Unknown),
        (&had, "c@example.org", Unknown),
        (&lost, "a@example.org", Failed),
        (&lost, "b@example.org", Unknown),
        (&lost, "c@example.org", Unknown),
    ] {
        put(of, chat, status).await;
    }
    let settle = async |of: &DigestReadyForDelivery, chat: &str, reference: Option<&str>| {
        let settlement = Settlement {
            channel: "email".to_owned(),
            chat: Some(chat.to_owned()),
            ..settlement(of, 1, reference)
        };
        database.store.settle_delivery(&settlement, NOW_MS).await.unwrap()
    };
    assert_eq!(settle(&had, "b@example.org", None).await, Settled::NotDelivered);
    assert_eq!(settle(&lost, "b@example.org", None).await, Settled::NotDelivered);
    assert_eq!(said(&database).await, [], "of one nobody knows yet, of the other it was said");
    assert_eq!(settle(&lost, "c@example.org", None).await, Settled::NotDelivered);
    // Others have failed: it is delivered all the same.
    assert_eq!(settle(&had, "c@example.org", Some("found")).await, Settled::Delivered);
    let said: Vec<_> =
        said(&database).await.into_iter().map(|(digest, status, ..)| (digest, status)).collect();
    let expected = [(lost.digest_id, "failed".to_owned()), (had.digest_id, "success".to_owned())];
    assert_eq!(said, expected);
    database.drop().await;
}

#[tokio::test]
async fn a_disabled_target_is_listed_and_enabled_once() {
    let Some(database) = Database::new("unsettled_targets").await else { return };
    let ready = ready("t", 0, "1.0");
    let mut batch = open(&database.store).await;
    batch.disable_target(&part(&ready, "-5", 1), "Forbidden").await.unwrap();
    batch.commit().await.unwrap();
    let store = &database.store;
    let target = DisabledTarget {
        channel: "telegram".to_owned(),
        chat: "-5".to_owned(),
        reason: "Forbidden".to_owned(),
    };
    assert_eq!(store.disabled_targets("t").await.unwrap(), [target]);
    assert_eq!(store.disabled_targets("other").await.unwrap(), []);
    assert!(!store.enable_target("other", "telegram", "-5").await.unwrap());
    assert!(store.enable_target("t", "telegram", "-5").await.unwrap());
    assert!(!store.enable_target("t", "telegram", "-5").await.unwrap());
    assert_eq!(store.disabled_targets("t").await.unwrap(), []);
    database.drop().await;
}
