//! The wire check: whether a record is what its topic carries, can be used and lies where its readers look for it.
//!
//! Invariant: every reader of a topic asks the same, and takes nothing that lies elsewhere: two partitions with records
//! of one group would be two halves of a window under one id.

use crate::{
    murmur2::murmur2_partition,
    next_action::{FIX_SCHEMA, INVESTIGATE},
};
use processor::AnyRecord;
use schemas::DecodeError;

const WRONG_KEY: &str = "wrong_key";
const WRONG_PARTITION: &str = "wrong_partition";
const CLOCK_AHEAD: &str = "clock_ahead";
const PROMISE_AHEAD: &str = "promise_ahead";

/// True for a reason that cannot be our own fault, and is not what the guard looks for: where a record lies and
/// what the clock beside it shows is decided by its producer alone, and one of them must not stop everybody's readers.
pub fn is_the_producers(reason: &str) -> bool {
    matches!(reason, WRONG_KEY | WRONG_PARTITION | CLOCK_AHEAD | PROMISE_AHEAD)
}

/// True for a reason that says where a record lies.
pub fn is_of_placement(reason: &str) -> bool {
    matches!(reason, WRONG_KEY | WRONG_PARTITION)
}

/// Bytes of a key that an error quotes: enough for the names of people, few enough for a header.
const QUOTED_BYTES_MAX: usize = 120;

/// Why a record does not lie where its readers look for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It has another key than its group's, or none.
    #[error(
        "record of {} has {}: send tenant_id/group_id as the key, with partitioner=murmur2_random in the producer, \
         which puts it into partition {} of 0 to {}",
        quoted(.place.key.as_bytes()), key_text(.found.as_deref()), .place.partition, .place.count - 1
    )]
    Key {
        /// Its key, as it is.
        found: Option<Vec<u8>>,
        /// Where it belongs.
        place: KeyedPlace,
    },
    /// It lies in another partition than its key's.
    #[error(
        "record with key {} lies in partition {found}, murmur2 of its key gives partition {} of 0 to {}: set \
         partitioner=murmur2_random in the producer, which clients on librdkafka need to be told",
        quoted(.place.key.as_bytes()), .place.partition, .place.count - 1
    )]
    Partition {
        /// Where it lies.
        found: i32,
        /// Where it belongs.
        place: KeyedPlace,
    },
}

/// Where the records of a group lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedPlace {
    /// `tenant_id/group_id`.
    pub key: String,
    /// The partition that murmur2 gives to the key.
    pub partition: i32,
    /// How many partitions the topic has.
    pub count: i32,
}

impl Misplaced {
    /// The reason as a metric label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Key { .. } => WRONG_KEY,
            Self::Partition { .. } => WRONG_PARTITION,
        }
    }

    /// Where it belongs.
    pub fn place(&self) -> &KeyedPlace {
        match self {
            Self::Key { place, .. } | Self::Partition { place, .. } => place,
        }
    }
}

/// What fails the check.
#[derive(Debug, thiserror::Error)]
pub enum WireFault {
    /// It is not what the topic carries.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// It is not where it belongs.
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
}

impl WireFault {
    /// True when the same record may pass later: the registry was away.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Undecodable(error) if error.is_transient())
    }

    /// The reason as a metric label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Undecodable(error) => error.reason(),
            Self::Misplaced(misplaced) => misplaced.reason(),
        }
    }

    /// What a dead letter advises.
    pub fn next_action(&self) -> &'static str {
        match self {
            Self::Undecodable(DecodeError::Schema(_) | DecodeError::WriterSchema { .. }) => FIX_SCHEMA,
            Self::Undecodable(_) | Self::Misplaced(_) => INVESTIGATE,
        }
    }

    /// Key of the group whose record it is, where the key that it came with does not tell.
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::Misplaced(Misplaced::Key { place, .. }) => Some(&place.key),
            _ => None,
        }
    }
}

/// How the keys of a topic are spread over its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Partitions of the topic.
    pub partitions: i32,
}

impl Placement {
    /// The partition of a key.
    pub fn partition(self, key: &[u8]) -> i32 {
        murmur2_partition(key, self.partitions)
    }

    /// Fails with what is wrong about where a record lies.
    ///
    /// # Errors
    /// It has another key than its own, or lies in another partition than that of its key.
    pub fn check(self, record: &dyn AnyRecord, key: Option<&[u8]>, partition: i32) -> Result<(), Misplaced> {
        match key {
            Some(key) if record.is_keyed(key) => self.check_partition(key, partition),
            found => Err(self.wrong_key(record.key(), found)),
        }
    }

