//! Writes records, as fast as the broker takes them or at a steady rate.
//!
//! Invariant: a record that the broker did not take is an error, and never a gap that nobody notices.

use crate::{
    clients,
    error::{Error, kafka},
};
use rdkafka::{
    ClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(30);
const FULL_WAIT: Duration = Duration::from_millis(20);
/// How long the sender of a steady rate rests when it is ahead.
const REST: Duration = Duration::from_micros(500);
/// Batches of a steady rate are not waited for: what is measured begins when a record is handed over.
const STEADY_LINGER_MS: u32 = 0;

/// Notes whether a delivery failed.
#[derive(Debug, Clone, Default)]
struct Deliveries(Arc<AtomicBool>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// A record on its way to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Partition of its key.
    pub(crate) partition: i32,
    /// Its key.
    pub(crate) key: String,
    /// Its framed value.
    pub(crate) value: Vec<u8>,
}

/// A producer of one topic.
pub(crate) struct Sender {
    producer: ThreadedProducer<Deliveries>,
    topic: String,
    failed: Deliveries,
}

impl Sender {
    pub(crate) fn new(brokers: &str, topic: &str, linger_ms: u32) -> Result<Self, Error> {
        let failed = Deliveries::default();
        let producer = clients::producer(brokers, linger_ms).create_with_context(failed.clone());
        let producer = producer.map_err(kafka("make a producer"))?;
        Ok(Self { producer, topic: topic.to_owned(), failed })
    }

    /// Hands a record over, and waits while the producer is full.
    pub(crate) fn send(&self, partition: i32, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let mut record = BaseRecord::to(&self.topic).partition(partition).key(key).payload(value);
        while let Err((error, back)) = self.producer.send(record) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(kafka(format!("write to {}", self.topic))(error));
            }
            std::thread::park_timeout(FULL_WAIT);
            record = back;
        }
        Ok(())
    }

    /// Waits until the broker has all of them.
    pub(crate) fn finish(self) -> Result<(), Error> {
        self.producer.flush(TIMEOUT).map_err(kafka(format!("write to {}", self.topic)))?;
        if self.failed.0.load(Ordering::Relaxed) {
            return Err(Error::Refused { topic: self.topic });
        }
        Ok(())
    }
}

/// Sends records at a steady rate; when each was handed over.
pub(crate) fn steadily(
    brokers: &str,
    topic: &str,
    records: &[Outgoing],
    per_second: f64,
) -> Result<Vec<Instant>, Error> {
    let sender = Sender::new(brokers, topic, STEADY_LINGER_MS)?;
    let began = Instant::now();
    let mut stamps = Vec::with_capacity(records.len());
    for (number, Outgoing { partition, key, value }) in records.iter().enumerate() {
        let due = began + Duration::from_secs_f64(number as f64 / per_second);
        while Instant::now() < due {
            std::thread::park_timeout(REST);
        }
        stamps.push(Instant::now());
        sender.send(*partition, key.as_bytes(), value)?;
    }
    sender.finish()?;
    Ok(stamps)
}
