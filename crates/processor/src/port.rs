//! Output ports: typed where a processor emits, erased where the runtime carries.

use schemas::{EncodeError, Encoder, Record};
use std::{any::Any, fmt, marker::PhantomData};

/// A record whose type only its port knows.
pub trait AnyRecord: fmt::Debug + Send + Sync {
    /// Versioned type name.
    fn type_name(&self) -> &'static str;
    /// Kafka key.
    fn key(&self) -> String;
    /// See [`Record::is_keyed`].
    fn is_keyed(&self, key: &[u8]) -> bool;
    /// See [`Record::identity`].
    fn identity(&self) -> String;
    /// See [`Record::event_time_ms`].
    fn event_time_ms(&self) -> i64;
    /// See [`Record::trace_id`].
    fn trace_id(&self) -> String;
    /// See [`Record::tenant_id`].
    fn tenant_id(&self) -> &str;
    /// For the encoder of the port, and for tests.
    fn as_any(&self) -> &dyn Any;
}

impl<R: Record> AnyRecord for R {
    fn type_name(&self) -> &'static str {
        R::TYPE
    }
    fn key(&self) -> String {
        Record::key(self)
    }
    fn is_keyed(&self, key: &[u8]) -> bool {
        Record::is_keyed(self, key)
    }
    fn identity(&self) -> String {
        Record::identity(self)
    }
    fn event_time_ms(&self) -> i64 {
        Record::event_time_ms(self)
    }
    fn trace_id(&self) -> String {
        Record::trace_id(self)
    }
    fn tenant_id(&self) -> &str {
        Record::tenant_id(self)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A record on its way to a port.
#[derive(Debug)]
pub struct Emission {
    /// Name of the port.
    pub port: &'static str,
    /// The record.
    pub record: Box<dyn AnyRecord>,
}

impl Emission {
    /// The record, if it is an `R`.
    pub fn downcast<R: Record>(&self) -> Option<&R> {
        self.record.as_any().downcast_ref()
    }
}

/// A named output that carries records of one type.
pub struct Port<R> {
    name: &'static str,
    record: PhantomData<fn(R)>,
}

impl<R> fmt::Debug for Port<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Port").field(&self.name).finish()
    }
}

impl<R: Record> Port<R> {
    /// A port called `name`, as in the map.
    pub const fn new(name: &'static str) -> Self {
        Self { name, record: PhantomData }
    }

    /// Addresses a record to this port.
    pub fn emit(&self, record: R) -> Emission {
        Emission { port: self.name, record: Box::new(record) }
    }

    /// The port as data.
    pub fn spec(&self) -> PortSpec {
        PortSpec { name: self.name, record_type: R::TYPE, encoder: encoder::<R> }
    }
}

/// A port as data: what the map checks and the runtime builds an encoder from.
#[derive(Debug, Clone, Copy)]
pub struct PortSpec {
    /// Name of the port.
    pub name: &'static str,
    /// Versioned type name of its records.
    pub record_type: &'static str,
    /// Makes an encoder that writes under a schema id.
    pub encoder: fn(u32) -> Result<Box<dyn RecordEncoder>, EncodeError>,
}

/// Writes the records of a port.
pub trait RecordEncoder: Send {
    /// Appends the framed record to `out`; fails when it is of another type or does not fit its schema.
    fn encode(&self, record: &dyn AnyRecord, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

fn encoder<R: Record>(schema_id: u32) -> Result<Box<dyn RecordEncoder>, EncodeError> {
    Ok(Box::new(Encoder::<R>::new(schema_id)?))
}

impl<R: Record> RecordEncoder for Encoder<R> {
    fn encode(&self, record: &dyn AnyRecord, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match record.as_any().downcast_ref::<R>() {
            Some(record) => Encoder::encode(self, record, out),
            None => Err(EncodeError::WrongType { expected: R::TYPE, found: record.type_name() }),
        }
    }
}
