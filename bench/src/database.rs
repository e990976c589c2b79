//! One connection to the tables of a pipeline, as the owner of their schema.

use crate::{
    error::{Error, database},
    generator::TENANT,
    testbed::Testbed,
};
use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::str::FromStr as _;
use topology::Prefix;

/// A connection that sees the rows of the benchmark's tenant: row-level security holds for the owner too.
pub(crate) struct Database<'a> {
    bed: &'a Testbed,
    connection: PgConnection,
}

impl<'a> Database<'a> {
    /// Connects to the tables of a prefix.
    pub(crate) fn connect(bed: &'a Testbed, prefix: &Prefix) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(&bed.addresses.postgres_owner);
        let options = options.map_err(database("read the address of postgres"))?;
        let options = options.options([("search_path", prefix.postgres_schema())]);
        let connection = bed.block_on(PgConnection::connect_with(&options));
        let connection = connection.map_err(database("connect to postgres"))?;
        let mut own = Self { bed, connection };
        own.execute(format!("SELECT set_config('app.current_tenant', '{TENANT}', false)"))?;
        Ok(own)
    }

    /// Runs statements.
    pub(crate) fn execute(&mut self, sql: String) -> Result<(), Error> {
        let what = format!("run {}", first_line(&sql));
        let done = self.bed.block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection));
        done.map(|_| ()).map_err(database(what))
    }

    /// The text of the one value that a query gives.
    pub(crate) fn text(&mut self, sql: String) -> Result<String, Error> {
        let what = format!("ask {}", first_line(&sql));
        let asked = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection);
        self.bed.block_on(asked).map_err(database(what))
    }

    /// Rows of a query in Postgres' binary form.
    pub(crate) fn copy_out(&mut self, query: &str) -> Result<Vec<u8>, Error> {
        let sql = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        let read = async {
            let mut stream = self.connection.copy_out_raw(&sql).await?;
            let mut bytes = Vec::new();
            while let Some(part) = stream.try_next().await? {
                bytes.extend_from_slice(&part);
            }
            Ok::<_, sqlx::Error>(bytes)
        };
        self.bed.block_on(read).map_err(database("read rows"))
    }

    /// Puts such rows into a table.
    pub(crate) fn copy_in(&mut self, table: &str, rows: &[u8]) -> Result<(), Error> {
        let sql = format!("COPY {table} FROM STDIN (FORMAT binary)");
        let write = async {
            let mut copy = self.connection.copy_in_raw(&sql).await?;
            copy.send(rows).await?;
            copy.finish().await
        };
        self.bed.block_on(write).map(|_| ()).map_err(database(format!("copy into {table}")))
    }
}

fn first_line(sql: &str) -> &str {
    sql.trim().lines().next().unwrap_or_default()
}
