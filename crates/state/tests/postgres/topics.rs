//! Which topic messages belong to as of an offset, and what reports with more and less knowledge add up to.

use crate::{
    database::{CLUSTER, Database, partition, run},
    messages::{question, write_group},
    samples::message,
};
use schemas::{Author, Media, Message, Reaction};
use sqlx::Row;
use state::{BatchBounds, Opened, Store, TopicRow};

/// Tells the store that a record created these topics.
async fn create(store: &Store, source_offset: i64, topics: &[i64]) {
    let partition = partition("postgres_sink", "group.message.ingested.v1");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    let Opened::Batch(mut batch) = store.open_batch(&bounds).await.unwrap() else { panic!("written") };
    let row = |topic_id: &i64| TopicRow {
        tenant_id: "t",
        group_id: "g",
        source_partition: 0,
        source_offset,
        topic_id: *topic_id,
    };
    batch.insert_topics(&topics.iter().map(row).collect::<Vec<_>>()).await.unwrap();
    batch.commit().await.unwrap();
}

fn said(id: i64, reply_to: Option<i64>, topic_id: Option<i64>) -> Message {
    Message { reply_to, topic_id, ..message(id, 0, "new", "text") }
}

/// (id, topic, answered) of what is read as of an offset.
async fn places(store: &Store, offset: i64) -> Vec<(i64, Option<i64>, Option<i64>)> {
    let read = store.messages_as_of(&question(0, 99, offset)).await.unwrap();
    read.into_iter().map(|message| (message.id, message.topic_id, message.reply_to)).collect()
}

/// Messages of an export that begins after the creation of topic 1.
fn later_range() -> Vec<(i64, Message)> {
    let reply = |id, to| said(id, Some(to), None);
    [reply(10, 1), reply(11, 10), reply(12, 11), reply(13, 9), reply(14, 13), said(15, None, None)]
        .map(|message| (0, message))
        .to_vec()
}

#[tokio::test]
async fn answers_lead_to_a_topic_from_the_record_on_that_tells_of_it() {
    let Some(database) = Database::new("topics_chain").await else { return };
    let store = &database.store;
    write_group(store, "g", &later_range()).await;
    write_group(store, "h", &[(1, said(13, None, Some(7)))]).await;
    create(store, 5, &[1, 2]).await;
    let before = [
        (10, None, Some(1)),
        (11, None, Some(10)),
        (12, None, Some(11)),
        (13, None, Some(9)),
        (14, None, Some(13)),
        (15, None, None),
    ];
    let mut after = before;
    after[..3].copy_from_slice(&[(10, Some(1), None), (11, Some(1), Some(10)), (12, Some(1), Some(11))]);
    assert_eq!(places(store, 4).await, before);
    assert_eq!(places(store, 5).await, after);
    // Another message tells the topic of the one that 13 answers.
    write_group(store, "g", &[(6, said(9, None, Some(2)))]).await;
    assert_eq!(places(store, 5).await, after, "the same question has the same answer");
    let told = [(13, Some(2), Some(9)), (14, Some(2), Some(13)), (15, None, None)];
    assert_eq!(places(store, 6).await[4..], told);
    database.drop().await;
}

#[tokio::test]
async fn topic_and_answered_are_the_messages_whatever_the_revision() {
    let Some(database) = Database::new("topics_edits").await else { return };
    let edited = |id| message(id, 7, "edited", "changed");
    let log = [
        (0, edited(10)),
        (1, said(10, Some(11), Some(1))),
        (2, said(11, None, Some(1))),
        (3, message(11, 0, "deleted", "")),
        (4, said(12, Some(11), None)),
        (5, edited(12)),
    ];
    write_group(&database.store, "g", &log).await;
    assert_eq!(places(&database.store, 0).await, [(10, None, None)]);
    assert_eq!(places(&database.store, 5).await, [(10, Some(1), Some(11)), (12, Some(1), Some(11))]);
    // Outside of forums an edit may leave out whom the message answers.
    write_group(&database.store, "g", &[(0, said(20, Some(19), None)), (0, edited(20))]).await;
    let read = places(&database.store, 0).await;
    assert_eq!(read, [(10, None, None), (20, None, Some(19))]);
    database.drop().await;
}

/// Reports of one message, each without some of what is known of it.
fn reports() -> Vec<Message> {
    let author = |name: &str| Some(Author { id: "u1".to_owned(), name: name.to_owned(), is_bot: false });
    let whole = Message {
        author: author("Ann"),
        media: Some(Media {
            kind: "photo".to_owned(),
            file_name: Some("a.png".to_owned()),
            ..Media::default()
        }),
        reactions: vec![Reaction { emoji: "👍".to_owned(), count: 2 }],
        ..said(10, Some(9), Some(1))
    };
    vec![
        Message { media: None, topic_id: None, ..whole.clone() },
        Message { author: author(""), reactions: Vec::new(), ..whole.clone() },
        Message { author: None, reply_to: None, text: String::new(), ..whole.clone() },
        whole,
    ]
}

#[tokio::test]
async fn reports_in_any_order_and_batches_end_in_the_same_message() {
    let Some(database) = Database::new("topics_orders").await else { return };
    for (round, order) in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 0, 1]].into_iter().enumerate() {
        let group = format!("g{round}");
        let log: Vec<_> = order.iter().zip(0..).map(|(n, offset)| (offset, reports()[*n].clone())).collect();
        write_group(&database.store, &group, &log[..round.min(2)]).await;
        write_group(&database.store, &group, &log[round.min(2)..]).await;
        let question = processor::MessagesAsOf { group_id: group.clone(), ..question(0, 99, 9) };
        let read = database.store.messages_as_of(&question).await.unwrap();
        assert_eq!(read, [reports()[3].clone()], "{order:?}");
        assert_eq!(
            write_group(&database.store, &group, &[(8, reports()[0].clone())]).await,
            0,
            "less is no row"
        );
    }
    database.drop().await;
}

/// (topic, offset) in order.
async fn rows(database: &Database) -> Vec<(i64, i64)> {
    let sql = "SELECT topic_id, source_offset FROM topics WHERE group_id = 'g' ORDER BY 1";
    database.rows("t", sql).await.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_topic_is_a_row_with_the_first_record_that_tells_of_it() {
    let Some(database) = Database::new("topics_rows").await else { return };
    let gone = Message { kind: "deleted".to_owned(), ..said(14, None, Some(5)) };
    let log =
        [(3, said(10, None, Some(1))), (4, said(11, None, Some(1))), (4, said(12, None, Some(2))), (5, gone)];
    write_group(&database.store, "g", &log).await;
    assert_eq!(rows(&database).await, [(1, 3), (2, 4)]);
    // What the migration makes of a table that was filled before there were topics.
    let mut owner = database.owner().await;
    for statement in ["SELECT set_config('app.current_tenant', 't', false)", "DELETE FROM topics"] {
        run(&mut owner, statement).await.unwrap();
    }
    let migration = include_str!("../../../../migrations/0007_create_topics.sql");
    let fill = &migration[migration.find("DO $$").expect("a block")..];
    run(&mut database.owner().await, fill).await.unwrap();
    assert_eq!(rows(&database).await, [(1, 3), (2, 4)]);
    create(&database.store, 9, &[2, 3]).await;
    assert_eq!(rows(&database).await, [(1, 3), (2, 4), (3, 9)]);
    database.drop().await;
}
