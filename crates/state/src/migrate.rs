//! Runs the migrations, forward only, as the owner role. Invariant: running them again changes nothing.

use crate::{
    Error, Schema,
    audit::{self, AuditChange},
    connecting::Attempt,
    migrations::{MIGRATIONS, newest},
    store::{ACT_FOR, MIGRATED, address, connect_options},
};
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

const THERE: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";

pub(crate) const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('gistmill migrate ' || $1, 0))";

/// Creates the schema if it is missing and applies what it lacks of the migrations. Two at once wait for each other.
///
/// # Errors
/// [`Error::Url`], [`Error::Unreachable`], [`Error::Denied`], [`Error::Query`], [`Error::Migrate`].
pub async fn migrate(owner_url: &str, schema: &Schema) -> Result<(), Error> {
    let mut before = None;
    migrated(owner_url, schema, &mut before).await?.close().await.map_err(Error::query("end the migration"))
}

/// [`migrate`], on record in the audit log as done by `actor` where it changed something.
///
/// # Errors
/// As there.
pub async fn migrate_by(owner_url: &str, schema: &Schema, actor: &str) -> Result<(), Error> {
    let mut before = None;
    let mut connection = migrated(owner_url, schema, &mut before).await?;
    if before != Some(newest()) {
        let (before, after) = (before.map(|version| json!(version)), json!(newest()));
        let change = AuditChange {
            tenant_id: "",
            actor,
            action: "migrate",
            subject: schema.as_str(),
            before: before.as_ref(),
            after: Some(&after),
        };
        let what = "write the audit log";
        let mut transaction = connection.begin().await.map_err(Error::query(what))?;
        sqlx::query(ACT_FOR).bind("").execute(&mut *transaction).await.map_err(Error::query(what))?;
        audit::append(&mut transaction, &change).await?;
        transaction.commit().await.map_err(Error::query(what))?;
    }
    connection.close().await.map_err(Error::query("end the migration"))
}

/// The connection, once the schema is up to date, and the newest migration that was there before.
async fn migrated(owner_url: &str, schema: &Schema, before: &mut Option<i64>) -> Result<PgConnection, Error> {
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
    let is_there: bool = sqlx::query_scalar(THERE)
        .fetch_one(&mut connection)
        .await
        .map_err(Error::query("look for migrations"))?;
    if is_there {
        *before = sqlx::query_scalar(MIGRATED)
            .fetch_one(&mut connection)
            .await
            .map_err(Error::query("look for migrations"))?;
    }
    MIGRATIONS
        .run(&mut connection)
        .await
        .map_err(|source| Error::Migrate { schema: schema.to_string(), source: Box::new(source) })?;
    // Who connects as the application role asks which migrations there are.
    sqlx::raw_sql("GRANT SELECT ON _sqlx_migrations TO gistmill_app")
        .execute(&mut connection)
        .await
        .map_err(Error::query("let the application role see the migrations"))?;
    Ok(connection)
}
