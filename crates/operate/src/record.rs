//! One record at a place.
//!
//! Invariant: what is returned lies exactly there and is committed.

use super::{Error, Peers};
use runtime::{
    Config,
    observe::{Broker, Scanner, Span},
};
use schemas::{Decoder, Record};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

/// The record of a logical topic at a partition and offset; none where nothing is committed there any more.
///
/// # Errors
/// A peer that is away, or a value that is no record of this type.
pub fn record_at<R: Record>(
    config: &Config,
    topic: &str,
    (partition, offset): (i32, i64),
) -> Result<Option<R>, Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let (mut decoder, mut found) = (Decoder::<R>::new(Arc::clone(&peers.schemas)), None);
    let spans = BTreeMap::from([(partition, Span { from: offset, until: offset + 1 })]);
    let physical = config.prefix.topic(topic);
    let unread = |error: schemas::DecodeError| {
        if error.is_transient() {
            return Error::no_schema(&error);
        }
        let why = format!("the record at {partition}:{offset} is none of {}: {error}", R::TYPE);
        Error::Read { topic: physical.clone(), brokers: config.kafka.brokers.clone(), why }
    };
    Scanner::new(&broker, true).scan(&physical, &spans, &mut |record| {
        if record.offset == offset {
            found = Some(decoder.read(record.value, record.timestamp_ms).map_err(unread)?);
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}
