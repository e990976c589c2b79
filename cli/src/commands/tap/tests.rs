//! Lines and heads of tapped records.

use super::*;
use operate::KeyedPlace;

fn record(value: Decoded) -> Tapped {
    Tapped {
        partition: 1,
        offset: 42,
        append_time_ms: 1_542_895_468_000,
        key: Some(b"acme/qa".to_vec()),
        headers: vec![
            ("ce_type".to_owned(), Some(b"digest.blocked.v1".to_vec())),
            ("twice".to_owned(), Some(vec![255])),
            ("twice".to_owned(), None),
        ],
        value,
        misplaced: None,
    }
}

fn undecodable() -> Decoded {
    Decoded::Undecodable {
        reason: "wrong_magic",
        detail: "first byte is 0x01".to_owned(),
        bytes: Some(vec![1, 2, 3, 4, 5]),
    }
}

fn printed(print: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_line_of_json_has_place_key_and_headers() {
    let text = printed(|out| json_line(&record(Decoded::Text(r#"{"xid":9}"#.to_owned())), out));
    assert_eq!(
        text,
        concat!(
            r#"{"partition":1,"offset":42,"append_time":"2018-11-22T14:04:28.000Z","key":"acme/qa","#,
            r#""headers":{"ce_type":"digest.blocked.v1","twice":[{"hex":"ff"},null]},"value":{"xid":9}}"#,
            "\n"
        )
    );
}

#[test]
fn what_is_undecodable_says_why() {
    let line: serde_json::Value =
        serde_json::from_str(&printed(|out| json_line(&record(undecodable()), out))).unwrap();
    assert_eq!(line["value"], serde_json::Value::Null);
    assert_eq!(line["undecodable"]["reason"], "wrong_magic");
    assert_eq!(line["undecodable"]["hex"], "0102030405");
    let text = printed(|out| pretty(&record(undecodable()), true, out));
    let expected = "\
1:42         2018-11-22T14:04:28.000Z  acme/qa  digest.blocked.v1
  ce_type: digest.blocked.v1
  twice: hex ff
  twice: (none)
undecodable (wrong_magic, 5 bytes): first byte is 0x01

";
    assert_eq!(text, expected);
}

#[test]
fn what_lies_elsewhere_says_where_it_belongs() {
    let place = KeyedPlace { key: "acme/qa".to_owned(), partition: 3, count: 4 };
    let misplaced = Some(Misplaced::Partition { found: 1, place });
    let record = Tapped { misplaced, ..record(Decoded::Text("{}".to_owned())) };
    let line: serde_json::Value = serde_json::from_str(&printed(|out| json_line(&record, out))).unwrap();
    assert_eq!(line["misplaced"]["reason"], "wrong_partition");
    assert_eq!((&line["misplaced"]["key"], &line["misplaced"]["partition"]), (&"acme/qa".into(), &3.into()));
    let text = printed(|out| pretty(&record, false, out));
    let marked = "  wrong_partition: record with key \"acme/qa\" lies in partition 1, murmur2 of its key gives \
                  partition 3 of 0 to 3: set partitioner=murmur2_random in the producer, which clients on \
                  librdkafka need to be told";
    assert_eq!(text.lines().nth(1), Some(marked));
}

#[test]
fn a_tombstone_is_null() {
    let line = printed(|out| json_line(&record(Decoded::Tombstone), out));
    assert!(line.ends_with("\"value\":null}\n"), "{line}");
}
