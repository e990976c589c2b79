//! Records of a snapshot topic: parts of state, chunked below the record limit, and the marker of a round.
//!
//! A part's key is `p`, the length of the state's key as four bytes, the key, the part's name, a zero byte and the
//! number of the chunk as four bytes; its value begins with the number of chunks. The marker's key is `m`. All lie
//! in the explicit partition of the input.

use crate::exactly_once::log::{OutRecord, RecordView};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Bytes of state in one record.
const CHUNK_BYTES: usize = 512 * 1024;
const MARKER_KEY: &[u8] = b"m";

/// Says as of which offset the parts before it are, and how they are encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) next_offset: i64,
    pub(super) state_version: u32,
}

impl Marker {
    pub(super) fn record(&self, topic: &Arc<str>, partition: i32) -> OutRecord {
        let value =
            format!(r#"{{"next_offset":{},"state_version":{}}}"#, self.next_offset, self.state_version);
        snapshot_record(topic, partition, MARKER_KEY.to_vec(), Some(value.into_bytes()))
    }

    /// Takes back whichever marker there is.
    pub(super) fn void(topic: &Arc<str>, partition: i32) -> OutRecord {
        tombstone(topic, partition, MARKER_KEY.to_vec())
    }
}

fn snapshot_record(topic: &Arc<str>, partition: i32, key: Vec<u8>, value: Option<Vec<u8>>) -> OutRecord {
    OutRecord { topic: Arc::clone(topic), partition: Some(partition), key, value, headers: Vec::new() }
}

fn chunk_key(state_key: &[u8], part: &str, chunk: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(state_key.len() + part.len() + 10);
    key.push(b'p');
    key.extend_from_slice(&(state_key.len() as u32).to_be_bytes());
    key.extend_from_slice(state_key);
    key.extend_from_slice(part.as_bytes());
    key.push(0);
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

/// Name of a part: state key and part.
pub(super) type PartName = (Vec<u8>, String);

fn parse_chunk_key(key: &[u8]) -> Option<(PartName, u32)> {
    let (tag, rest) = key.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (state_key, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let (name, chunk) = rest.split_last_chunk::<4>()?;
    let (zero, name) = name.split_last()?;
    let name = std::str::from_utf8(name).ok()?;
    (*tag == b'p' && *zero == 0).then(|| ((state_key.to_vec(), name.to_owned()), u32::from_be_bytes(*chunk)))
}

/// The records of one changed part; `None` for one that is gone.
pub(super) fn part_records(
    topic: &Arc<str>,
    partition: i32,
    (state_key, part): (&[u8], &str),
    value: Option<&[u8]>,
    out: &mut Vec<OutRecord>,
) {
    let Some(value) = value else {
        out.push(snapshot_record(topic, partition, chunk_key(state_key, part, 0), None));
        return;
    };
    let count = value.len().div_ceil(CHUNK_BYTES).max(1) as u32;
    let mut chunks = value.chunks(CHUNK_BYTES);
    for chunk in 0..count {
        let mut bytes = count.to_be_bytes().to_vec();
        bytes.extend_from_slice(chunks.next().unwrap_or_default());
        out.push(snapshot_record(topic, partition, chunk_key(state_key, part, chunk), Some(bytes)));
    }
}

/// A tombstone for a record of a snapshot.
pub(super) fn tombstone(topic: &Arc<str>, partition: i32, key: Vec<u8>) -> OutRecord {
    snapshot_record(topic, partition, key, None)
}

/// Parts as read back from a snapshot topic.
#[derive(Debug, Default)]
pub(super) struct Parts {
    chunks: BTreeMap<PartName, BTreeMap<u32, Vec<u8>>>,
    pub(super) marker: Option<Marker>,
    /// Keys of records that nobody of this name has written.
    strange: BTreeSet<Vec<u8>>,
}

impl Parts {
    /// Takes one record in.
    pub(super) fn visit(&mut self, record: &RecordView<'_>) {
        let key = record.key.unwrap_or_default();
        if key == MARKER_KEY {
            self.marker = serde_json::from_slice(record.value.unwrap_or_default()).ok();
            return;
        }
        match (parse_chunk_key(key), record.value) {
            (Some((name, chunk)), Some(bytes)) => {
                self.chunks.entry(name).or_default().insert(chunk, bytes.to_vec());
            }
            (Some((name, _)), None) => drop(self.chunks.remove(&name)),
            (None, Some(_)) => drop(self.strange.insert(key.to_vec())),
            (None, None) => drop(self.strange.remove(key)),
        }
    }

    /// Keys of all records but the marker: what must be buried when the snapshot cannot be used.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        let chunks = self.chunks.iter().flat_map(|((state_key, part), chunks)| {
            chunks.keys().map(move |chunk| chunk_key(state_key, part, *chunk))
        });
        chunks.chain(self.strange.iter().cloned()).collect()
    }

