//! The Confluent wire format: a zero byte, the schema id as four bytes big-endian, an Avro datum.
//!
//! Invariant: any bytes decode to a value or to a [`DecodeError`], never to a panic. Decoding uses the
//! *writer* schema; one that is not ours is resolved to ours by Avro's rules.

use crate::{Invalid, Record};
use apache_avro::{
    Schema, from_value, reader::datum::GenericDatumReader, util::max_allocation_bytes,
    writer::datum::GenericDatumWriter,
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

/// Largest single allocation that a datum may ask for: a length bomb is refused, a real record is not.
const ALLOCATION_BYTES_MAX: usize = 64 * 1024 * 1024;
const MAGIC: u8 = 0;
const FRAME_BYTES: usize = 5;

/// Why a schema could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SchemaSourceError {
    /// The registry answers that it has no such schema: the bytes are poison.
    #[error("schema id {0} is not in the registry")]
    NotFound(u32),
    /// The registry did not answer: try again later.
    #[error("could not ask the schema registry: {0}")]
    Unavailable(String),
    /// The registry does not let this client in; the message says what to do. Try again later.
    #[error("{0}")]
    Denied(String),
}

/// Where writer schemas come from.
pub trait SchemaSource: Send + Sync {
    /// The JSON of the schema with this id.
    fn schema_by_id(&self, id: u32) -> Result<Arc<str>, SchemaSourceError>;
}

/// Why bytes are not a record of the expected type.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// There is no value (a tombstone) where a record is expected.
    #[error("record has no value")]
    NoValue,
    /// Shorter than the frame.
    #[error("value of {0} bytes is shorter than the 5-byte frame")]
    TooShort(usize),
    /// Does not start with the magic byte.
    #[error("first byte is {0:#04x}, not the magic byte 0x00")]
    Magic(u8),
    /// See [`SchemaSourceError`].
    #[error(transparent)]
    Schema(#[from] SchemaSourceError),
    /// The writer schema cannot be read by this version.
    #[error("schema id {id} is not readable as {expected}")]
    WriterSchema {
        /// Id in the frame.
        id: u32,
        /// Type that the topic carries.
        expected: &'static str,
        /// What Avro says.
        #[source]
        source: Option<Box<apache_avro::Error>>,
    },
    /// The datum does not match its writer schema.
    #[error("could not decode value with schema id {id}")]
    Datum {
        /// Id in the frame.
        id: u32,
        /// What Avro says.
        #[source]
        source: Box<apache_avro::Error>,
    },
    /// Bytes are left after the datum.
    #[error("{0} bytes are left after the value")]
    Trailing(usize),
    /// It is a record that no reader of its topic can use.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl DecodeError {
    /// True when the same bytes may decode later: the registry was away, or did not let this client in.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Schema(SchemaSourceError::Unavailable(_) | SchemaSourceError::Denied(_)))
    }

    /// The reason as a metric label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoValue => "no_value",
            Self::TooShort(_) => "too_short",
            Self::Magic(_) => "wrong_magic",
            Self::Schema(SchemaSourceError::NotFound(_)) => "unknown_schema",
            Self::Schema(SchemaSourceError::Unavailable(_) | SchemaSourceError::Denied(_)) => {
                "registry_unavailable"
            }
            Self::WriterSchema { .. } => "wrong_schema",
            Self::Datum { .. } => "undecodable",
            Self::Trailing(_) => "trailing_bytes",
            Self::Invalid(invalid) => invalid.reason,
        }
    }
}

/// A value could not be written: a defect of the program.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It does not fit its own schema.
    #[error("could not encode {record}")]
    Avro {
        /// Versioned type name.
        record: &'static str,
        /// What Avro says.
        #[source]
        source: Box<apache_avro::Error>,
    },
    /// It was given to the port of another type.
    #[error("could not encode {found} where {expected} is expected")]
    WrongType {
        /// Type that the port carries.
        expected: &'static str,
        /// Type that was given.
        found: &'static str,
    },
}

/// Parsed schemas live as long as the process: there are as many as the registry has ids in use.
fn interned(json: &str) -> Result<&'static Schema, Box<apache_avro::Error>> {
    static INTERNED: Mutex<BTreeMap<String, &'static Schema>> = Mutex::new(BTreeMap::new());
    let mut schemas = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = schemas.get(json) {
        return Ok(schema);
    }
    max_allocation_bytes(ALLOCATION_BYTES_MAX);
    let schema: &'static Schema = Box::leak(Box::new(Schema::parse_str(json).map_err(Box::new)?));
    schemas.insert(json.to_owned(), schema);
    Ok(schema)
}

