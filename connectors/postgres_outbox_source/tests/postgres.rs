//! The source against a real Postgres.

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
        database::{CLUSTER, Database, partition, run},
        samples::dead_letter,
    };
    use postgres_outbox_source::PostgresOutboxSource;
    use processor::Emission;
    use runtime::{Position, Source, SourceBatch, SourceError};
    use schemas::{DigestDelivered, DigestDlq, DigestPersisted};
    use state::{Batch, BatchBounds, Opened, Store};
    use std::{collections::BTreeMap, time::Duration};

    async fn open(store: &Store) -> Box<Batch> {
        let partition = partition("sink", "t");
        let claim = store.claim(&partition, CLUSTER).await.unwrap();
        let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
        match store.open_batch(&bounds).await.unwrap() {
            Opened::Batch(batch) => batch,
            Opened::Written => panic!("written"),
        }
    }

    fn persisted() -> DigestPersisted {
        DigestPersisted {
            tenant_id: "t".to_owned(),
            group_id: "g".to_owned(),
            digest_id: "d".to_owned(),
            window_id: "w".to_owned(),
            version: "1.0".to_owned(),
            metrics: BTreeMap::from([("quality_score".to_owned(), 0.1 + 0.2)]),
            topics: vec!["deploy".to_owned()],
            window_end: 9,
        }
    }

    fn delivered() -> DigestDelivered {
        DigestDelivered {
            tenant_id: "t".to_owned(),
            group_id: "g".to_owned(),
            digest_id: "d".to_owned(),
            window_id: "w".to_owned(),
            version: "1.0".to_owned(),
            status: "success".to_owned(),
            channel: "file".to_owned(),
            delivered_at: 10,
            error: None,
            withdrawn_by: None,
        }
    }

    /// What follows; other tests' transactions may hold it back for a while.
    async fn next(
        source: &mut PostgresOutboxSource,
        position: Option<&Position>,
    ) -> (Vec<Emission>, Position) {
        let reading = async {
            loop {
                match source.next(position).await.unwrap() {
                    SourceBatch::Records { emissions, position } => return (emissions, position),
                    SourceBatch::Idle(_) => {}
                    SourceBatch::End | SourceBatch::Parts { .. } => {
                        panic!("an outbox never ends, and is one")
                    }
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), reading).await.expect("rows come")
    }

    #[tokio::test]
    async fn rows_become_records_of_their_ports_and_the_position_goes_on() {
        let Some(database) = Database::new("outbox_source").await else { return };
        let mut source = PostgresOutboxSource::new(database.store.clone());
        assert_eq!(source.identity(), format!("outbox/{}", database.schema));
        let mut batch = open(&database.store).await;
        batch.append_outbox("persisted", &persisted()).await.unwrap();
        batch.append_outbox("delivered", &delivered()).await.unwrap();
        batch.append_outbox("dead_letters", &dead_letter("t", 3)).await.unwrap();
        batch.commit().await.unwrap();
        let (emissions, first) = next(&mut source, None).await;
        assert_eq!(
            emissions.iter().map(|emission| emission.port).collect::<Vec<_>>(),
            ["persisted", "delivered", "dead_letters"]
        );
        assert_eq!(emissions[0].downcast(), Some(&persisted()));
        assert_eq!(emissions[1].downcast(), Some(&delivered()));
        assert_eq!(emissions[2].downcast::<DigestDlq>(), Some(&dead_letter("t", 3)));
        let mut batch = open(&database.store).await;
        batch.append_outbox("dead_letters", &dead_letter("t", 4)).await.unwrap();
        batch.commit().await.unwrap();
        let (rest, second) = next(&mut source, Some(&first)).await;
        assert_eq!(rest[0].downcast::<DigestDlq>(), Some(&dead_letter("t", 4)));
        assert_eq!(rest.len(), 1);
        // After a failed commit the runtime asks from an earlier position: the same comes again.
        let (again, position) = next(&mut source, Some(&first)).await;
        assert_eq!((again[0].downcast::<DigestDlq>(), position), (Some(&dead_letter("t", 4)), second));
        database.drop().await;
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_is_a_dead_letter_and_holds_nothing_back() {
        let Some(database) = Database::new("outbox_unreadable").await else { return };
        let mut source = PostgresOutboxSource::new(database.store.clone());
        let mut batch = open(&database.store).await;
        batch.append_outbox("persisted", &persisted()).await.unwrap();
        // A payload that lacks fields of the port's record.
        batch.append_outbox("persisted", &delivered()).await.unwrap();
        batch.append_outbox("delivered", &delivered()).await.unwrap();
        batch.commit().await.unwrap();
        let (rows, _) = next(&mut source, None).await;
        let ports: Vec<_> = rows.iter().map(|emission| emission.port).collect();
        assert_eq!(ports, ["persisted", "dead_letters", "delivered"]);
        assert_eq!(rows[0].downcast(), Some(&persisted()));
        assert_eq!(rows[2].downcast(), Some(&delivered()));
        let letter = rows[1].downcast::<DigestDlq>().expect("a dead letter");
        let place = (&*letter.stage, &*letter.topic, letter.partition, letter.offset);
        assert_eq!(place, ("postgres_outbox_source", "outbox", 0, 2));
        assert_eq!(
            (&*letter.tenant_id, &*letter.group_id, letter.key.as_deref()),
            ("t", "g", Some(&b"t/g"[..]))
        );
        assert_eq!(letter.error_class, "unreadable_row");
        let why = "row 2 of the outbox is no digest.persisted.v1: could not read its payload beyond line 1, column ";
        assert!(letter.error.starts_with(why), "{}", letter.error);
        let kept: DigestDelivered =
            serde_json::from_slice(letter.value.as_deref().unwrap_or_default()).unwrap();
        assert_eq!(kept, delivered());
        assert!(letter.timestamp > 0);
        database.drop().await;
    }

    #[tokio::test]
    async fn a_quiet_outbox_is_asked_less_and_less_often() {
        let Some(database) = Database::new("outbox_idle").await else { return };
        let mut source = PostgresOutboxSource::new(database.store.clone());
        let mut waits = Vec::new();
        for _ in 0..6 {
            match source.next(None).await.unwrap() {
                SourceBatch::Idle(wait) => waits.push(wait.as_millis()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(waits, [50, 100, 200, 400, 500, 500]);
        database.drop().await;
    }

    async fn fatal(source: &mut PostgresOutboxSource, position: Option<&Position>) -> String {
        match source.next(position).await.unwrap_err() {
            SourceError::Fatal(text) => text,
            SourceError::Transient(cause) => panic!("{cause}"),
        }
    }

    #[tokio::test]
    async fn a_restored_dump_stops_the_source() {
        let Some(database) = Database::new("outbox_restored").await else { return };
        let mut source = PostgresOutboxSource::new(database.store.clone());
        let mut batch = open(&database.store).await;
        batch.append_outbox("persisted", &persisted()).await.unwrap();
        batch.commit().await.unwrap();
        let (_, position) = next(&mut source, None).await;
        let server = position.0.split('"').nth(3).unwrap();
        let elsewhere = Position(position.0.replace(server, "42"));
        let text = fatal(&mut source, Some(&elsewhere)).await;
        assert!(text.contains("of postgres server 42") && text.contains("restored dump"), "{text}");
        let ahead = Position(format!(r#"{{"system_identifier":"{server}","xid":{},"seq":1}}"#, u64::MAX));
        assert!(fatal(&mut source, Some(&ahead)).await.contains("set back to an earlier time"));
        assert!(
            fatal(&mut source, Some(&Position("?".to_owned())))
                .await
                .contains("could not read the outbox position")
        );
        // Rows of another server's transactions would never get below this server's oldest one.
        let mut app = database.app().await;
        let row = "INSERT INTO outbox (xid, tenant_id, group_id, port, payload) VALUES ('9000000000000', '', '', 'persisted', '{}')";
        run(&mut app, row).await.unwrap();
        assert!(fatal(&mut source, Some(&position)).await.contains("UPDATE outbox SET xid = DEFAULT"));
        database.drop().await;
    }

    /// Says something and gives the position after it.
    async fn say(
        database: &Database,
        source: &mut PostgresOutboxSource,
        after: Option<&Position>,
    ) -> Position {
        let mut batch = open(&database.store).await;
        batch.append_outbox("persisted", &persisted()).await.unwrap();
        batch.commit().await.unwrap();
        next(source, after).await.1
    }

    #[tokio::test]
    async fn a_database_set_back_to_an_earlier_time_stops_the_source() {
        let Some(database) = Database::new("outbox_set_back").await else { return };
        let mut source = PostgresOutboxSource::new(database.store.clone());
        let mut owner = database.owner().await;
        run(&mut owner, "ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY").await.unwrap();
        let first = say(&database, &mut source, None).await;
        let second = say(&database, &mut source, Some(&first)).await;
        run(&mut owner, "CREATE TABLE dump AS TABLE outbox").await.unwrap();
        // As of the first row; transaction ids have gone on since.
        run(&mut owner, "DELETE FROM outbox WHERE seq = 2").await.unwrap();
        let text = fatal(&mut source, Some(&second)).await;
        assert!(text.contains("no longer holds the row published last") && text.contains("row 2"), "{text}");
        assert!(text.contains("of timeline 1; the server is at timeline 1"), "{text}");
        assert!(matches!(source.next(Some(&first)).await.unwrap(), SourceBatch::Idle(_)));
        // The lost ids were handed out again: another row at the same place.
        let other = "INSERT INTO outbox (xid, seq, tenant_id, group_id, port, payload, created_at)
            OVERRIDING SYSTEM VALUE
            SELECT xid, seq, tenant_id, group_id, port, payload, created_at + interval '1 s' FROM dump WHERE seq = 2";
        run(&mut owner, other).await.unwrap();
        assert!(fatal(&mut source, Some(&second)).await.contains("set back to an earlier time"));
        // Rows that were published and cleaned up are no sign of it, unless another timeline has begun.
        run(&mut owner, "DELETE FROM outbox").await.unwrap();
        assert!(matches!(source.next(Some(&second)).await.unwrap(), SourceBatch::Idle(_)));
        let promoted = Position(second.0.replace("\"timeline\":1", "\"timeline\":0"));
        assert!(
            fatal(&mut source, Some(&promoted)).await.contains("of timeline 0; the server is at timeline 1")
        );
        database.drop().await;
    }

    #[tokio::test]
    async fn a_row_of_a_newer_version_stops_the_source() {
        let Some(database) = Database::new("outbox_newer").await else { return };
        let mut source = PostgresOutboxSource::new(database.store.clone());
        let mut batch = open(&database.store).await;
        batch.append_outbox("tomorrow", &persisted()).await.unwrap();
        batch.commit().await.unwrap();
        let text = loop {
            match source.next(None).await {
                Ok(SourceBatch::Idle(_)) => {}
                Err(SourceError::Fatal(text)) => break text,
                other => panic!("{other:?}"),
            }
        };
        assert!(text.contains("port \"tomorrow\""), "{text}");
        database.drop().await;
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_waited_for() {
        let options = state::StoreOptions { acquire_timeout_ms: 50, ..state::StoreOptions::default() };
        let store = Store::open("postgres://a:b@127.0.0.1:1/c", &options).await.unwrap();
        let away = PostgresOutboxSource::new(store).next(None).await.unwrap_err();
        assert!(matches!(away, SourceError::Transient(_)), "{away}");
    }
}
