//! What retention takes, what it leaves, and that nothing of it is written again.

use crate::{
    database::{CLUSTER, Database, partition, run},
    messages::{question, write_group},
    outbox::read,
    samples::{START, blocked, message, ready},
};
use schemas::Message;
use sqlx::{PgConnection, Row};
use state::{AsOf, BatchBounds, Maintainer, Opened, Retention, Taken};

const DAY_MS: i64 = 86_400_000;

async fn maintainer(database: &Database) -> Maintainer {
    let opened = Maintainer::connect(database.owner_url(), &database.schema).await.unwrap();
    opened.expect("no other one runs")
}

/// Takes what is past of a tenant, as the job does; what it took by table.
async fn take(maintainer: &mut Maintainer, tenant: &str, before_ms: i64) -> Taken {
    maintainer.raise(tenant, before_ms).await.unwrap();
    let mut taken = Taken::new();
    let mut count = |name, rows| {
        *taken.entry(name).or_default() += rows;
        true
    };
    assert!(maintainer.take((tenant, Some(before_ms)), &mut count).await.unwrap());
    taken.retain(|_, rows| *rows > 0);
    taken
}

/// Writes digests of days 0, 1 and 2, one that was blocked, and one that somebody asked for, unless they are past: how many.
async fn put_windows(database: &Database, tenant: &str) -> usize {
    let partition = partition("postgres_sink", tenant);
    let claim = database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    let Opened::Batch(mut batch) = database.store.open_batch(&bounds).await.unwrap() else {
        panic!("written")
    };
    let mut written = 0;
    for day in 0..3 {
        let ready = ready(tenant, day, "1.0");
        if !batch.is_past(tenant, &ready.window).await.unwrap() {
            batch.put_digest(&ready).await.unwrap();
            written += 1;
        }
    }
    let mut asked = ready(tenant, 0, "1.0");
    asked.window.size_hours = schemas::ASKED_SIZE_HOURS;
    asked.window.window_end = START + 5 * DAY_MS;
    asked.window_id = "asked".to_owned();
    asked.digest_id = "asked".to_owned();
    if !batch.is_past(tenant, &asked.window).await.unwrap() {
        batch.put_digest(&asked).await.unwrap();
        written += 1;
    }
    let refused = blocked(tenant, 0, "7.0");
    if !batch.is_past(tenant, &refused.window).await.unwrap() {
        batch.put_blocked(&refused).await.unwrap();
        written += 1;
    }
    batch.commit().await.unwrap();
    written
}

async fn acting(database: &Database, tenant: &str) -> PgConnection {
    let mut owner = database.owner().await;
    for setting in [("app.current_tenant", tenant), ("app.outbox_reader", "on")] {
        let set = format!("SELECT set_config('{}', '{}', false)", setting.0, setting.1);
        run(&mut owner, &set).await.unwrap();
    }
    owner
}

async fn ids(database: &Database, tenant: &str) -> Vec<i64> {
    let rows = database.rows(tenant, "SELECT id FROM messages ORDER BY id").await;
    rows.iter().map(|row| row.get(0)).collect()
}

