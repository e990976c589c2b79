//! The outbox: no row is skipped, whatever the order of commits.

use crate::{
    database::{CLUSTER, Database, partition},
    samples::{dead_letter, ready},
};
use schemas::{DigestDlq, DigestPersisted};
use state::{Batch, BatchBounds, Opened, OutboxPlace, OutboxRow, Store};
use std::{collections::BTreeMap, time::Duration};

/// A batch of the sink called `sink`, open.
async fn open(store: &Store, sink: &str) -> Box<Batch> {
    let partition = partition(sink, "t");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    match store.open_batch(&bounds).await.unwrap() {
        Opened::Batch(batch) => batch,
        Opened::Written => panic!("written"),
    }
}

/// Reads until `count` rows are there: transactions of other tests on the same server hold rows back for a while.
pub(crate) async fn read(store: &Store, after: Option<OutboxPlace>, count: usize) -> Vec<OutboxRow> {
    let reading = async {
        loop {
            let rows = store.outbox_page(after).await.unwrap().rows;
            if rows.len() >= count {
                return rows;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), reading).await.expect("the rows come")
}

fn offsets(rows: &[OutboxRow]) -> Vec<i64> {
    rows.iter().map(|row| serde_json::from_str::<DigestDlq>(&row.payload).unwrap().offset).collect()
}

#[tokio::test]
async fn a_transaction_left_open_makes_no_reader_skip_its_row() {
    let Some(database) = Database::new("outbox_open").await else { return };
    let (store, mut naive) = (&database.store, database.app().await);
    crate::database::run(&mut naive, "SELECT set_config('app.outbox_reader', 'on', false)").await.unwrap();
    let mut early = open(store, "early").await;
    early.append_outbox("dead_letters", &dead_letter("t", 1)).await.unwrap();
    let mut late = open(store, "late").await;
    late.append_outbox("dead_letters", &dead_letter("t", 2)).await.unwrap();
    late.commit().await.unwrap();

    // Sequence numbers 1 and 2 are taken, 2 is committed: who goes by them reads 2 and goes on after it.
    let by_seq = "SELECT seq FROM outbox WHERE seq > $1 ORDER BY seq";
    let seen: Vec<i64> = sqlx::query_scalar(by_seq).bind(0_i64).fetch_all(&mut naive).await.unwrap();
    assert_eq!(seen, [2]);
    assert_eq!(store.outbox_page(None).await.unwrap().rows, []);
    let lag = store.outbox_lag(None).await.unwrap();
    assert_eq!((lag.readable, lag.stalled), (0, 1));

    early.commit().await.unwrap();
    let seen: Vec<i64> = sqlx::query_scalar(by_seq).bind(2_i64).fetch_all(&mut naive).await.unwrap();
    assert_eq!(seen, Vec::<i64>::new(), "the naive reader has skipped row 1 for ever");
    let rows = read(store, None, 2).await;
    assert_eq!(offsets(&rows), [1, 2]);
    assert!(rows[0].mark.place < rows[1].mark.place);
    assert_eq!(offsets(&read(store, Some(rows[0].mark.place), 1).await), [2]);
    assert_eq!(store.outbox_page(Some(rows[1].mark.place)).await.unwrap().rows, []);
    database.drop().await;
}

#[tokio::test]
async fn order_is_by_transaction_then_by_row() {
    let Some(database) = Database::new("outbox_order").await else { return };
    let store = &database.store;
    let (mut first, mut second) = (open(store, "first").await, open(store, "second").await);
    // `first` has the older transaction id, since it writes first; its second row has the highest sequence number.
    first.append_outbox("dead_letters", &dead_letter("t", 1)).await.unwrap();
    second.append_outbox("dead_letters", &dead_letter("t", 2)).await.unwrap();
    first.append_outbox("dead_letters", &dead_letter("t", 3)).await.unwrap();
    second.commit().await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(offsets(&read(store, None, 3).await), [1, 3, 2]);
    database.drop().await;
}

/// Takes transaction ids until those of the server have passed `xid`.
const PASS_XID: &str = "
DO $$ BEGIN
    WHILE pg_current_xact_id() <= '100010'::xid8 LOOP COMMIT; END LOOP;
END $$";

#[tokio::test]
async fn transactions_on_both_sides_of_a_power_of_ten_come_in_order() {
    let Some(database) = Database::new("outbox_powers").await else { return };
    let (store, mut app) = (&database.store, database.app().await);
    crate::database::run(&mut app, PASS_XID).await.unwrap();
    let xids: [u64; 11] = [9, 10, 11, 99, 100, 999, 1_000, 9_999, 10_000, 99_999, 100_000];
    for (xid, offset) in xids.iter().zip(0..) {
        let payload = serde_json::to_string(&dead_letter("", offset)).unwrap();
        let row = "INSERT INTO outbox (xid, tenant_id, group_id, port, payload) \
                   VALUES ($1::text::xid8, '', 'g', 'dead_letters', $2::json)";
        sqlx::query(row).bind(xid.to_string()).bind(payload).execute(&mut app).await.unwrap();
    }
    let rows = read(store, None, xids.len()).await;
    assert_eq!(rows.iter().map(|row| row.mark.place.xid).collect::<Vec<_>>(), xids);
    assert_eq!(offsets(&rows), (0..11).collect::<Vec<i64>>());
    for (at, row) in rows.iter().enumerate() {
        let rest = read(store, Some(row.mark.place), xids.len() - at - 1).await;
        assert_eq!(rest, rows[at + 1..], "after {}", row.mark.place.xid);
    }
    database.drop().await;
}

#[tokio::test]
async fn what_is_rolled_back_is_never_read() {
    let Some(database) = Database::new("outbox_rollback").await else { return };
    let store = &database.store;
    let mut lost = open(store, "sink").await;
    lost.append_outbox("dead_letters", &dead_letter("t", 1)).await.unwrap();
    lost.abandon().await.unwrap();
    let mut kept = open(store, "sink").await;
    kept.append_outbox("dead_letters", &dead_letter("", 2)).await.unwrap();
    kept.append_outbox("persisted", &ready("t", 0, "1.0")).await.unwrap();
    kept.commit().await.unwrap();
    let rows = read(store, None, 2).await;
    assert_eq!(rows.iter().map(|row| row.port.as_str()).collect::<Vec<_>>(), ["dead_letters", "persisted"]);
    let letter: DigestDlq = serde_json::from_str(&rows[0].payload).unwrap();
    assert_eq!(letter, dead_letter("", 2), "bytes and NUL characters come back");
    assert_eq!(
        serde_json::from_str::<schemas::DigestReadyForDelivery>(&rows[1].payload).unwrap(),
        ready("t", 0, "1.0")
    );
    database.drop().await;
}

#[tokio::test]
async fn a_page_is_bounded_by_bytes_and_never_empty_for_it() {
    let Some(database) = Database::new("outbox_bytes").await else { return };
    let store = &database.store;
    let mut batch = open(store, "sink").await;
    for offset in 0..3 {
        let large = DigestDlq { value: Some(vec![255; 3_000_000]), ..dead_letter("t", offset) };
        batch.append_outbox("dead_letters", &large).await.unwrap();
    }
    batch.commit().await.unwrap();
    let mut place = None;
    for offset in 0..3 {
        let rows = read(store, place, 1).await;
        assert_eq!(offsets(&rows), [offset], "12 MB of JSON each");
        place = rows.last().map(|row| row.mark.place);
    }
    database.drop().await;
}

#[tokio::test]
async fn a_row_that_would_not_read_back_is_not_written() {
    let Some(database) = Database::new("outbox_readable").await else { return };
    let mut batch = open(&database.store, "s").await;
    let mut record = DigestPersisted {
        tenant_id: "t".to_owned(),
        group_id: "g".to_owned(),
        digest_id: "d".to_owned(),
        window_id: "w".to_owned(),
        version: "1.0".to_owned(),
        metrics: BTreeMap::from([("cost".to_owned(), f64::INFINITY)]),
        topics: Vec::new(),
        window_end: 9,
    };
    let refused = batch.append_outbox("persisted", &record).await.unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    assert!(refused.to_string().starts_with("outbox record does not read back: "), "{refused}");
    let mut digest = ready("t", 0, "1.0");
    digest.delivery_payload.quality.titles = f64::NAN;
    assert!(batch.put_digest(&digest).await.unwrap_err().is_refusal());
    record.metrics.insert("cost".to_owned(), f64::MAX);
    batch.append_outbox("persisted", &record).await.unwrap();
    batch.commit().await.unwrap();
    let rows = read(&database.store, None, 1).await;
    assert_eq!(serde_json::from_str::<DigestPersisted>(&rows[0].payload).unwrap(), record);
    database.drop().await;
}
