//! Claims, fencing, and commits whose answer was lost.

use crate::{
    database::{CLUSTER, Database, partition},
    messages::question,
    samples::message,
};
use state::{AsOf, Batch, BatchBounds, ClaimedPartition, Error, MessageRow, Opened, SinkPartition};

const TOPIC: &str = "group.message.ingested.v1";

fn sink() -> SinkPartition {
    partition("postgres_sink", TOPIC)
}

fn bounds(claim: ClaimedPartition, end_offset: i64) -> BatchBounds {
    BatchBounds { partition: sink(), claim, end_offset }
}

async fn open(database: &Database, bounds: &BatchBounds) -> Box<Batch> {
    match database.store.open_batch(bounds).await.unwrap() {
        Opened::Batch(batch) => batch,
        Opened::Written => panic!("written already"),
    }
}

/// Adds one message at `offset`.
async fn add(batch: &mut Batch, offset: i64) -> u64 {
    let message = message(offset, 0, "new", "text");
    let row = MessageRow {
        tenant_id: "t",
        group_id: "g",
        source_partition: 0,
        source_offset: offset,
        message: &message,
    };
    batch.insert_messages(&[row]).await.unwrap()
}

async fn stored(database: &Database) -> i64 {
    database.store.message_counts("t").await.unwrap().iter().map(|count| count.states).sum()
}

#[tokio::test]
async fn a_claim_goes_on_where_the_last_batch_ended() {
    let Some(database) = Database::new("offsets_claim").await else { return };
    assert_eq!(database.store.passed_offset("postgres_sink", TOPIC, 0).await.unwrap(), None);
    let first = database.store.claim(&sink(), CLUSTER).await.unwrap();
    assert_eq!(first, ClaimedPartition { epoch: 1, next_offset: 0 });
    let mut batch = open(&database, &bounds(first, 5)).await;
    assert_eq!(add(&mut batch, 4).await, 1);
    assert_eq!(stored(&database).await, 0, "nothing is seen before the commit");
    batch.commit().await.unwrap();
    let second = database.store.claim(&sink(), CLUSTER).await.unwrap();
    assert_eq!(second, ClaimedPartition { epoch: 2, next_offset: 5 });
    assert_eq!(database.store.passed_offset("postgres_sink", TOPIC, 0).await.unwrap(), Some(5));
    assert_eq!(stored(&database).await, 1);
    database.drop().await;
}

#[tokio::test]
async fn a_zombie_touches_nothing() {
    let Some(database) = Database::new("offsets_zombie").await else { return };
    let old = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let new = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let refused = database.store.open_batch(&bounds(old, 5)).await.unwrap_err();
    assert!(matches!(refused, Error::Fenced) && !refused.is_transient(), "{refused}");
    open(&database, &bounds(new, 1)).await.commit().await.unwrap();
    let rows = database.rows("t", "SELECT 1 FROM sink_offsets WHERE next_offset = 1 AND epoch = 2").await;
    assert_eq!((rows.len(), stored(&database).await), (1, 0));
    database.drop().await;
}

#[tokio::test]
async fn a_claim_waits_for_the_write_that_is_under_way() {
    let Some(database) = Database::new("offsets_wait").await else { return };
    let old = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let mut batch = open(&database, &bounds(old, 3)).await;
    let store = database.store.clone();
    let claimed = tokio::spawn(async move { store.claim(&sink(), CLUSTER).await });
    assert_eq!(add(&mut batch, 2).await, 1);
    batch.commit().await.unwrap();
    // Whichever came first at the row: the new claim sees the offset that the old one has committed.
    let claimed = claimed.await.unwrap().unwrap();
    assert_eq!(claimed, ClaimedPartition { epoch: 2, next_offset: 3 });
    database.drop().await;
}

#[tokio::test]
async fn a_batch_whose_commit_was_not_answered_is_not_written_twice() {
    let Some(database) = Database::new("offsets_unknown").await else { return };
    let claim = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let mut batch = open(&database, &bounds(claim, 3)).await;
    add(&mut batch, 2).await;
    batch.commit().await.unwrap();
    assert!(matches!(database.store.open_batch(&bounds(claim, 3)).await.unwrap(), Opened::Written));
    // The runtime may come back with more: then only the rest is to be written.
    let rest = open(&database, &bounds(claim, 6)).await;
    assert_eq!(rest.begin_offset(), 3);
    rest.commit().await.unwrap();
    assert_eq!(database.store.passed_offset("postgres_sink", TOPIC, 0).await.unwrap(), Some(6));
    assert_eq!(stored(&database).await, 1);
    database.drop().await;
}

