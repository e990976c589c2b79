//! Ids of messages that have none: functions of what every export of the chat says of them.
//!
//! An export names a message by its minute, its author and its text. The author is left out of the id: each phone
//! names people by its own address book. Left out too is what a phone writes in place of an attachment, which says
//! the same in its own language. Two messages that are equal in all of this have the first and the second of one
//! series of ids, in the order of the file. So a later, longer export gives the ids of an earlier one again, and so
//! does the export of another phone.
//!
//! Invariant: an id is positive, below 2^53 (so that it is exact in JavaScript), and grows with the minute.

use sha2::{Digest, Sha256};
use std::collections::HashSet;

const HASH_BITS: u32 = 27;
const MINUTE_BITS: u32 = 26;
const MS_PER_MINUTE: i64 = 60_000;

/// Ids given so far, 8 bytes each and what a hash set adds.
#[derive(Debug, Default)]
pub(super) struct Ids(HashSet<i64>);

impl Ids {
    /// The id of a message sent at `sent_at` ms, with what it says as `key`.
    pub(super) fn next(&mut self, sent_at: i64, key: &str) -> i64 {
        let minute = sent_at.div_euclid(MS_PER_MINUTE);
        let mut count = 0_u32;
        loop {
            let id = id(minute, key, count);
            if self.0.insert(id) {
                return id;
            }
            count += 1;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

fn id(minute: i64, key: &str, count: u32) -> i64 {
    let mut hasher = Sha256::new();
    hasher.update(minute.to_be_bytes());
    hasher.update(count.to_be_bytes());
    hasher.update(key);
    let hash = hasher.finalize();
    let low = hash.iter().take(4).fold(0_i64, |value, byte| (value << 8) | i64::from(*byte));
    let minute = minute & ((1 << MINUTE_BITS) - 1);
    // An id of 0 is what exports write for "none".
    ((minute << HASH_BITS) | (low & ((1 << HASH_BITS) - 1))).max(1)
}

/// What of a text is the same in every export of a chat: no marks, one blank for many, and of a mention only that it
/// is one, for each phone puts its own name for the mentioned there.
pub(super) fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '@' => {
                key.push('@');
                without_mentioned(after)
            }
            c if super::marks::is_mark(c) => after,
            c if c.is_whitespace() => {
                if !key.is_empty() && !key.ends_with(' ') {
                    key.push(' ');
                }
                after
            }
            c => {
                key.push(c);
                after
            }
        };
    }
    key.truncate(key.trim_end().len());
    key
}

/// What follows the mentioned: a name between marks, or a phone number.
fn without_mentioned(text: &str) -> &str {
    if let Some(end) = text.strip_prefix('\u{2068}').and_then(|name| name.find('\u{2069}')) {
        return &text['\u{2068}'.len_utf8() + end + '\u{2069}'.len_utf8()..];
    }
    let number = text.trim_start_matches('+');
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    if end >= 7 { &number[end..] } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_messages_of_a_minute_have_ids_of_one_series() {
        let mut ids = Ids::default();
        let minute = 1_704_058_860_000;
        let first = ids.next(minute, "ok");
        let second = ids.next(minute + 5000, "ok");
        assert_ne!(first, second);
        let mut again = Ids::default();
        assert_eq!((again.next(minute + 999, "ok"), again.next(minute, "ok")), (first, second));
        assert!(ids.next(minute + MS_PER_MINUTE, "ok") > first.max(second));
        assert!(second < 1 << 53 && first > 0);
    }

    #[test]
    fn a_key_is_what_every_phone_writes() {
        assert_eq!(key("\u{200e}hi\u{a0} there \n"), "hi there");
        assert_eq!(key("ask @\u{2068}Ann Lee\u{2069} now"), key("ask @491701234567 now"));
        assert_eq!(key("@bob"), "@bob");
        assert_ne!(key("a b"), key("ab"));
    }
}
