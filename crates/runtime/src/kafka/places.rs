//! Whether a topic holds a record at an offset, or ever can.

use super::{reader::read_range, settings};
use crate::config::Kafka;
use engine::log::RecordView;
use kafka_client::Complaints;
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// What a topic says of an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A committed record lies there.
    Held,
    /// None lies there, and none will: why.
    Never(String),
    /// A transaction is open there: it may come yet.
    Unknown,
}

/// Tells what a topic holds. Blocking.
pub(crate) trait Places: Send + Sync + 'static {
    /// What lies at an offset; fails while the broker does not answer.
    fn look(&self, partition: i32, offset: i64) -> Result<Place, String>;
}

/// A topic on the broker.
pub(crate) struct TopicPlaces {
    topic: String,
    partitions: i32,
    committed: ClientConfig,
    uncommitted: ClientConfig,
}

impl TopicPlaces {
    /// The physical topic with so many partitions.
    pub(crate) fn new(kafka: &Kafka, topic: String, partitions: i32) -> Self {
        let reader = |isolation| settings::reader(kafka, isolation);
        Self {
            topic,
            partitions,
            committed: reader("read_committed"),
            uncommitted: reader("read_uncommitted"),
        }
    }

    /// First offset and end of a partition, as far as the settings' isolation level sees it.
    fn bounds(&self, settings: &ClientConfig, partition: i32) -> Result<(i64, i64), String> {
        let failed = |error| format!("could not read the ends of {}/{partition}: {error}", self.topic);
        let consumer: BaseConsumer<Complaints> =
            kafka_client::create(settings, Complaints::default()).map_err(|error| error.to_string())?;
        consumer.fetch_watermarks(&self.topic, partition, TIMEOUT).map_err(failed)
    }
}

impl Places for TopicPlaces {
    fn look(&self, partition: i32, offset: i64) -> Result<Place, String> {
        let Self { topic, partitions, .. } = self;
        let never = |why: String| Ok(Place::Never(why));
        if !(0..*partitions).contains(&partition) {
            return never(format!("{topic} has no partition {partition}; there are 0 to {}", partitions - 1));
        }
        let (low, high) = self.bounds(&self.uncommitted, partition)?;
        if !(low..high).contains(&offset) {
            return never(format!(
                "{topic}/{partition} has no offset {offset}; it holds {low} to {}",
                high - 1
            ));
        }
        if offset >= self.bounds(&self.committed, partition)?.1 {
            return Ok(Place::Unknown);
        }
        let mut is_held = false;
        let range = (Some(offset), Some(offset + 1));
        let mut visit = |_: &RecordView<'_>| {
            is_held = true;
            Ok(())
        };
        read_range(&self.committed, (topic, partition), range, &mut visit, &mut || Ok(()))?;
        if is_held {
            return Ok(Place::Held);
        }
        never(format!("{topic}/{partition} has no record at offset {offset}, only the end of a transaction"))
    }
}
