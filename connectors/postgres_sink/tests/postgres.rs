//! The sink against a real Postgres.

#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../crates/state/tests/postgres/database.rs"]
mod database;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of state")]
#[path = "../../../crates/state/tests/postgres/samples.rs"]
mod samples;

#[cfg(test)]
mod tests {
    use crate::{
        database::{CLUSTER, Database, run},
        samples::{blocked, dead_letter, message, ready},
    };
    use postgres_sink::{PostgresSink, persisted};
    use processor::{AnyRecord, SourcePosition};
    use runtime::{Claim, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
    use schemas::{DigestDlq, DigestPersisted, DigestReadyForDelivery, GroupMessageIngested, StageRun};
    use sqlx::Row;
    use state::DigestFilter;
    use std::sync::Arc;

    const TOPIC: &str = "group.message.ingested.v1";

    fn partition() -> PartitionId {
        PartitionId { topic: format!("p.{TOPIC}").into(), logical: TOPIC.into(), partition: 0 }
    }

    fn record(offset: i64, record: impl AnyRecord + 'static) -> SinkRecord {
        let source = SourcePosition { topic: Arc::from(TOPIC), partition: 0, offset, append_time_ms: 0 };
        SinkRecord::Decoded { input: "messages", source, record: Box::new(record) }
    }

    fn ingested(tenant: &str, texts: &[&str]) -> GroupMessageIngested {
        let messages = texts.iter().zip(1..).map(|(text, id)| message(id, 0, "new", text)).collect();
        GroupMessageIngested {
            tenant_id: tenant.to_owned(),
            group_id: "g".to_owned(),
            messages,
            ..GroupMessageIngested::default()
        }
    }

    fn batch(claim: Claim, records: Vec<SinkRecord>, next_offset: i64) -> SinkBatch {
        SinkBatch { partition: partition(), claim, records, next_offset }
    }

    fn everything(claim: Claim) -> SinkBatch {
        let records = vec![
            record(0, ingested("t", &["one", "two"])),
            record(1, ready("t", 0, "1.0")),
            record(2, blocked("t", 1, "1.0")),
            SinkRecord::DeadLetter(Box::new(dead_letter("t", 3))),
            record(4, ingested("u", &["three"])),
        ];
        batch(claim, records, 5)
    }

    async fn counts(database: &Database) -> (i64, i64, usize, usize, usize) {
        let store = &database.store;
        let states =
            async |tenant| store.message_counts(tenant).await.unwrap().iter().map(|count| count.states).sum();
        let filter = DigestFilter { tenant_id: "t".to_owned(), ..DigestFilter::default() };
        (
            states("t").await,
            states("u").await,
            store.digest_list(&filter).await.unwrap().len(),
            store.blocked_list(&filter).await.unwrap().len(),
            database.outbox().await.len(),
        )
    }

    #[tokio::test]
    async fn a_batch_written_twice_gives_the_same_rows() {
        let Some(database) = Database::new("pg_sink_twice").await else { return };
        let sink = PostgresSink::new(database.store.clone(), CLUSTER);
        let claim = sink.claim(&partition()).await.unwrap();
        sink.write(&everything(claim)).await.unwrap();
        assert_eq!(counts(&database).await, (2, 1, 1, 1, 2));
        // The answer to the commit was lost, and the runtime tries the same batch again.
        sink.write(&everything(claim)).await.unwrap();
        assert_eq!(counts(&database).await, (2, 1, 1, 1, 2));
        let outbox = database.outbox().await;
        assert_eq!(outbox[0].0, "persisted");
        assert_eq!(outbox[0].1, serde_json::to_string(&persisted(&ready("t", 0, "1.0")).unwrap()).unwrap());
        assert_eq!(outbox[1].0, "dead_letters");
        assert_eq!(serde_json::from_str::<DigestDlq>(&outbox[1].1).unwrap(), dead_letter("t", 3));
        // An operator resets the sink: all is read again, nothing is new, and only the dead letter is said again.
        database.store.reset_sink("postgres_sink", TOPIC, 0, 0).await.unwrap();
        assert!(matches!(sink.write(&everything(claim)).await.unwrap_err(), SinkError::Fenced));
        let claim = sink.claim(&partition()).await.unwrap();
        assert_eq!(claim, Claim { epoch: 3, next_offset: 0 });
        sink.write(&everything(claim)).await.unwrap();
        assert_eq!(counts(&database).await, (2, 1, 1, 1, 3));
        database.drop().await;
    }

    #[tokio::test]
    async fn a_zombie_writes_nothing() {
        let Some(database) = Database::new("pg_sink_zombie").await else { return };
        let sink = PostgresSink::new(database.store.clone(), CLUSTER);
        let old = sink.claim(&partition()).await.unwrap();
        sink.claim(&partition()).await.unwrap();
        assert!(matches!(sink.write(&everything(old)).await.unwrap_err(), SinkError::Fenced));
        assert_eq!(counts(&database).await, (0, 0, 0, 0, 0));
        database.drop().await;
    }

    #[tokio::test]
    async fn a_record_that_can_never_be_stored_is_named_and_nothing_is_written() {
        let Some(database) = Database::new("pg_sink_poison").await else { return };
        let sink = PostgresSink::new(database.store.clone(), CLUSTER);
        let claim = sink.claim(&partition()).await.unwrap();
        let records = || {
            vec![
                record(0, ingested("t", &["fine"])),
                record(7, ready("a\0b", 0, "1.0")),
                record(8, ingested("u", &["x"])),
            ]
        };
        let refused = sink.write(&batch(claim, records(), 9)).await.unwrap_err();
        assert!(matches!(refused, SinkError::Poison { offset: 7, reason: "bad_name", .. }), "{refused}");
        assert_eq!(counts(&database).await, (0, 0, 0, 0, 0));
        // The runtime makes it a dead letter and tries the rest again.
        let mut rest = records();
        rest[1] = SinkRecord::DeadLetter(Box::new(dead_letter("a\0b", 7)));
        sink.write(&batch(claim, rest, 9)).await.unwrap();
        assert_eq!(counts(&database).await, (1, 1, 0, 0, 1));
        database.drop().await;
    }

    /// Digests that no outbox source could publish, and the reason of each.
    fn without_a_number() -> [(&'static str, DigestReadyForDelivery); 4] {
        let of = |runs: [(i64, f64); 2]| {
            let mut digest = ready("t", 0, "1.0");
            let run = digest.runs[0].clone();
            digest.runs = runs.map(|(tokens, cost)| StageRun { tokens, cost, ..run.clone() }).to_vec();
            digest
        };
        let mut part = ready("t", 0, "1.0");
        part.delivery_payload.quality.titles = f64::NAN;
        [
            ("bad_totals", of([(1, f64::MAX), (1, f64::MAX)])),
            ("bad_totals", of([(i64::MAX, 0.0), (1, 0.0)])),
            ("not_finite", of([(1, f64::INFINITY), (1, 0.0)])),
            ("not_finite", part),
        ]
    }

    #[tokio::test]
    async fn a_number_that_json_lacks_is_refused_and_wedges_nothing() {
        let Some(database) = Database::new("pg_sink_numbers").await else { return };
        let sink = PostgresSink::new(database.store.clone(), CLUSTER);
        let claim = sink.claim(&partition()).await.unwrap();
        let mut next = claim;
        for (reason, digest) in without_a_number() {
            let offset = next.next_offset;
            let bad = || vec![record(offset, digest.clone())];
            let refused = sink.write(&batch(next, bad(), offset + 1)).await.unwrap_err();
            assert!(
                matches!(&refused, SinkError::Poison { offset: at, reason: why, .. } if (*at, *why) == (offset, reason)),
                "{refused}"
            );
            // The runtime makes it a dead letter, and what is beside it goes its way.
            let letter = SinkRecord::DeadLetter(Box::new(dead_letter("t", offset)));
            sink.write(&batch(next, vec![letter], offset + 1)).await.unwrap();
            next = sink.claim(&partition()).await.unwrap();
        }
        let mut unscored = blocked("t", 0, "1.0");
        unscored.quality_score = Some(f64::NAN);
        let refused = sink.write(&batch(next, vec![record(4, unscored)], 5)).await.unwrap_err();
        assert!(matches!(refused, SinkError::Poison { offset: 4, reason: "not_finite", .. }), "{refused}");
        sink.write(&batch(next, vec![record(4, ready("t", 1, "1.0"))], 5)).await.unwrap();
        assert_eq!(counts(&database).await, (0, 0, 1, 0, 5));
        for (port, payload) in database.outbox().await {
            match port.as_str() {
                "persisted" => drop(serde_json::from_str::<DigestPersisted>(&payload).unwrap()),
                _ => drop(serde_json::from_str::<DigestDlq>(&payload).unwrap()),
            }
        }
        database.drop().await;
    }

    #[tokio::test]
    async fn the_newest_versions_of_a_window_are_kept_and_a_reset_announces_none_again() {
        let Some(database) = Database::new("pg_sink_kept").await else { return };
        let sink = PostgresSink::new(database.store.clone(), CLUSTER).keeping(2);
        let records = || {
            let digests = ["1.0", "2.0", "3.0"].map(|version| ready("t", 0, version));
            let refusals = ["1.0", "2.0", "3.0"].map(|version| blocked("t", 1, version));
            let mut records: Vec<_> =
                digests.into_iter().zip(0..).map(|(digest, offset)| record(offset, digest)).collect();
            records.extend(refusals.into_iter().zip(3..).map(|(blocked, offset)| record(offset, blocked)));
            records
        };
        let versions = async |table: &str| {
            let sql = format!("SELECT version FROM {table} ORDER BY revision, attempt");
            database.rows("t", &sql).await.iter().map(|row| row.get(0)).collect::<Vec<String>>()
        };
        for _ in 0..2 {
            let claim = sink.claim(&partition()).await.unwrap();
            sink.write(&batch(claim, records(), 6)).await.unwrap();
            assert_eq!(versions("digests").await, ["2.0", "3.0"]);
            assert_eq!(versions("blocked_digests").await, ["2.0", "3.0"]);
            assert_eq!(database.outbox().await.len(), 3, "each is announced once");
            database.store.reset_sink("postgres_sink", TOPIC, 0, 0).await.unwrap();
        }
        database.drop().await;
    }

    #[tokio::test]
    async fn a_record_that_only_postgres_refuses_is_found() {
        let Some(database) = Database::new("pg_sink_refused").await else { return };
        let mut owner = database.owner().await;
        run(&mut owner, "ALTER TABLE messages ADD CHECK (text <> 'refused')").await.unwrap();
        let sink = PostgresSink::new(database.store.clone(), CLUSTER);
        let claim = sink.claim(&partition()).await.unwrap();
        let records = vec![
            record(0, ingested("t", &["fine"])),
            record(1, ingested("u", &["x", "refused"])),
            record(2, ready("t", 0, "1.0")),
        ];
        let refused = sink.write(&batch(claim, records, 3)).await.unwrap_err();
        assert!(
            matches!(refused, SinkError::Poison { offset: 1, reason: "refused_by_postgres", .. }),
            "{refused}"
        );
        assert_eq!(counts(&database).await, (0, 0, 0, 0, 0));
        database.drop().await;
    }

    #[tokio::test]
    async fn another_cluster_stops_the_sink() {
        let Some(database) = Database::new("pg_sink_cluster").await else { return };
        PostgresSink::new(database.store.clone(), CLUSTER).claim(&partition()).await.unwrap();
        let refused =
            PostgresSink::new(database.store.clone(), "other").claim(&partition()).await.unwrap_err();
        assert!(
            matches!(&refused, SinkError::Fatal(text) if text.contains("belongs to cluster cluster-of-tests"))
        );
        database.drop().await;
    }

    #[tokio::test]
    async fn a_connection_ended_in_the_middle_is_transient_and_leaves_nothing() {
        let Some(database) = Database::new("pg_sink_killed").await else { return };
        let sink = PostgresSink::new(database.store.clone(), CLUSTER);
        let claim = sink.claim(&partition()).await.unwrap();
        // A lock on the table holds the write up until its connection is ended from outside.
        let mut owner = database.owner().await;
        run(&mut owner, "BEGIN").await.unwrap();
        run(&mut owner, "LOCK TABLE digests").await.unwrap();
        let write = tokio::spawn(async move { sink.write(&everything(claim)).await });
        let waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'digests'::regclass";
        let pid: i32 = loop {
            if let Some(row) = sqlx::query(waiting).fetch_optional(&mut owner).await.unwrap() {
                break row.get(0);
            }
            tokio::task::yield_now().await;
        };
        let mut app = database.app().await;
        run(&mut app, &format!("SELECT pg_terminate_backend({pid})")).await.unwrap();
        let failed = write.await.unwrap().unwrap_err();
        assert!(matches!(failed, SinkError::Transient { .. }), "{failed}");
        run(&mut owner, "ROLLBACK").await.unwrap();
        assert_eq!(counts(&database).await, (0, 0, 0, 0, 0));
        let sink = PostgresSink::new(database.store.clone(), CLUSTER);
        sink.write(&everything(claim)).await.unwrap();
        assert_eq!(counts(&database).await, (2, 1, 1, 1, 2));
        database.drop().await;
    }
}