    /// [`Self::check`] of a record of which only the key that it should have is known.
    pub fn check_key(self, expected: String, key: Option<&[u8]>, partition: i32) -> Result<(), Misplaced> {
        match key {
            Some(key) if key == expected.as_bytes() => self.check_partition(key, partition),
            found => Err(self.wrong_key(expected, found)),
        }
    }

    /// Fails when a record with this key does not belong into this partition.
    pub fn check_partition(self, key: &[u8], partition: i32) -> Result<(), Misplaced> {
        if self.partition(key) == partition {
            return Ok(());
        }
        let key = String::from_utf8_lossy(key).into_owned();
        Err(Misplaced::Partition { found: partition, place: self.place(key) })
    }

    fn wrong_key(self, expected: String, found: Option<&[u8]>) -> Misplaced {
        Misplaced::Key { found: found.map(<[u8]>::to_vec), place: self.place(expected) }
    }

    fn place(self, key: String) -> KeyedPlace {
        KeyedPlace { partition: self.partition(key.as_bytes()), key, count: self.partitions }
    }
}

fn key_text(key: Option<&[u8]>) -> String {
    key.map_or_else(|| "no key".to_owned(), |key| format!("key {}", quoted(key)))
}

/// Bytes in quotation marks, escaped; of long ones the beginning and the length.
fn quoted(bytes: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(QUOTED_BYTES_MAX)]);
    let rest =
        if bytes.len() > QUOTED_BYTES_MAX { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("{shown:?}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::DigestPersisted;

    const FOUR: Placement = Placement { partitions: 4 };

    fn record(tenant: &str, group: &str) -> DigestPersisted {
        let example = include_str!("../../../schemas/examples/digest.persisted.v1/without_topics.json");
        let example: DigestPersisted = serde_json::from_str(example).expect("an example");
        DigestPersisted { tenant_id: tenant.to_owned(), group_id: group.to_owned(), ..example }
    }

    /// Reason, right partition.
    fn checked(key: Option<&[u8]>, partition: i32) -> Result<(), (&'static str, i32)> {
        let checked = FOUR.check(&record("acme", "qa/1"), key, partition);
        checked.map_err(|misplaced| (misplaced.reason(), misplaced.place().partition))
    }

    #[test]
    fn a_record_lies_under_its_key_in_the_partition_that_murmur2_gives() {
        let right = FOUR.partition(b"acme/qa/1");
        for partition in 0..4 {
            let expected = if partition == right { Ok(()) } else { Err(("wrong_partition", right)) };
            assert_eq!(checked(Some(b"acme/qa/1"), partition), expected);
            for key in [
                None,
                Some(&b""[..]),
                Some(b"acme/qa"),
                Some(b"acme-qa/1"),
                Some(b"acme/qa/12"),
                Some(&[255]),
            ] {
                assert_eq!(checked(key, partition), Err(("wrong_key", right)), "{key:?}");
            }
        }
    }

    #[test]
    fn the_check_of_a_known_key_agrees() {
        for (key, partition) in
            [(Some(&b"acme/qa/1"[..]), 0), (Some(b"acme/qa/1"), 3), (None, 1), (Some(b"x"), 2)]
        {
            let by_record = FOUR.check(&record("acme", "qa/1"), key, partition);
            assert_eq!(FOUR.check_key("acme/qa/1".to_owned(), key, partition), by_record);
        }
    }

    #[test]
    fn an_error_says_what_to_change_and_quotes_no_more_than_it_must() {
        let says = |key: Option<&[u8]>, partition| {
            FOUR.check(&record("acme", "qa/1"), key, partition).expect_err("misplaced").to_string()
        };
        let right = FOUR.partition(b"acme/qa/1");
        let wrong = (right + 1) % 4;
        assert_eq!(
            says(Some(b"acme/qa/1"), wrong),
            format!(
                "record with key \"acme/qa/1\" lies in partition {wrong}, murmur2 of its key gives partition {right} \
                 of 0 to 3: set partitioner=murmur2_random in the producer, which clients on librdkafka need to be told"
            )
        );
        assert_eq!(
            says(Some(b"some\none/else"), right),
            format!(
                "record of \"acme/qa/1\" has key \"some\\none/else\": send tenant_id/group_id as the key, with \
                 partitioner=murmur2_random in the producer, which puts it into partition {right} of 0 to 3"
            )
        );
        assert!(says(None, right).starts_with("record of \"acme/qa/1\" has no key: send "));
        let long = says(Some(&vec![b'k'; 3_000_000]), right);
        assert!(long.contains("kkk\"… (3000000 bytes): send ") && long.len() < 500, "{}", long.len());
    }
}