    /// Whole parts, by name. Chunks left over from a longer earlier value are ignored.
    pub(super) fn into_values(self) -> Result<Vec<(PartName, Vec<u8>)>, String> {
        if !self.strange.is_empty() {
            return Err(format!("{} of its records are no parts of a state", self.strange.len()));
        }
        // All chunks of a part are written together: one without its first is a leftover of a part that is gone.
        let whole = self.chunks.into_iter().filter(|(_, chunks)| chunks.contains_key(&0));
        whole.map(|(name, chunks)| Ok((name, join(&chunks)?))).collect()
    }
}

fn join(chunks: &BTreeMap<u32, Vec<u8>>) -> Result<Vec<u8>, String> {
    let missing = || "a snapshot part lacks a chunk".to_owned();
    let (count, _) = chunks.get(&0).and_then(|first| first.split_first_chunk::<4>()).ok_or_else(missing)?;
    let mut value = Vec::new();
    for chunk in 0..u32::from_be_bytes(*count) {
        let bytes = chunks.get(&chunk).ok_or_else(missing)?;
        value.extend_from_slice(bytes.get(4..).ok_or_else(missing)?);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(records: &[OutRecord]) -> Vec<(PartName, Vec<u8>)> {
        let mut parts = Parts::default();
        let headers = Vec::new();
        for record in records {
            let view = RecordView {
                partition: 0,
                offset: 0,
                timestamp_ms: 0,
                key: Some(&record.key),
                value: record.value.as_deref(),
                headers: &headers,
            };
            parts.visit(&view);
        }
        parts.into_values().expect("complete")
    }

    #[test]
    fn a_record_that_is_no_part_spoils_the_snapshot_and_is_buried_with_it() {
        let mut parts = Parts::default();
        let headers = Vec::new();
        let mut visit = |key: &[u8], value: Option<&[u8]>| {
            let place = RecordView {
                partition: 0,
                offset: 0,
                timestamp_ms: 0,
                key: Some(key),
                value,
                headers: &headers,
            };
            parts.visit(&place);
        };
        visit(b"hello", Some(b"world"));
        visit(MARKER_KEY, Some(b"not a marker"));
        assert_eq!(parts.keys(), [b"hello".to_vec()]);
        assert_eq!(parts.marker, None);
        assert!(parts.into_values().is_err());
    }

    #[test]
    fn a_marker_taken_back_leaves_parts_that_are_no_snapshot() {
        let topic: Arc<str> = "s".into();
        let mut records = Vec::new();
        part_records(&topic, 0, (b"acme/qa", "header"), Some(&[1]), &mut records);
        records.push(Marker { next_offset: 7, state_version: 1 }.record(&topic, 0));
        records.push(Marker::void(&topic, 0));
        let mut parts = Parts::default();
        let headers = Vec::new();
        for OutRecord { key, value, .. } in &records {
            let (key, value) = (Some(&key[..]), value.as_deref());
            parts.visit(&RecordView {
                partition: 0,
                offset: 0,
                timestamp_ms: 0,
                key,
                value,
                headers: &headers,
            });
        }
        assert_eq!(parts.marker, None);
        assert_eq!(parts.keys(), [chunk_key(b"acme/qa", "header", 0)]);
    }

    #[test]
    fn a_part_that_shrinks_forgets_its_old_chunks() {
        let topic: Arc<str> = "s".into();
        let (long, short) = (vec![7_u8; CHUNK_BYTES * 2 + 5], vec![9_u8; 3]);
        let mut records = Vec::new();
        part_records(&topic, 0, (b"acme/qa", "w/24/0"), Some(&long), &mut records);
        assert_eq!(records.len(), 3);
        assert_eq!(read_back(&records)[0].1, long);
        part_records(&topic, 0, (b"acme/qa", "w/24/0"), Some(&short), &mut records);
        part_records(&topic, 0, (b"acme/qa", "header"), Some(&[]), &mut records);
        let values = read_back(&records);
        assert_eq!(
            values,
            [
                ((b"acme/qa".to_vec(), "header".into()), vec![]),
                ((b"acme/qa".to_vec(), "w/24/0".into()), short)
            ]
        );
        part_records(&topic, 0, (b"acme/qa", "w/24/0"), None, &mut records);
        assert_eq!(read_back(&records).len(), 1);
    }
}
