//! A schema of its own for each test, on the server that the environment names.

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgRow};
use state::{Schema, SinkPartition, Store, StoreOptions};

/// Kafka cluster of the tests.
pub(crate) const CLUSTER: &str = "cluster-of-tests";

/// A migrated schema and a store in it.
pub(crate) struct Database {
    /// As the application role.
    pub(crate) store: Store,
    /// The schema.
    pub(crate) schema: Schema,
    app_url: String,
    owner_url: String,
}

#[expect(clippy::disallowed_methods, reason = "tests find the server where CI and `gistmill stack env` say")]
fn address(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Database {
    /// A fresh schema, or `None` where no server is named.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let urls = (address("GISTMILL_POSTGRES__URL"), address("GISTMILL_POSTGRES__OWNER_URL"));
        let (Some(app_url), Some(owner_url)) = urls else {
            println!("{test}: skipped, GISTMILL_POSTGRES__URL and GISTMILL_POSTGRES__OWNER_URL are not set");
            return None;
        };
        let schema = Schema::of_prefix(&format!("{test}_{}", std::process::id())).unwrap();
        state::migrate(&owner_url, &schema).await.unwrap();
        let options = StoreOptions { schema: schema.clone(), connections_max: 4, ..StoreOptions::default() };
        let store = Store::open(&app_url, &options).await.unwrap();
        Some(Self { store, schema, app_url, owner_url })
    }

    /// A connection of its own as the owner, in the schema.
    pub(crate) async fn owner(&self) -> PgConnection {
        self.connect(&self.owner_url).await
    }

    /// A connection of its own as the application role, in the schema.
    pub(crate) async fn app(&self) -> PgConnection {
        self.connect(&self.app_url).await
    }

    async fn connect(&self, url: &str) -> PgConnection {
        let mut connection = PgConnection::connect(url).await.unwrap();
        run(&mut connection, &format!("SET search_path = {}", self.schema)).await.unwrap();
        connection
    }

    /// Rows as `tenant` sees them.
    pub(crate) async fn rows(&self, tenant: &str, sql: &str) -> Vec<PgRow> {
        let mut connection = self.app().await;
        run(&mut connection, &format!("SELECT set_config('app.current_tenant', '{tenant}', false)"))
            .await
            .unwrap();
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap()
    }

    /// The outbox as its reader sees it: port and payload, in order.
    pub(crate) async fn outbox(&self) -> Vec<(String, String)> {
        let mut connection = self.app().await;
        run(&mut connection, "SELECT set_config('app.outbox_reader', 'on', false)").await.unwrap();
        let sql = "SELECT port, payload::text FROM outbox ORDER BY xid, seq";
        sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
    }

    /// Address of the server, as the application role.
    pub(crate) fn url(&self) -> &str {
        &self.app_url
    }

    /// Address of the server, as the owner.
    pub(crate) fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// Removes the schema; a failed test leaves it to be looked at.
    pub(crate) async fn drop(self) {
        self.store.close().await;
        let mut owner = self.owner().await;
        run(&mut owner, &format!("DROP SCHEMA {} CASCADE", self.schema)).await.unwrap();
    }
}

/// Runs one statement.
pub(crate) async fn run(connection: &mut PgConnection, sql: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Partition 0 of a topic for the sink called `sink`.
pub(crate) fn partition(sink: &str, topic: &str) -> SinkPartition {
    SinkPartition {
        consumer_group: sink.to_owned(),
        topic: topic.to_owned(),
        physical_topic: topic.to_owned(),
        partition: 0,
    }
}
