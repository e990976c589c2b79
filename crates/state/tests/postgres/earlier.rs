//! Earlier messages of a group: as of an offset, of that group and tenant alone.

use crate::{
    database::{CLUSTER, Database, partition},
    messages::write_group,
    samples::{START, message},
};
use processor::{BeforeAsOf, EarlierAsOf};
use schemas::Message;
use state::Store;

const TOPIC: &str = "group.message.ingested.v1";

fn asked(tenant: &str, group: &str, offset: i64) -> EarlierAsOf {
    EarlierAsOf {
        tenant_id: tenant.to_owned(),
        group_id: group.to_owned(),
        before_ms: START + 50_000,
        partition: 0,
        offset,
        texts: Vec::new(),
    }
}

/// What was said before a message, as of the same place.
fn before(question: &EarlierAsOf, before_id: i64, texts_max: u32) -> BeforeAsOf {
    let EarlierAsOf { tenant_id, group_id, partition, offset, .. } = question.clone();
    BeforeAsOf { tenant_id, group_id, before_id, partition, offset, texts_max }
}

async fn read(store: &Store, question: &EarlierAsOf, ids: &[i64]) -> (Vec<String>, Vec<String>) {
    let messages = store.earlier_messages(question, ids, ("qdrant_sink", TOPIC)).await.unwrap();
    let messages = messages.expect("the sink has passed it");
    let before = store.said_before(&before(question, 50, 9), ("qdrant_sink", TOPIC)).await.unwrap();
    let before = before.expect("the sink has passed it");
    (messages.into_iter().map(|message| message.text).collect(), before)
}

#[tokio::test]
async fn earlier_messages_are_those_of_the_group_as_of_the_offset() {
    let Some(database) = Database::new("earlier").await else { return };
    let store = &database.store;
    let state = |id, revision, kind: &str, text: &str| Message {
        sent_at: START + id * 1_000,
        ..message(id, revision, kind, text)
    };
    let log = [
        (3, state(1, 0, "new", "one")),
        (3, state(2, 0, "new", "two")),
        (4, state(3, 0, "new", "three")),
        (5, state(2, 9, "edited", "two again")),
        (6, state(3, 9, "deleted", "")),
        (7, state(60, 0, "new", "later")),
    ];
    write_group(store, "g", &log).await;
    write_group(store, "h", &[(4, state(1, 0, "new", "of another group"))]).await;

    let sink = partition("qdrant_sink", TOPIC);
    let question = asked("t", "g", 4);
    let early = store.earlier_messages(&question, &[1], ("qdrant_sink", TOPIC)).await.unwrap();
    assert_eq!(early, None, "the index has not passed the offset");
    assert_eq!(store.said_before(&before(&question, 50, 9), ("qdrant_sink", TOPIC)).await.unwrap(), None);
    let claim = store.claim(&sink, CLUSTER).await.unwrap();
    let bounds = state::BatchBounds { partition: sink, claim, end_offset: 8 };
    let state::Opened::Batch(batch) = store.open_batch(&bounds).await.unwrap() else { panic!("written") };
    batch.commit().await.unwrap();

    let ids = [60, 3, 2, 1, 1, 99];
    let (texts, said) = read(store, &question, &ids).await;
    assert_eq!(texts, ["one", "one", "two", "three"]);
    assert_eq!(said, ["three", "two", "one"]);
    let two = store.said_before(&before(&question, 3, 1), ("qdrant_sink", TOPIC)).await.unwrap();
    assert_eq!(two, Some(vec!["two".to_owned()]), "no more than are wanted, and not the message itself");
    let (texts, said) = read(store, &asked("t", "g", 7), &[1, 2, 3, 60]).await;
    assert_eq!(texts, ["one", "two again"], "3 is deleted, 60 is of the window");
    assert_eq!(said, ["", "three", "two again", "two", "one"]);
    assert_eq!(read(store, &asked("t", "h", 7), &[1, 2]).await.0, ["of another group"]);
    assert_eq!(read(store, &asked("u", "g", 7), &[1, 2]).await, (Vec::new(), Vec::new()));
    assert_eq!(read(store, &question, &[]).await.0, Vec::<String>::new());
    let elsewhere = EarlierAsOf { partition: 1, ..question };
    assert_eq!(store.earlier_messages(&elsewhere, &[1], ("qdrant_sink", TOPIC)).await.unwrap(), None);
    database.drop().await;
}
