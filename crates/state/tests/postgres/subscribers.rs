//! Subscriptions of people to groups.

use crate::{database::Database, effects::open};
use state::{SUBSCRIBERS_MAX, Subscription, SubscriptionEnd};

fn of(group_id: &str, person_id: i64) -> Subscription<'_> {
    Subscription { tenant_id: "t", group_id, person_id }
}

fn end(at_ms: i64) -> SubscriptionEnd<'static> {
    SubscriptionEnd { at_ms, why: "asked" }
}

/// Who gets a group's digest of a window that ended at a time.
async fn readers(database: &Database, group: &str, ended_ms: i64) -> Vec<i64> {
    let mut batch = open(&database.store).await;
    let found = batch.subscribers(("t", group), ended_ms).await.unwrap();
    batch.abandon().await.unwrap();
    found.iter().map(|it| it.person_id).collect()
}

#[tokio::test]
async fn a_subscription_is_to_one_group_and_counts_from_its_command_to_its_end() {
    let Some(database) = Database::new("subscribers").await else { return };
    let store = &database.store;
    for (group, person) in [("g", 7), ("g", 8), ("h", 7)] {
        assert!(store.subscribe(&of(group, person), (-5, 100)).await.unwrap());
    }
    assert_eq!(readers(&database, "g", 99).await, [] as [i64; 0], "windows from before");
    assert_eq!(readers(&database, "g", 100).await, [7, 8]);
    store.unsubscribe(&of("g", 7), &end(200)).await.unwrap();
    assert_eq!(readers(&database, "g", 150).await, [8], "nothing comes after the end, of whatever time");
    assert!(store.subscribe(&of("g", 7), (-5, 100)).await.unwrap(), "the same command, which came again");
    assert_eq!(readers(&database, "g", 300).await, [8], "it begins nothing anew");
    assert!(store.subscribe(&of("g", 7), (-5, 250)).await.unwrap());
    assert_eq!(readers(&database, "g", 300).await, [7, 8]);
    store.unsubscribe(&of("g", 7), &end(200)).await.unwrap();
    assert_eq!(readers(&database, "g", 300).await, [7, 8], "nor does the end of before end it");
    let listed = store.subscribers("t", "g").await.unwrap();
    store.unsubscribe_by_id((listed[0].id, 8), &end(400)).await.unwrap();
    assert_eq!(readers(&database, "g", 300).await, [7, 8], "somebody else's");
    store.unsubscribe_by_id((listed[0].id, 7), &end(400)).await.unwrap();
    assert_eq!(readers(&database, "g", 300).await, [8]);
    store.unsubscribe_from_all(7, &end(400)).await.unwrap();
    assert_eq!(readers(&database, "h", 300).await, [] as [i64; 0]);
    assert_eq!(store.subscribers("t", "g").await.unwrap()[0].ended_why.as_deref(), Some("asked"));
    database.drop().await;
}

#[tokio::test]
async fn a_group_has_so_many_subscribers_and_no_more() {
    let Some(database) = Database::new("subscribers_max").await else { return };
    let store = &database.store;
    for person in 1..=SUBSCRIBERS_MAX {
        assert!(store.subscribe(&of("g", person), (-5, 100)).await.unwrap());
    }
    assert!(!store.subscribe(&of("g", 1_000), (-5, 100)).await.unwrap());
    assert!(store.subscribe(&of("g", 1), (-5, 100)).await.unwrap(), "one that is there is there");
    store.unsubscribe(&of("g", 1), &end(100)).await.unwrap();
    assert!(store.subscribe(&of("g", 1_000), (-5, 100)).await.unwrap());
    database.drop().await;
}