/// The schema id of a framed value, if it has a frame.
pub fn frame_schema_id(bytes: &[u8]) -> Result<u32, DecodeError> {
    let Some((frame, _)) = bytes.split_first_chunk::<FRAME_BYTES>() else {
        return Err(DecodeError::TooShort(bytes.len()));
    };
    match frame {
        [MAGIC, id @ ..] => Ok(u32::from_be_bytes(*id)),
        [other, ..] => Err(DecodeError::Magic(*other)),
    }
}

/// Writes records of one type under one schema id.
pub struct Encoder<R> {
    schema_id: u32,
    writer: GenericDatumWriter<'static>,
    record: PhantomData<fn(R)>,
}

impl<R> fmt::Debug for Encoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("schema_id", &self.schema_id).finish_non_exhaustive()
    }
}

impl<R: Record> Encoder<R> {
    /// An encoder for `schema_id`, the registry's id of [`Record::AVSC`] under the subject written to.
    pub fn new(schema_id: u32) -> Result<Self, EncodeError> {
        let writer = interned(R::AVSC)
            .and_then(|schema| {
                GenericDatumWriter::builder(schema).human_readable(false).build().map_err(Box::new)
            })
            .map_err(|source| EncodeError::Avro { record: R::TYPE, source })?;
        Ok(Self { schema_id, writer, record: PhantomData })
    }

    /// Appends the framed value to `out`.
    pub fn encode(&self, value: &R, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(MAGIC);
        out.extend_from_slice(&self.schema_id.to_be_bytes());
        match self.writer.write_ser(out, value) {
            Ok(_) => Ok(()),
            Err(source) => Err(EncodeError::Avro { record: R::TYPE, source: Box::new(source) }),
        }
    }
}

enum Reader {
    /// The writer schema is ours: straight into the Rust type.
    Direct(GenericDatumReader<'static>),
    /// Another revision: through Avro's schema resolution.
    Resolving(GenericDatumReader<'static>),
}

/// Reads records of one type, whatever revision they were written with. One per thread.
pub struct Decoder<R> {
    source: Arc<dyn SchemaSource>,
    readers: HashMap<u32, Reader>,
    record: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("schemas", &self.readers.len()).finish_non_exhaustive()
    }
}

impl<R: Record> Decoder<R> {
    /// A decoder that asks `source` once per schema id; a failure to ask is never remembered.
    pub fn new(source: Arc<dyn SchemaSource>) -> Self {
        Self { source, readers: HashMap::new(), record: PhantomData }
    }

    /// Reads a framed value, and refuses what no reader can use: see [`Record::check`]. `appended_at_ms` is when the
    /// broker took it, 0 when that is not known.
    pub fn read(&mut self, value: Option<&[u8]>, appended_at_ms: i64) -> Result<R, DecodeError> {
        let record = self.decode(value)?;
        record.check(appended_at_ms)?;
        Ok(record)
    }

    /// Reads a framed value as it is, whether readers can use it or not.
    pub fn decode(&mut self, value: Option<&[u8]>) -> Result<R, DecodeError> {
        let bytes = value.ok_or(DecodeError::NoValue)?;
        let id = frame_schema_id(bytes)?;
        let reader = match self.readers.entry(id) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let json = self.source.schema_by_id(id)?;
                let reader = Self::reader(&json).map_err(|source| DecodeError::WriterSchema {
                    id,
                    expected: R::TYPE,
                    source,
                })?;
                entry.insert(reader)
            }
        };
        let mut datum = &bytes[FRAME_BYTES..];
        let value = match reader {
            Reader::Direct(reader) => reader.read_deser(&mut datum),
            Reader::Resolving(reader) => reader.read_value(&mut datum).and_then(|value| from_value(&value)),
        }
        .map_err(|source| DecodeError::Datum { id, source: Box::new(source) })?;
        if datum.is_empty() { Ok(value) } else { Err(DecodeError::Trailing(datum.len())) }
    }

    fn reader(json: &str) -> Result<Reader, Option<Box<apache_avro::Error>>> {
        let (writer, own) = (interned(json)?, interned(R::AVSC)?);
        if writer.name().map(|name| name.fullname(None)) != own.name().map(|name| name.fullname(None)) {
            return Err(None);
        }
        if writer.canonical_form() == own.canonical_form() {
            let reader = GenericDatumReader::builder(writer).human_readable(false).build();
            return Ok(Reader::Direct(reader.map_err(Box::new)?));
        }
        let reader = GenericDatumReader::builder(writer).reader_schema(own).human_readable(false).build();
        Ok(Reader::Resolving(reader.map_err(Box::new)?))
    }
}
