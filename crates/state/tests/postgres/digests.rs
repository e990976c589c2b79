//! Digests and deliveries: written once, read in order.

use crate::{
    database::{CLUSTER, Database, partition},
    samples::{START, blocked, ready},
};
use schemas::DigestReadyForDelivery;
use state::{
    Batch, BatchBounds, Delivery, DeliveryStatus, DigestFilter, DigestFound, Ledger, Opened, Store,
    StoredDigest,
};

async fn open(store: &Store) -> Box<Batch> {
    let partition = partition("postgres_sink", "digest.ready_for_delivery.v1");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    match store.open_batch(&bounds).await.unwrap() {
        Opened::Batch(batch) => batch,
        Opened::Written => panic!("written"),
    }
}

/// A digest that is there.
async fn shown(store: &Store, id: &str) -> StoredDigest {
    match store.digest_show("t", id).await.unwrap() {
        Some(DigestFound::Stored(digest)) => *digest,
        other => panic!("{other:?}"),
    }
}

fn of(tenant: &str) -> DigestFilter {
    DigestFilter { tenant_id: tenant.to_owned(), ..DigestFilter::default() }
}

#[tokio::test]
async fn the_same_digest_again_changes_nothing_and_says_so() {
    let Some(database) = Database::new("digests_again").await else { return };
    let digest = ready("t", 0, "1.0");
    let mut batch = open(&database.store).await;
    assert!(batch.put_digest(&digest).await.unwrap());
    assert!(!batch.put_digest(&digest).await.unwrap());
    let other = DigestReadyForDelivery { quality_score: 0.9, ..digest.clone() };
    assert!(batch.put_digest(&other).await.unwrap());
    batch.commit().await.unwrap();
    let stored = shown(&database.store, &digest.digest_id).await;
    assert_eq!(
        (stored.summary.quality_score, stored.digest, stored.runs),
        (0.9, digest.delivery_payload, digest.runs)
    );
    assert_eq!(database.store.digest_show("u", &digest.digest_id).await.unwrap(), None);
    database.drop().await;
}

#[tokio::test]
async fn the_newest_version_of_each_window_is_listed_in_order() {
    let Some(database) = Database::new("digests_list").await else { return };
    let mut batch = open(&database.store).await;
    for (tenant, day, version) in [
        ("t", 1, "2.0"),
        ("t", 1, "10.0"),
        ("t", 1, "9.3"),
        ("t", 0, "1.1"),
        ("t", 0, "1.0"),
        ("u", 0, "1.0"),
    ] {
        batch.put_digest(&ready(tenant, day, version)).await.unwrap();
    }
    for version in ["1.0", "2.0"] {
        batch.put_blocked(&blocked("t", 2, version)).await.unwrap();
        batch.put_blocked(&blocked("t", 2, version)).await.unwrap();
    }
    batch.commit().await.unwrap();
    let store = &database.store;
    let listed = store.digest_list(&of("t")).await.unwrap();
    let versions: Vec<_> =
        listed.iter().map(|digest| (digest.window_start, digest.version.as_str())).collect();
    assert_eq!(versions, [(START, "1.1"), (START + 86_400_000, "10.0")]);
    let newest = store.digest_list(&DigestFilter { limit: Some(1), ..of("t") }).await.unwrap();
    assert_eq!(newest, listed[1..]);
    let of_group = DigestFilter { group_id: Some("other".to_owned()), ..of("t") };
    assert_eq!(store.digest_list(&of_group).await.unwrap(), []);
    let window = shown(store, &listed[1].window_id).await;
    assert_eq!(window.summary, listed[1], "a window's id shows its newest digest");
    let blocked = store.blocked_list(&of("t")).await.unwrap();
    assert_eq!(blocked.len(), 1);
    assert_eq!((blocked[0].version.as_str(), blocked[0].reason.as_str()), ("2.0", "too_small"));
    assert_eq!(blocked[0].weaknesses, ["invented", "thin"]);
    database.drop().await;
}

