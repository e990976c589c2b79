//! A newer version that is blocked takes the files of older ones away, in any order and across crashes.

use crate::{
    database::{Database, run},
    samples::{blocked, ready},
    support::{
        BLOCKED_TOPIC, batch, blocked_batch, delivered, files, ledger, partition, partition_of, sink, text,
    },
};
use file_sink::FileSink;
use runtime::{Sink, SinkError};
use sqlx::{PgConnection, Row};
use tempfile::TempDir;

async fn deliver(sink: &FileSink, version: &str) {
    let claim = sink.claim(&partition()).await.unwrap();
    sink.write(&batch(claim, &[ready("t", 0, version)])).await.unwrap();
}

async fn block(sink: &FileSink, version: &str) {
    let claim = sink.claim(&partition_of(BLOCKED_TOPIC)).await.unwrap();
    sink.write(&blocked_batch(claim, blocked("t", 0, version))).await.unwrap();
}

/// Version, status and who withdrew it, of every event.
async fn said(database: &Database) -> Vec<(String, String, Option<String>)> {
    let events = delivered(database).await.into_iter();
    events.map(|event| (event.version, event.status, event.withdrawn_by)).collect()
}

fn success(version: &str) -> (String, String, Option<String>) {
    (version.to_owned(), "success".to_owned(), None)
}

fn withdrawn(version: &str, by: &str) -> (String, String, Option<String>) {
    (version.to_owned(), "withdrawn".to_owned(), Some(by.to_owned()))
}

fn rows(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(version, status)| ((*version).to_owned(), (*status).to_owned())).collect()
}

const STEM_2: &str = "2024-03-01T000000Z_24h_r2";
const STEM_3: &str = "2024-03-01T000000Z_24h_r3";

#[tokio::test]
async fn a_blocked_version_removes_the_files_of_older_ones_and_says_so_once() {
    let Some(database) = Database::new("file_gone").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    for version in ["1.0", "2.0"] {
        deliver(&sink, version).await;
    }
    assert_eq!(files(folder.path()).len(), 4);
    let claim = sink.claim(&partition_of(BLOCKED_TOPIC)).await.unwrap();
    let withdrawal = blocked_batch(claim, blocked("t", 0, "3.0"));
    sink.write(&withdrawal).await.unwrap();
    assert_eq!(files(folder.path()), Vec::<String>::new());
    let expected = [success("1.0"), success("2.0"), withdrawn("1.0", "3.0"), withdrawn("2.0", "3.0")];
    assert_eq!(said(&database).await, expected);
    assert_eq!(
        ledger(&database).await,
        rows(&[("1.0", "withdrawn"), ("2.0", "withdrawn"), ("3.0", "blocked")])
    );
    // Again, as after a commit whose answer was lost, and after a reset of both inputs.
    sink.write(&withdrawal).await.unwrap();
    for topic in [BLOCKED_TOPIC, crate::support::TOPIC] {
        database.store.reset_sink("file_sink", topic, 0, 0).await.unwrap();
    }
    for version in ["1.0", "2.0"] {
        deliver(&sink, version).await;
    }
    block(&sink, "3.0").await;
    assert_eq!((said(&database).await, files(folder.path())), (expected.to_vec(), vec![]));
    // A later version brings the digest back.
    deliver(&sink, "4.0").await;
    let stem = "2024-03-01T000000Z_24h_r4";
    assert_eq!(files(folder.path()), [format!("{stem}.json"), format!("{stem}.md")]);
    assert_eq!(said(&database).await.last(), Some(&success("4.0")));
    database.drop().await;
}

#[tokio::test]
async fn a_digest_that_comes_after_the_newer_version_was_blocked_is_never_written() {
    let Some(database) = Database::new("file_late").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    block(&sink, "2.0").await;
    deliver(&sink, "1.0").await;
    assert_eq!((files(folder.path()), said(&database).await), (vec![], vec![]));
    assert_eq!(ledger(&database).await, rows(&[("1.0", "withdrawn"), ("2.0", "blocked")]));
    deliver(&sink, "3.0").await;
    assert_eq!(files(folder.path()).len(), 2);
    database.drop().await;
}

