//! An input as it is written again: its own bytes, and what a replay says of itself.
//!
//! Invariant: key, value and own headers are those of the input, in order; the headers of a replay are set, never added:
//! ten replays leave as many as one.

use super::super::LetterPlace;
use engine::replayed::{REPLAY_COUNT, REPLAY_FOR, REPLAY_HEADERS, replays};
use schemas::DigestDlq;

/// The first place that an input had, before any replay.
const REPLAY_OF: &str = "replay_of";
/// The dead letter that it was taken from.
const REPLAY_LETTER: &str = "replay_letter";

/// Headers of a record, in order.
pub(super) type Headers = Vec<(String, Option<Vec<u8>>)>;

/// Own headers of an input.
pub(super) fn own(letter: &DigestDlq) -> Headers {
    letter.headers.iter().map(|header| (header.key.clone(), header.value.clone())).collect()
}

/// Headers of an input that is written again for `group`.
pub(super) fn again(own: Headers, letter: &DigestDlq, (place, group): (LetterPlace, &str)) -> Headers {
    let DigestDlq { topic, partition, offset, .. } = letter;
    let count = replays(&own).saturating_add(1).to_string();
    let first = own.iter().rev().find(|(name, _)| name == REPLAY_OF).and_then(|(_, value)| value.clone());
    let first = first.unwrap_or_else(|| format!("{topic}/{partition}:{offset}").into_bytes());
    let mut headers = own;
    headers.retain(|(name, _)| !name.starts_with(REPLAY_HEADERS));
    let said: [(&str, Vec<u8>); 4] = [
        (REPLAY_OF, first),
        (REPLAY_LETTER, place.to_string().into_bytes()),
        (REPLAY_COUNT, count.into_bytes()),
        // Readers look at the last one only.
        (REPLAY_FOR, group.as_bytes().to_vec()),
    ];
    headers.extend(said.into_iter().map(|(name, value)| (name.to_owned(), Some(value))));
    headers
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use schemas::RecordHeader;

    pub(in super::super) fn letter(headers: &[(&str, Option<&[u8]>)]) -> DigestDlq {
        let header = |(key, value): &(&str, Option<&[u8]>)| RecordHeader {
            key: (*key).to_owned(),
            value: value.map(<[u8]>::to_vec),
        };
        DigestDlq {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            digest_id: None,
            stage: "window_builder".to_owned(),
            error: "first byte is 0x01".to_owned(),
            error_class: "wrong_magic".to_owned(),
            fingerprint: String::new(),
            retry_count: 0,
            next_action: "investigate".to_owned(),
            topic: "group.message.ingested.v1".to_owned(),
            partition: 3,
            offset: 9,
            timestamp: 0,
            key: Some(b"acme/qa".to_vec()),
            headers: headers.iter().map(header).collect(),
            value: Some(vec![1]),
        }
    }

    #[test]
    fn ten_replays_leave_as_many_headers_as_one_and_own_ones_as_they_were() {
        let origin: &[(&str, Option<&[u8]>)] = &[("a", Some(&[0, 255])), ("a", None), ("nothing", None)];
        let place = |offset| LetterPlace { partition: 2, offset };
        let first = letter(origin);
        let mut headers = again(own(&first), &first, (place(0), "g"));
        assert_eq!(headers.len(), origin.len() + 4);
        for time in 1..10 {
            let next = DigestDlq { offset: 100 + time, ..letter(&[]) };
            headers = again(headers, &next, (place(time), "g"));
        }
        assert_eq!(headers.len(), origin.len() + 4);
        assert_eq!(headers[..3], own(&letter(origin))[..]);
        let said: Vec<String> = headers[3..]
            .iter()
            .map(|(name, value)| {
                format!("{name}={}", String::from_utf8_lossy(value.as_deref().unwrap_or_default()))
            })
            .collect();
        assert_eq!(
            said,
            [
                "replay_of=group.message.ingested.v1/3:9",
                "replay_letter=2:9",
                "replay_count=10",
                "replay_for=g"
            ]
        );
    }
}
