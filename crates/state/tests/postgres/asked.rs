//! Digests that somebody asked for: what a span holds, what came of it, and that they stand beside the group's windows.

use crate::{
    database::{CLUSTER, Database, partition},
    messages::write_group,
    samples::{START, blocked, full_message, message, ready},
};
use schemas::{DigestGenerateRequested, DigestReadyForDelivery, GroupSettings, WindowRef};
use state::{Answered, BatchBounds, DigestFilter, Held, Opened, Store};

fn request(asked_by: &str) -> DigestGenerateRequested {
    let window = WindowRef::asked((START, START + 60_000), asked_by, GroupSettings::default());
    DigestGenerateRequested::asked("t", "g", window, asked_by)
}

/// The digest that comes of a request.
fn made(request: &DigestGenerateRequested) -> DigestReadyForDelivery {
    DigestReadyForDelivery {
        digest_id: request.digest_id(),
        window_id: request.window_id.clone(),
        version: request.version.clone(),
        window: request.window.clone(),
        ..ready("t", 0, "1.0")
    }
}

async fn batch(store: &Store) -> Box<state::Batch> {
    let partition = partition("postgres_sink", "digest.ready_for_delivery.v1");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    match store.open_batch(&bounds).await.unwrap() {
        Opened::Batch(batch) => batch,
        Opened::Written => panic!("written"),
    }
}

#[tokio::test]
async fn a_span_is_told_with_the_newest_place_that_told_something_of_it() {
    let Some(database) = Database::new("asked_held").await else { return };
    let store = &database.store;
    let held = |from: i64, to: i64| async move {
        store.held(("t", "g"), (START + from * 1_000, START + to * 1_000)).await.unwrap()
    };
    assert_eq!(held(0, 50).await, None);
    let deleted = schemas::Message { sent_at: START + 5_000, ..message(5, 1, "deleted", "") };
    let states = [
        (3, message(4, 0, "new", "four")),
        (3, full_message(5)),
        (4, full_message(6)),
        (7, message(30, 0, "new", "later")),
        (9, message(4, 8, "edited", "four again")),
    ];
    write_group(store, "g", &states).await;
    let of = |source_offset, messages, participants| {
        Some(Held { source_partition: 0, source_offset, messages, participants })
    };
    assert_eq!(held(0, 29).await, of(9, 3, 1));
    assert_eq!(held(5, 29).await, of(4, 2, 1));
    assert_eq!(held(30, 31).await, of(7, 1, 0));
    assert_eq!(held(31, 50).await, None);
    write_group(store, "g", &[(12, deleted)]).await;
    assert_eq!(held(5, 6).await, None, "nothing is left of it");
    assert_eq!(held(0, 29).await, of(12, 2, 1));
    assert_eq!(store.held(("u", "g"), (START, START + 50_000)).await.unwrap(), None);
    database.drop().await;
}

#[tokio::test]
async fn what_came_of_a_request_is_its_digest_or_why_there_is_none() {
    let Some(database) = Database::new("asked_answered").await else { return };
    let store = &database.store;
    let (good, bad) = (request("ann"), request("bo"));
    assert_eq!(store.answered(&good).await.unwrap(), None);
    let mut open = batch(store).await;
    open.put_digest(&made(&good)).await.unwrap();
    let refused = schemas::DigestBlocked {
        window_id: bad.window_id.clone(),
        version: bad.version.clone(),
        window: bad.window.clone(),
        ..blocked("t", 0, "1.0")
    };
    open.put_blocked(&refused).await.unwrap();
    open.commit().await.unwrap();
    let Some(Answered::Digest(digest)) = store.answered(&good).await.unwrap() else { panic!("no digest") };
    assert_eq!((digest.summary.digest_id, digest.summary.lane), (good.digest_id(), "asked:ann".to_owned()));
    let why = Answered::Blocked {
        reason: "too_small".to_owned(),
        quality_score: None,
        missing_scopes: vec!["DIGEST_READ".to_owned()],
    };
    assert_eq!(store.answered(&bad).await.unwrap(), Some(why));
    database.drop().await;
}

#[tokio::test]
async fn a_digest_that_was_asked_for_hides_none_of_the_groups_windows() {
    let Some(database) = Database::new("asked_apart").await else { return };
    let store = &database.store;
    let (asked, window) = (made(&request("ann")), ready("t", 0, "1.0"));
    let mut open = batch(store).await;
    open.put_digest(&window).await.unwrap();
    open.put_digest(&asked).await.unwrap();
    open.commit().await.unwrap();
    let filter = |asked, limit| DigestFilter { tenant_id: "t".to_owned(), group_id: None, asked, limit };
    let listed = async |filter: DigestFilter| {
        let list = store.digest_list(&filter).await.unwrap();
        list.into_iter().map(|digest| digest.digest_id).collect::<Vec<_>>()
    };
    assert_eq!(listed(filter(false, Some(1))).await, std::slice::from_ref(&window.digest_id));
    assert_eq!(listed(filter(true, None)).await, [asked.digest_id]);
    let exported = store.digest_export(&filter(false, None)).await.unwrap();
    assert_eq!(exported.iter().map(|it| &it.summary.digest_id).collect::<Vec<_>>(), [&window.digest_id]);
    database.drop().await;
}
