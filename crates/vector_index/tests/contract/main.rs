//! What the index asks of Qdrant, tried on whatever is configured: the server, or the development front.
//!
//! Address: `TEST_GISTMILL_QDRANT`, or that of a stack, `GISTMILL_QDRANT__URL`. Skipped, saying so, without either. Each test has
//! collections of its own and deletes them.
#![cfg(test)]

mod searches;

use qdrant_client::{
    Qdrant,
    qdrant::{CreateCollectionBuilder, Distance, GetPointsBuilder, RetrievedPoint, VectorParamsBuilder},
};
use std::{future::Future, time::Duration};
use vector_index::{Change, Error, Index, Kind, Model, Options, Point, Query, WindowPart};

#[expect(clippy::disallowed_methods, reason = "a test is told by the environment where its peer is")]
fn address() -> Option<String> {
    let told = |name| std::env::var(name).ok();
    told("TEST_GISTMILL_QDRANT").or_else(|| told("GISTMILL_QDRANT__URL"))
}

fn options(url: &str, alias: &str) -> Options {
    Options {
        url: url.to_owned(),
        api_key: None,
        allows_front: true,
        alias: format!("contract-{}-{alias}", std::process::id()),
        model: Model { id: "four".to_owned(), dimension: 4 },
        timeout: Duration::from_secs(10),
    }
}

/// Runs a test in a collection of its own.
async fn with_index<F: Future<Output = ()>>(alias: &str, test: impl FnOnce(Index, Qdrant) -> F) {
    let Some(url) = address() else {
        eprintln!("skipped: no Qdrant in TEST_GISTMILL_QDRANT or GISTMILL_QDRANT__URL");
        return;
    };
    let index = Index::open(options(&url, alias)).expect("an address");
    let client = Qdrant::from_url(&url).skip_compatibility_check().build().expect("a client");
    client.delete_collection(index.collection()).await.expect("delete what an earlier run left");
    assert!(!index.is_there().await.expect("look"));
    index.create().await.expect("make the collection");
    let name = index.collection().to_owned();
    test(index, client.clone()).await;
    client.delete_collection(name).await.expect("delete");
}

fn message(id: i64, revision: i64, vector: [f32; 4]) -> Point {
    Point {
        kind: Kind::Message,
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        item: id.to_string(),
        revision,
        replaces_equal: true,
        source: ("group.message.ingested.v1", 2, 40 + id),
        sent_at: 1_700_000_000_000 + id,
        author_id: Some("u7".to_owned()),
        window: None,
        vector: vector.into(),
    }
}

const X: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const Y: [f32; 4] = [0.0, 1.0, 0.0, 0.0];

fn near(vector: [f32; 4]) -> Query {
    Query {
        vector: vector.into(),
        tenant_id: "acme".to_owned(),
        group_id: None,
        kinds: Vec::new(),
        author_ids: Vec::new(),
        since: None,
        until: None,
        limit: 10,
    }
}

async fn items(index: &Index, query: &Query) -> Vec<String> {
    index.search(query).await.expect("search").into_iter().map(|hit| hit.item).collect()
}

async fn stored(client: &Qdrant, index: &Index, point: &Point) -> Option<RetrievedPoint> {
    let request = GetPointsBuilder::new(index.collection(), vec![point.id().to_string().into()])
        .with_payload(true)
        .with_vectors(true);
    client.get_points(request).await.expect("read a point").result.pop()
}

