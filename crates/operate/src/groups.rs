//! Every group that the log of messages holds, with the settings that hold for windows opened from now on.

use super::{Error, Peers};
use runtime::{
    Config,
    observe::{Broker, MESSAGES_TOPIC, Scanner, Span},
};
use schemas::{Decoder, GroupMessageIngested, GroupSettings};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use topology::Map;

/// Records between two words about progress.
const PROGRESS_EVERY: u64 = 100;

/// A group, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSeen {
    /// Tenant that owns it.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// States of messages that were ingested: an edited message counts again.
    pub messages: u64,
    /// When its newest record was appended, in ms.
    pub newest_record_ms: i64,
    /// Settings that were set last; none when none ever were.
    pub settings: Option<GroupSettings>,
}

/// Lists them by tenant and group; `progress` hears of offsets passed and to pass. Reads the topic as a whole.
///
/// # Errors
/// A peer that is away, or a topic that is not on the broker.
pub fn groups(
    config: &Config,
    map: &Map,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<GroupSeen>, Error> {
    let topic = map.topic(MESSAGES_TOPIC)?;
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let bounds = broker.bounds(&broker.partitions(&topic.name)?)?;
    let spans: BTreeMap<i32, Span> = bounds
        .iter()
        .map(|((_, partition), bounds)| (*partition, Span { from: bounds.low, until: bounds.stable }))
        .collect();
    let total = spans.values().map(|span| (span.until - span.from) as u64).sum();
    let mut decoder = Decoder::<GroupMessageIngested>::new(Arc::clone(&peers.schemas));
    let (mut seen, mut done) = (BTreeMap::new(), 0);
    Scanner::new(&broker, true).scan(&config.prefix.topic(&topic.name), &spans, &mut |record| {
        done += 1;
        if done % PROGRESS_EVERY == 0 {
            progress(done, total);
        }
        match decoder.read(record.value, record.timestamp_ms) {
            Ok(event) => add(&mut seen, event, record.timestamp_ms),
            Err(error) if error.is_transient() => return Err(Error::no_schema(&error)),
            // Poison is window_builder's to dead-letter; it is of no group.
            Err(_) => {}
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(seen.into_values().collect())
}

fn add(seen: &mut BTreeMap<(String, String), GroupSeen>, event: GroupMessageIngested, append_time_ms: i64) {
    let group = seen.entry((event.tenant_id.clone(), event.group_id.clone())).or_insert_with(|| GroupSeen {
        tenant_id: event.tenant_id,
        group_id: event.group_id,
        messages: 0,
        newest_record_ms: append_time_ms,
        settings: None,
    });
    group.messages += event.messages.len() as u64;
    group.newest_record_ms = group.newest_record_ms.max(append_time_ms);
    group.settings = event.settings.or(group.settings.take());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_set_last_hold_and_a_group_without_messages_is_seen() {
        let mut seen = BTreeMap::new();
        let event = |group: &str, settings: Option<GroupSettings>| GroupMessageIngested {
            tenant_id: "acme".to_owned(),
            group_id: group.to_owned(),
            settings,
            ..GroupMessageIngested::default()
        };
        let hours = |hours| Some(GroupSettings { window_hours: vec![hours], ..GroupSettings::default() });
        for (event, time) in [
            (event("b", hours(4)), 7),
            (event("a", None), 8),
            (event("b", hours(6)), 9),
            (event("b", None), 10),
        ] {
            add(&mut seen, event, time);
        }
        let found: Vec<_> =
            seen.into_values().map(|g| (g.group_id, g.newest_record_ms, g.settings)).collect();
        assert_eq!(found, [("a".to_owned(), 8, None), ("b".to_owned(), 10, hours(6))]);
    }
}
