//! Digests become files, ledger rows and events, once.

use crate::{
    database::Database,
    samples::{dead_letter, ready},
    support::{TOPIC, batch, delivered, files, ledger, partition, sink, text},
};
use runtime::{Sink, SinkError, SinkRecord};
use schemas::DigestReadyForDelivery;
use std::fs;

#[tokio::test]
async fn a_digest_becomes_two_files_a_ledger_row_and_an_event() {
    let Some(database) = Database::new("file_sink_one").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    let claim = sink.claim(&partition()).await.unwrap();
    let telegram = DigestReadyForDelivery { channels: vec!["telegram".to_owned()], ..ready("t", 1, "1.0") };
    let mut both = batch(claim, &[ready("t", 0, "2.0"), telegram]);
    both.records.push(SinkRecord::DeadLetter(Box::new(dead_letter("t", 2))));
    both.next_offset = 3;
    sink.write(&both).await.unwrap();
    let stem = "2024-03-01T000000Z_24h_r2";
    assert_eq!(files(folder.path()), [format!("{stem}.json"), format!("{stem}.md")]);
    assert!(text(&folder, &format!("{stem}.md")).contains("day 0 version 2.0"));
    assert_eq!(ledger(&database).await, [("2.0".to_owned(), "sent".to_owned())]);
    let said = delivered(&database).await;
    assert_eq!(
        (said[0].status.as_str(), said[0].channel.as_str(), &said[0].error),
        ("success", "file", &None)
    );
    assert_eq!((said.len(), database.outbox().await.len()), (1, 2));
    // Again, as after a commit whose answer was lost: nothing changes.
    sink.write(&both).await.unwrap();
    assert_eq!(delivered(&database).await, said);
    assert_eq!(database.store.passed_offset("file_sink", TOPIC, 0).await.unwrap(), Some(3));
    database.drop().await;
}

#[tokio::test]
async fn a_reset_writes_files_again_and_says_nothing_twice() {
    let Some(database) = Database::new("file_sink_reset").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    let claim = sink.claim(&partition()).await.unwrap();
    let digests = [ready("t", 0, "1.0"), ready("t", 1, "1.0")];
    sink.write(&batch(claim, &digests)).await.unwrap();
    let before = files(folder.path());
    fs::remove_dir_all(folder.path().join("t")).unwrap();
    database.store.reset_sink("file_sink", TOPIC, 0, 0).await.unwrap();
    let claim = sink.claim(&partition()).await.unwrap();
    sink.write(&batch(claim, &digests)).await.unwrap();
    assert_eq!(files(folder.path()), before);
    assert_eq!((before.len(), delivered(&database).await.len()), (4, 2));
    database.drop().await;
}

#[tokio::test]
async fn an_older_attempt_never_replaces_a_newer_one() {
    let Some(database) = Database::new("file_sink_older").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    for version in ["1.0", "1.2", "1.1", "2.0"] {
        let claim = sink.claim(&partition()).await.unwrap();
        sink.write(&batch(claim, &[ready("t", 0, version)])).await.unwrap();
    }
    assert!(text(&folder, "2024-03-01T000000Z_24h_r1.md").contains("version 1.2"));
    assert!(text(&folder, "2024-03-01T000000Z_24h_r2.md").contains("version 2.0"));
    let expected = [("1.0", "sent"), ("1.1", "superseded"), ("1.2", "sent"), ("2.0", "sent")];
    assert_eq!(
        ledger(&database).await,
        expected.map(|(version, status)| (version.to_owned(), status.to_owned()))
    );
    assert_eq!(delivered(&database).await.len(), 3);
    database.drop().await;
}

#[tokio::test]
async fn a_zombie_writes_no_file() {
    let Some(database) = Database::new("file_sink_zombie").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    let old = sink.claim(&partition()).await.unwrap();
    sink.claim(&partition()).await.unwrap();
    let refused = sink.write(&batch(old, &[ready("t", 0, "1.0")])).await.unwrap_err();
    assert!(matches!(refused, SinkError::Fenced), "{refused}");
    assert_eq!(files(folder.path()), Vec::<String>::new());
    database.drop().await;
}

#[tokio::test]
async fn a_path_in_the_way_stops_the_sink_and_the_digest_stays_to_be_sent() {
    let Some(database) = Database::new("file_sink_path").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    let claim = sink.claim(&partition()).await.unwrap();
    fs::write(folder.path().join("t"), "a file where a folder belongs").unwrap();
    let refused = sink.write(&batch(claim, &[ready("t", 0, "1.0")])).await.unwrap_err();
    assert!(matches!(&refused, SinkError::Fatal(text) if text.contains("choose another")), "{refused}");
    assert_eq!(ledger(&database).await, [("1.0".to_owned(), "sending".to_owned())]);
    fs::remove_file(folder.path().join("t")).unwrap();
    // What the first holder left aside is gone when the next one takes over.
    fs::write(folder.path().join(".partial/digest.ready_for_delivery.v1-0-1/file"), "half").unwrap();
    let claim = sink.claim(&partition()).await.unwrap();
    assert_eq!(claim.next_offset, 0);
    assert_eq!(files(folder.path()), Vec::<String>::new());
    sink.write(&batch(claim, &[ready("t", 0, "1.0")])).await.unwrap();
    assert_eq!(ledger(&database).await, [("1.0".to_owned(), "sent".to_owned())]);
    assert_eq!(files(folder.path()).len(), 2);
    database.drop().await;
}

#[tokio::test]
async fn a_digest_that_the_ledger_cannot_hold_is_named() {
    let Some(database) = Database::new("file_sink_poison").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&database, &folder);
    let claim = sink.claim(&partition()).await.unwrap();
    let bad = DigestReadyForDelivery { version: "x".to_owned(), ..ready("t", 1, "1.0") };
    let refused = sink.write(&batch(claim, &[ready("t", 0, "1.0"), bad])).await.unwrap_err();
    assert!(matches!(refused, SinkError::Poison { offset: 1, reason: "bad_version", .. }), "{refused}");
    assert_eq!((files(folder.path()).len(), ledger(&database).await.len()), (0, 0));
    database.drop().await;
}
