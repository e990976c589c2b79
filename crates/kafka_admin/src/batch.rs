//! Batches of records as they lie in a partition: their heads, which say who wrote them, and markers.
//!
//! Only the head of a batch of data is read: its records may be compressed, and are nobody's business here.

use crate::{Error, Outcome, decoding::Bytes};
use kafka_protocol::records::{Record, RecordBatchDecoder};

/// Bytes of a batch before its length counts, and the length itself.
const BEFORE_LENGTH: usize = 12;
const MAGIC: i8 = 2;
const COMPRESSION: i16 = 0b111;
const APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// A batch of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch<'a> {
    pub(crate) first_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) producer_id: i64,
    pub(crate) records: i32,
    attributes: i16,
    raw: &'a [u8],
}

/// The batches of an answer; one that is cut off at its end is left out.
pub(crate) fn batches(mut answer: &[u8]) -> Vec<Batch<'_>> {
    let mut batches = Vec::new();
    while let Some((batch, rest)) = next(answer) {
        answer = rest;
        batches.extend(batch);
    }
    batches
}

/// The first batch, `None` for one of the formats before transactions, and what follows it.
fn next(answer: &[u8]) -> Option<(Option<Batch<'_>>, &[u8])> {
    let length = Bytes::new(answer.get(8..BEFORE_LENGTH)?).i32()?;
    let (raw, rest) = answer.split_at_checked(BEFORE_LENGTH + usize::try_from(length).ok()?)?;
    Some((head(raw), rest))
}

fn head(raw: &[u8]) -> Option<Batch<'_>> {
    let mut bytes = Bytes::new(raw);
    let first_offset = bytes.i64()?;
    let (_length, _leader_epoch) = (bytes.i32()?, bytes.i32()?);
    if bytes.i8()? != MAGIC {
        return None;
    }
    let _checksum = bytes.i32()?;
    let attributes = bytes.i16()?;
    let last_offset = first_offset + i64::from(bytes.i32()?);
    let (first_ms, last_ms) = (bytes.i64()?, bytes.i64()?);
    let (producer_id, _epoch, _sequence) = (bytes.i64()?, bytes.i16()?, bytes.i32()?);
    let is_append_time = attributes & APPEND_TIME != 0;
    Some(Batch {
        first_offset,
        last_offset,
        // The broker stamps a batch by its last time; the first stays the producer's.
        first_ms: if is_append_time { last_ms } else { first_ms },
        last_ms,
        producer_id,
        records: bytes.i32()?,
        attributes,
        raw,
    })
}

impl Batch<'_> {
    /// Records that a transaction decides over.
    pub(crate) fn is_transactional_data(&self) -> bool {
        self.has(TRANSACTIONAL) && self.is_data()
    }

    fn has(&self, attribute: i16) -> bool {
        self.attributes & attribute != 0
    }

    /// The broker's clock stamped it.
    pub(crate) fn is_append_time(&self) -> bool {
        self.has(APPEND_TIME)
    }

    /// How many offsets it takes.
    pub(crate) fn offsets(&self) -> i64 {
        self.last_offset - self.first_offset + 1
    }

    /// Anything but a marker.
    pub(crate) fn is_data(&self) -> bool {
        !self.has(CONTROL)
    }

    /// The outcome that it marks; none for any other batch.
    pub(crate) fn marker(&self) -> Option<Outcome> {
        if self.is_data() {
            return None;
        }
        let records = self.decoded().ok()?;
        let mut key = Bytes::new(records.first()?.key.as_deref()?);
        match (key.i16()?, key.i16()?) {
            (_, 0) => Some(Outcome::Abort),
            (_, 1) => Some(Outcome::Commit),
            _ => None,
        }
    }

    /// Its records; fails for a compressed batch.
    pub(crate) fn decoded(&self) -> Result<Vec<Record>, Error> {
        let what = || format!("the batch at offset {}", self.first_offset);
        if self.has(COMPRESSION) {
            return Err(Error::unreadable(what(), &"it is compressed"));
        }
        let set = RecordBatchDecoder::decode(&mut { self.raw });
        set.map(|set| set.records).map_err(|error| Error::unreadable(what(), &error))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use kafka_protocol::records::{Compression, RecordBatchEncoder, RecordEncodeOptions, TimestampType};

    /// A batch of one record.
    pub(crate) fn encoded(offset: i64, key: &[u8], (is_control, ms): (bool, i64)) -> Vec<u8> {
        let record = Record {
            transactional: true,
            control: is_control,
            delete_horizon: false,
            partition_leader_epoch: 0,
            producer_id: 7,
            producer_epoch: 3,
            timestamp_type: TimestampType::LogAppend,
            offset,
            sequence: 0,
            timestamp: ms,
            key: Some(key.to_vec().into()),
            value: Some(b"v".to_vec().into()),
            headers: kafka_protocol::indexmap::IndexMap::default(),
        };
        let mut bytes = Vec::new();
        let options = RecordEncodeOptions { version: 2, compression: Compression::None };
        RecordBatchEncoder::encode(&mut bytes, [&record], &options).expect("encodes");
        bytes
    }

    #[test]
    fn heads_and_markers_are_read_and_a_batch_that_is_cut_off_is_not() {
        let mut answer = encoded(41, b"k", (false, 900));
        answer.extend(encoded(42, b"\0\0\0\x01", (true, 950)));
        answer.extend(encoded(43, b"\0\0\0\0", (true, 960)));
        answer.extend(&encoded(44, b"k", (false, 970))[..30]);
        let found = batches(&answer);
        let offsets: Vec<i64> = found.iter().map(|batch| batch.first_offset).collect();
        assert_eq!(offsets, [41, 42, 43]);
        assert_eq!(
            (found[0].producer_id, found[0].records, found[0].last_ms, found[0].is_append_time()),
            (7, 1, 900, false)
        );
        assert!(found[0].is_transactional_data() && !found[1].is_transactional_data());
        let markers: Vec<Option<Outcome>> = found.iter().map(Batch::marker).collect();
        assert_eq!(markers, [None, Some(Outcome::Commit), Some(Outcome::Abort)]);
        assert_eq!(found[0].decoded().expect("a record")[0].key.as_deref(), Some(&b"k"[..]));
    }

    #[test]
    fn a_batch_that_the_broker_stamped_has_one_time() {
        let mut bytes = encoded(0, b"k", (false, 900));
        // Attributes, then the last time, which the broker sets.
        bytes[22] |= APPEND_TIME as u8;
        bytes[35..43].copy_from_slice(&1_500_i64.to_be_bytes());
        let found = batches(&bytes);
        assert_eq!((found[0].first_ms, found[0].last_ms, found[0].is_append_time()), (1_500, 1_500, true));
    }

    #[test]
    fn noise_is_no_batch() {
        assert_eq!(batches(b""), []);
        assert_eq!(batches(&[255; 40]), []);
        assert_eq!(batches(&[0; 61]), []);
    }
}
