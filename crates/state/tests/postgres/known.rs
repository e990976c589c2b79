//! Which messages a group had before a place in the log.

use crate::{database::Database, messages::write_group, samples::message};

#[tokio::test]
async fn messages_are_known_below_an_offset_in_their_group() {
    let Some(database) = Database::new("known").await else { return };
    let state =
        |id, revision, text: &str| message(id, revision, if revision == 0 { "new" } else { "edited" }, text);
    write_group(
        &database.store,
        "g",
        &[(3, state(1, 0, "a")), (3, state(2, 0, "b")), (7, state(2, 9, "c")), (9, state(3, 0, "d"))],
    )
    .await;
    write_group(&database.store, "h", &[(4, state(5, 0, "e"))]).await;
    let known = async |group, before, ids: &[i64]| {
        database.store.count_known(("t", group), (0, before), ids).await.unwrap()
    };
    assert_eq!(known("g", 10, &[1, 2, 3, 4, 5]).await, 3);
    assert_eq!(known("g", 9, &[1, 2, 3]).await, 2, "3 came later");
    assert_eq!(known("g", 3, &[1, 2, 3]).await, 0);
    assert_eq!(known("g", 10, &[2, 2, 4]).await, 2, "counted as often as given");
    assert_eq!(known("h", 10, &[1, 5]).await, 1);
    assert_eq!(known("g", 10, &[]).await, 0);
    let elsewhere = database.store.count_known(("t", "g"), (1, 10), &[1]).await.unwrap();
    let stranger = database.store.count_known(("u", "g"), (0, 10), &[1]).await.unwrap();
    assert_eq!((elsewhere, stranger), (0, 0));
    database.drop().await;
}
