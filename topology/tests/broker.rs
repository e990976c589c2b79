//! Plan and apply on a real broker and registry; skipped where their addresses are not in the environment.
#![cfg(test)]

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
    topic_partition_list::{Offset, TopicPartitionList},
};
use registry::Client;
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, Instant},
};
use topology::{
    Action, Map, Refusal,
    broker::{Error, Options, apply, difference},
};

const WAIT: Duration = Duration::from_secs(10);

/// A pipeline of its own on the stack of the environment.
struct Stack {
    options: Options,
    map: Map,
}

impl Stack {
    fn of_environment(test: &str) -> Option<Self> {
        let address = |name| {
            #[expect(
                clippy::disallowed_methods,
                reason = "tests are pointed at a stack through the environment"
            )]
            std::env::var(name).ok()
        };
        let (Some(brokers), Some(registry)) =
            (address("GISTMILL_KAFKA__BROKERS"), address("GISTMILL_REGISTRY__URL"))
        else {
            println!("skipped {test}: GISTMILL_KAFKA__BROKERS and GISTMILL_REGISTRY__URL are not set");
            return None;
        };
        // The keys of a RandomState are random: no two runs share a prefix, whatever was left behind.
        let run = RandomState::new().build_hasher().finish();
        let mut options = Options::new(brokers, &registry);
        options.prefix = format!("t{run:016x}").parse().expect("a prefix");
        Some(Self { options, map: Map::embedded().expect("the shipped map parses") })
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.options.brokers);
        config
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().expect("an admin client")
    }

    fn topic(&self, logical: &str) -> String {
        self.options.prefix.topic(logical)
    }

    async fn create(&self, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
        for (setting, value) in configs {
            new = new.set(setting, value);
        }
        let created = self.admin().create_topics([&new], &AdminOptions::new()).await.expect("answered");
        assert!(created.iter().all(Result::is_ok), "{created:?}");
        // A broker confirms a topic before it shows it.
        self.wait_until(topic, true);
    }

    async fn apply(&self) -> Result<Vec<Action>, Error> {
        let mut reported = Vec::new();
        let done = apply(&self.map, &self.options, &mut |action| reported.push(action.clone())).await?;
        assert_eq!(reported, done);
        Ok(done)
    }

    fn committed(&self, group: &str, topic: &str) -> Vec<Offset> {
        let mut config = self.config();
        config.set("group.id", self.options.prefix.group(group));
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_range(&self.topic(topic), 0, 3);
        let found = consumer.committed_offsets(wanted, WAIT).expect("answered");
        found.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::offset).collect()
    }

    fn produce(&self, topic: &str, partition: i32) {
        let producer: BaseProducer = self.config().create().expect("a producer");
        let topic = self.topic(topic);
        let record = BaseRecord::<(), [u8]>::to(&topic).partition(partition).payload(b"x");
        producer.send(record).map_err(|(error, _)| error).expect("queued");
        producer.flush(WAIT).expect("delivered");
    }

    /// Waits until a topic is there, or is gone.
    fn wait_until(&self, topic: &str, wanted: bool) {
        let consumer: BaseConsumer = self.config().create().expect("a consumer");
        let there = || {
            let metadata = consumer.fetch_metadata(None, WAIT).expect("answered");
            metadata.topics().iter().any(|found| found.name() == topic)
        };
        let until = Instant::now() + Duration::from_mins(1);
        while there() != wanted {
            let state = if wanted { "not there yet" } else { "still there" };
            assert!(Instant::now() < until, "{topic} is {state}");
        }
    }

    async fn drop_topics(self) {
        let topics: Vec<_> = self.map.topics().map(|topic| self.topic(&topic.name)).collect();
        let names: Vec<_> = topics.iter().map(String::as_str).collect();
        self.admin().delete_topics(&names, &AdminOptions::new()).await.expect("answered");
    }
}

#[tokio::test]
async fn an_applied_plan_is_empty_and_applies_to_nothing() {
    let Some(stack) = Stack::of_environment("an_applied_plan_is_empty_and_applies_to_nothing") else {
        return;
    };
    let done = stack.apply().await.expect("applied");
    assert_eq!(done.len(), 23 + 19 + 19 + 12);
    assert!(difference(&stack.map, &stack.options).await.expect("observed").is_empty());
    assert_eq!(stack.apply().await.expect("applied again"), []);
    let ingested = "group.message.ingested.v1";
    assert_eq!(stack.committed("window_builder", ingested), vec![Offset::Offset(0); 4]);
    assert_eq!(stack.committed("postgres_sink", ingested), vec![Offset::Invalid; 4]);
    stack.drop_topics().await;
}

