//! Deliveries that wait: one try at a time, given back by who began it, and gone with what they tell.

use crate::{
    database::{CLUSTER, Database, partition},
    messages::write_group,
    samples::{message, ready},
};
use schemas::{Author, DigestReadyForDelivery, Message};
use state::{
    BatchBounds, Delivery, DeliveryStatus, Due, EffectState, Eraser, ErasureScope, Opened, SealedKey, ToQueue,
};
use std::time::Duration;

const TOPIC: &str = "digest.ready_for_delivery.v1";
const HOUR: Duration = Duration::from_hours(1);

/// Lets a digest wait for a webhook, as a sink does.
async fn queue(database: &Database, ready: &DigestReadyForDelivery, chat: &str) {
    queue_for(database, ready, ("webhook", chat)).await;
}

async fn queue_for(database: &Database, ready: &DigestReadyForDelivery, (channel, chat): (&str, &str)) {
    let partition = partition("webhook_sink", TOPIC);
    let claim = database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    let Opened::Batch(mut batch) = database.store.open_batch(&bounds).await.unwrap() else {
        panic!("written")
    };
    let delivery = Delivery {
        tenant_id: &ready.tenant_id,
        group_id: &ready.group_id,
        window_id: &ready.window_id,
        digest_id: &ready.digest_id,
        version: ready.version.parse().unwrap(),
        channel,
        chat,
        part: 1,
    };
    batch.mark_delivery(&delivery, DeliveryStatus::Planned, None).await.unwrap();
    let wanted = ToQueue { delivery, kind: None, payload: "words", appended_ms: 7 };
    batch.queue(&wanted).await.unwrap();
    batch.commit().await.unwrap();
}

async fn due(database: &Database, except: &[&str]) -> Vec<Due> {
    let except: Vec<String> = except.iter().map(|name| (*name).to_owned()).collect();
    database.store.due_deliveries("webhook", &except, 9).await.unwrap()
}

#[tokio::test]
async fn one_tries_at_a_time_and_gives_back_what_it_began() {
    let Some(database) = Database::new("queue_tries").await else { return };
    queue(&database, &ready("t", 0, "1.0"), "a").await;
    queue(&database, &ready("u", 0, "1.0"), "a").await;
    assert_eq!(database.store.due_deliveries("email", &[], 9).await.unwrap(), []);
    assert_eq!(due(&database, &["t/a", "u/b"]).await.len(), 1);
    let all = due(&database, &[]).await;
    assert_eq!(all.len(), 2, "of all tenants");

    let mut held = database.store.hold_delivery(&all[0], true).await.unwrap().expect("it is due");
    assert_eq!((held.tries, held.kind.as_deref(), held.payload.as_deref()), (0, None, Some("words")));
    assert!(database.store.hold_delivery(&all[0], true).await.unwrap().is_none(), "another holds it");
    let state = EffectState { status: DeliveryStatus::Sending, reference: Some("r"), error: None };
    let (version, digest_id) = (held.version, held.digest_id.clone());
    held.put((version, &digest_id), &state).await.unwrap();
    held.lease("new", "w", HOUR).await.unwrap();
    held.commit().await.unwrap();
    assert!(database.store.hold_delivery(&all[0], true).await.unwrap().is_none(), "its time has not come");
    assert_eq!(due(&database, &[]).await, all[1..]);

    assert_eq!(database.store.free_deliveries("webhook", "other").await.unwrap(), 0);
    assert_eq!(database.store.free_deliveries("webhook", "w").await.unwrap(), 1);
    let mut held = database.store.hold_delivery(&all[0], true).await.unwrap().expect("it is due again");
    assert_eq!((held.tries, held.kind.as_deref(), held.worker.as_deref()), (1, Some("new"), None));
    assert_eq!(held.effects().await.unwrap()[0].status, DeliveryStatus::Sending);
    held.postpone(HOUR, Some("why")).await.unwrap();
    held.commit().await.unwrap();
    let tenant = &all[0].tenant_id;
    let waiting = database.store.waiting_deliveries(tenant).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].said.as_deref(), waiting[0].tries), (1, Some("why"), 1));

    // A newer version takes its place, and comes no earlier.
    queue(&database, &ready(tenant, 0, "2.0"), "a").await;
    let waiting = database.store.waiting_deliveries(tenant).await.unwrap();
    assert_eq!((waiting.len(), &*waiting[0].version, waiting[0].tries), (1, "2.0", 0));
    assert_eq!(due(&database, &[]).await, all[1..]);
    let mut held = database.store.hold_delivery(&all[0], false).await.unwrap().expect("it waits");
    held.end().await.unwrap();
    held.commit().await.unwrap();
    assert_eq!(database.store.waiting_deliveries(tenant).await.unwrap(), []);
    database.drop().await;
}

