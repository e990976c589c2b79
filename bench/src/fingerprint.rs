//! What the bytes of a job are known by.
//!
//! Invariant: the schema id, which a registry gives as it likes, is not among them.

use crate::{
    error::Error,
    generator::{Job, PARTITIONS},
};
use schemas::{Encoder, GroupMessageIngested, Record as _};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Bytes before an Avro datum: zero and the schema id.
const FRAME_BYTES: usize = 5;

/// Size and sha256 of the records of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fingerprint {
    /// Records, control among them.
    pub records: u64,
    /// Bytes of keys and framed values, before compression.
    pub bytes: u64,
    /// Of all keys and data in order, each after its length.
    pub sha256: String,
    /// The same of each partition.
    #[serde(skip)]
    pub partitions: Vec<String>,
}

/// Takes records in.
#[derive(Debug)]
pub(crate) struct Fingerprinting {
    records: u64,
    bytes: u64,
    whole: Sha256,
    partitions: Vec<Sha256>,
}

impl Default for Fingerprinting {
    fn default() -> Self {
        let partitions = vec![Sha256::new(); PARTITIONS as usize];
        Self { records: 0, bytes: 0, whole: Sha256::new(), partitions }
    }
}

impl Fingerprinting {
    pub(crate) fn take(&mut self, partition: i32, key: &[u8], value: &[u8]) {
        self.records += 1;
        self.bytes += (key.len() + value.len()) as u64;
        let datum = value.get(FRAME_BYTES..).unwrap_or_default();
        for part in [key, datum] {
            let length = (part.len() as u64).to_be_bytes();
            for hash in std::iter::once(&mut self.whole).chain(self.partitions.get_mut(partition as usize)) {
                hash.update(length);
                hash.update(part);
            }
        }
    }

    pub(crate) fn finish(self) -> Fingerprint {
        let partitions = self.partitions.into_iter().map(hex).collect();
        Fingerprint { records: self.records, bytes: self.bytes, sha256: hex(self.whole), partitions }
    }
}

pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

impl Fingerprint {
    /// The fingerprint of a job, whose values are framed with this schema id.
    pub(crate) fn of(job: Job, schema_id: u32) -> Result<Self, Error> {
        let encoder = Encoder::<GroupMessageIngested>::new(schema_id)?;
        let (mut taken, mut value) = (Fingerprinting::default(), Vec::new());
        for generated in job.generate() {
            value.clear();
            encoder.encode(&generated.record, &mut value)?;
            taken.take(generated.partition, generated.record.key().as_bytes(), &value);
        }
        Ok(taken.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_id_is_not_part_of_it() {
        let job = Job::of(100);
        let of = |id| Fingerprint::of(job, id).expect("records of the schema");
        assert_eq!(of(1), of(77));
    }

    #[test]
    fn where_a_key_ends_is_part_of_it() {
        let of = |key: &[u8], value: &[u8]| {
            let mut taken = Fingerprinting::default();
            taken.take(0, key, value);
            taken.finish().sha256
        };
        assert_ne!(of(b"ab", b"00000c"), of(b"a", b"00000bc"));
    }
}
