//! The contract as an `AsyncAPI` 3.0 document: a channel per topic of events, with its key, its headers and its schema.

use super::{DocumentError, avro::Schema, events_in_order};
use crate::{Map, Prefix, Topic};
use schemas::{RecordType, record_type};
use serde_json::{Map as Object, Value, json};

/// Version of the Kafka bindings that the document is written by.
const BINDING: &str = "0.5.0";

/// The document; topics are named as on a broker where `prefix` is set.
pub fn asyncapi(map: &Map, prefix: &Prefix) -> Result<Value, DocumentError> {
    let (mut channels, mut operations, mut messages) = (Object::new(), Object::new(), Object::new());
    for topic in events_in_order(map) {
        let name = topic.record.as_deref().unwrap_or_default();
        let record = record_type(name).ok_or_else(|| DocumentError::UnknownRecord(topic.name.clone()))?;
        channels.insert(topic.name.clone(), channel(topic, &record, prefix));
        messages.insert(record.name.to_owned(), message(&record)?);
        for (does, name, of) in [
            ("send", "write", map.writers(&topic.name).collect::<Vec<_>>()),
            ("receive", "read", map.readers(&topic.name).collect()),
        ] {
            if !of.is_empty() {
                operations.insert(format!("{name}.{}", topic.name), operation(does, topic, &of));
            }
        }
    }
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "gistmill",
            "version": "1.0.0",
            "description": "Chat in, digests out: the events of the pipeline. Read them with isolation.level=read_committed.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/avro",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "messageTraits": {"event": {"headers": headers()}}},
    }))
}

fn channel(topic: &Topic, record: &RecordType, prefix: &Prefix) -> Value {
    json!({
        "address": prefix.topic(&topic.name),
        "messages": {record.name: {"$ref": format!("#/components/messages/{}", record.name)}},
        "bindings": {"kafka": {
            "topic": prefix.topic(&topic.name),
            "partitions": topic.partitions,
            "topicConfiguration": {
                "cleanup.policy": [topic.cleanup.as_str()],
                "retention.ms": topic.retention.as_ms(),
                "max.message.bytes": topic.max_message_bytes,
            },
            "bindingVersion": BINDING,
        }},
    })
}

fn message(record: &RecordType) -> Result<Value, DocumentError> {
    let schema = Schema::of(record)?;
    Ok(json!({
        "name": record.name,
        "title": schema.json()["name"],
        "summary": schema.json()["doc"],
        "contentType": "application/avro",
        "payload": {"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": schema.json()},
        "traits": [{"$ref": "#/components/messageTraits/event"}],
        "bindings": {"kafka": {
            "key": {"type": "string", "description": "tenant_id/group_id, as in the record"},
            "schemaIdLocation": "payload",
            "schemaIdPayloadEncoding": "confluent",
            "schemaLookupStrategy": "TopicIdStrategy",
            "bindingVersion": BINDING,
        }},
        "x-identity": record.identity,
    }))
}

fn operation(does: &str, topic: &Topic, of: &[&str]) -> Value {
    let record = topic.record.as_deref().unwrap_or_default();
    json!({
        "action": does,
        "channel": {"$ref": format!("#/channels/{}", topic.name)},
        "summary": of.join(", "),
        "messages": [{"$ref": format!("#/channels/{}/messages/{record}", topic.name)}],
    })
}

fn headers() -> Value {
    let of = |text: &str| json!({"type": "string", "description": text});
    json!({"type": "object", "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": of("The record's identity: equal on every replay."),
        "ce_source": of("/gistmill/ and who wrote it."),
        "ce_type": of("The versioned type name."),
        "ce_time": of("Event time, RFC 3339 in UTC."),
        "ce_tenantid": of("The tenant."),
        "ce_workms": of("Of digest.stage.started.v1 alone: how long the work took, in ms. Measured: a replay gives another."),
        "ce_lookupms": of("Of digest.stage.started.v1 alone: how much of that waited for lookups, in ms."),
        "ce_modelms": of("Of digest.stage.started.v1 alone: how much of that waited for language models, in ms."),
        "content-type": {"type": "string", "const": "application/avro"},
        "traceparent": of("W3C trace context; the trace id is a function of the identity."),
    }})
}
