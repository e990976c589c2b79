//! Dead letters of rows that cannot be read: one of them must not hold back all that follow it for ever.
//!
//! Invariant: a function of the row alone; the letter carries the payload as it is stored.

use crate::PostgresOutboxSource;
use runtime::Source;
use schemas::{DigestDlq, Fingerprint};
use state::OutboxRow;

/// What the letter names as its input: the table, which has one partition and counts its rows.
const TABLE: &str = "outbox";
const REASON: &str = "unreadable_row";

/// The letter of a row whose payload is no `wanted`. The error's own words may quote the payload: its place is told.
pub(crate) fn letter(row: &OutboxRow, wanted: &str, error: &serde_json::Error) -> DigestDlq {
    let stage = PostgresOutboxSource::NAME;
    let (tenant_id, group_id) = row.of.clone();
    let error = format!(
        "row {} of the outbox is no {wanted}: could not read its payload beyond line {}, column {}",
        row.mark.place.seq,
        error.line(),
        error.column()
    );
    DigestDlq {
        key: Some(format!("{tenant_id}/{group_id}").into_bytes()),
        tenant_id,
        group_id,
        digest_id: None,
        stage: stage.to_owned(),
        fingerprint: Fingerprint::of(stage, TABLE, REASON, &error).to_string(),
        error,
        error_class: REASON.to_owned(),
        retry_count: 0,
        next_action: "investigate".to_owned(),
        topic: TABLE.to_owned(),
        partition: 0,
        offset: row.mark.place.seq,
        timestamp: row.mark.written_at_us / 1_000,
        headers: Vec::new(),
        value: Some(row.payload.clone().into_bytes()),
    }
}
