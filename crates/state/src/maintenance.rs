//! What is kept no longer, taken by the owner of the tables in bounded batches, each a transaction of its own.
//!
//! Invariant: a tenant's mark is raised before anything before it is taken, so that sinks write none of it again; a batch takes
//! what is past its time and nothing else, so that whoever is killed has lost nothing and goes on. The audit log is never touched.

use crate::{
    Error, Schema, Store,
    connecting::Attempt,
    maintenance_sql::{BEGIN_RUN, DUE, END_RUN, FILED, FORGET_RUNS, LOCK, NOW, RAISE, WITHOUT_MESSAGES},
    store::{ACT_FOR, TENANTS, address, connect_options},
};
use serde::Serialize;
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres, Row, Transaction, postgres::PgRow};
use std::collections::BTreeMap;

/// Rows by table.
pub type Taken = BTreeMap<&'static str, u64>;

/// A digest that has a file, if its group delivers to files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Group.
    pub group_id: String,
    /// Window.
    pub window_id: String,
    /// Its start in ms.
    pub window_start: i64,
    /// Its size; 0 where somebody asked for it.
    pub size_hours: i32,
    /// Its revision.
    pub revision: i32,
}

/// A run of the job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MaintenanceRun {
    /// When it began, in ms.
    pub began_at: i64,
    /// When it ended; none while it runs, and of one that was killed.
    pub ended_at: Option<i64>,
    /// `done` or `failed`.
    pub outcome: Option<String>,
    /// What it said.
    pub report: Value,
}

/// The connection of the one job that runs.
#[derive(Debug)]
pub struct Maintainer {
    connection: PgConnection,
    pub(crate) now_ms: i64,
}

impl Maintainer {
    /// Connects; `None` while another one runs.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Unreachable`], [`Error::Denied`], [`Error::Query`].
    pub async fn connect(owner_url: &str, schema: &Schema) -> Result<Option<Self>, Error> {
        let options = connect_options(owner_url, schema)?;
        let address = address(&options);
        let attempt = Attempt { address: &address, setting: "postgres.owner_url" };
        let mut connection: PgConnection =
            options.connect().await.map_err(|source| attempt.failed(source))?;
        let what = "see that no other maintenance runs";
        let is_alone: bool =
            sqlx::query_scalar(LOCK).fetch_one(&mut connection).await.map_err(Error::query(what))?;
        let now_ms: i64 =
            sqlx::query_scalar(NOW).fetch_one(&mut connection).await.map_err(Error::query(what))?;
        Ok(is_alone.then_some(Self { connection, now_ms }))
    }

    pub(crate) async fn begin(&mut self, tenant_id: &str) -> Result<Transaction<'_, Postgres>, Error> {
        let what = "begin a batch of maintenance";
        let mut transaction = self.connection.begin().await.map_err(Error::query(what))?;
        sqlx::query(ACT_FOR).bind(tenant_id).execute(&mut *transaction).await.map_err(Error::query(what))?;
        Ok(transaction)
    }

    /// Notes that a run begins: its number.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn begin_run(&mut self) -> Result<i64, Error> {
        let begun = sqlx::query_scalar(BEGIN_RUN).fetch_one(&mut self.connection).await;
        begun.map_err(Error::query("note that maintenance begins"))
    }

    /// Notes how a run ended, `done` or `failed`, and forgets those before the last 400.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn end_run(&mut self, run: i64, outcome: &str, report: &Value) -> Result<(), Error> {
        let what = "note how maintenance ended";
        sqlx::query(END_RUN)
            .bind(run)
            .bind(outcome)
            .bind(report.to_string())
            .execute(&mut self.connection)
            .await
            .map_err(Error::query(what))?;
        sqlx::query(FORGET_RUNS).bind(run).execute(&mut self.connection).await.map_err(Error::query(what))?;
        Ok(())
    }

    /// Names of all tenants.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn tenants(&mut self) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(TENANTS)
            .fetch_all(&mut self.connection)
            .await
            .map_err(Error::query("list tenants"))
    }

    /// The time, in ms, before which a tenant's retention takes everything; none where it keeps all.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn due(&mut self, tenant_id: &str) -> Result<Option<i64>, Error> {
        let mut transaction = self.begin(tenant_id).await?;
        let due = sqlx::query_scalar(DUE).bind(tenant_id).fetch_optional(&mut *transaction).await;
        let due = due.map_err(Error::query("read a retention"))?;
        end(transaction).await?;
        Ok(due)
    }

    /// Raises a tenant's mark: from now on sinks write nothing from before it.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn raise(&mut self, tenant_id: &str, before_ms: i64) -> Result<(), Error> {
        let what = "raise the mark of a retention";
        let mut transaction = self.begin(tenant_id).await?;
        sqlx::query(RAISE)
            .bind(tenant_id)
            .bind(before_ms)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }

    /// How many digests of a tenant have words and no message that is stored.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn digests_without_messages(&mut self, tenant_id: &str) -> Result<u64, Error> {
        let mut transaction = self.begin(tenant_id).await?;
        let count: i64 = sqlx::query_scalar(WITHOUT_MESSAGES)
            .bind(tenant_id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query("look for digests without messages"))?;
        end(transaction).await?;
        Ok(count.unsigned_abs())
    }

    /// The digests of a tenant that may have files.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn digests(&mut self, tenant_id: &str) -> Result<Vec<Found>, Error> {
        let mut transaction = self.begin(tenant_id).await?;
        let rows = sqlx::query(FILED)
            .bind(tenant_id)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("list digests"))?;
        end(transaction).await?;
        let found = |row: &PgRow| Found {
            group_id: row.get("group_id"),
            window_id: row.get("window_id"),
            window_start: row.get("window_start_ms"),
            size_hours: row.get("size_hours"),
            revision: row.get("revision"),
        };
        Ok(rows.iter().map(found).collect())
    }
}

/// Ends a transaction that has read.
pub(crate) async fn end(transaction: Transaction<'_, Postgres>) -> Result<(), Error> {
    transaction.rollback().await.map_err(Error::query("end a read"))
}

pub(crate) const LAST: &str = "
SELECT (extract(epoch FROM began_at) * 1000)::bigint AS began_at_ms,
    (extract(epoch FROM ended_at) * 1000)::bigint AS ended_at_ms, outcome, report
FROM maintenance_status ORDER BY id DESC LIMIT $1";

impl Store {
    /// The last runs of maintenance, the newest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn maintenance_runs(&self, most: i64) -> Result<Vec<MaintenanceRun>, Error> {
        let mut transaction = self.begin_for("").await?;
        let rows = sqlx::query(LAST)
            .bind(most)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read the runs of maintenance"))?;
        let run = |row: &PgRow| MaintenanceRun {
            began_at: row.get("began_at_ms"),
            ended_at: row.get("ended_at_ms"),
            outcome: row.get("outcome"),
            report: row.get("report"),
        };
        Ok(rows.iter().map(run).collect())
    }
}
