//! Avro schemas as the documents tell of them: records, their fields and the types that stand in these.

use super::DocumentError;
use schemas::RecordType;
use serde_json::Value;

/// A field of a record.
pub(super) struct Field<'s> {
    pub(super) name: &'s str,
    pub(super) doc: &'s str,
    pub(super) of: Type<'s>,
    /// What a reader of an older record finds.
    pub(super) default: Option<&'s Value>,
}

/// A record or an enum, by name.
pub(super) struct Named<'s> {
    pub(super) name: &'s str,
    pub(super) doc: &'s str,
    pub(super) holds: Holds<'s>,
}

/// What a named type holds.
pub(super) enum Holds<'s> {
    Fields(Vec<Field<'s>>),
    Symbols(Vec<&'s str>),
}

/// The type of a field.
pub(super) enum Type<'s> {
    Boolean,
    Int,
    Long,
    /// Milliseconds since the epoch.
    Time,
    Double,
    Bytes,
    Text,
    Named(&'s str),
    List(Box<Self>),
    Map(Box<Self>),
    Nullable(Box<Self>),
}

/// A record type's schema, read.
pub(super) struct Schema {
    record: &'static str,
    json: Value,
}

impl Schema {
    pub(super) fn of(record: &RecordType) -> Result<Self, DocumentError> {
        let json = serde_json::from_str(record.avsc)
            .map_err(|source| DocumentError::NoJson(record.name.to_owned(), source))?;
        Ok(Self { record: record.name, json })
    }

    /// The schema itself.
    pub(super) fn json(&self) -> &Value {
        &self.json
    }

    /// The record and the types that it names, each where it is named first.
    pub(super) fn types(&self) -> Result<Vec<Named<'_>>, DocumentError> {
        let mut found = Vec::new();
        self.collect(&self.json, &mut found)?;
        Ok(found)
    }

    fn collect<'s>(&'s self, json: &'s Value, found: &mut Vec<Named<'s>>) -> Result<(), DocumentError> {
        match json {
            Value::Array(variants) => variants.iter().try_for_each(|variant| self.collect(variant, found)),
            Value::Object(_) => match text(json, "type") {
                "record" => {
                    let fields = list(json, "fields");
                    let read = fields.iter().map(|field| self.field(field)).collect::<Result<_, _>>()?;
                    found.push(Named {
                        name: text(json, "name"),
                        doc: text(json, "doc"),
                        holds: Holds::Fields(read),
                    });
                    fields.iter().try_for_each(|field| self.collect(&field["type"], found))
                }
                "enum" => {
                    let symbols = list(json, "symbols").iter().filter_map(Value::as_str).collect();
                    found.push(Named {
                        name: text(json, "name"),
                        doc: text(json, "doc"),
                        holds: Holds::Symbols(symbols),
                    });
                    Ok(())
                }
                "array" => self.collect(&json["items"], found),
                "map" => self.collect(&json["values"], found),
                _ => self.collect(&json["type"], found),
            },
            _ => Ok(()),
        }
    }

    fn field<'s>(&'s self, json: &'s Value) -> Result<Field<'s>, DocumentError> {
        Ok(Field {
            name: text(json, "name"),
            doc: text(json, "doc"),
            of: self.of_type(&json["type"])?,
            default: json.get("default"),
        })
    }

    fn of_type<'s>(&'s self, json: &'s Value) -> Result<Type<'s>, DocumentError> {
        let unknown =
            || DocumentError::UnknownType { record: self.record.to_owned(), found: json.to_string() };
        match json {
            Value::String(name) => Ok(match name.as_str() {
                "boolean" => Type::Boolean,
                "int" => Type::Int,
                "long" => Type::Long,
                "float" | "double" => Type::Double,
                "bytes" => Type::Bytes,
                "string" => Type::Text,
                "null" | "fixed" => return Err(unknown()),
                name => Type::Named(name.rsplit('.').next().unwrap_or(name)),
            }),
            Value::Array(variants) => match variants.as_slice() {
                [Value::String(null), other] | [other, Value::String(null)] if null == "null" => {
                    Ok(Type::Nullable(Box::new(self.of_type(other)?)))
                }
                _ => Err(unknown()),
            },
            Value::Object(_) => match (text(json, "type"), text(json, "logicalType")) {
                ("record" | "enum", _) => Ok(Type::Named(text(json, "name"))),
                ("array", _) => Ok(Type::List(Box::new(self.of_type(&json["items"])?))),
                ("map", _) => Ok(Type::Map(Box::new(self.of_type(&json["values"])?))),
                ("long", "timestamp-millis") => Ok(Type::Time),
                (_, "") => self.of_type(&json["type"]),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

fn text<'s>(json: &'s Value, name: &str) -> &'s str {
    json.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'s>(json: &'s Value, name: &str) -> &'s [Value] {
    json.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
