//! A pool of connections as the application role, and transactions that act for one tenant.
//!
//! Invariant: a tenant is named in the transaction only (`set_config(.., true)`), never in the session, where it would
//! leak to whoever gets the connection next.

use crate::{Error, Schema, connecting::Attempt, migrations::newest};
use sqlx::{
    PgPool, Postgres, Row, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{fmt, str::FromStr, time::Duration};
use tokio::net::TcpStream;

/// Longest wait for the reason of a wait that was too long.
const LAST_ATTEMPT: Duration = Duration::from_secs(1);

/// How to hold connections.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Schema that the tables live in.
    pub schema: Schema,
    /// Most connections; 8, since a process has few partitions and one transaction per partition.
    pub connections_max: u32,
    /// Longest statement in ms; 30,000. One that takes longer is ended by the server and tried again.
    pub statement_timeout_ms: u32,
    /// Longest wait in ms for a connection; 5,000, so that a database that is away is reported soon.
    pub acquire_timeout_ms: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            schema: Schema::default(),
            connections_max: 8,
            statement_timeout_ms: 30_000,
            acquire_timeout_ms: 5_000,
        }
    }
}

/// The product's state in Postgres. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    address: String,
    schema: Schema,
}

impl fmt::Debug for Store {
    /// Without the connection options, which hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("address", &self.address)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// Connection options for `url`, with the search path on `schema` alone.
pub(crate) fn connect_options(url: &str, schema: &Schema) -> Result<PgConnectOptions, Error> {
    let options = PgConnectOptions::from_str(url).map_err(|source| Error::Url(Box::new(source)))?;
    // Notices ("relation exists, skipping") would fill the log at every batch.
    Ok(options
        .application_name("gistmill")
        .options([("search_path", schema.as_str()), ("client_min_messages", "warning")]))
}

/// Host and port, for messages.
pub(crate) fn address(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(path) => path.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

/// Begins a transaction in which no plan depends on statistics: see `statements.rs`.
pub(crate) const BEGIN: &str = "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; \
     SET LOCAL enable_sort = off; SET LOCAL jit = off";

pub(crate) const ROLE: &str = "
SELECT rolname::text, rolsuper OR rolbypassrls, to_regclass('_sqlx_migrations') IS NOT NULL
FROM pg_catalog.pg_roles WHERE rolname = current_user";

pub(crate) const MIGRATED: &str = "SELECT max(version) FROM _sqlx_migrations WHERE success";

pub(crate) const TENANTS: &str = "SELECT tenant_id FROM tenants ORDER BY tenant_id";

pub(crate) const ACT_FOR: &str = "SELECT set_config('app.current_tenant', $1, true)";

impl Store {
    /// A store at `url`, as the application role. Connects when first used.
    ///
    /// # Errors
    /// [`Error::Url`].
    #[expect(
        clippy::unused_async,
        reason = "the pool needs a tokio runtime around it, which async guarantees"
    )]
    pub async fn open(url: &str, options: &StoreOptions) -> Result<Self, Error> {
        let timeout = options.statement_timeout_ms.to_string();
        let connect = connect_options(url, &options.schema)?.options([
            ("statement_timeout", timeout.as_str()),
            ("idle_in_transaction_session_timeout", timeout.as_str()),
        ]);
        let address = address(&connect);
        let pool = PgPoolOptions::new()
            .max_connections(options.connections_max)
            .acquire_timeout(Duration::from_millis(options.acquire_timeout_ms.into()))
            .connect_lazy_with(connect);
        Ok(Self { pool, address, schema: options.schema.clone() })
    }

    /// Asks Postgres once: it answers, the newest migration is there, and the role is subject to row-level security.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Denied`], [`Error::NotMigrated`], [`Error::UnsafeRole`].
    pub async fn ready(&self) -> Result<(), Error> {
        let what = "look at the database";
        let mut transaction = self.begin().await?;
        let row = sqlx::query(ROLE).fetch_one(&mut *transaction).await.map_err(Error::query(what))?;
        let (role, bypasses, migrated): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
        if bypasses {
            return Err(Error::UnsafeRole(role));
        }
        if !migrated {
            return Err(Error::NotMigrated(self.schema.to_string()));
        }
        let applied: Option<i64> =
            sqlx::query_scalar(MIGRATED).fetch_one(&mut *transaction).await.map_err(Error::query(what))?;
        if applied >= Some(newest()) { Ok(()) } else { Err(Error::NotMigrated(self.schema.to_string())) }
    }

    /// Host and port, for messages.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Schema that the tables live in.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The names of all tenants that have data, sorted.
    pub async fn tenants(&self) -> Result<Vec<String>, Error> {
        let mut transaction = self.begin().await?;
        sqlx::query_scalar(TENANTS).fetch_all(&mut *transaction).await.map_err(Error::query("list tenants"))
    }

    /// Closes the connections; waits for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, Error> {
        let attempt = Attempt { address: &self.address, setting: "postgres.url" };
        match self.pool.begin_with(BEGIN).await {
            Ok(transaction) => Ok(transaction),
            Err(sqlx::Error::PoolTimedOut) => Err(attempt.failed(self.why_none_in_time().await)),
            Err(source) => Err(attempt.failed(source)),
        }
    }

    /// The pool tries again and again and tells only that time is up: what a single attempt meets.
    async fn why_none_in_time(&self) -> sqlx::Error {
        let options = self.pool.connect_options();
        if options.get_socket().is_some() {
            return sqlx::Error::PoolTimedOut;
        }
        let connecting = TcpStream::connect((options.get_host(), options.get_port()));
        match tokio::time::timeout(LAST_ATTEMPT, connecting).await {
            Ok(Err(refused)) => sqlx::Error::Io(refused),
            // Somebody listens: all connections are busy, or the server does not get round to a new one.
            Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
        }
    }

    /// A transaction that sees the rows of `tenant` and no others.
    pub(crate) async fn begin_for(&self, tenant: &str) -> Result<Transaction<'static, Postgres>, Error> {
        let mut transaction = self.begin().await?;
        act_for(&mut transaction, tenant).await?;
        Ok(transaction)
    }
}

/// Makes the rest of the transaction, or up to the next call, act for `tenant`.
pub(crate) async fn act_for(
    transaction: &mut Transaction<'static, Postgres>,
    tenant: &str,
) -> Result<(), Error> {
    sqlx::query(ACT_FOR)
        .bind(tenant)
        .execute(&mut **transaction)
        .await
        .map_err(Error::query("name the tenant of a transaction"))?;
    Ok(())
}
