//! What a record's value says, whatever schema it was written with: Avro through the registry, shown as JSON.
//!
//! Invariant: fields keep the order of the writer's schema, and nothing is cut off.

use super::Error;
use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value, util::max_allocation_bytes};
use schemas::{DecodeError, SchemaSource, frame_schema_id};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use topology::TopicKind;

/// Largest single allocation that a datum may ask for, as when the pipeline reads it.
const ALLOCATION_BYTES_MAX: usize = 64 * 1024 * 1024;
const FRAME_BYTES: usize = 5;

/// A record's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// Avro.
    Avro(AvroJson),
    /// Text that is not framed: positions of sources.
    Text(String),
    /// Bytes that only their writer reads: snapshots.
    Bytes(Vec<u8>),
    /// None: a tombstone, where the topic is compacted.
    Tombstone,
    /// Not what the topic carries.
    Undecodable {
        /// Why, as a metric label.
        reason: &'static str,
        /// Why, in words.
        detail: String,
        /// The value as it is; none when there is none.
        bytes: Option<Vec<u8>>,
    },
}

/// An Avro value that serializes as JSON: unions as the value they hold, bytes as text where they are, else as
/// `{"hex": ".."}`.
#[derive(Debug, Clone, PartialEq)]
pub struct AvroJson(Value);

impl AvroJson {
    /// The key that the record of a group has, `tenant_id/group_id`.
    pub(super) fn key(&self) -> Option<String> {
        let Value::Record(fields) = &self.0 else { return None };
        let text = |wanted| match fields.iter().find(|(name, _)| name == wanted) {
            Some((_, Value::String(text))) => Some(text),
            _ => None,
        };
        Some(format!("{}/{}", text("tenant_id")?, text("group_id")?))
    }
}

/// Bytes as text where they are some (UTF-8 without control characters but white space), else as `{"hex": ".."}`.
#[derive(Debug, Clone, Copy)]
pub struct TextOrHex<'a>(pub &'a [u8]);

impl Serialize for TextOrHex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = text(self.0) {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("hex", &hex(self.0))?;
        map.end()
    }
}

/// Bytes as the text that they are; none for a number that happens to be UTF-8.
pub fn text(bytes: &[u8]) -> Option<&str> {
    let is_text = |character: char| !character.is_control() || character.is_whitespace();
    std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(is_text))
}

/// Two lower-case digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

/// An [`AvroJson`] for people: timestamps are RFC 3339 in UTC instead of milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct WithTimes<'a>(pub &'a AvroJson);

struct Shown<'a> {
    value: &'a Value,
    with_times: bool,
}

impl Serialize for AvroJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown { value: &self.0, with_times: false }.serialize(serializer)
    }
}

impl Serialize for WithTimes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown { value: &self.0.0, with_times: true }.serialize(serializer)
    }
}

impl<'a> Shown<'a> {
    /// A value in this one.
    fn inner(&self, value: &'a Value) -> Self {
        Self { value, with_times: self.with_times }
    }

    fn sorted<S: Serializer>(
        &self,
        entries: &'a HashMap<String, Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let entries: BTreeMap<_, _> = entries.iter().collect();
        let mut object = serializer.serialize_map(Some(entries.len()))?;
        entries.iter().try_for_each(|(name, value)| object.serialize_entry(name, &self.inner(value)))?;
        object.end()
    }

