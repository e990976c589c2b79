//! A producer that is not ours: any record, under any key, into any partition.

use crate::{
    patience::PATIENCE,
    pipeline::{Pipeline, TENANT},
};
use anyhow::Context;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use schemas::{Author, Encoder, GroupMessageIngested, LIVE_LANE, Message, Record};

/// The day on which everything is said: 2026-03-02T00:00:00Z in ms.
const DAY_MS: i64 = 1_772_409_600_000;
const MINUTE_MS: i64 = 60_000;

/// A record of a group with one message, number `id` of the day, one a minute.
pub fn said(group: &str, id: i64) -> GroupMessageIngested {
    let message = Message {
        author: Some(Author { id: "u1".to_owned(), name: "Ann".to_owned(), is_bot: false }),
        ..Message::plain(id, DAY_MS + id * MINUTE_MS, &format!("line {id} about the gate"))
    };
    GroupMessageIngested { messages: vec![message], complete_until: None, ..day_is_over(group) }
}

/// The record that closes the day of a group.
pub fn day_is_over(group: &str) -> GroupMessageIngested {
    let over = DAY_MS + 24 * 60 * MINUTE_MS;
    GroupMessageIngested {
        tenant_id: TENANT.to_owned(),
        group_id: group.to_owned(),
        lane: LIVE_LANE.to_owned(),
        observed_at: over,
        complete_until: Some(over),
        ..GroupMessageIngested::default()
    }
}

/// Writes records of type `R` to a topic.
pub struct Foreign<R> {
    producer: BaseProducer,
    topic: String,
    encoder: Encoder<R>,
}

impl<R> std::fmt::Debug for Foreign<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foreign").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl<R: Record> Foreign<R> {
    /// A producer to the logical topic that is called like the type.
    ///
    /// # Errors
    /// The registry does not have its schema.
    pub fn to(pipeline: &Pipeline) -> anyhow::Result<Self> {
        let registry = pipeline.stack.registry()?;
        let id = pipeline.rows.block_on(registry.lookup(&pipeline.prefix.subject(R::TYPE), R::AVSC))?;
        let mut settings = pipeline.stack.client();
        settings.set("message.max.bytes", "8388608");
        let producer = settings.create().context("could not create a producer")?;
        Ok(Self { producer, topic: pipeline.topic(R::TYPE), encoder: Encoder::new(id)? })
    }

    /// Queues a record.
    ///
    /// # Errors
    /// It does not fit its schema, or the client refuses.
    pub fn send(&self, value: &R, key: Option<&str>, partition: i32) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        self.encoder.encode(value, &mut bytes)?;
        let mut record = BaseRecord::<str, Vec<u8>>::to(&self.topic).payload(&bytes).partition(partition);
        record.key = key;
        self.producer.send(record).map_err(|(error, _)| error).context("could not queue a record")
    }

    /// Waits until the broker has everything.
    ///
    /// # Errors
    /// It does not take it in time.
    pub fn flush(&self) -> anyhow::Result<()> {
        self.producer.flush(PATIENCE).context("could not deliver records")
    }
}
