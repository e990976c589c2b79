//! A record as a stranger sees it.

use crate::pipeline::Pipeline;
use anyhow::Context;
use rdkafka::message::{Headers, Message};
use registry::RegistrySource;
use schemas::{Decoder, Record};
use std::{collections::BTreeMap, sync::Arc};

/// Bytes of a key, value or header.
pub type Bytes = Vec<u8>;

/// Confluent's frame: a zero byte and the schema's id.
const FRAME_BYTES: usize = 5;

/// A record of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key.
    pub key: Option<Bytes>,
    /// Value.
    pub value: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<(String, Option<Bytes>)>,
}

impl Seen {
    pub(crate) fn new(topic: &str, message: &impl Message) -> Self {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
        });
        Self {
            topic: topic.to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
        }
    }

    /// The same without the registry's id in the frame of its value.
    #[must_use]
    pub fn without_schema_id(&self) -> Self {
        let value = self.value.as_deref().map(|value| value.get(FRAME_BYTES..).unwrap_or(value).to_vec());
        Self { value, ..self.clone() }
    }

    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> String {
        let found =
            self.headers.iter().find(|header| header.0 == name).and_then(|header| header.1.as_deref());
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    }

    /// The key as text.
    pub fn key_text(&self) -> String {
        String::from_utf8_lossy(self.key.as_deref().unwrap_or_default()).into_owned()
    }
}

fn decoder<R: Record>(pipeline: &Pipeline) -> anyhow::Result<Decoder<R>> {
    let client = pipeline.stack.registry()?;
    Ok(Decoder::new(Arc::new(RegistrySource::new(client, pipeline.rows.tasks().clone()))))
}

/// A record's value by the registry's schema.
///
/// # Errors
/// It is none of `R`.
pub fn decode<R: Record>(pipeline: &Pipeline, seen: &Seen) -> anyhow::Result<R> {
    decoder(pipeline)?
        .decode(seen.value.as_deref())
        .with_context(|| format!("{}/{}", seen.topic, seen.offset))
}

/// The records of a logical topic, decoded, in the order of the log.
///
/// # Errors
/// One of them is none of `R`.
pub fn decode_all<R: Record>(pipeline: &Pipeline, seen: &[Seen], topic: &str) -> anyhow::Result<Vec<R>> {
    let mut decoder = decoder(pipeline)?;
    let in_order: BTreeMap<(i32, i64), &Seen> = seen
        .iter()
        .filter(|record| record.topic == topic)
        .map(|seen| ((seen.partition, seen.offset), seen))
        .collect();
    in_order
        .into_iter()
        .map(|(place, seen)| {
            decoder.decode(seen.value.as_deref()).with_context(|| format!("{topic} {place:?}"))
        })
        .collect()
}
