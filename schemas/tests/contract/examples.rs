//! Each example is its Rust type, its schema and itself again.

use crate::fixtures::{Registry, each_record, encoded, examples};
use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value};
use schemas::{Decoder, GroupWindowReady, Record};

fn round_trip<R: Record>() {
    let found = examples::<R>();
    assert!((2..=7).contains(&found.len()), "{}: {} examples", R::TYPE, found.len());
    let mut decoder = Decoder::<R>::new(Registry::with(&[(5, R::AVSC)]));
    for example in found {
        let bytes = encoded(5, &example.value);
        assert_eq!(
            decoder.decode(Some(&bytes)).expect("decodes"),
            example.value,
            "{} {}",
            R::TYPE,
            example.name
        );
        assert_eq!(encoded(5, &example.value), bytes);
    }
}

#[test]
fn examples_round_trip() {
    each_record!(round_trip);
}

fn is_complete<R: Record>() {
    for example in examples::<R>() {
        let again = serde_json::to_value(&example.value).expect("serializes");
        assert_eq!(again, example.json, "{} {}: a field is missing or unknown", R::TYPE, example.name);
    }
}

#[test]
fn examples_name_every_field() {
    each_record!(is_complete);
}

/// Reads the Rust type's bytes with nothing but the schema: names, order, types and nulls have to agree.
fn agrees_with_schema<R: Record>() {
    let schema = Schema::parse_str(R::AVSC).expect("the schema is fine");
    let reader = GenericDatumReader::builder(&schema).build().expect("a reader");
    for example in examples::<R>() {
        let bytes = encoded(5, &example.value);
        let mut rest = &bytes[5..];
        let value: Value = reader.read_value(&mut rest).expect("reads");
        assert!(rest.is_empty());
        let json = serde_json::Value::try_from(value).expect("is json");
        assert_eq!(json, example.json, "{} {}: type and schema differ", R::TYPE, example.name);
    }
}

#[test]
fn types_and_schemas_agree_field_by_field() {
    each_record!(agrees_with_schema);
}

fn describes_itself<R: Record>() {
    for example in examples::<R>() {
        let value = example.value;
        let key = format!("{}/{}", value.tenant_id(), value.group_id());
        assert_eq!((value.key(), value.is_keyed(key.as_bytes())), (key.clone(), true));
        for other in [&key[1..], &key[..key.len() - 1], &key.replace('/', "-"), &format!("{key}/"), ""] {
            assert!(!value.is_keyed(other.as_bytes()), "{other}");
        }
        assert!(!value.identity().is_empty());
        assert!(value.event_time_ms() > 0, "{} {}", R::TYPE, example.name);
        let trace = value.trace_id();
        assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{trace}");
    }
}

#[test]
fn examples_have_key_identity_time_and_trace() {
    each_record!(describes_itself);
}

#[test]
fn ids_of_examples_are_those_of_the_contract() {
    for ready in examples::<GroupWindowReady>() {
        let ready = ready.value;
        let id = schemas::window_id(&ready.tenant_id, &ready.group_id, ready.size_hours, ready.window_start);
        assert_eq!(ready.window_id, id);
        assert_eq!(ready.window_end - ready.window_start, i64::from(ready.size_hours) * 3_600_000);
    }
    for ready in examples::<schemas::DigestReadyForDelivery>() {
        let ready = ready.value;
        assert_eq!(ready.digest_id, schemas::digest_id(&ready.window_id, &ready.version));
        assert!(ready.version.parse::<schemas::Version>().is_ok());
    }
}

fn sets_stay_open<R: Record>() {
    let json: serde_json::Value = serde_json::from_str(R::AVSC).expect("json");
    check_node(&json, R::TYPE);
}

fn check_node(node: &serde_json::Value, path: &str) {
    assert_ne!(node["type"], "enum", "{path}: a new symbol would break readers, use a string");
    if let Some(fields) = node["fields"].as_array() {
        for field in fields {
            let path = format!("{path}.{}", field["name"]);
            assert!(field["doc"].as_str().is_some_and(|doc| doc.ends_with('.')), "{path} has no doc");
            check_node(field, &path);
        }
    }
    for inner in ["type", "items", "values"] {
        match &node[inner] {
            serde_json::Value::Array(variants) => {
                for variant in variants {
                    check_node(variant, path);
                }
            }
            inner if inner.is_object() => check_node(inner, path),
            _ => {}
        }
    }
}

#[test]
fn schemas_have_docs_and_no_enums() {
    each_record!(sets_stay_open);
}

/// What a template of an identity says of an example: `{window_id}/{revision}`, `{messages.0.id}`.
fn filled(template: &str, example: &serde_json::Value) -> String {
    let mut text = String::new();
    for part in template.split('{') {
        let Some((path, rest)) = part.split_once('}') else {
            text.push_str(part);
            continue;
        };
        let value = example.pointer(&format!("/{}", path.replace('.', "/"))).expect("a field of the record");
        text.push_str(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        text.push_str(rest);
    }
    text
}

fn is_known_by_its_template<R: Record>() {
    let template = schemas::record_type(R::TYPE).expect("of the contract").identity;
    for example in examples::<R>() {
        if example.json["messages"].as_array().is_some_and(Vec::is_empty) {
            assert_eq!(example.json["ingest_trace_id"].as_str(), Some(example.value.identity().as_str()));
        } else {
            assert_eq!(filled(template, &example.json), example.value.identity(), "{}", example.name);
        }
    }
}

#[test]
fn identities_are_what_the_contract_says() {
    each_record!(is_known_by_its_template);
}
