//! Migrations: embedded, forward only, run by the owner role. Invariant: running them again changes nothing.

use crate::{
    Error, Schema,
    connecting::Attempt,
    store::{address, connect_options},
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, migrate::Migrator};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

pub(crate) const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('gistmill migrate ' || $1, 0))";

/// Creates the schema if it is missing and applies what it lacks of the migrations. Two at once wait for each other.
///
/// # Errors
/// [`Error::Url`], [`Error::Unreachable`], [`Error::Denied`], [`Error::Query`], [`Error::Migrate`].
pub async fn migrate(owner_url: &str, schema: &Schema) -> Result<(), Error> {
    let options = connect_options(owner_url, schema)?;
    let address = address(&options);
    let attempt = Attempt { address: &address, setting: "postgres.owner_url" };
    let mut connection: PgConnection = options.connect().await.map_err(|source| attempt.failed(source))?;
    // Before and after the migrator's own lock two at once would meet in the catalogue. Held until the session ends.
    sqlx::query(LOCK)
        .bind(schema.as_str())
        .execute(&mut connection)
        .await
        .map_err(Error::query("wait for another migration"))?;
    // A `Schema` is an identifier that needs no quoting.
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}")))
        .execute(&mut connection)
        .await
        .map_err(Error::query("create the schema"))?;
    MIGRATIONS
        .run(&mut connection)
        .await
        .map_err(|source| Error::Migrate { schema: schema.to_string(), source: Box::new(source) })?;
    // Who connects as the application role asks which migrations there are.
    sqlx::raw_sql("GRANT SELECT ON _sqlx_migrations TO gistmill_app")
        .execute(&mut connection)
        .await
        .map_err(Error::query("let the application role see the migrations"))?;
    connection.close().await.map_err(Error::query("end the migration"))
}

/// Number of the newest migration that this version knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}
