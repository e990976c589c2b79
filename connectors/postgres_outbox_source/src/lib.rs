//! Publishes what sinks wrote into the outbox: digests stored and delivered, dead letters.
//!
//! Invariant: rows go out in the order (xid, seq), none is skipped, and the position names the server and the
//! row that it belongs to: a database that was set back to an earlier time is told from one that went on. A row that
//! cannot be read goes out as a dead letter.

mod history;
mod position;
mod unreadable;

use position::OutboxPosition;
use processor::{Emission, Port, PortSpec};
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{DigestDelivered, DigestDlq, DigestPersisted, Record};
use state::{Error, OutboxRow, Store};
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
        history::check(after.as_ref(), &page)?;
        let Some(last) = page.rows.last() else { return Ok(self.wait()) };
        self.idle = IDLE_MIN;
        let position = OutboxPosition::new((&page.system_identifier, page.timeline), last.mark).encode()?;
        let emissions = page.rows.iter().map(emission).collect::<Result<_, _>>()?;
        Ok(SourceBatch::Records { emissions, position })
    }
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
        Ok(emit(&PERSISTED, row))
    } else if port == DELIVERED.spec().name {
        Ok(emit(&DELIVERED, row))
    } else if port == DEAD_LETTERS.spec().name {
        Ok(emit(&DEAD_LETTERS, row))
    } else {
        Err(SourceError::Fatal(format!(
            "outbox row {} is for port {port:?}, which this version does not have: upgrade postgres_outbox_source",
            row.mark.place.seq
        )))
    }
}

fn emit<R: Record>(port: &Port<R>, row: &OutboxRow) -> Emission {
    match serde_json::from_str(&row.payload) {
        Ok(record) => port.emit(record),
        Err(error) => DEAD_LETTERS.emit(unreadable::letter(row, R::TYPE, &error)),
    }
}
