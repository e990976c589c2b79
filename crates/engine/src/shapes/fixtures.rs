//! Both ends of a shape for tests: a registry with one schema, ports, and a witness that keeps nothing.

use super::{
    Inlet, Took,
    outlet::{Bound, Witness},
};
use crate::{exactly_once::log::RecordView, wire_check::Placement};
use processor::{Emission, PortSpec};
use schemas::{Decoder, Record, SchemaSource, SchemaSourceError};
use std::{sync::Arc, time::Duration};

/// The registry's id of every schema.
pub(crate) const SCHEMA_ID: u32 = 5;

/// Knows one schema, under every id.
struct Registry(&'static str);

impl SchemaSource for Registry {
    fn schema_by_id(&self, _: u32) -> Result<Arc<str>, SchemaSourceError> {
        Ok(self.0.into())
    }
}

/// Hears of work and keeps nothing of it.
pub(crate) struct Nobody;

impl Witness for Nobody {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn made(&self, _: &'static str, _: &RecordView<'_>, _: &[Emission], _: Took) {}
}

/// A decoder of records written with their newest schema.
pub(crate) fn decoder<R: Record>() -> Decoder<R> {
    Decoder::new(Arc::new(Registry(R::AVSC)))
}

/// A port bound to a topic.
pub(crate) fn bound(topic: &str, port: &PortSpec, placement: Placement, record_bytes_max: usize) -> Bound {
    let encoder = (port.encoder)(SCHEMA_ID).expect("a schema");
    Bound { topic: topic.into(), encoder, placement, record_bytes_max }
}

/// The input side of a reader of `topic`.
pub(crate) fn inlet<R: Record>(topic: &str, placement: Placement) -> Inlet<R> {
    Inlet { decoder: decoder(), topic: topic.into(), placement }
}
