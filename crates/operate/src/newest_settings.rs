//! The settings of a group that hold for windows opened from now on, as the log has them.

use super::{Error, Peers};
use runtime::{
    Config,
    observe::{Broker, MESSAGES_TOPIC, Scanner, Span},
};
use schemas::{Decoder, GroupMessageIngested, GroupSettings};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use topology::Map;

/// Offsets read first; doubled at each step back, so that a long log is read at most twice as far as need be.
const STEP: i64 = 2_000;

/// What was found of a group's settings, and how far the log was read for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsSeen {
    /// The newest; none where none were set.
    pub settings: Option<GroupSettings>,
    /// Offset of the key's partition up to which the log was read.
    pub until: i64,
}

/// The settings of the newest control record with this key, `tenant/group`; none when none were ever set. Reads the
/// key's partition from its end backwards.
///
/// # Errors
/// A peer that is away, or a topic that is not on the broker.
pub fn newest_settings(config: &Config, map: &Map, key: &str) -> Result<Option<GroupSettings>, Error> {
    Ok(settings_since(config, map, key, None)?.settings)
}

/// [`newest_settings`] of those that were written at an offset of the key's partition or later; of all where the partition ends
/// before it, since it is another one then.
///
/// # Errors
/// As [`newest_settings`].
pub fn settings_since(
    config: &Config,
    map: &Map,
    key: &str,
    since: Option<i64>,
) -> Result<SettingsSeen, Error> {
    let seen = |settings, until| Ok(SettingsSeen { settings, until });
    let topic = map.topic(MESSAGES_TOPIC)?;
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let Some(partition) = broker.partition_of(&topic.name, key)? else { return seen(None, 0) };
    let bounds = broker.bounds(std::slice::from_ref(&partition))?;
    let Some(bounds) = bounds.get(&partition) else { return seen(None, 0) };
    let low = since.filter(|since| *since <= bounds.stable).unwrap_or(bounds.low).max(bounds.low);
    let scanner = Scanner::new(&broker, true);
    let mut decoder = Decoder::<GroupMessageIngested>::new(Arc::clone(&peers.schemas));
    for span in backwards(low, bounds.stable) {
        let mut found = None;
        scanner.scan(&partition.0, &BTreeMap::from([(partition.1, span)]), &mut |record| {
            if record.key == Some(key.as_bytes()) {
                match decoder.read(record.value, record.timestamp_ms) {
                    Ok(event) => found = event.settings.or(found.take()),
                    Err(error) if error.is_transient() => return Err(Error::no_schema(&error)),
                    // Poison is window_builder's to dead-letter; it sets nothing.
                    Err(_) => {}
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if found.is_some() {
            return seen(found, bounds.stable);
        }
    }
    seen(None, bounds.stable)
}

/// `[low, end)` cut into spans, the last first, each twice as long as the one before.
fn backwards(low: i64, end: i64) -> impl Iterator<Item = Span> {
    let mut next = (end, STEP);
    std::iter::from_fn(move || {
        let (until, step) = next;
        let from = until.saturating_sub(step).max(low);
        next = (from, step.saturating_mul(2));
        (from < until).then_some(Span { from, until })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_back_to_the_first_offset_without_a_gap() {
        let spans: Vec<Span> = backwards(10, 9_000).collect();
        let span = |from, until| Span { from, until };
        assert_eq!(spans, [span(7_000, 9_000), span(3_000, 7_000), span(10, 3_000)]);
        assert_eq!(backwards(5, 5).count(), 0);
    }
}
