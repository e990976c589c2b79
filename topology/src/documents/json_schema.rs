//! The JSON form of a record, as `gistmill tap --json` prints it, as a JSON Schema (2020-12).

use super::{
    DocumentError,
    avro::{Field, Holds, Named, Schema, Type},
};
use schemas::RecordType;
use serde_json::{Map as Object, Value, json};

/// The JSON Schema of a record type; fields with a default may be missing in what an older program wrote.
pub fn json_schema(record: &RecordType) -> Result<Value, DocumentError> {
    let schema = Schema::of(record)?;
    let types = schema.types()?;
    let mut whole = types.first().map(described).unwrap_or_default();
    whole.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    whole.insert("title".to_owned(), json!(record.name));
    let others: Object<String, Value> =
        types.iter().skip(1).map(|named| (named.name.to_owned(), Value::Object(described(named)))).collect();
    if !others.is_empty() {
        whole.insert("$defs".to_owned(), Value::Object(others));
    }
    Ok(Value::Object(whole))
}

fn described(named: &Named<'_>) -> Object<String, Value> {
    let mut found = Object::new();
    if !named.doc.is_empty() {
        found.insert("description".to_owned(), json!(named.doc));
    }
    match &named.holds {
        Holds::Symbols(symbols) => {
            found.insert("enum".to_owned(), json!(symbols));
        }
        Holds::Fields(fields) => {
            let properties: Object<String, Value> =
                fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
            let required: Vec<&str> =
                fields.iter().filter(|field| field.default.is_none()).map(|field| field.name).collect();
            found.insert("type".to_owned(), json!("object"));
            found.insert("properties".to_owned(), Value::Object(properties));
            found.insert("required".to_owned(), json!(required));
        }
    }
    found
}

fn property(field: &Field<'_>) -> Value {
    let mut found = of_type(&field.of);
    if let Value::Object(found) = &mut found {
        if !field.doc.is_empty() {
            found.insert("description".to_owned(), json!(field.doc));
        }
        if let Some(default) = field.default {
            found.insert("default".to_owned(), default.clone());
        }
    }
    found
}

fn of_type(of: &Type<'_>) -> Value {
    match of {
        Type::Boolean => json!({"type": "boolean"}),
        Type::Int => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        Type::Long => json!({"type": "integer", "format": "int64"}),
        Type::Time => {
            json!({"type": "integer", "format": "int64", "$comment": "milliseconds since the epoch"})
        }
        Type::Double => json!({"type": "number"}),
        Type::Bytes => json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}),
        Type::Text => json!({"type": "string"}),
        Type::Named(name) => json!({"$ref": format!("#/$defs/{name}")}),
        Type::List(of) => json!({"type": "array", "items": of_type(of)}),
        Type::Map(of) => json!({"type": "object", "additionalProperties": of_type(of)}),
        Type::Nullable(of) => json!({"anyOf": [{"type": "null"}, of_type(of)]}),
    }
}
