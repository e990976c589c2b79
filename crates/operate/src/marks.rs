//! Positions of what is written once, such as a post of lines: marks, which are forgotten once nobody makes such a write again.
//!
//! Invariant: whoever finds a mark writes nothing, so that one which is old changes no more; of those who forget there is one, whose
//! transactional id fences the one before, and who reads after that.

use super::{Error, position::topic};
use engine::log::{OutRecord, TxnError};
use runtime::{
    Config, TransactionalProducer,
    observe::{Broker, Scanner, Span},
};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use topology::Map;

/// What identities of such writes begin with: posts, settings, lanes that are set back, requests for digests. All other sources
/// read on from their positions.
const ONCE: [&str; 4] = ["post/", "settings/", "set-back/", "request/"];
/// Name of the transactional id.
const NAME: &str = "maintenance";
/// Marks that are forgotten in one transaction: sources that begin meanwhile wait for its end.
const FORGOTTEN_MAX: usize = 1_000;

/// When each mark was written, in ms, by its identity.
#[derive(Debug, Default)]
struct Marks(BTreeMap<String, i64>);

impl Marks {
    /// Hears of a record of the topic of positions, in its order.
    fn hear(&mut self, key: Option<&[u8]>, is_tombstone: bool, at_ms: i64) {
        let Some(identity) = key.and_then(|key| std::str::from_utf8(key).ok()) else { return };
        if is_tombstone {
            self.0.remove(identity);
        } else if ONCE.iter().any(|kind| identity.starts_with(kind)) {
            self.0.insert(identity.to_owned(), at_ms);
        }
    }

    fn before(self, ms: i64) -> Vec<String> {
        self.0.into_iter().filter(|(_, at_ms)| *at_ms < ms).map(|(identity, _)| identity).collect()
    }
}

/// Forgets marks that were written before a time in ms, or counts them where that is all that is wanted. A write that is made
/// again after that is made anew.
///
/// # Errors
/// A broker that is away, or does not let this user write the topic of positions.
pub fn forget_marks(config: &Config, map: &Map, before_ms: i64, is_dry: bool) -> Result<u64, Error> {
    let found = old(config, map, before_ms)?;
    if is_dry || found.is_empty() {
        return Ok(found.len() as u64);
    }
    let failed = |error: TxnError| Error::Refused(format!("could not forget marks of writes: {error}"));
    let producer = TransactionalProducer::named(config, NAME).map_err(failed)?;
    let positions: Arc<str> = config.prefix.topic(topic(map)?).into();
    // Whoever was fenced may have forgotten some of them, and somebody may have written those anew.
    let found = old(config, map, before_ms)?;
    for identities in found.chunks(FORGOTTEN_MAX) {
        let forgotten = forget(&producer, &positions, identities);
        if let Err(error) = forgotten {
            // What is left open is ended by whoever comes next, too.
            drop(producer.abort());
            return Err(failed(error));
        }
    }
    Ok(found.len() as u64)
}

/// Identities of marks that were written before a time.
fn old(config: &Config, map: &Map, before_ms: i64) -> Result<Vec<String>, Error> {
    let logical = topic(map)?;
    let broker = Broker::connect(config)?;
    let bounds = broker.bounds(&broker.partitions(logical)?)?;
    let spans: BTreeMap<i32, Span> = bounds
        .iter()
        .map(|((_, partition), bounds)| (*partition, Span { from: bounds.low, until: bounds.stable }))
        .collect();
    let mut marks = Marks::default();
    Scanner::new(&broker, true).scan(&config.prefix.topic(logical), &spans, &mut |record| {
        marks.hear(record.key, record.value.is_none(), record.timestamp_ms);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(marks.before(before_ms))
}

/// Writes tombstones over marks, in one transaction.
fn forget(
    producer: &TransactionalProducer,
    positions: &Arc<str>,
    identities: &[String],
) -> Result<(), TxnError> {
    producer.begin()?;
    for identity in identities {
        producer.produce(&OutRecord {
            topic: Arc::clone(positions),
            partition: Some(0),
            key: identity.as_bytes().to_vec(),
            value: None,
            headers: Vec::new(),
        })?;
    }
    producer.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_positions_only_marks_that_are_old_and_there_are_forgotten() {
        let mut marks = Marks::default();
        for (key, is_tombstone, at_ms) in [
            ("post/acme/qa/1", false, 1),
            ("post/acme/qa/2", false, 9),
            ("post/acme/qa/3", false, 1),
            ("settings/acme/qa/4", false, 2),
            ("set-back/acme/qa/5", false, 2),
            ("request/acme/qa/w/1.1", false, 2),
            ("import/acme/qa/6", false, 1),
            ("follow/acme/qa/7", false, 1),
            ("erase/acme/qa/8", false, 1),
            ("outbox/gistmill", false, 1),
            ("dlq_replay", false, 1),
            ("post/acme/qa/3", true, 2),
        ] {
            marks.hear(Some(key.as_bytes()), is_tombstone, at_ms);
        }
        marks.hear(None, false, 1);
        marks.hear(Some(&[0xff]), false, 1);
        let expected =
            ["post/acme/qa/1", "request/acme/qa/w/1.1", "set-back/acme/qa/5", "settings/acme/qa/4"];
        assert_eq!(marks.before(9), expected);
    }
}
