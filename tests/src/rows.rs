//! What a pipeline has in Postgres, seen as the owner of its schema.

use anyhow::Context;
use sqlx::{
    Connection, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
};
use std::{collections::BTreeMap, future::Future, str::FromStr, sync::Mutex};

/// The tables of one pipeline.
pub struct Rows {
    tasks: tokio::runtime::Runtime,
    options: PgConnectOptions,
    connection: Mutex<Option<PgConnection>>,
    schema: String,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// Statements that a tenant's rows are seen with: row-level security holds for the owner too.
const SEE_ALL: &str =
    "SELECT set_config('app.current_tenant', 'acme', false), set_config('app.outbox_reader', 'on', false)";

impl Rows {
    /// Tables of `schema`; connects when first asked.
    ///
    /// # Errors
    /// The address is no address.
    pub fn of(owner_url: &str, schema: &str) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(owner_url)?.options([("search_path", schema)]);
        let tasks = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { tasks, options, connection: Mutex::new(None), schema: schema.to_owned() })
    }

    /// Where futures run.
    pub(crate) fn tasks(&self) -> &tokio::runtime::Handle {
        self.tasks.handle()
    }

    /// Runs a future to its end.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.tasks.block_on(future)
    }

    /// Rows of a query.
    ///
    /// # Errors
    /// The database refuses, or is away.
    pub fn query(&self, sql: &'static str, text: &[&str]) -> anyhow::Result<Vec<PgRow>> {
        let mut held = self.connection.lock().map_err(|_| anyhow::anyhow!("another thread panicked"))?;
        let rows = self.block_on(async {
            let connection = if let Some(connection) = held.take() {
                held.insert(connection)
            } else {
                let mut fresh = PgConnection::connect_with(&self.options).await?;
                sqlx::query(SEE_ALL).execute(&mut fresh).await?;
                held.insert(fresh)
            };
            let query = text.iter().fold(sqlx::query(sql), |query, value| query.bind(*value));
            query.fetch_all(connection).await
        });
        if rows.is_err() {
            *held = None;
        }
        rows.with_context(|| format!("could not ask Postgres: {sql}"))
    }

    /// One number.
    ///
    /// # Errors
    /// The database refuses, or is away.
    pub fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        let rows = self.query(sql, &[])?;
        rows.first().context("no row")?.try_get(0).context("no number")
    }

    /// What each sink has passed: (group, logical topic, partition) to the next offset.
    ///
    /// # Errors
    /// The database refuses, or is away.
    pub fn sink_offsets(&self) -> anyhow::Result<BTreeMap<(String, String, i32), i64>> {
        let rows =
            self.query("SELECT consumer_group, topic, partition, next_offset FROM sink_offsets", &[])?;
        rows.iter()
            .map(|row| Ok(((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), row.try_get(3)?)))
            .collect()
    }

    /// Rows of the outbox by port.
    ///
    /// # Errors
    /// The database refuses, or is away.
    pub fn outbox(&self) -> anyhow::Result<BTreeMap<String, i64>> {
        let rows = self.query("SELECT port, count(*) FROM outbox GROUP BY port", &[])?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Ids of transactions that have written to one of `tables` of this pipeline and are not over.
    ///
    /// # Errors
    /// The database refuses, or is away.
    pub fn open_writes(&self, tables: &str) -> anyhow::Result<Vec<String>> {
        let rows = self.query(OPEN_WRITES, &[&self.schema, tables])?;
        rows.iter().map(|row| row.try_get(0).context("no transaction id")).collect()
    }

    /// How a transaction ended: `committed`, `aborted` or `in progress`.
    ///
    /// # Errors
    /// The database refuses, or is away.
    pub fn transaction_status(&self, id: &str) -> anyhow::Result<String> {
        let rows = self.query("SELECT pg_xact_status($1::xid8)", &[id])?;
        rows.first().context("no row")?.try_get(0).context("no status")
    }

    pub(crate) fn drop_schema(&self) -> anyhow::Result<()> {
        let sql = format!("DROP SCHEMA {} CASCADE", self.schema);
        self.block_on(async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await
        })?;
        Ok(())
    }
}

/// A transaction that has written holds its row locks' table lock and has an id. The epoch of ids is 0: the
/// clusters of tests are young.
const OPEN_WRITES: &str = "
SELECT DISTINCT activity.backend_xid::text
FROM pg_locks locks
JOIN pg_class tables ON tables.oid = locks.relation
JOIN pg_namespace schemas ON schemas.oid = tables.relnamespace
JOIN pg_stat_activity activity ON activity.pid = locks.pid
WHERE schemas.nspname = $1 AND tables.relname = ANY (string_to_array($2, ','))
  AND locks.mode = 'RowExclusiveLock' AND locks.granted AND activity.backend_xid IS NOT NULL";