async fn revision(client: &Qdrant, index: &Index, point: &Point) -> Option<i64> {
    stored(client, index, point).await.map(|found| found.get("revision").as_integer().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_reads_back_as_it_was_put() {
    with_index("back", |index, client| async move {
        let point = message(7, 3, [0.6, 0.8, 0.0, 0.0]);
        index.apply(&[Change::Put(point.clone())]).await.expect("put");
        let found = stored(&client, &index, &point).await.expect("the point");
        assert_eq!(found.get("tenant_id").as_str().map(String::as_str), Some("acme"));
        assert_eq!(found.get("source_topic").as_str().map(String::as_str), Some("group.message.ingested.v1"));
        assert_eq!(found.get("source_partition").as_integer(), Some(2));
        assert_eq!(found.get("source_offset").as_integer(), Some(47));
        let hits = index.search(&near(Y)).await.expect("search");
        assert_eq!(hits.len(), 1);
        assert!((hits[0].score - 0.8).abs() < 1e-6, "{}", hits[0].score);
        assert_eq!((hits[0].kind, hits[0].revision, hits[0].source.2), (Kind::Message, 3, 47));
        assert_eq!(index.count().await.expect("count"), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_revision_never_replaces_a_higher_one() {
    with_index("revisions", |index, client| async move {
        let put = |revision, vector| Change::Put(message(1, revision, vector));
        for (changes, expected) in [
            (vec![put(5, X)], 5),
            (vec![put(4, Y)], 5),
            (vec![put(6, Y)], 6),
            // Within one request too, in either order.
            (vec![put(9, X), put(8, Y)], 9),
            (vec![put(10, X), put(11, Y)], 11),
        ] {
            index.apply(&changes).await.expect("put");
            assert_eq!(revision(&client, &index, &message(1, 0, X)).await, Some(expected));
        }
        assert_eq!(items(&index, &near(X)).await, Vec::<String>::new());
        // Of an equal revision the later one holds, unless it knows less.
        index.apply(&[put(11, X)]).await.expect("put");
        assert_eq!(items(&index, &near(X)).await, ["1"]);
        let less = Point { replaces_equal: false, ..message(1, 11, Y) };
        index.apply(&[Change::Put(less)]).await.expect("put");
        assert_eq!(items(&index, &near(Y)).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_take_what_they_name_and_nothing_else() {
    with_index("deletions", |index, client| async move {
        let of_window = |item: &str, window: &str, revision| Point {
            kind: Kind::Thread,
            item: item.to_owned(),
            window: Some(WindowPart { window_id: window.to_owned(), version: "1.0".to_owned(), offset: 3 }),
            ..message(0, revision, X)
        };
        let (old, new) = (of_window("w/1", "w", 4), of_window("w/2", "w", 5));
        let (elsewhere, digest) =
            (of_window("v/1", "v", 4), Point { kind: Kind::Digest, ..of_window("w", "w", 4) });
        let foreign = Point { tenant_id: "other".to_owned(), ..of_window("w/1", "w", 4) };
        let all = [&old, &new, &elsewhere, &digest, &foreign, &message(1, 0, X), &message(2, 0, X)];
        index.apply(&all.map(|point| Change::Put(point.clone()))).await.expect("put");
        let named = || ("acme".to_owned(), "qa".to_owned());
        let (tenant_id, group_id) = named();
        let older = Change::DeleteOlder {
            tenant_id,
            group_id,
            window_id: "w".to_owned(),
            kind: Kind::Thread,
            below: 5,
        };
        let (tenant_id, group_id) = named();
        index.apply(&[older, Change::DeleteMessage { tenant_id, group_id, id: 1 }]).await.expect("delete");
        let mut left = Vec::new();
        for point in all {
            left.push(stored(&client, &index, point).await.is_some());
        }
        assert_eq!(left, [false, true, true, true, true, false, true]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_before_a_time_goes_of_its_tenant_alone() {
    with_index("retention", |index, client| async move {
        let at = |id, sent_at| Point { sent_at, ..message(id, 0, X) };
        let foreign = Point { tenant_id: "other".to_owned(), ..at(1, 10) };
        let all = [&at(1, 10), &at(2, 20), &at(3, 21), &foreign];
        index.apply(&all.map(|point| Change::Put(point.clone()))).await.expect("put");
        assert_eq!(index.count_before("acme", 20).await.expect("count"), 1);
        index.delete_before("acme", 20).await.expect("delete");
        let mut left = Vec::new();
        for point in all {
            left.push(stored(&client, &index, point).await.is_some());
        }
        assert_eq!(left, [false, true, true, true]);
        assert_eq!(index.count_before("acme", 20).await.expect("count"), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_that_does_not_fit_is_refused_and_nothing_of_the_request_is_kept() {
    with_index("misfits", |index, _| async move {
        let short = Point { vector: vec![1.0; 3], ..message(2, 0, X) };
        let error = index.apply(&[Change::Put(message(1, 0, X)), Change::Put(short)]).await;
        assert!(matches!(error, Err(Error::Refused { .. })), "{error:?}");
        assert_eq!(index.count().await.expect("count"), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alias_moves_to_another_model_when_it_is_told_to() {
    with_index("alias", |index, client| async move {
        let url = address().expect("asked before");
        let second =
            Options { model: Model { id: "three".to_owned(), dimension: 3 }, ..options(&url, "alias") };
        let second = Index::open(second).expect("an address");
        second.create().await.expect("make the second");
        assert_eq!(second.aliased().await.expect("look"), Some(index.collection().to_owned()));
        let searched = second.searched().await.expect("look").expect("the alias is on one");
        assert_eq!((searched.collection(), searched.model()), (index.collection(), index.model()));
        second.take_alias().await.expect("move");
        assert_eq!(index.aliased().await.expect("look"), Some(second.collection().to_owned()));
        assert!(index.is_there().await.expect("the first is kept"));
        client.delete_collection(second.collection()).await.expect("delete");
        assert_eq!(index.aliased().await.expect("look"), None);
        assert!(index.searched().await.expect("look").is_none());
    })
    .await;
}

/// Names of the fields that the collection has an index of.
async fn indexed(client: &Qdrant, index: &Index) -> Vec<String> {
    let info = client.collection_info(index.collection()).await.expect("look").result.expect("a collection");
    let mut names: Vec<String> = info.payload_schema.into_keys().collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_by_which_points_are_found_are_indexed_also_in_a_collection_that_was_made_without() {
    with_index("fields", |index, client| async move {
        let fields = [
            "author_id",
            "group_id",
            "kind",
            "sent_at",
            "source_offset",
            "source_partition",
            "tenant_id",
            "window_id",
        ];
        assert_eq!(indexed(&client, &index).await, fields);
        client.delete_collection(index.collection()).await.expect("delete");
        let vectors = VectorParamsBuilder::new(4, Distance::Cosine);
        let older = CreateCollectionBuilder::new(index.collection()).vectors_config(vectors);
        client.create_collection(older).await.expect("make one without");
        assert_eq!(indexed(&client, &index).await, Vec::<String>::new());
        index.index_fields().await.expect("index them");
        assert_eq!(indexed(&client, &index).await, fields);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_is_gone_or_somebody_elses_is_named() {
    with_index("foreign", |index, client| async move {
        client.delete_collection(index.collection()).await.expect("delete");
        let gone = index.apply(&[Change::Put(message(1, 0, X))]).await;
        assert!(matches!(gone, Err(Error::Gone { .. })), "{gone:?}");
        let vectors = VectorParamsBuilder::new(4, Distance::Cosine);
        let by_hand = CreateCollectionBuilder::new(index.collection()).vectors_config(vectors);
        client.create_collection(by_hand).await.expect("make it by hand");
        let error = index.is_there().await.expect_err("not ours").to_string();
        assert!(error.contains("gistmill did not make it") && error.contains(index.collection()), "{error}");
        client.delete_collection(index.collection()).await.expect("delete");
        index.create().await.expect("make it");
        let other = Options {
            model: Model { id: "four".to_owned(), dimension: 5 },
            ..options(&address().expect("asked before"), "foreign")
        };
        let error = Index::open(other).expect("an address").is_there().await.expect_err("another size");
        assert!(error.to_string().contains("have 4 numbers, the model makes 5"), "{error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_is_refused_by_name_and_a_peer_that_is_away_is_waited_for() {
    let Some(url) = address() else { return };
    let strict = Index::open(Options { allows_front: false, ..options(&url, "strict") }).expect("an address");
    match strict.is_there().await {
        // The server itself.
        Ok(found) => assert!(!found),
        Err(error) => {
            assert!(error.to_string().contains("development front") && !error.is_transient(), "{error}");
        }
    }
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let away = Index::open(options(&format!("http://{nobody}"), "away")).expect("an address");
    let error = away.is_there().await.expect_err("nobody is there");
    assert!(error.is_transient() && error.to_string().contains("could not ask Qdrant what it is"), "{error}");
    assert!(matches!(Index::open(options("no address", "x")), Err(Error::Url { .. })));
}
