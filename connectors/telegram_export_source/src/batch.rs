//! Items of an input as parts of records.

use crate::{MESSAGES, draft::Item};
pub(crate) use ingest::{Batch, Origin};
use processor::Emission;
use schemas::GroupMessageIngested;

/// Adds the item at position `at`; `observed_at` is the source's clock after it.
pub(crate) fn push(batch: &mut Batch, origin: &Origin, (at, observed_at): (u64, i64), item: Item) {
    match item {
        Item::Skipped(_) | Item::Damaged(_) => {}
        Item::CompleteUntil(until) => batch.control(origin, &at.to_string(), observed_at, until),
        Item::Topic(id) => batch.topic(origin, (at, observed_at), id),
        Item::Message(draft) => batch.message(origin, (at, observed_at), draft.undated()),
    }
}

/// Addresses records to the port.
pub(crate) fn emit(records: impl IntoIterator<Item = GroupMessageIngested>) -> Vec<Emission> {
    records.into_iter().map(|record| MESSAGES.emit(record)).collect()
}
