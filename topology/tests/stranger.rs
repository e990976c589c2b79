//! A reader in another language decodes an example of every type through the registry alone. Skipped without a stack,
//! or where `TEST_GISTMILL_PYTHON` does not name an interpreter that has `tests/python/requirements.txt`.
#![cfg(test)]

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer},
};
use registry::Client;
use schemas::{Encoder, Record};
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    path::PathBuf,
    process::Command,
    time::Duration,
};
use topology::{
    Map,
    broker::{Options, apply},
};

const WAIT: Duration = Duration::from_secs(10);

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests are pointed at a stack through the environment")]
    let value = std::env::var(name).ok();
    if value.is_none() {
        println!("skipped: {name} is not set");
    }
    value
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Writes the examples of a type to a topic that carries it.
struct Examples {
    producer: BaseProducer,
    client: Client,
    options: Options,
}

impl Examples {
    async fn write<R: Record>(&self) -> (String, Vec<serde_json::Value>) {
        let map = Map::embedded().expect("the shipped map parses");
        let topic =
            map.topics().find(|topic| topic.record.as_deref() == Some(R::TYPE)).expect("a topic carries it");
        let subject = self.options.prefix.subject(&topic.name);
        let id = self.client.lookup(&subject, R::AVSC).await.expect("applied");
        let encoder = Encoder::<R>::new(id).expect("the schema is fine");
        let physical = self.options.prefix.topic(&topic.name);
        let mut written = Vec::new();
        let folder = root().join("schemas/examples").join(R::TYPE);
        for entry in std::fs::read_dir(folder).expect("has examples") {
            let text = std::fs::read_to_string(entry.expect("readable").path()).expect("readable");
            let value: R = serde_json::from_str(&text).expect("an example");
            let mut bytes = Vec::new();
            encoder.encode(&value, &mut bytes).expect("fits its schema");
            let key = value.key();
            let record = BaseRecord::to(&physical).key(&key).payload(&bytes);
            self.producer.send(record).map_err(|(error, _)| error).expect("queued");
            written.push(serde_json::from_str(&text).expect("json"));
        }
        (physical, written)
    }
}

/// An example as the reader prints it: bytes as base64, times as text.
fn same(example: &serde_json::Value, read: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Null, Number, Object, String};
    match (example, read) {
        (Object(example), Object(read)) => {
            example.len() == read.len()
                && example.iter().all(|(name, value)| read.get(name).is_some_and(|read| same(value, read)))
        }
        (Array(example), Array(read)) => {
            example.len() == read.len() && example.iter().zip(read).all(|(example, read)| same(example, read))
        }
        (Array(bytes), String(base64)) => base64.len() == bytes.len().div_ceil(3) * 4,
        (Number(_), String(time)) => time.starts_with("2026-0") && time.ends_with("+00:00"),
        (Null, Null) => true,
        (example, read) => example == read,
    }
}

#[tokio::test]
async fn a_reader_in_python_decodes_every_type() {
    let names = ["GISTMILL_KAFKA__BROKERS", "GISTMILL_REGISTRY__URL", "TEST_GISTMILL_PYTHON"];
    let [Some(brokers), Some(registry), Some(python)] = names.map(variable) else { return };
    let mut options = Options::new(&brokers, &registry);
    // The keys of a RandomState are random: no two runs share a prefix, whatever was left behind.
    let run = RandomState::new().build_hasher().finish();
    options.prefix = format!("t{run:016x}").parse().expect("a prefix");
    apply(&Map::embedded().expect("parses"), &options, &mut |_| {}).await.expect("applied");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &brokers).set("partitioner", "murmur2_random");
    let producer: BaseProducer = config.create().expect("a producer");
    let client = Client::new(options.registry.clone()).expect("an address");
    let examples = Examples { producer, client, options };
    let written = BTreeMap::from([
        examples.write::<schemas::GroupMessageIngested>().await,
        examples.write::<schemas::GroupWindowReady>().await,
        examples.write::<schemas::DigestGenerateRequested>().await,
        examples.write::<schemas::DigestContextPrepared>().await,
        examples.write::<schemas::DigestStageStarted>().await,
        examples.write::<schemas::DigestStageCompleted>().await,
        examples.write::<schemas::DigestReadyForDelivery>().await,
        examples.write::<schemas::DigestBlocked>().await,
        examples.write::<schemas::DigestPersisted>().await,
        examples.write::<schemas::DigestDelivered>().await,
        examples.write::<schemas::DigestDlq>().await,
        examples.write::<schemas::GroupCommandAnswered>().await,
    ]);
    assert_eq!(written.len(), schemas::RECORD_TYPES.len());
    examples.producer.flush(WAIT).expect("delivered");
    let mut command = Command::new(python);
    command.arg(root().join("tests/python/read_topics.py")).args([
        "--brokers",
        &brokers,
        "--registry",
        &registry,
    ]);
    for topic in written.keys() {
        command.args(["--topic", topic]);
    }
    let output = command.output().expect("the interpreter starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("is text");
    let mut read: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for line in lines.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
        let topic = line["topic"].as_str().expect("a topic").to_owned();
        let value = line["value"].take();
        let key = format!("{}/{}", value["tenant_id"], value["group_id"]).replace('"', "");
        assert_eq!(line["key"], key);
        read.entry(topic).or_default().push(value);
    }
    for (topic, examples) in &written {
        let found = &read[topic];
        assert_eq!(found.len(), examples.len(), "{topic}");
        for example in examples {
            assert!(
                found.iter().any(|read| same(example, read)),
                "{topic}: {example} is not among {found:?}"
            );
        }
    }
    let topics: Vec<_> = written.keys().map(String::as_str).collect();
    let admin: AdminClient<DefaultClientContext> = config.create().expect("an admin client");
    admin.delete_topics(&topics, &AdminOptions::new()).await.expect("answered");
}
