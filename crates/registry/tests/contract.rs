//! The contract's schemas against the registry of the environment; skipped where there is none.
#![cfg(test)]

use registry::{Client, Compatibility, Error, Options, RegistrySource};
use schemas::{DigestDelivered, Record, SchemaSource, SchemaSourceError};
use std::hash::{BuildHasher, Hasher, RandomState};
use tokio::runtime::{Builder, Runtime};

/// A registry and a subject of its own in it, with the rule of the contract.
struct Subject {
    runtime: Runtime,
    client: Client,
    name: String,
}

impl Subject {
    fn of_environment(test: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests are pointed at a stack through the environment")]
        let Ok(url) = std::env::var("GISTMILL_REGISTRY__URL") else {
            println!("skipped {test}: GISTMILL_REGISTRY__URL is not set");
            return None;
        };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let client = Client::new(Options::new(url)).expect("an address");
        // The keys of a RandomState are random: no two runs share a subject, whatever was left behind.
        let name = format!("t{:016x}-value", RandomState::new().build_hasher().finish());
        runtime.block_on(client.set_compatibility(&name, Compatibility::FullTransitive)).expect("set");
        Some(Self { runtime, client, name })
    }

    fn register(&self, avsc: &str) -> Result<u32, Error> {
        self.runtime.block_on(self.client.register(&self.name, avsc))
    }
}

/// The shipped schema after a change to its fields.
fn changed(change: impl FnOnce(&mut Vec<serde_json::Value>)) -> String {
    let mut schema: serde_json::Value = serde_json::from_str(DigestDelivered::AVSC).expect("json");
    change(schema["fields"].as_array_mut().expect("a record"));
    schema.to_string()
}

const R2: &str = include_str!("../../../schemas/avro/fixtures/later/digest.delivered.v1.avsc");

#[test]
fn a_compatible_revision_is_taken_in_either_order() {
    for (first, second) in [(DigestDelivered::AVSC, R2), (R2, DigestDelivered::AVSC)] {
        let Some(subject) = Subject::of_environment("a_compatible_revision_is_taken_in_either_order") else {
            return;
        };
        let first_id = subject.register(first).expect("the first version");
        assert_eq!(subject.register(first).expect("again"), first_id);
        let compatible = subject.runtime.block_on(subject.client.is_compatible(&subject.name, second));
        assert!(compatible.expect("answered"));
        let second_id = subject.register(second).expect("a compatible revision");
        let ids =
            subject.runtime.block_on(subject.client.ids(&[(&subject.name, first), (&subject.name, second)]));
        assert_eq!(ids.expect("registered"), [first_id, second_id]);
        let versions = subject.runtime.block_on(subject.client.versions(&subject.name));
        assert_eq!(versions.expect("answered"), [1, 2]);
    }
}

#[test]
fn a_breaking_change_is_refused() {
    let Some(subject) = Subject::of_environment("a_breaking_change_is_refused") else { return };
    subject.register(DigestDelivered::AVSC).expect("the first version");
    let removed = changed(|fields| fields.retain(|field| field["name"] != "status"));
    let required = changed(|fields| fields.push(serde_json::json!({"name": "attempts", "type": "int"})));
    for schema in [removed, required] {
        assert!(schemas::check_mutually_readable(DigestDelivered::AVSC, &schema).is_err());
        let compatible = subject.runtime.block_on(subject.client.is_compatible(&subject.name, &schema));
        assert!(!compatible.expect("answered"));
        let refused = subject.register(&schema).expect_err("breaks the rule");
        assert!(matches!(&refused, Error::Incompatible { .. }), "{refused:?}");
    }
    let unreadable = subject.register("{\"type\": \"rekord\"}").expect_err("not a schema");
    assert!(matches!(&unreadable, Error::Refused { status: 422, .. }), "{unreadable:?}");
}

#[test]
fn every_type_is_registered_and_comes_back_as_it_was() {
    let Some(subject) = Subject::of_environment("every_type_is_registered_and_comes_back_as_it_was") else {
        return;
    };
    let source = RegistrySource::new(subject.client.clone(), subject.runtime.handle().clone());
    for record in schemas::RECORD_TYPES {
        let name = format!("{}.{}", record.name, subject.name);
        let id = subject.runtime.block_on(subject.client.register(&name, record.avsc)).expect("registered");
        let text = source.schema_by_id(id).expect("known");
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("json");
        assert_eq!(parse(&text), parse(record.avsc), "{}", record.name);
    }
}

#[test]
fn what_is_not_there_is_told_apart_from_a_failure() {
    let Some(subject) = Subject::of_environment("what_is_not_there_is_told_apart_from_a_failure") else {
        return;
    };
    let source = RegistrySource::new(subject.client.clone(), subject.runtime.handle().clone());
    let unknown = source.schema_by_id(2_000_000_000);
    assert!(matches!(unknown, Err(SchemaSourceError::NotFound(2_000_000_000))), "{unknown:?}");
    let versions = subject.runtime.block_on(subject.client.versions(&subject.name));
    assert_eq!(versions.expect("no subject is no failure"), Vec::<u32>::new());
    let lookup = subject.runtime.block_on(subject.client.lookup(&subject.name, DigestDelivered::AVSC));
    assert!(matches!(&lookup, Err(Error::NotFound { .. })), "{lookup:?}");
    let rule = subject.runtime.block_on(subject.client.compatibility(&subject.name));
    assert_eq!(rule.expect("answered"), Some(Compatibility::FullTransitive));
}

#[test]
fn equal_schemas_share_an_id() {
    let (Some(left), Some(right)) = (
        Subject::of_environment("equal_schemas_share_an_id"),
        Subject::of_environment("equal_schemas_share_an_id"),
    ) else {
        return;
    };
    let id = left.register(DigestDelivered::AVSC).expect("registered");
    assert_eq!(right.register(DigestDelivered::AVSC).expect("registered"), id);
}
