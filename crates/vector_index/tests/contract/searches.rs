//! What a search finds: within what it names, and as of a place in the log.

use crate::{X, items, message, near, with_index};
use vector_index::{Change, Index, Kind, Point, Query};

const BETWEEN: [f32; 4] = [1.0, 1.0, 0.0, 0.0];

#[tokio::test(flavor = "multi_thread")]
async fn a_search_stays_within_what_it_names() {
    with_index("search", |index, _| async move {
        let foreign = Point { tenant_id: "other".to_owned(), ..message(1, 0, X) };
        let group = Point { group_id: "second".to_owned(), ..message(2, 0, X) };
        let author = Point { author_id: None, ..message(3, 0, X) };
        let digest = Point { kind: Kind::Digest, ..message(4, 0, X) };
        let points = [foreign, group, author, digest, message(5, 0, X), message(6, 0, BETWEEN)];
        index.apply(&points.map(Change::Put)).await.expect("put");
        assert_eq!(items(&index, &near(X)).await, ["2", "3", "5", "4", "6"]);
        let one_group = Query { group_id: Some("qa".to_owned()), ..near(X) };
        assert_eq!(items(&index, &one_group).await, ["3", "5", "4", "6"]);
        let messages = Query { kinds: vec![Kind::Message, Kind::Thread], ..one_group.clone() };
        assert_eq!(items(&index, &messages).await, ["3", "5", "6"]);
        let author = |ids: &[&str]| Query {
            author_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..messages.clone()
        };
        assert_eq!(items(&index, &author(&["u1", "u7"])).await, ["5", "6"]);
        assert_eq!(items(&index, &author(&["u1"])).await, Vec::<String>::new());
        let at = 1_700_000_000_005;
        assert_eq!(items(&index, &Query { until: Some(at), ..messages.clone() }).await, ["3"]);
        assert_eq!(items(&index, &Query { since: Some(at), ..messages.clone() }).await, ["5", "6"]);
        assert_eq!(items(&index, &Query { limit: 1, ..messages }).await.len(), 1);
    })
    .await;
}

async fn told_by(index: &Index, (partition, offset): (i32, i64), limit: u64) -> Vec<String> {
    let query = Query { limit, ..near(X) };
    let hits = index.search_as_of(&query, partition, offset).await.expect("search");
    hits.into_iter().map(|hit| hit.item).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_as_of_an_offset_sees_what_was_told_by_then_and_leaves_ties_to_nobody() {
    with_index("as-of", |index, _| async move {
        // Message n was told by partition 2 at offset 40 + n.
        let elsewhere = Point { source: ("group.message.ingested.v1", 1, 41), ..message(5, 0, X) };
        let foreign = Point { tenant_id: "other".to_owned(), ..message(1, 0, X) };
        let points = [
            message(1, 0, X),
            message(2, 0, BETWEEN),
            message(3, 0, BETWEEN),
            message(4, 0, X),
            elsewhere,
            foreign,
        ];
        index.apply(&points.map(Change::Put)).await.expect("put");
        assert_eq!(told_by(&index, (2, 44), 10).await, ["1", "4", "2", "3"]);
        assert_eq!(told_by(&index, (2, 43), 10).await, ["1", "2", "3"]);
        assert_eq!(told_by(&index, (1, 44), 10).await, ["5"]);
        assert_eq!(told_by(&index, (2, 40), 10).await, Vec::<String>::new());
        // Which of those of the last score come through a limit is chance.
        assert_eq!(told_by(&index, (2, 43), 2).await, ["1"]);
        assert_eq!(told_by(&index, (2, 44), 1).await, Vec::<String>::new());
        assert_eq!(told_by(&index, (2, 43), 4).await, ["1", "2", "3"]);
        // The newest state alone is there, told later.
        let edited = Point { source: ("group.message.ingested.v1", 2, 60), ..message(1, 9, X) };
        index.apply(&[Change::Put(edited)]).await.expect("put");
        assert_eq!(told_by(&index, (2, 44), 10).await, ["4", "2", "3"]);
        assert_eq!(told_by(&index, (2, 60), 10).await, ["1", "4", "2", "3"]);
    })
    .await;
}
