//! Where a source stands, as the log says.
//!
//! Invariant: the position read is the newest committed one, also when a predecessor has just died.

use crate::{
    host::{Shared, Wait, status::UnitStatus},
    kafka::{read_range, settings},
    source::Position,
};
use engine::log::RecordView;
use kafka_client::Complaints;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::{collections::BTreeMap, time::Duration};

const OFFSETS_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a source and its parts stand.
#[derive(Debug, Default)]
pub(super) struct Newest {
    pub(super) whole: Option<Position>,
    pub(super) parts: BTreeMap<String, Position>,
}

impl Newest {
    /// Takes a record of the topic of positions, if it is one of this source.
    fn take(&mut self, identity: &str, key: &str, value: Option<&[u8]>) {
        let position = value.map(|value| Position(String::from_utf8_lossy(value).into_owned()));
        if key == identity {
            self.whole = position;
            return;
        }
        let Some(part) = key.strip_prefix(identity).and_then(|rest| rest.strip_prefix('/')) else { return };
        match position {
            Some(position) => self.parts.insert(part.to_owned(), position),
            None => self.parts.remove(part),
        };
    }
}

/// Key of a part's position.
pub(super) fn part_key(identity: &str, part: &str) -> String {
    format!("{identity}/{part}")
}

/// Reads the newest committed position of `identity` and of its parts: past the *high* watermark of the topic of positions as of now,
/// waiting for transactions of others to end. Stopping at the last stable offset would resume from an older one.
pub(super) fn newest(
    shared: &Shared,
    status: &UnitStatus,
    (positions, identity): (&str, &str),
) -> Result<Newest, String> {
    let kafka = &shared.config.kafka;
    let committed = settings::reader(kafka, "read_committed");
    let high = watermark(&settings::reader(kafka, "read_uncommitted"), positions)?;
    while watermark(&committed, positions)? < high {
        if shared.stop.is_asked() {
            return Err("stopped while waiting for transactions of other sources to end".to_owned());
        }
        Wait { stop: &shared.stop, status }
            .for_a_while("open transactions of other sources; `gistmill txn ls` shows one that hangs");
    }
    let mut found = Newest::default();
    let mut visit = |record: &RecordView<'_>| {
        if let Some(key) = record.key.and_then(|key| std::str::from_utf8(key).ok()) {
            found.take(identity, key, record.value);
        }
        Ok(())
    };
    let mut between = || Wait { stop: &shared.stop, status }.goes_on();
    read_range(&committed, (positions, 0), (None, Some(high)), &mut visit, &mut between)?;
    Ok(found)
}

/// End of the positions partition as the settings' isolation level sees it.
fn watermark(settings: &rdkafka::ClientConfig, topic: &str) -> Result<i64, String> {
    let consumer: BaseConsumer<Complaints> =
        kafka_client::create(settings, Complaints::default()).map_err(|error| error.to_string())?;
    let (_, high) = consumer
        .fetch_watermarks(topic, 0, OFFSETS_TIMEOUT)
        .map_err(|error| format!("could not read the end of {topic}: {error}"))?;
    Ok(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_takes_its_own_positions_and_those_of_its_parts() {
        let mut newest = Newest::default();
        for (key, value) in [
            ("pool", Some("1")),
            ("pool/7", Some("2")),
            ("pool/7/-100", Some("3")),
            ("pool/8", Some("4")),
            ("pool/8", None),
            ("pools/9", Some("5")),
            ("bot/1", Some("6")),
            ("pool/7", Some("7")),
        ] {
            newest.take("pool", key, value.map(str::as_bytes));
        }
        let parts: Vec<_> = newest.parts.iter().map(|(part, at)| (part.as_str(), at.0.as_str())).collect();
        assert_eq!(newest.whole, Some(Position("1".to_owned())));
        assert_eq!(parts, [("7", "7"), ("7/-100", "3")]);
        assert_eq!(part_key("pool", "7/-100"), "pool/7/-100");
    }
}
