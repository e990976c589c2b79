//! What `gistmill lag` prints.

use super::*;
use operate::{OutboxState, UnknownLag, Waiting};
use std::collections::BTreeMap;

fn partition() -> PartitionLag {
    PartitionLag {
        topic: "digest.generate.requested.v1".to_owned(),
        partition: 2,
        position: Some(7),
        consumable: Records { count: 12, is_estimate: false },
        to_stable: 13,
        to_end: 20,
        seconds: 75.0,
        open_transaction_seconds: Some(3.26),
        tenants: BTreeMap::from([("acme".to_owned(), 12)]),
        problem: None,
    }
}

fn lag() -> Lag {
    let partition = partition();
    let unit = UnitLag {
        unit: "context_builder".to_owned(),
        kind: "processor",
        members: 1,
        consumable: partition.consumable,
        to_stable: 13,
        to_end: 20,
        seconds: 75.0,
        open_transaction_seconds: Some(3.26),
        tenants: partition.tenants.clone(),
        partitions: vec![partition],
    };
    let waiting = Waiting {
        unit: "context_builder".to_owned(),
        sink: "postgres_sink".to_owned(),
        partition: 1,
        offset: 41,
        stored: Some(30),
    };
    let outbox =
        OutboxState { unit: "postgres_outbox_source".to_owned(), members: 3, readable: 2, stalled: 1 };
    Lag {
        units: vec![unit],
        outboxes: vec![outbox],
        waiting: vec![waiting],
        hanging_unknown: Some("it is away".to_owned()),
        ..Lag::default()
    }
}

fn printed(arguments: &Arguments) -> String {
    let mut out = Vec::new();
    print(&lag(), arguments, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const PLAIN: Arguments = Arguments {
    partitions: false,
    tenants: false,
    windows: false,
    watch: false,
    fail_above: None,
    json: false,
};

#[test]
fn a_line_for_each_unit_and_what_is_waited_for() {
    let expected = "\
UNIT                     UP  CONSUMABLE  TO STABLE     TO END   BEHIND  OPEN TXN
context_builder           1          12         13         20     75 s     3.3 s
postgres_outbox_source    3           2 rows to publish; 2 standing by; 1 more wait for an older transaction on the server to end
context_builder waits until postgres_sink has stored offset 41 of partition 1; it has stored up to 29
what hangs and who stands still is not known: it is away
";
    assert_eq!(printed(&PLAIN), expected);
}

#[test]
fn details_follow_their_unit() {
    let text = printed(&Arguments { partitions: true, tenants: true, ..PLAIN });
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1].find("12 "), lines[3].find("12 "), "{text}");
    assert_eq!(lines[2], "    acme: 12");
    assert!(lines[3].starts_with("  generate.requested/2 "), "{text}");
}

#[test]
fn what_postgres_does_not_tell_is_marked() {
    let unknown = UnknownLag { unit: "postgres_sink".to_owned(), members: 1 };
    let why = Some("could not reach postgres at localhost:5432".to_owned());
    let lag = Lag { unknown: vec![unknown], postgres_unknown: why, ..Lag::default() };
    let mut out = Vec::new();
    print(&lag, &PLAIN, &mut out).unwrap();
    let expected = "\
UNIT                     UP  CONSUMABLE  TO STABLE     TO END   BEHIND  OPEN TXN
postgres_sink             1           ?          ?          ?        ?         ?
? is in postgres: could not reach postgres at localhost:5432
";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert!(!lag.is_whole());
}

#[test]
fn a_registry_that_does_not_serve_is_told() {
    let why = Some("could not reach the schema registry at http://r: refused".to_owned());
    let mut out = Vec::new();
    print(&Lag { registry_away: why, ..Lag::default() }, &PLAIN, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let expected = "could not reach the schema registry at http://r: refused; records of a schema that a unit has not met \
                    yet wait";
    assert_eq!(text.lines().nth(1), Some(expected));
}

#[test]
fn json_is_one_object_with_the_sum() {
    let text = printed(&Arguments { json: true, ..PLAIN });
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["consumable"], serde_json::json!({ "count": 15, "is_estimate": false }));
    assert_eq!(value["units"][0]["partitions"][0]["to_end"], 20);
    assert_eq!(text.lines().count(), 1);
}