#[tokio::test]
async fn what_waits_loses_its_words_with_what_was_erased_and_so_do_its_targets() {
    let Some(database) = Database::new("queue_erased").await else { return };
    let author = Some(Author { id: "ann".to_owned(), name: "Ann".to_owned(), is_bot: false });
    let said = Message { author, ..message(1, 0, "new", "words") };
    write_group(&database.store, "g", &[(1, said)]).await;
    let digest = ready("t", 0, "1.0");
    let stored = partition("postgres_sink", TOPIC);
    let claim = database.store.claim(&stored, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition: stored, claim, end_offset: 1 };
    let Opened::Batch(mut batch) = database.store.open_batch(&bounds).await.unwrap() else {
        panic!("written")
    };
    batch.put_digest(&digest).await.unwrap();
    batch.commit().await.unwrap();
    queue(&database, &digest, "a").await;
    let key = SealedKey {
        id: vec![1],
        master_id: "m".to_owned(),
        salt: vec![2],
        nonce: vec![3],
        ciphertext: vec![4],
    };
    for group in ["g", "h"] {
        assert!(!database.store.set_webhook(("t", group), "https://a.example/", &key).await.unwrap());
        assert!(database.store.add_mail_recipient(("t", group), "ann@example.org").await.unwrap());
    }
    assert!(!database.store.add_mail_recipient(("t", "g"), "ann@example.org").await.unwrap(), "again");

    let group = ErasureScope { tenant_id: "t".to_owned(), group_id: Some("g".to_owned()), author_id: None };
    let mut eraser = Eraser::connect(database.owner_url(), &database.schema, group).await.unwrap();
    assert_eq!(eraser.erase("e1", "ops").await.unwrap().digests, 1);
    let waiting = due(&database, &[]).await;
    let held = database.store.hold_delivery(&waiting[0], true).await.unwrap().expect("who delivers finds it");
    assert_eq!(held.payload, None);
    held.commit().await.unwrap();
    let webhooks = database.store.webhooks("t").await.unwrap();
    assert_eq!(webhooks.iter().map(|it| &*it.group_id).collect::<Vec<_>>(), ["h"]);
    let recipients = database.store.mail_recipients("t").await.unwrap();
    assert_eq!(recipients.iter().map(|it| &*it.group_id).collect::<Vec<_>>(), ["h"]);
    let secrets = database.rows("t", "SELECT group_id FROM webhook_secrets").await;
    assert_eq!(secrets.len(), 1, "a webhook's secrets go with it");
    database.drop().await;
}

#[tokio::test]
async fn an_address_of_mail_is_erased_with_what_waits_for_it_and_what_it_got() {
    let Some(database) = Database::new("queue_address").await else { return };
    let digest = ready("t", 0, "1.0");
    for (address, group) in [("Ann@example.org", "g"), ("ann@example.org", "h"), ("bo@example.org", "g")] {
        assert!(database.store.add_mail_recipient(("t", group), address).await.unwrap());
        queue_for(&database, &digest, ("email", address)).await;
    }
    let scope = ErasureScope {
        tenant_id: "t".to_owned(),
        group_id: None,
        author_id: Some("ann@example.org".to_owned()),
    };
    let mut eraser = Eraser::connect(database.owner_url(), &database.schema, scope).await.unwrap();
    let found = eraser.look().await.unwrap();
    assert_eq!((found.messages, found.recipients, found.done_before), (0, 2, false));
    eraser.erase("e1", "ops").await.unwrap();
    let found = eraser.look().await.unwrap();
    assert_eq!((found.recipients, found.done_before), (0, true), "it is on record");
    let recipients = database.store.mail_recipients("t").await.unwrap();
    assert_eq!(recipients.iter().map(|it| &*it.address).collect::<Vec<_>>(), ["bo@example.org"]);
    let waiting = database.store.waiting_deliveries("t").await.unwrap();
    assert_eq!(waiting.iter().map(|it| &*it.chat).collect::<Vec<_>>(), ["bo@example.org"]);
    assert_eq!(database.rows("t", "SELECT chat FROM deliveries").await.len(), 1);
    database.drop().await;
}

#[tokio::test]
async fn a_secret_that_is_replaced_holds_until_its_end() {
    let Some(database) = Database::new("webhook_secrets").await else { return };
    let key = |id: u8| SealedKey {
        id: vec![id],
        master_id: "m".to_owned(),
        salt: vec![id],
        nonce: vec![id],
        ciphertext: vec![id],
    };
    let of = ("t", "");
    assert!(!database.store.set_webhook(of, "https://a.example/", &key(1)).await.unwrap());
    assert!(
        database.store.set_webhook(of, "https://b.example/", &key(2)).await.unwrap(),
        "it keeps its secret"
    );
    assert!(database.store.rotate_webhook(of, &key(3), 1).await.unwrap());
    assert!(!database.store.rotate_webhook(("t", "nobody"), &key(4), 1).await.unwrap());
    let ids = async || {
        let (url, secrets) = database.store.webhook("t", "").await.unwrap().expect("it is set");
        assert_eq!(url, "https://b.example/");
        secrets.iter().map(|secret| (secret.key.id[0], secret.ends_at.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [(3, false), (1, true)]);
    assert!(database.store.rotate_webhook(of, &key(5), 0).await.unwrap());
    assert_eq!(ids().await, [(5, false)], "all before it are out at once");
    assert!(database.store.reseal_webhook(of, &key(5), &key(6)).await.unwrap());
    let elsewhere = SealedKey { master_id: "other".to_owned(), ..key(5) };
    assert!(!database.store.reseal_webhook(of, &elsewhere, &key(7)).await.unwrap());
    assert_eq!(database.store.webhooks("u").await.unwrap(), [], "another tenant sees none");
    database.drop().await;
}