#[tokio::test]
async fn two_at_once_agree() {
    let Some(stack) = Stack::of_environment("two_at_once_agree") else { return };
    let (left, right) = tokio::join!(stack.apply(), stack.apply());
    assert!(!left.expect("applied").is_empty() && !right.expect("applied").is_empty());
    assert!(difference(&stack.map, &stack.options).await.expect("observed").is_empty());
    stack.drop_topics().await;
}

#[tokio::test]
async fn a_topic_made_by_hand_is_brought_up_or_refused() {
    let Some(stack) = Stack::of_environment("a_topic_made_by_hand_is_brought_up_or_refused") else { return };
    let (requested, blocked) =
        (stack.topic("digest.generate.requested.v1"), stack.topic("digest.blocked.v1"));
    stack
        .create(&requested, 4, &[("segment.bytes", "2097152"), ("message.timestamp.type", "CreateTime")])
        .await;
    stack.create(&blocked, 3, &[]).await;
    let refused = stack.apply().await.expect_err("another partition count");
    let Error::Refused(refusals) = refused else { panic!("{refused:?}") };
    assert_eq!(refusals, [Refusal::PartitionCount { topic: blocked.clone(), found: 3, expected: 4 }]);
    let plan = difference(&stack.map, &stack.options).await.expect("observed");
    assert_eq!(plan.refusals, refusals);
    stack.admin().delete_topics(&[&blocked], &AdminOptions::new()).await.expect("deleted");
    // A deletion is confirmed before the topic is forgotten.
    stack.wait_until(&blocked, false);
    let done = stack.apply().await.expect("applied");
    let altered =
        done.iter().find(|action| matches!(action, Action::AlterTopic { topic, .. } if *topic == requested));
    let Some(Action::AlterTopic { kept, .. }) = altered else { panic!("{done:?}") };
    assert_eq!(kept.get("segment.bytes").map(String::as_str), Some("2097152"));
    let observed = topology::broker::observe(&stack.map, &stack.options).await.expect("observed");
    let configs = &observed.topics[&requested].configs;
    assert_eq!(configs["segment.bytes"], "2097152");
    assert_eq!(configs["message.timestamp.type"], "LogAppendTime");
    assert_eq!(configs["retention.ms"], "2592000000");
    stack.drop_topics().await;
}

#[tokio::test]
async fn another_record_under_a_subject_is_refused() {
    let Some(stack) = Stack::of_environment("another_record_under_a_subject_is_refused") else { return };
    let subject = stack.options.prefix.subject("digest.dlq.v1");
    let client = Client::new(stack.options.registry.clone()).expect("an address");
    let blocked = schemas::record_type("digest.blocked.v1").expect("of the contract");
    client.register(&subject, blocked.avsc).await.expect("registered");
    let refused = stack.apply().await.expect_err("another record");
    let Error::Refused(refusals) = refused else { panic!("{refused:?}") };
    assert!(
        matches!(&refusals[..], [Refusal::IncompatibleSchema { subject: found, .. }] if *found == subject),
        "{refusals:?}"
    );
}

#[tokio::test]
async fn a_processor_that_ran_is_not_seeded_again() {
    let Some(stack) = Stack::of_environment("a_processor_that_ran_is_not_seeded_again") else { return };
    let ready = stack.topic("group.window.ready.v1");
    stack.create(&ready, 4, &[("message.timestamp.type", "LogAppendTime")]).await;
    stack.create(&stack.topic("group.message.ingested.v1"), 4, &[]).await;
    stack.produce("group.window.ready.v1", 2);
    let refused = stack.apply().await.expect_err("the group's offsets are gone");
    let Error::Refused(refusals) = refused else { panic!("{refused:?}") };
    let group = stack.options.prefix.group("window_builder");
    assert_eq!(refusals, [Refusal::ExpiredOffsets { group, written: ready }]);
    stack.drop_topics().await;
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let mut options = Options::new("127.0.0.1:9", "http://127.0.0.1:9");
    options.timeout = Duration::from_secs(1);
    let map = Map::embedded().expect("the shipped map parses");
    let error = difference(&map, &options).await.expect_err("nobody listens");
    assert_eq!(error.to_string(), "could not reach kafka at 127.0.0.1:9 within 1 s");
}
