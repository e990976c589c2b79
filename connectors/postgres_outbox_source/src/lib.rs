//! Publishes what sinks wrote into the outbox: digests stored and delivered, dead letters.
//!
//! Invariant: rows go out in the order (xid, seq), none is skipped, and the position names the server it belongs to.

mod position;

use position::OutboxPosition;
use processor::{Emission, Port, PortSpec};
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{DigestDelivered, DigestDlq, DigestPersisted, Record};
use state::{Error, OutboxPage, OutboxRow, Store};
use std::time::Duration;

const PERSISTED: Port<DigestPersisted> = Port::new("persisted");
const DELIVERED: Port<DigestDelivered> = Port::new("delivered");
const DEAD_LETTERS: Port<DigestDlq> = Port::new("dead_letters");

/// First wait for more; doubled up to [`IDLE_MAX`] while there is none, so that a quiet outbox costs two reads a second.
const IDLE_MIN: Duration = Duration::from_millis(50);
const IDLE_MAX: Duration = Duration::from_millis(500);

/// The source.
#[derive(Debug)]
pub struct PostgresOutboxSource {
    store: Store,
    idle: Duration,
}

impl PostgresOutboxSource {
    /// A source that reads the outbox of `store`.
    pub fn new(store: Store) -> Self {
        Self { store, idle: IDLE_MIN }
    }

    fn wait(&mut self) -> SourceBatch {
        let wait = self.idle;
        self.idle = IDLE_MAX.min(wait * 2);
        SourceBatch::Idle(wait)
    }
}

impl Source for PostgresOutboxSource {
    const NAME: &'static str = "postgres_outbox_source";

    fn ports(&self) -> Vec<PortSpec> {
        vec![PERSISTED.spec(), DELIVERED.spec(), DEAD_LETTERS.spec()]
    }

    fn identity(&self) -> String {
        format!("outbox/{}", self.store.schema())
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        let after = position.map(OutboxPosition::parse).transpose()?;
        let page =
            self.store.outbox_page(after.as_ref().map(OutboxPosition::place)).await.map_err(source_error)?;
        same_server(after.as_ref(), &page)?;
        let Some(last) = page.rows.last() else { return Ok(self.wait()) };
        self.idle = IDLE_MIN;
        let position = OutboxPosition::new(&page.system_identifier, last.place).encode()?;
        let emissions = page.rows.iter().map(emission).collect::<Result<_, _>>()?;
        Ok(SourceBatch::Records { emissions, position })
    }
}

/// Stops where transaction ids mean something else than they did when the position or the rows were written.
fn same_server(after: Option<&OutboxPosition>, page: &OutboxPage) -> Result<(), SourceError> {
    if let Some(after) = after {
        if after.system_identifier != page.system_identifier {
            return Err(SourceError::Fatal(format!(
                "outbox position is of postgres server {}, this is server {}: a restored dump, or the wrong address. \
                 correct the address, or run `gistmill reset postgres_outbox_source` to publish the whole outbox \
                 again (consumers tell repeats by their ids)",
                after.system_identifier, page.system_identifier
            )));
        }
        if after.xid >= page.next_xid {
            return Err(SourceError::Fatal(format!(
                "outbox position is at transaction {}, the server has only come to {}: it was set back to an earlier \
                 time. run `gistmill reset postgres_outbox_source` to publish the whole outbox again (consumers tell \
                 repeats by their ids)",
                after.xid, page.next_xid
            )));
        }
    }
    if page.has_foreign_rows {
        return Err(SourceError::Fatal(
            "outbox holds rows of transactions that this server has not had: a restored dump. as a superuser, \
             delete the rows published before, or publish all of them again with `UPDATE outbox SET xid = DEFAULT`"
                .to_owned(),
        ));
    }
    Ok(())
}

fn source_error(error: Error) -> SourceError {
    if error.is_transient() {
        SourceError::Transient(Box::new(error))
    } else {
        SourceError::Fatal(format!("could not read the outbox: {}", error.describe()))
    }
}

fn emission(row: &OutboxRow) -> Result<Emission, SourceError> {
    let port = row.port.as_str();
    if port == PERSISTED.spec().name {
        emit(&PERSISTED, row)
    } else if port == DELIVERED.spec().name {
        emit(&DELIVERED, row)
    } else if port == DEAD_LETTERS.spec().name {
        emit(&DEAD_LETTERS, row)
    } else {
        Err(SourceError::Fatal(format!(
            "outbox row {} is for port {port:?}, which this version does not have: upgrade postgres_outbox_source",
            row.place.seq
        )))
    }
}

fn emit<R: Record>(port: &Port<R>, row: &OutboxRow) -> Result<Emission, SourceError> {
    match serde_json::from_str(&row.payload) {
        Ok(record) => Ok(port.emit(record)),
        Err(error) => Err(SourceError::Fatal(format!(
            "outbox row {} is no {}: {error}; it was written by another version: upgrade postgres_outbox_source",
            row.place.seq,
            R::TYPE
        ))),
    }
}
