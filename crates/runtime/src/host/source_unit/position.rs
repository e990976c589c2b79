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
use std::time::Duration;

const OFFSETS_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the newest committed position of `identity`: past the *high* watermark of the topic of positions as of now,
/// waiting for transactions of others to end. Stopping at the last stable offset would resume from an older one.
pub(super) fn newest(
    shared: &Shared,
    status: &UnitStatus,
    (positions, identity): (&str, &str),
) -> Result<Option<Position>, String> {
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
    let mut found = None;
    let mut visit = |record: &RecordView<'_>| {
        if record.key == Some(identity.as_bytes()) {
            found = record.value.map(|value| Position(String::from_utf8_lossy(value).into_owned()));
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
