//! What is found by its words, and what never is.

use crate::{
    database::{Database, run},
    messages::write_group,
    samples::{START, blocked, message, ready},
    withdrawals::open,
};
use schemas::{Author, Claim, Message};
use state::{MessageHit, Outcome, SearchQuery, Store};

fn query(text: &str) -> SearchQuery {
    SearchQuery { tenant_id: "t".to_owned(), text: text.to_owned(), limit: 20, ..SearchQuery::default() }
}

async fn hits(store: &Store, query: &SearchQuery) -> Vec<MessageHit> {
    match store.search_messages(query).await.unwrap() {
        Outcome::Hits(hits) => hits,
        Outcome::NoWords => panic!("the query has words"),
    }
}

async fn found(store: &Store, text: &str) -> Vec<i64> {
    hits(store, &query(text)).await.iter().map(|hit| hit.message_id).collect()
}

fn said(id: i64, author: &str, text: &str) -> Message {
    Message {
        author: Some(Author { id: format!("user{author}"), name: author.to_owned(), is_bot: false }),
        ..message(id, 0, "new", text)
    }
}

#[tokio::test]
async fn words_are_found_in_either_language_whatever_their_ending() {
    let Some(database) = Database::new("search_words").await else { return };
    let log = [
        (3, said(1, "Ann", "The retries made a storm: three retry storms in a row")),
        (3, said(2, "Боря", "Ретраи устроили шторм в тёплом кластере")),
        (4, said(3, "Ann", "lunch?")),
        (4, message(4, 0, "new", "")),
    ];
    write_group(&database.store, "g", &log).await;
    assert_eq!(found(&database.store, "retry storm").await, [1]);
    assert_eq!(found(&database.store, "штормы ретраев").await, [2]);
    assert_eq!(found(&database.store, "теплый").await, [2]);
    assert_eq!(found(&database.store, "storm шторм").await, [2, 1], "the shorter text before the longer one");
    let hit = &hits(&database.store, &query("storms")).await[0];
    assert_eq!((hit.author_name.as_deref(), hit.sent_at), (Some("Ann"), START + 1_000));
    assert_eq!((hit.source_partition, hit.source_offset), (0, 3));
    assert_eq!(hit.snippet, "The retries made a storm: three retry storms in a row");
    assert_eq!(hit.matches, ["storm", "storms"]);
    database.drop().await;
}

#[tokio::test]
async fn deleted_messages_and_older_states_are_never_found() {
    let Some(database) = Database::new("search_states").await else { return };
    let log = [
        (1, message(1, 0, "new", "apple")),
        (1, message(2, 0, "new", "apple pie")),
        (2, message(1, 1, "edited", "pear")),
        (3, Message { text: String::new(), ..message(2, 1, "deleted", "") }),
        (4, message(2, 2, "edited", "apple strudel")),
        (5, message(3, 0, "new", "plum")),
        (6, Message { topic_id: Some(9), ..message(3, 0, "new", "plum") }),
    ];
    write_group(&database.store, "g", &log).await;
    assert_eq!(found(&database.store, "apple").await, [0; 0]);
    assert_eq!(found(&database.store, "pear").await, [1]);
    let plum = hits(&database.store, &query("plum")).await;
    assert_eq!(plum.iter().map(|hit| (hit.message_id, hit.source_offset)).collect::<Vec<_>>(), [(3, 6)]);
    database.drop().await;
}

#[tokio::test]
async fn filters_hold_and_no_tenant_sees_anothers_words() {
    let Some(database) = Database::new("search_filters").await else { return };
    let store = &database.store;
    write_group(store, "g", &[(1, said(1, "Ann", "storm")), (1, said(2, "Боря", "storm storm"))]).await;
    write_group(store, "h", &[(2, said(3, "Ann", "storm")), (2, said(100, "Eve", "storm"))]).await;
    assert_eq!(found(store, "storm").await, [3, 2, 1], "the newest first where all answer as well");
    let with = |change: fn(&mut SearchQuery)| {
        let mut query = query("storm");
        change(&mut query);
        query
    };
    for (filtered, ids) in [
        (with(|query| query.group_id = Some("h".to_owned())), vec![3]),
        (with(|query| query.author = Some("ann".to_owned())), vec![3, 1]),
        (with(|query| query.author = Some("userБоря".to_owned())), vec![2]),
        (with(|query| query.since_ms = Some(START + 2_000)), vec![3, 2]),
        (with(|query| query.limit = 1), vec![3]),
        (with(|query| query.tenant_id = "u".to_owned()), vec![100]),
        (with(|query| query.tenant_id = "t' | 'storm".to_owned()), vec![]),
    ] {
        let found: Vec<_> = hits(store, &filtered).await.iter().map(|hit| hit.message_id).collect();
        assert_eq!(found, ids, "{filtered:?}");
    }
    // Who has not said what it looks for sees nothing, and another tenant's words match nothing.
    assert!(database.rows("t", "SELECT 1 FROM message_words").await.is_empty());
    let mut app = database.app().await;
    run(&mut app, "SELECT set_config('app.current_tenant', 'u', false)").await.unwrap();
    run(&mut app, "SELECT set_config('app.words', '''storm''', false)").await.unwrap();
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM message_words").fetch_all(&mut app).await.unwrap();
    assert_eq!(ids, [100]);
    drop(app);
    database.drop().await;
}

