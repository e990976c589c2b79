//! Records that were written again for one of their topic's readers: the others drop them.
//!
//! Invariant: whether a reader takes a record depends on the record's last header and the reader's group alone, so that a
//! restore and a replay from the beginning decide alike.

use crate::exactly_once::log::RecordView;

/// The header that names the group which a record was written again for. It is the last one, so that of each record one
/// header is looked at.
pub const REPLAY_FOR: &str = "replay_for";
/// Its value for all groups, where no reader has taken the record before.
pub const EVERY_GROUP: &str = "*";
/// What begins the names of all headers that a replay sets.
pub const REPLAY_HEADERS: &str = "replay_";
/// How often an input was written again.
pub const REPLAY_COUNT: &str = "replay_count";
/// Why a record that is another group's is dropped.
pub const FOR_ANOTHER: &str = "replayed_for_another";

/// Whether a record was written again, and not for this group.
pub fn is_for_another(record: &RecordView<'_>, group: &str) -> bool {
    let Some((name, value)) = record.headers.last() else { return false };
    name == REPLAY_FOR.as_bytes()
        && value.is_some_and(|value| value != EVERY_GROUP.as_bytes() && value != group.as_bytes())
}

/// How often an input was written again before it came to this record.
pub fn replays(headers: &[(String, Option<Vec<u8>>)]) -> i32 {
    let count = headers.iter().rev().find(|(name, _)| name == REPLAY_COUNT);
    let text = count.and_then(|(_, value)| std::str::from_utf8(value.as_deref()?).ok());
    text.and_then(|text| text.parse().ok()).filter(|count| *count >= 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_dropped(headers: &[(&str, Option<&str>)], group: &str) -> bool {
        let header = |(name, value): &(&str, Option<&str>)| {
            ((*name).to_owned(), value.map(|value| value.as_bytes().to_vec()))
        };
        let headers: Vec<_> = headers.iter().map(header).collect();
        let record = RecordView {
            partition: 0,
            offset: 7,
            timestamp_ms: 0,
            key: None,
            value: None,
            headers: &headers,
        };
        is_for_another(&record, group)
    }

    #[test]
    fn a_record_written_again_is_for_its_group_or_for_all() {
        let of = |group| [("ce_id", Some("x")), (REPLAY_FOR, Some(group))];
        assert!(!is_dropped(&[], "t1.topic"));
        assert!(!is_dropped(&of("t1.topic"), "t1.topic"));
        assert!(is_dropped(&of("t1.topic"), "t2.topic"));
        assert!(is_dropped(&of("t1.topic"), "t1.topics"));
        assert!(!is_dropped(&of(EVERY_GROUP), "t1.topic"));
        assert!(!is_dropped(&[(REPLAY_FOR, None)], "t1.topic"));
        assert!(
            !is_dropped(&[(REPLAY_FOR, Some("other")), ("ce_id", Some("x"))], "t1.topic"),
            "not the last"
        );
    }

    #[test]
    fn the_count_is_the_last_one_and_none_is_none() {
        let headers = |values: &[&str]| -> Vec<(String, Option<Vec<u8>>)> {
            values.iter().map(|it| (REPLAY_COUNT.to_owned(), Some(it.as_bytes().to_vec()))).collect()
        };
        assert_eq!(replays(&headers(&[])), 0);
        assert_eq!(replays(&headers(&["1", "2"])), 2);
        assert_eq!(replays(&headers(&["many"])), 0);
        assert_eq!(replays(&headers(&["-1"])), 0);
    }
}
