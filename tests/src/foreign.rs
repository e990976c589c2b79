//! A producer that is not ours: any record, under any key, into any partition.

use crate::{patience::PATIENCE, pipeline::Pipeline};
use anyhow::Context;
use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer},
};
use registry::{Client, Options};
use schemas::{Encoder, Record};

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
        let registry = Client::new(Options::new(&pipeline.stack.registry_url))?;
        let id = pipeline.rows.block_on(registry.lookup(&pipeline.prefix.subject(R::TYPE), R::AVSC))?;
        let producer = ClientConfig::new()
            .set("bootstrap.servers", &pipeline.stack.brokers)
            .create()
            .context("no producer")?;
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
