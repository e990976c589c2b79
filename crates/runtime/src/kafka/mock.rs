//! librdkafka's own broker for tests, with one topic to read.

use crate::config::Kafka;
use rdkafka::{
    ClientConfig,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer},
};
use std::time::Duration;

/// The topic; it has two partitions.
pub(super) const TOPIC: &str = "input";

/// A broker with the topic.
pub(super) struct Broker {
    pub(super) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(super) kafka: Kafka,
}

impl Broker {
    pub(super) fn start() -> Self {
        let cluster = MockCluster::new(1).expect("a mock broker");
        cluster.create_topic(TOPIC, 2, 1).expect("a topic");
        let kafka = Kafka { brokers: cluster.bootstrap_servers(), ..Kafka::default() };
        Self { cluster, kafka }
    }

    /// A member's settings.
    pub(super) fn consumer(&self) -> ClientConfig {
        super::settings::consumer(&self.kafka, "group", "instance", 1)
    }

    /// Appends so many records to a partition.
    pub(super) fn produce(&self, partition: i32, count: usize) {
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &self.kafka.brokers);
        let producer: BaseProducer = settings.create().expect("a producer");
        for _ in 0..count {
            let record = BaseRecord::<[u8], [u8]>::to(TOPIC).partition(partition).payload(b"x");
            producer.send(record).expect("queued");
        }
        producer.flush(Duration::from_mins(1)).expect("produced");
    }
}
