//! A newer version that is blocked takes an older digest away, whichever of the two comes first.

use crate::{
    database::{CLUSTER, Database, partition, run},
    samples::{blocked, ready},
};
use state::{Batch, BatchBounds, DigestFilter, DigestFound, Opened, Store};

/// A batch of one of the topics, open.
pub(crate) async fn open(store: &Store, topic: &str) -> Box<Batch> {
    let partition = partition("postgres_sink", topic);
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    match store.open_batch(&bounds).await.unwrap() {
        Opened::Batch(batch) => batch,
        Opened::Written => panic!("written"),
    }
}

/// What becomes of a window.
enum Said {
    Ready(&'static str),
    Blocked(&'static str),
}
use Said::{Blocked, Ready};

async fn say(store: &Store, said: &Said) {
    match said {
        Ready(version) => {
            let mut batch = open(store, "ready").await;
            assert!(batch.put_digest(&ready("t", 0, version)).await.unwrap(), "{version} is new");
            assert!(!batch.put_digest(&ready("t", 0, version)).await.unwrap(), "{version} is known");
            batch.commit().await.unwrap();
        }
        Blocked(version) => {
            let mut batch = open(store, "blocked").await;
            batch.put_blocked(&blocked("t", 0, version)).await.unwrap();
            batch.commit().await.unwrap();
        }
    }
}

/// Versions of the window: with a digest, without one.
async fn listed(store: &Store) -> (Vec<String>, Vec<String>) {
    let filter = DigestFilter { tenant_id: "t".to_owned(), ..DigestFilter::default() };
    let digests = store.digest_list(&filter).await.unwrap();
    let exported = store.digest_export(&filter).await.unwrap();
    assert_eq!(
        exported.iter().map(|digest| &digest.summary).collect::<Vec<_>>(),
        digests.iter().collect::<Vec<_>>()
    );
    let blocked = store.blocked_list(&filter).await.unwrap();
    (
        digests.into_iter().map(|digest| digest.version).collect(),
        blocked.into_iter().map(|blocked| blocked.version).collect(),
    )
}

/// Versions whose words are still somewhere in a column.
async fn with_words(database: &Database) -> Vec<String> {
    let sql = "SELECT version FROM digests WHERE digests::text LIKE '%day 0 version%' OR digests::text LIKE '%deploy%' \
               ORDER BY revision, attempt";
    database.rows("t", sql).await.iter().map(|row| sqlx::Row::get(row, 0)).collect()
}

#[tokio::test]
async fn a_digest_does_not_outlive_a_newer_version_that_was_blocked_in_any_order() {
    let Some(database) = Database::new("withdrawn_order").await else { return };
    let orders: [&[Said]; 4] = [
        &[Ready("1.0"), Ready("2.0"), Blocked("3.0")],
        &[Blocked("3.0"), Ready("2.0"), Ready("1.0")],
        &[Ready("1.0"), Blocked("3.0"), Ready("2.0")],
        &[Ready("2.0"), Blocked("3.0"), Blocked("2.1"), Ready("1.0")],
    ];
    for order in orders {
        let mut owner = database.owner().await;
        run(&mut owner, "TRUNCATE digests, blocked_digests").await.unwrap();
        for said in order {
            say(&database.store, said).await;
        }
        assert_eq!(listed(&database.store).await, (vec![], vec!["3.0".to_owned()]));
        assert_eq!(with_words(&database).await, Vec::<String>::new());
        for id in [ready("t", 0, "2.0").digest_id, ready("t", 0, "2.0").window_id] {
            let found = database.store.digest_show("t", &id).await.unwrap();
            let withdrawn = DigestFound::Withdrawn {
                version: "2.0".to_owned(),
                blocked_version: "3.0".to_owned(),
                reason: "too_small".to_owned(),
            };
            assert_eq!(found, Some(withdrawn));
        }
    }
    database.drop().await;
}

#[tokio::test]
async fn a_later_version_brings_the_digest_back_and_the_window_is_blocked_no_more() {
    let Some(database) = Database::new("withdrawn_back").await else { return };
    let orders: [&[Said]; 3] = [
        &[Ready("1.0"), Blocked("2.0"), Ready("3.0")],
        &[Ready("3.0"), Blocked("2.0"), Ready("1.0")],
        // Blocked at one threshold and ready at another: it is a digest.
        &[Blocked("2.0"), Ready("1.0"), Blocked("3.0"), Ready("3.0")],
    ];
    for order in orders {
        let mut owner = database.owner().await;
        run(&mut owner, "TRUNCATE digests, blocked_digests").await.unwrap();
        for said in order {
            say(&database.store, said).await;
        }
        assert_eq!(listed(&database.store).await, (vec!["3.0".to_owned()], vec![]));
        assert_eq!(with_words(&database).await, ["3.0"]);
    }
    database.drop().await;
}

#[tokio::test]
async fn two_topics_that_write_at_once_see_what_the_other_says() {
    let Some(database) = Database::new("withdrawn_at_once").await else { return };
    let mut first = open(&database.store, "ready").await;
    first.put_digest(&ready("t", 0, "1.0")).await.unwrap();
    let mut second = open(&database.store, "blocked").await;
    let blocking = tokio::spawn(async move {
        second.put_blocked(&blocked("t", 0, "2.0")).await.unwrap();
        second.commit().await.unwrap();
    });
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND classid::bigint = hashtext(current_schema() || '/postgres_sink')::bigint & 4294967295";
    let mut owner = database.owner().await;
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut owner).await.unwrap() == 0 {
        assert!(!blocking.is_finished(), "the second has not waited");
        tokio::task::yield_now().await;
    }
    first.commit().await.unwrap();
    blocking.await.unwrap();
    assert_eq!(listed(&database.store).await, (vec![], vec!["2.0".to_owned()]));
    assert_eq!(with_words(&database).await, Vec::<String>::new());
    database.drop().await;
}

#[tokio::test]
async fn digests_stored_before_this_version_lose_their_words_by_migration() {
    let Some(database) = Database::new("withdrawn_migrated").await else { return };
    say(&database.store, &Ready("1.0")).await;
    say(&database.store, &Ready("2.0")).await;
    // As they were stored before: neither knows of the other.
    let mut app = database.app().await;
    run(&mut app, "SELECT set_config('app.current_tenant', 't', false)").await.unwrap();
    let insert = "INSERT INTO blocked_digests (tenant_id, window_id, revision, attempt, group_id, size_hours,
        window_start_ms, window_end_ms, lane, trace_id, reason, missing_scopes, message_count, participant_count)
        SELECT tenant_id, window_id, 1, 1, group_id, size_hours, window_start_ms, window_end_ms, lane, trace_id,
            'too_small', '{}', 1, 1 FROM digests WHERE revision = 1";
    assert_eq!(run(&mut app, insert).await.unwrap(), 1);
    assert_eq!(with_words(&database).await, ["1.0", "2.0"]);
    let migration = include_str!("../../../../migrations/0008_withdraw_digests.sql");
    let update = &migration[migration.find("DO $$").unwrap()..];
    let mut owner = database.owner().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(update.to_owned())).execute(&mut owner).await.unwrap();
    assert_eq!(with_words(&database).await, ["2.0"]);
    database.drop().await;
}
