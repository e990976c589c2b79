//! Who is called how, as of an offset.

use crate::{
    database::{Database, run},
    messages::{question, write_group},
    samples::message,
};
use schemas::{Author, Message};
use sqlx::Row;
use state::Store;

fn said(id: i64, author: &str, name: &str) -> Message {
    let author = Some(Author { id: author.to_owned(), name: name.to_owned(), is_bot: false });
    Message { author, ..message(id, 0, "new", "text") }
}

/// Names of authors by message, as of an offset.
async fn names(store: &Store, offset: i64) -> Vec<String> {
    let read = store.messages_as_of(&question(0, 99, offset)).await.unwrap();
    read.into_iter().map(|message| message.author.unwrap().name).collect()
}

/// Names change, are absent, and stand for nobody else: `u1` is deleted at 3, `u2` never had a name, `u3` has its id.
fn log() -> Vec<(i64, Message)> {
    vec![
        (0, said(1, "u1", "Ann")),
        (1, said(2, "u1", "Ann")),
        (2, said(3, "u1", "Anna")),
        (3, said(4, "u1", "")),
        (3, said(5, "u2", "")),
        (4, said(6, "u3", "u3")),
        (5, said(7, "u3", "Cem")),
    ]
}

#[tokio::test]
async fn who_has_no_name_is_called_by_the_last_one_known_as_of_the_offset() {
    let Some(database) = Database::new("names").await else { return };
    let store = &database.store;
    write_group(store, "h", &[(0, said(5, "u2", "of another group"))]).await;
    write_group(store, "g", &log()).await;
    assert_eq!(names(store, 5).await, ["Ann", "Ann", "Anna", "Anna", "", "Cem", "Cem"]);
    assert_eq!(
        names(store, 4).await,
        ["Ann", "Ann", "Anna", "Anna", "", "u3"],
        "later names are not known yet"
    );
    write_group(store, "g", &[(6, said(8, "u1", "Ann")), (7, said(9, "u2", "Dia"))]).await;
    assert_eq!(names(store, 5).await[3..5], ["Anna", ""], "the same question has the same answer");
    assert_eq!(names(store, 7).await[3..5], ["Ann", "Dia"]);
    database.drop().await;
}

/// (author, offset, name) in order.
async fn rows(database: &Database) -> Vec<(String, i64, String)> {
    let sql = "SELECT author_id, source_offset, name FROM author_names WHERE group_id = 'g' ORDER BY 1, 2";
    database.rows("t", sql).await.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_name_is_a_row_when_it_changes_however_batches_are_cut() {
    let Some(database) = Database::new("names_cut").await else { return };
    let expected = [("u1", 0, "Ann"), ("u1", 2, "Anna"), ("u3", 5, "Cem")]
        .map(|(author, offset, name)| (author.to_owned(), offset, name.to_owned()));
    for state in log() {
        write_group(&database.store, "g", &[state]).await;
    }
    assert_eq!(rows(&database).await, expected);
    write_group(&database.store, "g", &log()).await;
    assert_eq!(rows(&database).await, expected, "written twice");
    // What the migration makes of a table that was filled before there were names.
    let mut owner = database.owner().await;
    for statement in ["SELECT set_config('app.current_tenant', 't', false)", "DELETE FROM author_names"] {
        run(&mut owner, statement).await.unwrap();
    }
    assert_eq!(rows(&database).await, []);
    let migration = include_str!("../../../../migrations/0006_create_author_names.sql");
    let fill = &migration[migration.find("DO $$").expect("a block")..];
    run(&mut database.owner().await, fill).await.unwrap();
    assert_eq!(rows(&database).await, expected);
    database.drop().await;
}
