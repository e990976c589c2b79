//! The documents for subscribers hold every event, and say of each what the map and its schema say.
#![cfg(test)]

use serde_json::{Value, json};
use topology::{Map, TopicKind, asyncapi, events, json_schema};

fn map() -> Map {
    Map::embedded().expect("the shipped map parses")
}

#[test]
fn asyncapi_has_a_channel_for_each_topic_of_events() {
    let document = asyncapi(&map(), &"it".parse().expect("valid")).expect("a document");
    let channels = document["channels"].as_object().expect("channels");
    let known = map();
    let topics: Vec<&str> = known
        .topics()
        .filter(|topic| topic.kind == TopicKind::Event)
        .map(|topic| topic.name.as_str())
        .collect();
    assert_eq!(channels.keys().map(String::as_str).collect::<Vec<_>>(), topics);
    let delivered = &channels["digest.delivered.v1"];
    assert_eq!(delivered["address"], "it.digest.delivered.v1");
    assert_eq!(delivered["bindings"]["kafka"]["topicConfiguration"]["retention.ms"], 30 * 86_400_000_i64);
    let message = &document["components"]["messages"]["digest.delivered.v1"];
    assert_eq!(message["x-identity"], "{digest_id}/{channel}/{status}");
    assert_eq!(message["payload"]["schema"]["name"], "DigestDelivered");
    for operation in document["operations"].as_object().expect("operations").values() {
        let channel = operation["channel"]["$ref"].as_str().expect("a channel");
        assert!(channels.contains_key(channel.trim_start_matches("#/channels/")), "{channel}");
    }
}

#[test]
fn a_json_schema_asks_for_what_has_no_default_and_names_its_types() {
    let record = schemas::record_type("group.message.ingested.v1").expect("of the contract");
    let schema = json_schema(&record).expect("a schema");
    let required: Vec<&str> =
        schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(required.contains(&"tenant_id") && !required.contains(&"settings"), "{required:?}");
    assert_eq!(schema["properties"]["messages"]["items"], json!({"$ref": "#/$defs/Message"}));
    let mut named = Vec::new();
    references(&schema, &mut named);
    for name in named {
        assert!(schema["$defs"].get(&name).is_some(), "{name} is nowhere");
    }
}

/// Names of the types that a schema leads to.
fn references(schema: &Value, named: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            let to = fields.get("$ref").and_then(Value::as_str).map(|to| to.replace("#/$defs/", ""));
            named.extend(to);
            fields.values().for_each(|value| references(value, named));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, named)),
        _ => {}
    }
}

#[test]
fn the_page_has_each_type_with_its_topics_and_fields() {
    let page = events("# Events\n<!-- events -->\nold\n<!-- /events -->\nend\n", &map());
    let page = page.expect("a page").expect("with marks");
    assert!(page.starts_with("# Events\n<!-- events -->\n### `group.message.ingested.v1`\n"), "{page}");
    assert!(page.ends_with("<!-- /events -->\nend\n") && !page.contains("\nold\n"));
    for record in schemas::RECORD_TYPES {
        assert_eq!(page.matches(&format!("\n### `{}`\n", record.name)).count(), 1, "{}", record.name);
    }
    assert!(
        page.contains("| `digest.stage.topic.completed.v1` | topic | synthesis | 30 days | 4 |"),
        "{page}"
    );
    assert_eq!(events(&page, &map()).expect("a page").as_ref(), Some(&page), "again");
    assert_eq!(events("# Events\n", &map()).expect("no page"), None);
}

#[test]
fn the_documents_of_the_repository_are_those_of_the_map() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let kept = |name: &str| std::fs::read_to_string(docs.join(name)).expect("a document");
    let pretty = |json: &Value| serde_json::to_string_pretty(json).expect("JSON") + "\n";
    let advice = "`make documents` brings it up to date";
    let page = kept("EVENTS.md");
    assert!(events(&page, &map()).expect("a page").as_ref() == Some(&page), "docs/EVENTS.md: {advice}");
    let document = pretty(&asyncapi(&map(), &topology::Prefix::none()).expect("a document"));
    assert!(kept("asyncapi.json") == document, "docs/asyncapi.json: {advice}");
    for record in schemas::RECORD_TYPES {
        let name = format!("schemas/{}.schema.json", record.name);
        assert!(kept(&name) == pretty(&json_schema(&record).expect("a schema")), "docs/{name}: {advice}");
    }
}