    /// A time in ms, where it is one that the calendar has.
    fn time(&self, ms: i64) -> Option<String> {
        let time = jiff::Timestamp::from_millisecond(ms).ok().filter(|_| self.with_times)?;
        Some(format!("{time:.3}"))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::TimestampMillis(ms) => match self.time(*ms) {
                Some(time) => serializer.serialize_str(&time),
                None => serializer.serialize_i64(*ms),
            },
            Value::Null => serializer.serialize_unit(),
            Value::Boolean(value) => serializer.serialize_bool(*value),
            Value::Int(value) | Value::Date(value) | Value::TimeMillis(value) => {
                serializer.serialize_i32(*value)
            }
            Value::Long(value)
            | Value::TimeMicros(value)
            | Value::TimestampMicros(value)
            | Value::TimestampNanos(value)
            | Value::LocalTimestampMillis(value)
            | Value::LocalTimestampMicros(value)
            | Value::LocalTimestampNanos(value) => serializer.serialize_i64(*value),
            Value::Float(value) => serializer.serialize_f32(*value),
            Value::Double(value) => serializer.serialize_f64(*value),
            Value::Bytes(bytes) | Value::Fixed(_, bytes) => TextOrHex(bytes).serialize(serializer),
            Value::String(text) | Value::Enum(_, text) => serializer.serialize_str(text),
            Value::Union(_, value) => self.inner(value).serialize(serializer),
            Value::Array(items) => {
                let mut array = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| array.serialize_element(&self.inner(item)))?;
                array.end()
            }
            Value::Map(entries) => self.sorted(entries, serializer),
            Value::Record(fields) => {
                let mut object = serializer.serialize_map(Some(fields.len()))?;
                fields
                    .iter()
                    .try_for_each(|(name, value)| object.serialize_entry(name, &self.inner(value)))?;
                object.end()
            }
            Value::Uuid(uuid) => serializer.collect_str(uuid),
            // None of them is in the contract; a foreign schema may still have them.
            other @ (Value::Decimal(_) | Value::BigDecimal(_) | Value::Duration(_)) => {
                serializer.collect_str(&format_args!("{other:?}"))
            }
        }
    }
}

/// Reads values of one topic.
pub(super) struct AnyValue {
    kind: TopicKind,
    source: Arc<dyn SchemaSource>,
    schemas: BTreeMap<u32, Arc<Schema>>,
}

impl AnyValue {
    pub(super) fn new(kind: TopicKind, source: Arc<dyn SchemaSource>) -> Self {
        max_allocation_bytes(ALLOCATION_BYTES_MAX);
        Self { kind, source, schemas: BTreeMap::new() }
    }

    /// What a value says. Fails only when the registry is away, which says nothing about the value.
    pub(super) fn decode(&mut self, value: Option<&[u8]>) -> Result<Decoded, Error> {
        match (self.kind, value) {
            (TopicKind::Snapshots | TopicKind::Positions, None) => Ok(Decoded::Tombstone),
            (TopicKind::Snapshots, Some(bytes)) => Ok(Decoded::Bytes(bytes.to_vec())),
            (TopicKind::Positions, Some(bytes)) => Ok(match std::str::from_utf8(bytes) {
                Ok(text) => Decoded::Text(text.to_owned()),
                Err(_) => Decoded::Bytes(bytes.to_vec()),
            }),
            (TopicKind::Event, value) => match self.avro(value) {
                Ok(value) => Ok(Decoded::Avro(AvroJson(value))),
                Err(error) if error.is_transient() => Err(Error::no_schema(&error)),
                Err(error) => Ok(Decoded::Undecodable {
                    reason: error.reason(),
                    detail: engine::chain(&error),
                    bytes: value.map(<[u8]>::to_vec),
                }),
            },
        }
    }

    fn avro(&mut self, value: Option<&[u8]>) -> Result<Value, DecodeError> {
        let bytes = value.ok_or(DecodeError::NoValue)?;
        let id = frame_schema_id(bytes)?;
        let schema = self.schema(id)?;
        let datum_error = |source| DecodeError::Datum { id, source: Box::new(source) };
        let reader = GenericDatumReader::builder(&schema).build().map_err(datum_error)?;
        let mut datum = &bytes[FRAME_BYTES..];
        let value = reader.read_value(&mut datum).map_err(datum_error)?;
        if datum.is_empty() { Ok(value) } else { Err(DecodeError::Trailing(datum.len())) }
    }

    fn schema(&mut self, id: u32) -> Result<Arc<Schema>, DecodeError> {
        if let Some(schema) = self.schemas.get(&id) {
            return Ok(Arc::clone(schema));
        }
        let json = self.source.schema_by_id(id)?;
        let parsed = Schema::parse_str(&json).map_err(|source| DecodeError::WriterSchema {
            id,
            expected: "avro",
            source: Some(Box::new(source)),
        })?;
        let schema = Arc::new(parsed);
        self.schemas.insert(id, Arc::clone(&schema));
        Ok(schema)
    }
}

#[cfg(test)]
mod tests;
