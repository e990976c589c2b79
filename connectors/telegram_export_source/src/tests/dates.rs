//! Dates of exports: with zone, without, as numbers, and absurd.

use super::support::{drain, export, file, import, message, messages, one, options};
use crate::{FileSource, Meter};
use serde_json::{Value, json};

#[test]
fn dates() {
    let dated = |fields| {
        let got = one(&fields);
        (got.sent_at, got.revision, got.kind)
    };
    let new = |sent_at| (sent_at, 0, "new".to_owned());
    assert_eq!(dated(json!({"date_unixtime": "1542895468"})), new(1_542_895_468_000));
    assert_eq!(dated(json!({"date_unixtime": 1_542_895_468})), new(1_542_895_468_000));
    assert_eq!(dated(json!({"date_unixtime": null})), new(1_772_445_600_000));
    assert_eq!(dated(json!({"date_unixtime": "1542895468123"})), new(1_542_895_468_123));
    assert_eq!(dated(json!({"date_unixtime": "", "date": "2026-03-02T10:00:00"})), new(1_772_445_600_000));
    let edited = (1_772_445_605_000, 1_772_445_700_000, "edited".to_owned());
    assert_eq!(dated(json!({"edited_unixtime": "1772445700"})), edited);
    assert_eq!(dated(json!({"edited": "2026-03-02T10:01:40"})), edited);
    assert_eq!(dated(json!({"edited": "1970-01-01T00:00:00"})), new(1_772_445_605_000));
}

#[test]
fn dates_of_other_tools_are_read_whole() {
    let dates = [
        json!("2026-03-02T09:01:00.248Z"),
        json!("2026-03-02T12:02:00+03:00"),
        json!("2026-03-02 09:03:00"),
        json!(1_772_442_240),
        json!(1_772_442_300_500_i64),
        json!("1772442360.25"),
    ];
    let messages_of: Vec<Value> = (1..)
        .zip(&dates)
        .map(|(id, date)| json!({"id": id, "type": "message", "date": date, "edited": date, "text": "x"}))
        .collect();
    let (records, summary) = import("result.json", &export(&messages_of));
    let got: Vec<i64> = messages(records).iter().map(|message| message.sent_at).collect();
    let expected = [60_248, 120_000, 180_000, 240_000, 300_500, 360_250];
    assert_eq!(got, expected.map(|ms| 1_772_442_000_000 + ms));
    assert_eq!((summary.zone_assumed, summary.skipped.len()), (1, 0));
}

#[test]
fn local_dates_are_taken_in_the_zone_of_the_import() {
    let times = [
        "10-30T23:30:00",
        "10-31T01:59:00",
        "10-31T02:30:00",
        "10-31T02:30:30",
        "10-31T03:10:00",
        "10-31T23:30:00",
    ];
    let elements: Vec<Value> = (1..)
        .zip(times)
        .map(|(id, time)| json!({"id": id, "type": "message", "date": format!("2021-{time}"), "text": "x"}))
        .collect();
    let folder = file("result.json", &export(&elements));
    let path = folder.path().join("result.json");
    let meter = Meter::default();
    let open = |time_zone: Option<&str>| {
        let mut options = options(&path);
        options.time_zone = time_zone.map(str::to_owned);
        FileSource::open(&options, meter.clone())
    };
    let given = |source: &mut FileSource| {
        let records = drain(source, None).into_iter().flat_map(|(_, records)| records).collect();
        let summary = meter.snapshot().summary;
        let sent: Vec<String> = messages(records)
            .iter()
            .map(|message| jiff::Timestamp::from_millisecond(message.sent_at).expect("a date").to_string())
            .map(|stamp| stamp[8..16].to_owned())
            .collect();
        (sent, summary.zone_assumed, summary.zone_twice, summary.time_zone)
    };
    let mut berlin = open(Some("Europe/Berlin")).expect("importable");
    let expected =
        ["30T21:30", "30T23:59", "31T00:30", "31T00:30", "31T02:10", "31T22:30"].map(str::to_owned);
    assert_eq!(given(&mut berlin), (expected.to_vec(), 6, 2, "Europe/Berlin".to_owned()));
    let mut utc = open(None).expect("importable");
    let (sent, assumed, twice, zone) = given(&mut utc);
    assert_eq!((sent[0].as_str(), assumed, twice, zone.as_str()), ("30T23:30", 6, 0, "UTC"));
    assert_eq!(utc.zone_assumed(), 6);
    // Another zone makes other messages of the file: another import, by whichever way it was chosen.
    let identity = |source: &FileSource| runtime::Source::identity(source);
    assert_ne!(identity(&utc), identity(&berlin));
    assert_eq!(identity(&utc.in_time_zone("Europe/Berlin").expect("a zone")), identity(&berlin));
    let lane = berlin.lane().to_owned();
    let delivered = berlin.delivered();
    assert!(schemas::is_delivered_lane(delivered.lane()) && !schemas::is_delivered_lane(&lane));
    let moved = delivered.in_time_zone("UTC").expect("a zone");
    assert!(schemas::is_delivered_lane(moved.lane()), "in another zone too");
    assert!(open(Some("Mars/Olympus")).expect_err("refused").is_usage());
    let dated = file("result.json", &export(&[message(1, &json!({}))]));
    let mut options = options(&dated.path().join("result.json"));
    let plain = FileSource::open(&options, meter.clone()).expect("importable");
    options.time_zone = Some("Europe/Berlin".to_owned());
    let zoned = FileSource::open(&options, meter.clone()).expect("importable");
    assert_eq!(identity(&plain), identity(&zoned), "no date needs it");
}

#[test]
fn a_date_in_the_far_future_is_kept_and_does_not_move_the_clock() {
    let (records, summary) = import(
        "result.json",
        &export(&[
            message(1, &json!({})),
            message(2, &json!({"date_unixtime": "32503680000"})),
            message(3, &json!({"date_unixtime": null})),
        ]),
    );
    assert_eq!(records[0].observed_at, 1_772_445_601_000);
    assert_eq!(records[0].messages[1].sent_at, 32_503_680_000_000);
    assert_eq!((summary.read, summary.future_date, summary.zone_assumed), (3, 1, 1));
    assert_eq!(summary.first_sent_at, Some(1_772_445_600_000));
    assert_eq!(summary.last_sent_at, Some(1_772_445_601_000));
}