/// One look for each tenant and batch, however many records it has; a mark that is raised meanwhile holds from the next on.
#[tokio::test]
async fn a_batch_asks_once_what_was_taken_of_a_tenant() {
    let Some(database) = Database::new("retention_batch").await else { return };
    let mut maintainer = maintainer(&database).await;
    let partition = partition("qdrant_sink", "t");
    let claim = database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    for seen in [None, Some(START)] {
        let Opened::Batch(mut batch) = database.store.open_batch(&bounds).await.unwrap() else {
            panic!("written")
        };
        assert_eq!(batch.taken_before("acme").await.unwrap(), seen);
        maintainer.raise("acme", START).await.unwrap();
        assert_eq!(batch.taken_before("acme").await.unwrap(), seen);
        assert_eq!(batch.taken_before("globex").await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_past_goes_what_is_at_the_edge_stays_and_neither_comes_again() {
    let Some(database) = Database::new("retention_edge").await else { return };
    let author =
        |id: &str| schemas::Author { id: id.to_owned(), name: format!("Name of {id}"), is_bot: false };
    let said = |id, who| Message { author: Some(author(who)), ..message(id, 0, "new", "some words") };
    let log = [(1, said(1, "gone")), (2, said(2, "both")), (3, said(3, "both")), (4, said(101, "other"))];
    assert_eq!(write_group(&database.store, "g", &log).await, 4);
    let mut maintainer = maintainer(&database).await;
    // Another tenant's message is older than the mark too.
    let mark = START + 3_000;
    let found = maintainer.look("t", Some(mark)).await.unwrap();
    assert_eq!((found["messages"], found["windows"]), (2, 0));
    let taken = take(&mut maintainer, "t", mark).await;
    assert_eq!(taken, Taken::from([("author_names", 1), ("message_words", 2), ("messages", 2)]));
    assert_eq!((ids(&database, "t").await, ids(&database, "u").await), (vec![3], vec![101]));
    let names = database.rows("t", "SELECT DISTINCT author_id FROM author_names").await;
    assert_eq!(names.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), ["both"]);
    let mut owner = acting(&database, "t").await;
    let words = run(&mut owner, "SELECT FROM message_words WHERE sent_at_ms < 0 OR true").await.unwrap();
    assert_eq!(words, 1, "those of message 3");
    assert_eq!(take(&mut maintainer, "t", mark).await, Taken::new(), "done again it takes nothing");

    // The log is read again, and an edit of what is gone comes.
    let again = [(1, said(1, "gone")), (5, Message { revision: 9, ..said(2, "both") }), (6, said(4, "both"))];
    assert_eq!(write_group(&database.store, "g", &again).await, 1, "what is kept is written");
    assert_eq!(ids(&database, "t").await, [3, 4]);
    let of = ("postgres_sink", "group.message.ingested.v1");
    let mut asked = question(0, 9, 0);
    let read = database.store.messages_passed_by(&asked, of).await.unwrap();
    assert_eq!(read, Some(AsOf::Taken), "half a window is none");
    asked.whole = false;
    let read = database.store.messages_passed_by(&asked, of).await.unwrap();
    assert!(matches!(read, Some(AsOf::Messages(_))), "{read:?}");
    let kept = database.store.messages_passed_by(&question(3, 9, 0), of).await.unwrap();
    assert!(matches!(kept, Some(AsOf::Messages(_))), "a window that begins at the edge is whole");
    database.drop().await;
}

#[tokio::test]
async fn a_window_goes_once_the_mark_is_within_it_and_one_asked_for_with_its_end() {
    let Some(database) = Database::new("retention_windows").await else { return };
    assert_eq!((put_windows(&database, "t").await, put_windows(&database, "u").await), (5, 5));
    let mut maintainer = maintainer(&database).await;
    let windows = async |tenant| {
        let sql = "SELECT window_start_ms, size_hours FROM digests ORDER BY window_id = 'asked', 1";
        let rows = database.rows(tenant, sql).await;
        rows.iter()
            .map(|row| ((row.get::<i64, _>(0) - START) / DAY_MS, row.get::<i32, _>(1)))
            .collect::<Vec<_>>()
    };
    assert_eq!(take(&mut maintainer, "t", START).await, Taken::new(), "begins at the edge");
    let taken = take(&mut maintainer, "t", START + DAY_MS).await;
    assert_eq!(taken, Taken::from([("blocked_digests", 1), ("digests", 1)]));
    assert_eq!(windows("t").await, [(1, 24), (2, 24), (0, 0)]);
    take(&mut maintainer, "t", START + DAY_MS + 1).await;
    assert_eq!(windows("t").await, [(2, 24), (0, 0)], "it straddles the edge");
    assert_eq!(put_windows(&database, "t").await, 2, "sinks write nothing that is past");
    assert_eq!(windows("t").await, [(2, 24), (0, 0)]);
    take(&mut maintainer, "t", START + 5 * DAY_MS).await;
    assert_eq!((windows("t").await.len(), windows("u").await.len()), (0, 4));
    database.drop().await;
}

#[tokio::test]
async fn killed_between_batches_it_goes_on_and_two_do_not_run_at_once() {
    let Some(database) = Database::new("retention_killed").await else { return };
    let mut owner = acting(&database, "t").await;
    let many =
        "INSERT INTO messages (tenant_id, group_id, id, revision, source_offset, source_partition, kind,
        sent_at_ms, text) SELECT 't', 'g', id, 0, id, 0, 'new', id, '' FROM generate_series(1, 4500) AS id";
    run(&mut owner, many).await.unwrap();
    let mut first = maintainer(&database).await;
    assert!(Maintainer::connect(database.owner_url(), &database.schema).await.unwrap().is_none());
    first.raise("t", 4_001).await.unwrap();
    let mut once = |name, rows| !(name == "messages" && rows > 0);
    assert!(!first.take(("t", Some(4_001)), &mut once).await.unwrap());
    assert_eq!(ids(&database, "t").await.len(), 2_500);
    drop(first);
    // The lock goes with the connection, a moment after it.
    let mut second = loop {
        match Maintainer::connect(database.owner_url(), &database.schema).await.unwrap() {
            Some(second) => break second,
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!(take(&mut second, "t", 4_001).await, Taken::from([("messages", 2_000)]));
    assert_eq!(ids(&database, "t").await.first(), Some(&4_001));
    database.drop().await;
}

#[tokio::test]
async fn of_the_outbox_what_was_published_goes_and_neither_the_last_nor_an_unread_row() {
    let Some(database) = Database::new("retention_outbox").await else { return };
    let mut owner = acting(&database, "t").await;
    for day in [9, 8, 1, 8, 8] {
        let row = format!(
            "INSERT INTO outbox (tenant_id, group_id, port, payload, created_at)
             VALUES ('t', 'g', 'p', '{{}}', now() - interval '{day} days')"
        );
        run(&mut owner, &row).await.unwrap();
    }
    let before = read(&database.store, None, 5).await;
    let published = before[3].mark.place;
    let mut maintainer = maintainer(&database).await;
    assert_eq!(maintainer.look_outbox(published).await.unwrap(), 2);
    maintainer.take_outbox(published, &mut |_, _| true).await.unwrap();
    let after = database.store.outbox_page(None).await.unwrap().rows;
    assert_eq!(after, before[2..], "one is young, one is the last that was published, one is not published");
    let passed = database.store.outbox_page(Some(published)).await.unwrap();
    assert_eq!(passed.newest_passed, Some(before[3].mark), "its source goes on from there");
    database.drop().await;
}

#[tokio::test]
async fn a_chat_stays_muted_as_it_was_at_the_mark() {
    let Some(database) = Database::new("retention_mutes").await else { return };
    let mut owner = acting(&database, "t").await;
    // Ended; muted for long and ended early; muted across the mark; after it.
    for (chat, at, until) in
        [("a", 1, 5), ("b", 1, 99), ("b", 5, 5), ("c", 1, 5), ("c", 6, 99), ("d", 11, 12)]
    {
        let row = format!(
            "INSERT INTO chat_mutes (tenant_id, group_id, chat, at_ms, message_id, until_ms)
             VALUES ('t', 'g', '{chat}', {at}, {at}, {until})"
        );
        run(&mut owner, &row).await.unwrap();
    }
    let mut maintainer = maintainer(&database).await;
    take(&mut maintainer, "t", 10).await;
    take(&mut maintainer, "t", 10).await;
    let rows = database.rows("t", "SELECT chat, at_ms FROM chat_mutes ORDER BY 1, 2").await;
    let left: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(left, [("c".to_owned(), 6), ("d".to_owned(), 11)]);
    database.drop().await;
}

#[tokio::test]
async fn a_retention_is_set_on_record_and_its_mark_is_never_lowered() {
    let Some(database) = Database::new("retention_set").await else { return };
    let store = &database.store;
    assert_eq!(store.retention("t").await.unwrap(), Retention::default());
    assert_eq!(store.set_retention("t", Some(30), "ops").await.unwrap(), Retention::default());
    store.set_retention("t", Some(30), "ops").await.unwrap();
    let mut maintainer = maintainer(&database).await;
    let due = maintainer.due("t").await.unwrap().expect("a retention");
    assert_eq!(maintainer.due("u").await.unwrap(), None);
    maintainer.raise("t", due).await.unwrap();
    store.set_retention("t", Some(60), "ops").await.unwrap();
    assert_eq!(maintainer.due("t").await.unwrap(), Some(due), "what was taken stays away");
    let before = store.set_retention("t", None, "ops").await.unwrap();
    assert_eq!(before, Retention { days: Some(60), taken_before: Some(due) });
    assert_eq!(maintainer.due("t").await.unwrap(), None);
    assert_eq!(store.retention("t").await.unwrap(), Retention { days: None, taken_before: Some(due) });
    let entries = store.audit_entries("t", 0).await.unwrap();
    assert_eq!(entries.len(), 3, "what changes nothing is not on record");
    let mut app = database.app().await;
    run(&mut app, "SELECT set_config('app.current_tenant', 't', false)").await.unwrap();
    let refused = run(&mut app, "UPDATE retention SET taken_before_ms = 0").await.unwrap_err().to_string();
    assert!(refused.contains("permission denied"), "{refused}");

    let run = maintainer.begin_run().await.unwrap();
    assert_eq!(store.maintenance_runs(9).await.unwrap()[0].outcome, None, "it runs, or was killed");
    maintainer.end_run(run, "done", &serde_json::json!({ "tenants": 1 })).await.unwrap();
    let runs = store.maintenance_runs(9).await.unwrap();
    assert_eq!((runs.len(), runs[0].outcome.as_deref()), (1, Some("done")));
    assert_eq!(runs[0].report["tenants"], 1);
    database.drop().await;
}