#[tokio::test]
async fn the_file_of_a_newer_attempt_stays_when_an_older_one_is_withdrawn() {
    let Some(database) = Database::new("file_attempt").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    for version in ["2.0", "2.2", "3.0"] {
        deliver(&sink, version).await;
    }
    block(&sink, "2.1").await;
    assert_eq!(
        files(folder.path()),
        [STEM_2, STEM_3].map(|stem| [format!("{stem}.json"), format!("{stem}.md")]).concat()
    );
    assert!(text(&folder, &format!("{STEM_2}.md")).contains("version 2.2"));
    assert_eq!(said(&database).await.last(), Some(&withdrawn("2.0", "2.1")));
    database.drop().await;
}

#[tokio::test]
async fn the_newest_versions_of_a_window_are_kept_and_a_reset_says_nothing_of_the_others() {
    let Some(database) = Database::new("file_kept").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder).keeping(3);
    let versions = ["1.0", "2.0", "3.0", "3.1", "4.0", "5.0"];
    // Together and one by one.
    let claim = sink.claim(&partition()).await.unwrap();
    sink.write(&batch(claim, &versions.map(|version| ready("t", 0, version))[..4])).await.unwrap();
    for version in &versions[4..] {
        deliver(&sink, version).await;
    }
    let stems = ["r3", "r4", "r5"].map(|revision| format!("2024-03-01T000000Z_24h_{revision}"));
    let kept: Vec<_> = stems.iter().flat_map(|stem| [format!("{stem}.json"), format!("{stem}.md")]).collect();
    let rows_kept = rows(&[("3.1", "sent"), ("4.0", "sent"), ("5.0", "sent")]);
    assert_eq!((files(folder.path()), ledger(&database).await), (kept.clone(), rows_kept.clone()));
    assert!(text(&folder, &kept[1]).contains("version 3.1"));
    assert_eq!(said(&database).await, versions.map(success));
    database.store.reset_sink("file_sink", crate::support::TOPIC, 0, 0).await.unwrap();
    let claim = sink.claim(&partition()).await.unwrap();
    sink.write(&batch(claim, &versions.map(|version| ready("t", 0, version)))).await.unwrap();
    assert_eq!((files(folder.path()), ledger(&database).await), (kept, rows_kept));
    assert_eq!(said(&database).await, versions.map(success), "nothing twice");
    // Blocked versions take their place in the ledger, and are forgotten like others.
    for version in ["6.0", "7.0", "8.0", "9.0"] {
        block(&sink, version).await;
    }
    assert_eq!(ledger(&database).await, rows(&[("7.0", "blocked"), ("8.0", "blocked"), ("9.0", "blocked")]));
    assert_eq!(files(folder.path()), Vec::<String>::new());
    deliver(&sink, "6.1").await;
    assert_eq!(files(folder.path()), Vec::<String>::new(), "older than what is kept");
    database.drop().await;
}

/// Waits until a statement of the schema waits for a table, and ends its connection.
async fn kill_who_waits_for(owner: &mut PgConnection, app: &mut PgConnection, table: &str) {
    let waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = $1::regclass";
    let pid: i32 = loop {
        if let Some(row) = sqlx::query(waiting).bind(table).fetch_optional(&mut *owner).await.unwrap() {
            break row.get(0);
        }
        tokio::task::yield_now().await;
    };
    run(app, &format!("SELECT pg_terminate_backend({pid})")).await.unwrap();
}

/// Lets a write come as far as `outbox`, and ends it there.
async fn killed_in(database: &Database, write: impl Future<Output = Result<(), SinkError>> + Send + 'static) {
    let (mut owner, mut app) = (database.owner().await, database.app().await);
    run(&mut owner, "BEGIN").await.unwrap();
    run(&mut owner, "LOCK TABLE outbox").await.unwrap();
    let write = tokio::spawn(write);
    kill_who_waits_for(&mut owner, &mut app, "outbox").await;
    let failed = write.await.unwrap().unwrap_err();
    assert!(matches!(failed, SinkError::Transient { .. }), "{failed}");
    run(&mut owner, "ROLLBACK").await.unwrap();
}

