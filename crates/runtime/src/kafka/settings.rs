//! Client settings: what the loop depends on is set here and cannot be overridden, the rest is the operator's.

use crate::config::{Kafka, Properties};
use kafka_client::{FETCH_BUDGET_KIB, FETCHING, PRODUCER, RELIED_ON_CONSUMER, RELIED_ON_PRODUCER, Settings};
use rdkafka::config::ClientConfig;

/// Least a single consumer gets of it.
const FETCH_KIB_MIN: usize = 4_096;

/// Lays the operator's properties over ours: those for all clients, then those of the role.
fn overlay(settings: &mut Settings, kafka: &Kafka, role: &Properties) {
    settings.set("bootstrap.servers", &kafka.brokers).set("client.id", "gistmill");
    settings.overlay(&kafka.properties).overlay(role);
}

/// A group's consumer. `share` is how many consumers the process has.
pub(crate) fn consumer(kafka: &Kafka, group: &str, instance: &str, share: usize) -> ClientConfig {
    let mut settings = Settings::new();
    settings.set_all(&[
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "1500"),
        ("max.poll.interval.ms", "300000"),
        ("partition.assignment.strategy", "cooperative-sticky"),
    ]);
    settings.set_all(&FETCHING);
    let budget = (FETCH_BUDGET_KIB / share.max(1)).max(FETCH_KIB_MIN);
    settings.set("queued.max.messages.kbytes", budget.to_string());
    overlay(&mut settings, kafka, &kafka.consumer_properties);
    settings.set("group.id", group).set("group.instance.id", instance);
    settings.set_all(&RELIED_ON_CONSUMER);
    settings.listening()
}

/// A consumer outside any group, that reads what `isolation` lets it see.
pub(crate) fn reader(kafka: &Kafka, isolation: &str) -> ClientConfig {
    let mut settings = consumer(kafka, topology::READERS_GROUP, "reader", 8);
    settings.remove("group.instance.id");
    settings.set("isolation.level", isolation);
    settings
}

/// A transactional producer.
pub(crate) fn producer(kafka: &Kafka, transactional_id: &str) -> ClientConfig {
    let mut settings = Settings::new();
    settings.set_all(&PRODUCER);
    overlay(&mut settings, kafka, &kafka.producer_properties);
    settings.set("transactional.id", transactional_id);
    settings.set_all(&RELIED_ON_PRODUCER);
    settings.into()
}

/// Bytes of the largest record that a producer with these settings takes, before compression.
pub(crate) fn record_bytes_max(kafka: &Kafka) -> usize {
    let producer = producer(kafka, "measured");
    producer.get("message.max.bytes").and_then(|bytes| bytes.parse().ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_property_can_be_set_but_those_relied_on() {
        let mut kafka = Kafka::default();
        kafka.properties.0.insert("security.protocol".into(), "SASL_SSL".into());
        kafka.properties.0.insert("enable.auto.commit".into(), "true".into());
        kafka.producer_properties.0.insert("linger.ms".into(), "50".into());
        let consumer = consumer(&kafka, "g", "i", 1);
        assert_eq!(consumer.get("security.protocol"), Some("SASL_SSL"));
        assert_eq!(consumer.get("enable.auto.commit"), Some("false"));
        assert_eq!(producer(&kafka, "t").get("linger.ms"), Some("50"));
        assert_eq!(consumer.get("linger.ms"), None);
        assert_eq!(record_bytes_max(&kafka), 16_777_216);
        kafka.producer_properties.0.insert("message.max.bytes".into(), "1000000".into());
        assert_eq!(record_bytes_max(&kafka), 1_000_000);
    }

    #[test]
    fn passwords_reach_the_clients_as_they_are() {
        let mut kafka = Kafka::default();
        for (key, value) in [("sasl.password", "s;e@c%r\"et"), ("ssl.key.password", "phrase")] {
            kafka.properties.0.insert(key.into(), value.into());
        }
        for settings in
            [consumer(&kafka, "g", "i", 1), producer(&kafka, "t"), reader(&kafka, "read_committed")]
        {
            assert_eq!(settings.get("sasl.password"), Some("s;e@c%r\"et"));
            assert_eq!(settings.get("ssl.key.password"), Some("phrase"));
        }
    }

    #[test]
    fn a_second_name_does_not_get_round_what_is_relied_on() {
        let mut kafka = Kafka::default();
        kafka.producer_properties.0.insert("request.required.acks".into(), "0".into());
        kafka.producer_properties.0.insert("compression.codec".into(), "zstd".into());
        let producer = producer(&kafka, "t");
        assert_eq!((producer.get("acks"), producer.get("request.required.acks")), (Some("all"), None));
        assert_eq!(
            (producer.get("compression.type"), producer.get("compression.codec")),
            (Some("zstd"), None)
        );
    }

    #[test]
    fn the_fetch_budget_is_shared() {
        let kib = |share| {
            consumer(&Kafka::default(), "g", "i", share).get("queued.max.messages.kbytes").map(str::to_owned)
        };
        assert_eq!(kib(1).as_deref(), Some("65536"));
        assert_eq!(kib(8).as_deref(), Some("8192"));
        assert_eq!(kib(100).as_deref(), Some("4096"));
    }
}
