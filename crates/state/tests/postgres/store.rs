//! Connecting, and what is said when that fails.

use crate::database::Database;
use state::{Error, Schema, Store, StoreOptions, migrate};

#[tokio::test]
async fn an_address_where_nobody_listens_is_named_and_may_be_tried_again() {
    let options = StoreOptions { acquire_timeout_ms: 50, ..StoreOptions::default() };
    // Port 1 of this host: reserved, and nobody's.
    let store = Store::open("postgres://app:secret@127.0.0.1:1/gistmill", &options).await.unwrap();
    let error = store.ready().await.unwrap_err();
    assert_eq!(error.to_string(), "could not reach postgres at 127.0.0.1:1");
    let said = error.describe();
    assert_eq!(said.matches("Connection refused").count(), 1, "told, and once: {said}");
    assert!(error.is_transient());
    assert!(!format!("{store:?} {error:?} {}", error.describe()).contains("secret"));
    let error = migrate("postgres://app:secret@127.0.0.1:1/gistmill", &Schema::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "could not reach postgres at 127.0.0.1:1");
    assert!(error.is_transient());
    let error = Store::open("no url", &options).await.unwrap_err();
    assert!(matches!(error, Error::Url(_)), "{error}");
}

#[tokio::test]
async fn a_schema_without_tables_says_what_to_run() {
    let Some(database) = Database::new("unmigrated").await else { return };
    database.store.ready().await.unwrap();
    let mut owner = database.owner().await;
    crate::database::run(
        &mut owner,
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    )
    .await
    .unwrap();
    let error = database.store.ready().await.unwrap_err();
    assert!(matches!(error, Error::NotMigrated(_)), "{error}");
    crate::database::run(&mut owner, "DROP TABLE _sqlx_migrations").await.unwrap();
    let error = database.store.ready().await.unwrap_err();
    assert!(error.to_string().ends_with("run `gistmill migrate`"), "{error}");
    crate::database::run(&mut owner, "DROP VIEW messages_current").await.unwrap();
    crate::database::run(&mut owner, "DROP TABLE messages").await.unwrap();
    let error = database.store.message_counts("t").await.unwrap_err();
    assert!(error.describe().ends_with("; run `gistmill migrate`"), "{}", error.describe());
    database.drop().await;
}

#[tokio::test]
async fn migrations_apply_once_even_when_started_twice_at_once() {
    let Some(database) = Database::new("migrated_twice").await else { return };
    let counted = "SELECT count(*) FROM _sqlx_migrations";
    let mut owner = database.owner().await;
    let before: i64 = sqlx::query_scalar(counted).fetch_one(&mut owner).await.unwrap();
    let url = database.owner_url().to_owned();
    let (first, second) = tokio::join!(migrate(&url, &database.schema), migrate(&url, &database.schema));
    first.and(second).unwrap();
    let after: i64 = sqlx::query_scalar(counted).fetch_one(&mut owner).await.unwrap();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations")).unwrap().count();
    assert_eq!((before, after), (files as i64, files as i64));
    database.drop().await;
}
