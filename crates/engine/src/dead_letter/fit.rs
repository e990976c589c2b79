//! A dead letter that is too large for its topic loses what it can best do without, and says so.
//!
//! Invariant: a letter always fits. One that does not is refused by the client, its transaction aborted and its input
//! read again, for ever.

use crate::exactly_once::log::OutRecord;
use schemas::{DigestDlq, EncodeError, LEFT_OUT};

/// Longest reason in bytes: a letter and its headers say it five times, and it may quote its input.
const DETAIL_BYTES_MAX: usize = 2 << 10;

/// What is left out, in this order; each names what it was.
const CUTS: [fn(&mut DigestDlq); 3] = [headers, value, key];

/// A reason of bounded length: of a longer one the beginning, and how long it was.
pub(super) fn detail(text: String) -> String {
    if text.len() <= DETAIL_BYTES_MAX {
        return text;
    }
    let end = text.floor_char_boundary(DETAIL_BYTES_MAX);
    format!("{}… ({} bytes in all)", &text[..end], text.len())
}

/// The letter and its record, shortened until the record has at most `bytes_max`.
pub fn fitted(
    mut letter: DigestDlq,
    bytes_max: usize,
    finish: impl Fn(&DigestDlq) -> Result<OutRecord, EncodeError>,
) -> Result<(DigestDlq, OutRecord), EncodeError> {
    let mut record = finish(&letter)?;
    for cut in CUTS {
        if record.bytes() <= bytes_max {
            break;
        }
        cut(&mut letter);
        record = finish(&letter)?;
    }
    Ok((letter, record))
}

fn headers(letter: &mut DigestDlq) {
    let size = |header: &schemas::RecordHeader| header.key.len() + header.value.as_ref().map_or(0, Vec::len);
    let bytes: usize = letter.headers.iter().map(size).sum();
    if bytes > 0 {
        let count = letter.headers.len();
        letter.headers.clear();
        say(letter, &format!("its {count} headers of {bytes} bytes"));
    }
}

fn value(letter: &mut DigestDlq) {
    if let Some(value) = letter.value.take() {
        say(letter, &format!("its value of {} bytes", value.len()));
    }
}

fn key(letter: &mut DigestDlq) {
    if let Some(key) = letter.key.take() {
        say(letter, &format!("its key of {} bytes", key.len()));
    }
    // They are as long as the key, or as the names in the value.
    letter.tenant_id.clear();
    letter.group_id.clear();
}

fn say(letter: &mut DigestDlq, what: &str) {
    let DigestDlq { topic, partition, offset, error, .. } = letter;
    let place = format!("{topic}/{partition}:{offset}");
    *error = format!("{error}{LEFT_OUT}{what}, see {place}");
}

#[cfg(test)]
mod tests {
    use super::super::{
        Cause,
        tests::{bound, origin},
    };
    use crate::exactly_once::log::RecordView;

    const LIMIT: usize = 64 << 10;

    /// Which of detail, headers, value and key are left whole.
    fn kept(sizes: [usize; 4]) -> (bool, [bool; 3]) {
        let [detail, header, value, key] = sizes;
        let (header, value, key) = (vec![b'h'; header], vec![b'v'; value], vec![b'k'; key]);
        let headers = vec![("origin".to_owned(), Some(header))];
        let input = RecordView {
            partition: 3,
            offset: 9,
            timestamp_ms: 77,
            key: Some(&key),
            value: Some(&value),
            headers: &headers,
        };
        let cause = Cause::new("unknown_kind", "ы".repeat(detail / 2));
        let (letter, record) =
            super::super::letter(&bound(LIMIT), (&origin(), &cause), &input).expect("encodes");
        assert!(record.bytes() <= LIMIT, "{sizes:?}: {} bytes", record.bytes());
        let left = [!letter.headers.is_empty(), letter.value == Some(value), letter.key == Some(key)];
        for (kept, what) in left.iter().zip(["its 1 headers of", "its value of", "its key of"]) {
            assert_eq!(letter.error.contains(what), !kept, "{sizes:?}: {}", letter.error);
        }
        (letter.error.starts_with(&cause.detail) && cause.detail.len() == detail, left)
    }

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(kept([100, 100, 40_000, 100]), (true, [true, true, true]));
        assert_eq!(kept([2_000, 20_000, 20_000, 1_000]), (true, [true, true, true]));
    }

    #[test]
    fn details_go_first_then_headers_then_the_value_then_the_key() {
        assert_eq!(kept([3_500_000, 100, 40_000, 100]), (false, [true, true, true]));
        assert_eq!(kept([100, 40_000, 40_000, 100]), (true, [false, true, true]));
        assert_eq!(kept([100, 100, 65_000, 100]), (true, [false, false, true]));
        assert_eq!(kept([100, 9_000_000, 100, 100]), (true, [false, true, true]));
        assert_eq!(kept([100, 100, 100, 9_000_000]), (true, [false, false, false]));
        assert_eq!(kept([3_500_000, 3_500_000, 3_500_000, 3_500_000]), (false, [false, false, false]));
    }
}
