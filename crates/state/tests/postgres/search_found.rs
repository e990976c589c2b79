//! What another index found: the tables and the filters decide what of it is shown.

use crate::{
    database::Database,
    messages::write_group,
    samples::{START, blocked, message, ready},
    withdrawals::open,
};
use schemas::{Author, Message};
use state::{SearchQuery, Store};

fn query(text: &str) -> SearchQuery {
    SearchQuery { tenant_id: "t".to_owned(), text: text.to_owned(), limit: 20, ..SearchQuery::default() }
}

fn said(id: i64, author: &str, text: &str) -> Message {
    Message {
        author: Some(Author { id: format!("user{author}"), name: author.to_owned(), is_bot: false }),
        ..message(id, 0, "new", text)
    }
}

fn of(group: &str, ids: &[i64]) -> Vec<((String, i64), f64)> {
    let scores = [1.0, 0.75, 0.5, 0.25, 0.125];
    ids.iter().zip(scores).map(|(id, score)| ((group.to_owned(), *id), score)).collect()
}

async fn shown(store: &Store, query: &SearchQuery, ids: &[i64]) -> Vec<i64> {
    let hits = store.found_messages(query, &of("g", ids)).await.unwrap();
    hits.iter().map(|hit| hit.message_id).collect()
}

#[tokio::test]
async fn messages_come_in_the_order_of_the_index_as_the_tables_have_them_and_the_filters_let_them() {
    let Some(database) = Database::new("found_messages").await else { return };
    let store = &database.store;
    let log = [
        (1, said(1, "Ann", "the retries made a storm")),
        (1, said(2, "Боря", "a calm day")),
        (2, Message { text: String::new(), ..message(3, 1, "deleted", "") }),
        (3, message(1, 1, "edited", "the retries made a hurricane")),
        (4, message(4, 0, "new", "")),
    ];
    write_group(store, "g", &log).await;
    let hits = store.found_messages(&query("storms of retries"), &of("g", &[2, 3, 1, 4, 99])).await.unwrap();
    let told: Vec<(i64, &str, f64)> =
        hits.iter().map(|hit| (hit.message_id, hit.snippet.as_str(), hit.score)).collect();
    assert_eq!(told, [(2, "a calm day", 1.0), (1, "the retries made a hurricane", 0.5)]);
    assert_eq!((hits[0].source_offset, hits[1].source_offset, hits[0].sent_at), (1, 3, START + 2_000));
    assert_eq!(hits[1].matches, ["retries"]);
    let with = |change: fn(&mut SearchQuery)| {
        let mut query = query("day");
        change(&mut query);
        query
    };
    for (filtered, ids) in [
        (with(|query| query.group_id = Some("h".to_owned())), vec![]),
        (with(|query| query.author = Some("боря".to_owned())), vec![2]),
        (with(|query| query.author = Some("userNobody".to_owned())), vec![]),
        (with(|query| query.since_ms = Some(START + 2_000)), vec![2]),
        (with(|query| query.limit = 1), vec![2]),
        (with(|query| query.tenant_id = "u".to_owned()), vec![]),
        (with(|query| query.text = "-calm".to_owned()), vec![1]),
        (with(|query| query.text = "\"calm day\"".to_owned()), vec![2]),
        (with(|query| query.text = String::new()), vec![2, 1]),
    ] {
        assert_eq!(shown(store, &filtered, &[2, 1]).await, ids, "{filtered:?}");
    }
    assert_eq!(store.authors_called("t", "ANN").await.unwrap(), ["ANN", "userAnn"]);
    assert_eq!(store.authors_called("u", "Ann").await.unwrap(), ["Ann"]);
    database.drop().await;
}

#[tokio::test]
async fn digests_are_the_newest_of_their_windows_and_never_withdrawn() {
    let Some(database) = Database::new("found_digests").await else { return };
    let store = &database.store;
    let digest = ready("t", 0, "1.0");
    let mut batch = open(store, "ready").await;
    assert!(batch.put_digest(&digest).await.unwrap());
    batch.commit().await.unwrap();
    let found = [("no such window".to_owned(), 0.9), (digest.window_id.clone(), 0.5)];
    let hits = store.found_digests(&query("anything"), &found).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!((&*hits[0].digest_id, &*hits[0].version, hits[0].score), (&*digest.digest_id, "1.0", 0.5));
    let later = SearchQuery { since_ms: Some(digest.window.window_end), ..query("anything") };
    assert_eq!(store.found_digests(&later, &found).await.unwrap(), []);
    let elsewhere = SearchQuery { group_id: Some("h".to_owned()), ..query("anything") };
    assert_eq!(store.found_digests(&elsewhere, &found).await.unwrap(), []);
    let mut batch = open(store, "blocked").await;
    batch.put_blocked(&blocked("t", 0, "3.0")).await.unwrap();
    batch.commit().await.unwrap();
    assert_eq!(store.found_digests(&query("anything"), &found).await.unwrap(), [], "withdrawn");
    database.drop().await;
}