#[tokio::test]
async fn the_canonical_export_tells_nothing_of_how_it_came_about() {
    let Some(database) = Database::new("digests_export").await else { return };
    let first = ready("t", 0, "1.0");
    let mut elsewhere = DigestReadyForDelivery { trace_id: "f".repeat(32), ..first.clone() };
    (elsewhere.window.source_partition, elsewhere.window.source_offset) = (3, 999);
    let mut exports = Vec::new();
    for digest in [first, elsewhere] {
        let mut batch = open(&database.store).await;
        batch.put_digest(&ready("t", 1, "1.0")).await.unwrap();
        assert!(batch.put_digest(&digest).await.unwrap());
        batch.commit().await.unwrap();
        exports.push(serde_json::to_string(&database.store.digest_export(&of("t")).await.unwrap()).unwrap());
    }
    assert_eq!(exports[0], exports[1]);
    assert!(exports[0].contains("\"quality_score\":0.30000000000000004"), "{}", exports[0]);
    for word in ["partition", "offset", "trace", "created"] {
        assert!(!exports[0].contains(word), "{word}");
    }
    database.drop().await;
}

#[tokio::test]
async fn a_version_that_is_none_is_refused() {
    let Some(database) = Database::new("digests_version").await else { return };
    let mut batch = open(&database.store).await;
    let digest = DigestReadyForDelivery { version: "one".to_owned(), ..ready("t", 0, "1.0") };
    let error = batch.put_digest(&digest).await.unwrap_err();
    assert!(error.is_refusal(), "{error}");
    batch.commit().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn the_ledger_remembers_what_was_begun() {
    let Some(database) = Database::new("digests_ledger").await else { return };
    let (old, new) = (ready("t", 0, "1.0"), ready("t", 0, "1.1"));
    let delivery = |ready: &'static DigestReadyForDelivery| Delivery {
        tenant_id: &ready.tenant_id,
        group_id: &ready.group_id,
        window_id: &ready.window_id,
        digest_id: &ready.digest_id,
        version: ready.version.parse().unwrap(),
        channel: "file",
        chat: "",
        part: 1,
    };
    let (old, new) = (delivery(Box::leak(Box::new(old))), delivery(Box::leak(Box::new(new))));
    let mut batch = open(&database.store).await;
    assert_eq!(batch.ledger(&old).await.unwrap(), Ledger::default());
    batch.mark_delivery(&old, DeliveryStatus::Planned, None).await.unwrap();
    let ledger = batch.ledger(&old).await.unwrap();
    assert_eq!(
        (ledger.status(old.version), ledger.status(new.version)),
        (Some(DeliveryStatus::Planned), None)
    );
    batch.mark_delivery(&new, DeliveryStatus::Sending, None).await.unwrap();
    batch.mark_delivery(&new, DeliveryStatus::Sent, None).await.unwrap();
    let ledger = batch.ledger(&old).await.unwrap();
    assert_eq!((ledger.is_overtaken(old.version), ledger.is_overtaken(new.version)), (true, false));
    assert_eq!((ledger.blocked(), ledger.withdrawn().count()), (None, 0));
    // The very version that was delivered is blocked, say at another threshold: it stays, older ones go.
    batch.mark_blocked(&new).await.unwrap();
    let ledger = batch.ledger(&old).await.unwrap();
    assert_eq!(
        (ledger.blocked(), ledger.status(new.version)),
        (Some(new.version), Some(DeliveryStatus::Sent))
    );
    let withdrawn: Vec<_> = ledger.withdrawn().map(|known| (known.version, &*known.digest_id)).collect();
    assert_eq!(withdrawn, [(old.version, old.digest_id)]);
    batch.mark_delivery(&old, DeliveryStatus::Failed, Some("why\0")).await.unwrap();
    batch.commit().await.unwrap();
    let rows = database
        .rows("t", "SELECT status FROM deliveries WHERE finished_at IS NOT NULL AND (sending_at IS NULL) = (status IN ('failed', 'blocked'))")
        .await;
    assert_eq!(rows.len(), 3);
    database.drop().await;
}
