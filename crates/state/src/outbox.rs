//! What sinks have to say to Kafka, and how it is read without skipping a row.
//!
//! Invariant: a row is read only once every transaction that began before it has ended, in the order (xid, seq).
//! Sequence numbers are handed out before the commit, so that a reader who went by them alone would pass a row whose
//! transaction commits late. The bound `pg_snapshot_xmin` is compared in the statement that reads, on its own snapshot.

use crate::{Batch, Error, Store, json::reads_back};
use schemas::Record;
use sqlx::{PgConnection, Row, postgres::PgRow};

/// A place in the outbox: transaction, then sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutboxPlace {
    /// Transaction that wrote the row; Postgres' 64-bit transaction id.
    pub xid: u64,
    /// Sequence number of the row.
    pub seq: i64,
}

/// A row by its place and when it was written: two histories of one database may have a row at the same place, but not
/// one of the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxMark {
    /// Where it lies.
    pub place: OutboxPlace,
    /// When its transaction began, in microseconds of the server's clock.
    pub written_at_us: i64,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Which it is.
    pub mark: OutboxMark,
    /// Tenant and group of the record.
    pub of: (String, String),
    /// Port that it is for.
    pub port: String,
    /// JSON of the port's record.
    pub payload: String,
}

/// Rows and the server that they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxPage {
    /// Postgres' `system_identifier`: transaction ids of two servers cannot be compared.
    pub system_identifier: String,
    /// Timeline that the server writes: a new one begins with each recovery to a point in time and each failover.
    pub timeline: i32,
    /// The newest row at or before the place asked about; none when it and all before it are gone.
    pub newest_passed: Option<OutboxMark>,
    /// Every transaction of this server so far is below; a place at or above it is not from here.
    pub next_xid: u64,
    /// True when the newest row is of a transaction that this server has not had yet: it came with a dump.
    pub has_foreign_rows: bool,
    /// Rows, in order.
    pub rows: Vec<OutboxRow>,
}

/// How far a reader of the outbox is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxLag {
    /// Rows that can be read.
    pub readable: i64,
    /// Rows that wait for an older transaction, in any database of the server, to end.
    pub stalled: i64,
    /// Age of the oldest of all of them, in ms of the server's clock; 0 when there is none.
    pub oldest_ms: i64,
}

pub(crate) const SERVER: &str = "
SELECT set_config('app.outbox_reader', 'on', true), system_identifier::text,
    pg_snapshot_xmax(pg_current_snapshot())::text,
    CASE WHEN NOT pg_is_in_recovery()
        THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END
FROM pg_control_system()";

/// Bytes before a row are summed so that a page of large rows stays bounded; the first is always there. The columns are
/// ordered by as `page.xid`: a bare `xid` would be the output column, whose text sorts 1000 before 999.
pub(crate) const PAGE: &str = "
SELECT page.xid::text AS xid_text, page.seq, page.tenant_id, page.group_id, page.port,
    page.payload::text AS payload_text,
    (extract(epoch FROM page.created_at) * 1000000)::bigint AS written_at_us
FROM (
    SELECT *, sum(octet_length(payload::text)) OVER (ORDER BY xid, seq ROWS UNBOUNDED PRECEDING)
        - octet_length(payload::text) AS bytes_before
    FROM (
        SELECT xid, seq, tenant_id, group_id, port, payload, created_at FROM outbox
        WHERE (xid, seq) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY xid, seq LIMIT $3
    ) AS following
) AS page
WHERE page.bytes_before < $4
ORDER BY page.xid, page.seq";

pub(crate) const PASSED: &str = "
SELECT outbox.xid::text AS xid_text, seq, (extract(epoch FROM created_at) * 1000000)::bigint AS written_at_us
FROM outbox WHERE (xid, seq) <= ($1::text::xid8, $2) ORDER BY outbox.xid DESC, seq DESC LIMIT 1";

pub(crate) const NEWEST: &str = "
SELECT coalesce((SELECT xid >= pg_snapshot_xmax(pg_current_snapshot()) FROM outbox ORDER BY xid DESC LIMIT 1), false)";

pub(crate) const LAG: &str = "
SELECT count(*) FILTER (WHERE xid < pg_snapshot_xmin(pg_current_snapshot())),
    count(*) FILTER (WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())),
    coalesce(greatest(extract(epoch FROM clock_timestamp() - min(created_at)) * 1000, 0), 0)::bigint