#[tokio::test]
async fn a_batch_whose_commit_did_not_arrive_is_written_again() {
    let Some(database) = Database::new("offsets_lost").await else { return };
    let claim = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let mut lost = open(&database, &bounds(claim, 3)).await;
    add(&mut lost, 2).await;
    drop(lost);
    let mut again = open(&database, &bounds(claim, 3)).await;
    assert_eq!(add(&mut again, 2).await, 1);
    again.commit().await.unwrap();
    assert_eq!(stored(&database).await, 1);
    database.drop().await;
}

#[tokio::test]
async fn another_cluster_or_prefix_is_refused() {
    let Some(database) = Database::new("offsets_cluster").await else { return };
    database.store.claim(&sink(), CLUSTER).await.unwrap();
    let refused = database.store.claim(&sink(), "other").await.unwrap_err().to_string();
    assert!(
        refused.starts_with("this database belongs to cluster cluster-of-tests, the broker is cluster other")
    );
    let renamed = SinkPartition { physical_topic: "p.x".to_owned(), ..sink() };
    let refused = database.store.claim(&renamed, CLUSTER).await.unwrap_err();
    assert!(matches!(refused, Error::OtherTopic { .. }), "{refused}");
    let claim = database.store.claim(&sink(), CLUSTER).await.unwrap();
    assert_eq!(claim.epoch, 2, "a refused claim fences nobody");
    database.drop().await;
}

#[tokio::test]
async fn a_reset_fences_the_holder() {
    let Some(database) = Database::new("offsets_reset").await else { return };
    let claim = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let mut batch = open(&database, &bounds(claim, 3)).await;
    add(&mut batch, 2).await;
    batch.commit().await.unwrap();
    assert!(database.store.reset_sink("postgres_sink", TOPIC, 0, 0).await.unwrap());
    assert!(!database.store.reset_sink("postgres_sink", TOPIC, 9, 0).await.unwrap());
    assert!(matches!(database.store.open_batch(&bounds(claim, 4)).await.unwrap_err(), Error::Fenced));
    let claim = database.store.claim(&sink(), CLUSTER).await.unwrap();
    assert_eq!(claim, ClaimedPartition { epoch: 3, next_offset: 0 });
    let mut batch = open(&database, &bounds(claim, 3)).await;
    assert_eq!(add(&mut batch, 2).await, 0, "the same rows again");
    batch.commit().await.unwrap();
    assert_eq!(stored(&database).await, 1);
    let offsets = database.store.sink_offsets().await.unwrap();
    assert_eq!((offsets.len(), offsets[0].next_offset, offsets[0].epoch), (1, 3, 3));
    database.drop().await;
}

#[tokio::test]
async fn a_window_is_read_only_where_the_sink_has_passed_its_offset_by_the_database_s_own_word() {
    let Some(database) = Database::new("offsets_set_back").await else { return };
    let of = ("postgres_sink", TOPIC);
    let read = async || {
        let messages = database.store.messages_passed_by(&question(0, 9, 4), of).await.unwrap();
        let messages = messages.map(|read| match read {
            AsOf::Messages(messages) => messages,
            AsOf::Taken => panic!("taken"),
        });
        messages.map(|messages| messages.iter().map(|message| message.id).collect::<Vec<_>>())
    };
    assert_eq!(read().await, None, "never claimed");
    let claim = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let mut batch = open(&database, &bounds(claim, 4)).await;
    add(&mut batch, 3).await;
    batch.commit().await.unwrap();
    assert_eq!(read().await, None, "offset 4 is still to come");
    let claim = database.store.claim(&sink(), CLUSTER).await.unwrap();
    let mut batch = open(&database, &bounds(claim, 5)).await;
    add(&mut batch, 4).await;
    batch.commit().await.unwrap();
    assert_eq!(read().await, Some(vec![3, 4]));
    // As after a recovery to an earlier time: whoever remembers 5 is wrong.
    database.store.reset_sink("postgres_sink", TOPIC, 0, 4).await.unwrap();
    assert_eq!(read().await, None);
    database.drop().await;
}

#[tokio::test]
async fn a_database_belongs_to_the_cluster_that_filled_it() {
    let Some(database) = Database::new("offsets_cluster").await else { return };
    database.store.check_cluster("anybody").await.unwrap();
    database.store.claim(&sink(), CLUSTER).await.unwrap();
    database.store.check_cluster(CLUSTER).await.unwrap();
    let refused = database.store.check_cluster("other").await.unwrap_err();
    assert!(matches!(&refused, Error::OtherCluster { owner, found } if owner == CLUSTER && found == "other"));
    assert!(!refused.is_transient());
    database.drop().await;
}
