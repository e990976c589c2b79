//! Bounds of the index of vectors, and collections that are filled anew.

use crate::database::{CLUSTER, Database};
use state::{BatchBounds, Filling, Opened, SinkPartition};

fn partition(topic: &str) -> SinkPartition {
    SinkPartition {
        consumer_group: "qdrant_sink".to_owned(),
        topic: topic.to_owned(),
        physical_topic: topic.to_owned(),
        partition: 1,
    }
}

/// Passes everything below an offset.
async fn pass(database: &Database, topic: &str, end_offset: i64) {
    let partition = partition(topic);
    let claim = database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset };
    let Opened::Batch(batch) = database.store.open_batch(&bounds).await.unwrap() else { panic!("written") };
    batch.commit().await.unwrap();
}

#[tokio::test]
async fn a_bound_only_rises_and_is_its_tenants() {
    let Some(database) = Database::new("index_bounds").await else { return };
    let partition = partition("a");
    let claim = database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: 5 };
    let Opened::Batch(mut batch) = database.store.open_batch(&bounds).await.unwrap() else {
        panic!("written")
    };
    let group = ("acme", "qa");
    for (revision, raised) in [(5, true), (4, false), (5, true), (9, true), (8, false)] {
        assert_eq!(batch.raise_bound(group, "window/w", revision).await.unwrap(), raised, "{revision}");
    }
    assert!(batch.raise_bound(("other", "qa"), "window/w", 1).await.unwrap());
    let items = ["window/w".to_owned(), "message/1".to_owned()];
    let found = batch.bounded_items(group, &items).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["window/w"]);
    assert!(batch.bounded_items(("acme", "second"), &items).await.unwrap().is_empty());
    batch.commit().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn a_collection_is_filled_when_the_sink_is_where_it_was() {
    let Some(database) = Database::new("index_fillings").await else { return };
    let store = &database.store;
    let filling = || store.filling("new", "qdrant_sink");
    pass(&database, "a", 7).await;
    pass(&database, "b", 3).await;
    store.claim(&partition("untouched"), CLUSTER).await.unwrap();
    assert_eq!(filling().await.unwrap(), Filling::None);
    store.begin_filling("new", "qdrant_sink").await.unwrap();
    let offsets = store.sink_offsets().await.unwrap();
    assert!(offsets.iter().all(|offset| offset.next_offset == 0), "{offsets:?}");
    assert_eq!(filling().await.unwrap(), Filling::Behind);
    pass(&database, "a", 9).await;
    pass(&database, "b", 2).await;
    assert_eq!(filling().await.unwrap(), Filling::Behind);
    // Begun again half way, the first mark counts.
    store.begin_filling("new", "qdrant_sink").await.unwrap();
    pass(&database, "a", 7).await;
    pass(&database, "b", 3).await;
    assert_eq!(filling().await.unwrap(), Filling::Done);
    store.end_filling("new", "qdrant_sink").await.unwrap();
    assert_eq!(filling().await.unwrap(), Filling::None);
    database.drop().await;
}
