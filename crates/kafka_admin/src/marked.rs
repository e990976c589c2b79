//! When a record became visible: the marker that ended its transaction has a time of its own.

use crate::{
    Cluster, Error, TopicPartition,
    batch::{Batch, batches},
    questions::FETCH_BYTES_MAX,
};

/// Most bytes that are fetched first: a transaction's marker mostly follows its records at once.
const FIRST_BYTES_MAX: i32 = 16 << 10;

/// When the broker ended the transaction of the record at `offset`, in ms: who reads what is committed was not given it
/// before. None for a record of no transaction, one whose transaction is open, and one that is gone.
///
/// # Errors
/// The broker is away or refuses.
pub fn marked_at(cluster: &mut Cluster, at: &TopicPartition, offset: i64) -> Result<Option<i64>, Error> {
    let (mut search, mut next, mut bytes_max) = (Search { offset, producer: None }, offset, FIRST_BYTES_MAX);
    loop {
        let answer = match cluster.fetch(at, next, (true, bytes_max)) {
            Err(Error::Refused { code: kafka_protocol::ResponseError::OffsetOutOfRange, .. }) => {
                return Ok(None);
            }
            answer => answer?,
        };
        let records = answer.records.unwrap_or_default();
        let batches = batches(&records);
        match (search.look(&batches), batches.last()) {
            (Found::Nothing, Some(last)) => (next, bytes_max) = (last.last_offset + 1, FETCH_BYTES_MAX),
            (Found::At(ms), _) => return Ok(Some(ms)),
            (Found::Nothing | Found::NoTransaction, _) => return Ok(None),
        }
    }
}

/// The producer of the record, once that is known.
struct Search {
    offset: i64,
    producer: Option<i64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    At(i64),
    NoTransaction,
}

impl Search {
    fn look(&mut self, batches: &[Batch<'_>]) -> Found {
        for batch in batches.iter().filter(|batch| batch.last_offset >= self.offset) {
            match self.producer {
                None if batch.is_transactional_data() => self.producer = Some(batch.producer_id),
                None => return Found::NoTransaction,
                Some(producer) if producer == batch.producer_id && batch.marker().is_some() => {
                    return Found::At(batch.last_ms);
                }
                Some(_) => {}
            }
        }
        Found::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::encoded;

    const COMMIT: (&[u8], bool) = (b"\0\0\0\x01", true);
    const DATA: (&[u8], bool) = (b"k", false);

    /// What is found from an offset on, of batches of one offset each, appended 10 ms apart.
    fn found(kinds: &[(&[u8], bool)], offset: i64, cut: usize) -> Found {
        let encoded = |(offset, (key, is_control)): (i64, &(&[u8], bool))| {
            encoded(offset, key, (*is_control, offset * 10))
        };
        let all: Vec<Vec<u8>> = (0_i64..).zip(kinds).map(encoded).collect();
        let mut search = Search { offset, producer: None };
        match search.look(&batches(&all[..cut].concat())) {
            Found::Nothing => search.look(&batches(&all[cut..].concat())),
            found => found,
        }
    }

    #[test]
    fn the_next_marker_of_the_records_producer_tells_when_it_was_seen() {
        for (kinds, offset, expected) in [
            (&[DATA, COMMIT][..], 0, Found::At(10)),
            (&[DATA, DATA, COMMIT, DATA, COMMIT], 0, Found::At(20)),
            (&[DATA, DATA, COMMIT, DATA, COMMIT], 3, Found::At(40)),
            (&[DATA, DATA], 1, Found::Nothing),
            (&[DATA, COMMIT], 1, Found::NoTransaction),
            (&[], 0, Found::Nothing),
        ] {
            for cut in 0..=kinds.len() {
                assert_eq!(found(kinds, offset, cut), expected, "{kinds:?} from {offset}, cut at {cut}");
            }
        }
    }

    #[test]
    fn another_producers_marker_is_not_taken_for_it() {
        let mut other = encoded(1, COMMIT.0, (true, 10));
        // The producer's id.
        other[43..51].copy_from_slice(&8_i64.to_be_bytes());
        let bytes = [encoded(0, b"k", (false, 0)), other, encoded(2, COMMIT.0, (true, 20))].concat();
        assert_eq!(Search { offset: 0, producer: None }.look(&batches(&bytes)), Found::At(20));
    }
}