#[tokio::test]
async fn operators_are_kept_to_and_no_query_is_sql() {
    let Some(database) = Database::new("search_operators").await else { return };
    let store = &database.store;
    let log = [
        (1, message(1, 0, "new", "retry storm at night")),
        (1, message(2, 0, "new", "storm, then a retry")),
        (1, message(3, 0, "new", "O'Brien & co: C:\\temp | a:* <-> !b")),
        (1, message(4, 0, "new", "a mark \u{2}here\u{3}")),
    ];
    write_group(store, "g", &log).await;
    assert_eq!(found(store, "\"retry storm\"").await, [1]);
    assert_eq!(found(store, "storm -night").await, [2]);
    assert_eq!(found(store, "-storm").await, [0; 0]);
    assert_eq!(found(store, "O'Brien'); DROP TABLE messages; --").await, [3]);
    assert_eq!(found(store, "brien' | 'storm").await, [2, 1, 3]);
    assert_eq!(hits(store, &query("mark here")).await[0].matches, ["mark"]);
    let awkward = [
        "\\",
        "'",
        "\"",
        "'' & !",
        "a:*",
        "C:\\temp",
        "<-> !b",
        "-",
        "- -",
        "\"\"",
        "%_",
        "\u{7f}\u{1}",
        "💥",
    ];
    for text in awkward.iter().map(|text| (*text).to_owned()).chain(["я".repeat(500), "🦀a ".repeat(160)])
    {
        store.search_messages(&query(&text)).await.unwrap();
        store.search_digests(&query(&text)).await.unwrap();
    }
    for text in ["", "& | ! ( )", "the", "и в на"] {
        assert_eq!(store.search_messages(&query(text)).await.unwrap(), Outcome::NoWords, "{text}");
        assert_eq!(store.search_digests(&query(text)).await.unwrap(), Outcome::NoWords, "{text}");
    }
    database.drop().await;
}

#[tokio::test]
async fn digests_are_found_and_told_with_the_messages_that_they_cite() {
    let Some(database) = Database::new("search_digests").await else { return };
    let store = &database.store;
    write_group(store, "g", &[(1, message(1, 0, "new", "storm")), (1, message(2, 0, "new", "storm too"))])
        .await;
    let mut older = ready("t", 0, "1.0");
    older.delivery_payload.decisions =
        vec![Claim { text: "Retries back off after a storm".to_owned(), message_ids: vec![2] }];
    older.delivery_payload.summary = Vec::new();
    let mut newer = ready("t", 0, "2.0");
    newer.delivery_payload.summary =
        vec![Claim { text: "Nothing but штормы".to_owned(), message_ids: vec![1] }];
    for (digest, text, citing) in
        [(&older, "retry", [vec![], vec!["1.0"]]), (&newer, "шторм", [vec!["2.0"], vec![]])]
    {
        let mut batch = open(store, "ready").await;
        assert!(batch.put_digest(digest).await.unwrap());
        batch.commit().await.unwrap();
        let Outcome::Hits(found) = store.search_digests(&query(text)).await.unwrap() else { panic!("words") };
        let versions: Vec<_> = found.iter().map(|hit| hit.version.as_str()).collect();
        assert_eq!(versions, [digest.version.as_str()]);
        assert_eq!(found[0].matches.len(), 1, "{:?}", found[0]);
        let mut cited: Vec<_> = hits(store, &query("storm")).await;
        cited.sort_by_key(|hit| hit.message_id);
        let cited: Vec<Vec<_>> =
            cited.iter().map(|hit| hit.digests.iter().map(|one| one.version.as_str()).collect()).collect();
        assert_eq!(cited, citing, "{text}");
    }
    assert_eq!(
        store.search_digests(&query("retry")).await.unwrap(),
        Outcome::Hits(Vec::new()),
        "an older version"
    );
    let mut batch = open(store, "blocked").await;
    batch.put_blocked(&blocked("t", 0, "3.0")).await.unwrap();
    batch.commit().await.unwrap();
    assert_eq!(store.search_digests(&query("шторм")).await.unwrap(), Outcome::Hits(Vec::new()), "withdrawn");
    assert!(hits(store, &query("storm")).await.iter().all(|hit| hit.digests.is_empty()), "withdrawn");
    database.drop().await;
}
