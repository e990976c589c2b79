//! Append-only messages and reads as of an offset, against a naive model.

use crate::{
    database::{CLUSTER, Database, partition},
    samples::{START, full_message, message},
};
use processor::MessagesAsOf;
use schemas::Message;
use sqlx::Row;
use state::{BatchBounds, MessageRow, Opened, Store};

/// Writes states of group `g`, each at its offset, as one batch; returns how many were new.
async fn write(store: &Store, states: &[(i64, Message)]) -> u64 {
    write_group(store, "g", states).await
}

pub(crate) async fn write_group(store: &Store, group_id: &str, states: &[(i64, Message)]) -> u64 {
    let partition = partition("postgres_sink", "group.message.ingested.v1");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    let Opened::Batch(mut batch) = store.open_batch(&bounds).await.unwrap() else { panic!("written") };
    let rows: Vec<_> = states
        .iter()
        .map(|(source_offset, message)| MessageRow {
            tenant_id: if message.id < 100 { "t" } else { "u" },
            group_id,
            source_partition: 0,
            source_offset: *source_offset,
            message,
        })
        .collect();
    let added = batch.insert_messages(&rows).await.unwrap();
    batch.commit().await.unwrap();
    added
}

pub(crate) fn question(start: i64, end: i64, offset: i64) -> MessagesAsOf {
    MessagesAsOf {
        tenant_id: "t".to_owned(),
        group_id: "g".to_owned(),
        start_ms: START + start * 1_000,
        end_ms: START + end * 1_000,
        partition: 0,
        offset,
        whole: true,
    }
}

/// Per id the highest (deleted, revision, offset) up to the offset; inside the window, not deleted, by (time, id).
fn model(log: &[(i64, Message)], question: &MessagesAsOf) -> Vec<Message> {
    let mut newest: std::collections::BTreeMap<i64, (bool, i64, i64, Message)> =
        std::collections::BTreeMap::new();
    for (offset, message) in log.iter().filter(|(offset, _)| *offset <= question.offset) {
        let state = (message.kind == "deleted", message.revision, *offset, message.clone());
        let entry = newest.entry(message.id).or_insert_with(|| state.clone());
        if (state.0, state.1, state.2) >= (entry.0, entry.1, entry.2) {
            *entry = state;
        }
    }
    let inside =
        |message: &Message| message.sent_at >= question.start_ms && message.sent_at < question.end_ms;
    let mut messages: Vec<Message> =
        newest.into_values().filter(|state| !state.0 && inside(&state.3)).map(|state| state.3).collect();
    messages.sort_by_key(|message| (message.sent_at, message.id));
    messages
}

#[tokio::test]
async fn a_message_comes_back_as_it_was() {
    let Some(database) = Database::new("messages_whole").await else { return };
    let plain = message(2, 0, "new", "");
    let anonymous = Message { text: "nul\0inside".to_owned(), ..message(3, 0, "new", "") };
    let log = [(0, full_message(1)), (0, plain.clone()), (1, anonymous.clone())];
    assert_eq!(write(&database.store, &log).await, 3);
    let read = database.store.messages_as_of(&question(0, 9, 1)).await.unwrap();
    let stored = Message { text: "nul\u{FFFD}inside".to_owned(), ..anonymous };
    assert_eq!(read, [full_message(1), plain, stored]);
    // The same again, further on in the log: nothing is new.
    let again: Vec<_> = log.into_iter().map(|(offset, message)| (offset + 10, message)).collect();
    assert_eq!(write(&database.store, &again).await, 0);
    database.drop().await;
}

