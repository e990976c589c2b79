//! librdkafka's own broker for tests, with one topic to read.

use super::{GoesOn, KafkaLog, LogOptions, Standing, settings};
use crate::config::Kafka;
use rdkafka::{
    ClientConfig,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer},
};
use std::time::Duration;

/// The topic; it has two partitions.
pub(crate) const TOPIC: &str = "input";

/// A broker with the topic.
pub(crate) struct Broker {
    pub(crate) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(crate) kafka: Kafka,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(1).expect("a mock broker");
        cluster.create_topic(TOPIC, 2, 1).expect("a topic");
        let kafka = Kafka { brokers: cluster.bootstrap_servers(), ..Kafka::default() };
        Self { cluster, kafka }
    }

    /// A member's settings.
    pub(crate) fn consumer(&self) -> ClientConfig {
        super::settings::consumer(&self.kafka, "group", "instance", 1)
    }

    /// Appends so many records to a partition.
    pub(crate) fn produce(&self, partition: i32, count: usize) {
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

/// A loop's log on the broker.
pub(crate) fn log(broker: &Broker, goes_on: GoesOn) -> KafkaLog {
    let options = LogOptions {
        consumer: broker.consumer(),
        producer: settings::producer(&broker.kafka, "restore"),
        standing: Standing::default(),
        input: TOPIC.into(),
        snapshots: None,
        goes_on,
        closes: Box::new(|_, _| {}),
    };
    KafkaLog::start(options).expect("a log")
}