fn pair(database: &Database, folder: &TempDir) -> (FileSink, FileSink) {
    (sink(database, folder), sink(database, folder))
}

#[tokio::test]
async fn a_kill_after_the_files_went_leaves_the_event_to_be_said() {
    let Some(database) = Database::new("file_killed").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (sink, other) = pair(&database, &folder);
    deliver(&sink, "1.0").await;
    let claim = sink.claim(&partition_of(BLOCKED_TOPIC)).await.unwrap();
    killed_in(&database, async move { other.write(&blocked_batch(claim, blocked("t", 0, "2.0"))).await })
        .await;
    assert_eq!(files(folder.path()), Vec::<String>::new());
    assert_eq!(ledger(&database).await, rows(&[("1.0", "sent")]));
    assert_eq!(said(&database).await, [success("1.0")]);
    // The successor.
    block(&sink, "2.0").await;
    assert_eq!(said(&database).await, [success("1.0"), withdrawn("1.0", "2.0")]);
    assert_eq!(ledger(&database).await, rows(&[("1.0", "withdrawn"), ("2.0", "blocked")]));
    database.drop().await;
}

#[tokio::test]
async fn files_left_by_a_kill_are_removed_when_the_digest_was_withdrawn_meanwhile() {
    let Some(database) = Database::new("file_left").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (sink, other) = pair(&database, &folder);
    let claim = sink.claim(&partition()).await.unwrap();
    let writing = Box::pin(async move { other.write(&batch(claim, &[ready("t", 0, "1.0")])).await });
    killed_in(&database, writing).await;
    assert_eq!((files(folder.path()).len(), ledger(&database).await), (2, rows(&[("1.0", "sending")])));
    block(&sink, "2.0").await;
    assert_eq!(files(folder.path()), Vec::<String>::new());
    // Another holder of the digests' partition was about to write: it comes upon the withdrawal.
    deliver(&sink, "1.0").await;
    assert_eq!((files(folder.path()), said(&database).await), (vec![], vec![]), "nobody was told of it");
    assert_eq!(ledger(&database).await, rows(&[("1.0", "withdrawn"), ("2.0", "blocked")]));
    database.drop().await;
}

#[tokio::test]
async fn a_digest_withdrawn_while_its_files_are_written_is_neither_kept_nor_announced() {
    let Some(database) = Database::new("file_meanwhile").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (sink, other) = pair(&database, &folder);
    let claim = sink.claim(&partition()).await.unwrap();
    let (mut owner, mut queued) = (database.owner().await, database.app().await);
    run(&mut owner, "BEGIN").await.unwrap();
    run(&mut owner, "LOCK TABLE deliveries").await.unwrap();
    let write = tokio::spawn(async move { other.write(&batch(claim, &[ready("t", 0, "1.0")])).await });
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'deliveries'::regclass";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut owner).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    // The plan holds the offset's row; whoever queues for it now gets it before the writer's second transaction.
    let queue = tokio::spawn(async move {
        run(&mut queued, "BEGIN").await.unwrap();
        run(&mut queued, "SELECT FROM sink_offsets WHERE topic = 'digest.ready_for_delivery.v1' FOR UPDATE")
            .await
            .unwrap();
        queued
    });
    let waiting = "SELECT count(*) FROM pg_locks AS waits WHERE NOT granted AND EXISTS (
        SELECT FROM pg_locks AS holds WHERE holds.pid = waits.pid AND holds.relation = 'sink_offsets'::regclass)
        AND locktype IN ('transactionid', 'tuple')";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut owner).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    run(&mut owner, "ROLLBACK").await.unwrap();
    let mut queued = queue.await.unwrap();
    block(&sink, "2.0").await;
    run(&mut queued, "ROLLBACK").await.unwrap();
    write.await.unwrap().unwrap();
    assert_eq!((files(folder.path()), said(&database).await), (vec![], vec![]));
    assert_eq!(ledger(&database).await, rows(&[("1.0", "withdrawn"), ("2.0", "blocked")]));
    database.drop().await;
}