#[tokio::test]
async fn later_edits_do_not_leak_into_an_earlier_read() {
    let Some(database) = Database::new("messages_edits").await else { return };
    let log = [
        (0, message(1, 0, "new", "one")),
        (1, message(2, 0, "new", "two")),
        (2, message(1, 50, "edited", "ONE")),
        (3, message(1, 40, "edited", "out of order")),
        (4, message(2, 0, "deleted", "")),
        (5, message(2, 90, "edited", "too late: deletions outrank edits")),
        (6, message(1, 50, "edited", "equal revision, other content")),
    ];
    assert_eq!(write(&database.store, &log).await, 7);
    for (offset, texts) in [
        (0, &["one"][..]),
        (1, &["one", "two"]),
        (2, &["ONE", "two"]),
        (3, &["ONE", "two"]),
        (4, &["ONE"]),
        (5, &["ONE"]),
        (6, &["equal revision, other content"]),
    ] {
        let read = database.store.messages_as_of(&question(0, 9, offset)).await.unwrap();
        assert_eq!(
            read.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(),
            texts,
            "as of {offset}"
        );
    }
    let current = database.rows("t", "SELECT id, revision FROM messages_current").await;
    assert_eq!(current.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(i64, i64)>>(), [(1, 50)]);
    let counts = database.store.message_counts("t").await.unwrap();
    assert_eq!((counts[0].messages, counts[0].deleted, counts[0].states), (1, 1, 7));
    database.drop().await;
}

/// A small generator, so that the log is the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides) as i64
    }
}

fn log(seed: u64, states: usize) -> Vec<(i64, Message)> {
    let mut dice = Dice(seed);
    let mut offset = 0;
    let mut log = Vec::new();
    for _ in 0..states {
        offset += dice.roll(2);
        let (id, revision) = (dice.roll(6), dice.roll(3));
        let kind = ["new", "edited", "edited", "deleted"][dice.roll(4) as usize];
        let mut state = message(id, revision, kind, ["a", "b"][dice.roll(2) as usize]);
        // A source that contradicts itself about the time of sending.
        state.sent_at += dice.roll(2) * 3_000;
        log.push((offset, state));
    }
    log
}

#[tokio::test]
async fn reads_agree_with_a_naive_model() {
    let Some(database) = Database::new("messages_model").await else { return };
    for (round, seed) in [7_u64, 11, 13].into_iter().enumerate() {
        let base = round as i64 * 1_000;
        let log: Vec<_> = log(seed, 60).into_iter().map(|(offset, state)| (base + offset, state)).collect();
        let group = format!("g{round}");
        // Cut between two records, and write the second part twice.
        let cut = log.iter().position(|(offset, _)| *offset > base + 10).unwrap();
        for part in [&log[..cut], &log[cut..], &log[cut..]] {
            write_group(&database.store, &group, part).await;
        }
        for offset in base - 1..=log.last().unwrap().0 {
            for (start, end) in [(0, 9), (2, 5)] {
                let question = MessagesAsOf { group_id: group.clone(), ..question(start, end, offset) };
                let read = database.store.messages_as_of(&question).await.unwrap();
                assert_eq!(read, model(&log, &question), "seed {seed}, as of {offset}");
            }
        }
    }
    database.drop().await;
}

#[tokio::test]
async fn a_batch_of_many_tenants_is_one_transaction() {
    let Some(database) = Database::new("messages_tenants").await else { return };
    let log =
        [(0, message(1, 0, "new", "t")), (1, message(100, 0, "new", "u")), (2, message(2, 0, "new", "t"))];
    assert_eq!(write(&database.store, &log).await, 3);
    let counted = async |tenant: &str| database.store.message_counts(tenant).await.unwrap()[0].messages;
    assert_eq!((counted("t").await, counted("u").await), (2, 1));
    assert_eq!(database.store.tenants().await.unwrap(), ["t", "u"]);
    database.drop().await;
}

#[tokio::test]
async fn a_batch_larger_than_a_statement_is_written_whole() {
    let Some(database) = Database::new("messages_large").await else { return };
    let mut log: Vec<_> = (100..9_100).map(|id| (id / 50, message(id, 0, "new", "text"))).collect();
    // Told twice by its record, the second time with more: one row of both.
    let more = Message { topic_id: Some(7), ..message(9_099, 0, "new", "text") };
    log.push((9_099 / 50, more));
    assert_eq!(write(&database.store, &log).await, 9_000);
    assert_eq!(write(&database.store, &log).await, 0, "the same again is nothing new");
    let last = database.rows("u", "SELECT topic_id FROM messages_current WHERE id = 9099").await;
    assert_eq!(last[0].get::<Option<i64>, _>(0), Some(7));
    database.drop().await;
}