FROM outbox WHERE (xid, seq) > ($1::text::xid8, $2)";

pub(crate) const APPEND: &str =
    "INSERT INTO outbox (tenant_id, group_id, port, payload) VALUES ($1, $2, $3, $4::json)";

/// Most rows of a page: few enough for one Kafka transaction.
const PAGE_ROWS_MAX: i64 = 500;
/// A page ends with the row that passes this.
const PAGE_BYTES_MAX: i64 = 8 * 1024 * 1024;

impl Batch {
    /// Adds a record for a port of `postgres_outbox_source`. The record's tenant may be empty.
    ///
    /// # Errors
    /// [`Error::Refused`] for a record whose JSON would not read back.
    pub async fn append_outbox<R: Record>(&mut self, port: &str, record: &R) -> Result<(), Error> {
        append(self.acting_for(record.tenant_id()).await?, port, record).await
    }
}

/// Adds a record for a port, on a connection that acts for its tenant.
pub(crate) async fn append<R: Record>(
    connection: &mut PgConnection,
    port: &str,
    record: &R,
) -> Result<(), Error> {
    let payload =
        serde_json::to_string(record).map_err(|source| Error::Stored { what: "outbox record", source })?;
    // Who publishes the row stops at one that it cannot read, and so do all rows behind it.
    reads_back::<R>("outbox record", &payload)?;
    sqlx::query(APPEND)
        .bind(record.tenant_id())
        .bind(record.group_id())
        .bind(port)
        .bind(payload)
        .execute(connection)
        .await
        .map_err(Error::query("write to the outbox"))?;
    Ok(())
}

impl Store {
    /// The rows that follow `after` (`None`: from the first), as many as are certain to have no unfinished one before
    /// them, at most 500 and about 8 MiB.
    pub async fn outbox_page(&self, after: Option<OutboxPlace>) -> Result<OutboxPage, Error> {
        let what = "read the outbox";
        let after = after.unwrap_or(OutboxPlace { xid: 0, seq: i64::MIN });
        let mut transaction = self.begin().await?;
        let server = sqlx::query(SERVER).fetch_one(&mut *transaction).await.map_err(Error::query(what))?;
        let Some(timeline) = server.get(3) else {
            return Err(Error::Standby { address: self.address().to_owned() });
        };
        let newest_passed = sqlx::query(PASSED)
            .bind(after.xid.to_string())
            .bind(after.seq)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let rows = sqlx::query(PAGE)
            .bind(after.xid.to_string())
            .bind(after.seq)
            .bind(PAGE_ROWS_MAX)
            .bind(PAGE_BYTES_MAX)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let has_foreign_rows =
            sqlx::query_scalar(NEWEST).fetch_one(&mut *transaction).await.map_err(Error::query(what))?;
        Ok(OutboxPage {
            system_identifier: server.get(1),
            timeline,
            newest_passed: newest_passed.map(|row| mark(&row)),
            next_xid: xid(server.get(2)),
            has_foreign_rows,
            rows: rows
                .iter()
                .map(|row| OutboxRow {
                    mark: mark(row),
                    of: (row.get("tenant_id"), row.get("group_id")),
                    port: row.get("port"),
                    payload: row.get("payload_text"),
                })
                .collect(),
        })
    }

    /// How many rows follow `after`.
    pub async fn outbox_lag(&self, after: Option<OutboxPlace>) -> Result<OutboxLag, Error> {
        let what = "measure the outbox";
        let after = after.unwrap_or(OutboxPlace { xid: 0, seq: i64::MIN });
        let mut transaction = self.begin().await?;
        sqlx::query(SERVER).execute(&mut *transaction).await.map_err(Error::query(what))?;
        let row = sqlx::query(LAG)
            .bind(after.xid.to_string())
            .bind(after.seq)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        Ok(OutboxLag { readable: row.get(0), stalled: row.get(1), oldest_ms: row.get(2) })
    }
}

fn mark(row: &PgRow) -> OutboxMark {
    let place = OutboxPlace { xid: xid(row.get("xid_text")), seq: row.get("seq") };
    OutboxMark { place, written_at_us: row.get("written_at_us") }
}

/// Postgres prints a transaction id as digits; nothing else can come.
fn xid(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}
