//! Values of every Avro type as JSON, and bytes that are none.

use super::*;
use apache_avro::writer::datum::GenericDatumWriter;
use schemas::{DigestDlq, Encoder, Record, RecordHeader, SchemaSourceError};

struct Registry(Result<&'static str, SchemaSourceError>);

impl SchemaSource for Registry {
    fn schema_by_id(&self, id: u32) -> Result<Arc<str>, SchemaSourceError> {
        match &self.0 {
            Ok(text) if id == 7 => Ok(Arc::from(*text)),
            Ok(_) => Err(SchemaSourceError::NotFound(id)),
            Err(error) => Err(error.clone()),
        }
    }
}

fn reader(kind: TopicKind, answer: Result<&'static str, SchemaSourceError>) -> AnyValue {
    AnyValue::new(kind, Arc::new(Registry(answer)))
}

fn letter() -> DigestDlq {
    DigestDlq {
        tenant_id: "acme".into(),
        group_id: "qa".into(),
        digest_id: None,
        stage: "topic".into(),
        error: "ошибка".into(),
        error_class: "wrong_magic".into(),
        fingerprint: "f".into(),
        retry_count: 0,
        next_action: "investigate".into(),
        topic: "t".into(),
        partition: 1,
        offset: 2,
        timestamp: 3,
        key: Some(b"acme/qa".to_vec()),
        headers: vec![RecordHeader { key: "h".into(), value: None }],
        value: Some(vec![0, 255]),
    }
}

#[test]
fn a_record_is_shown_in_the_order_of_its_schema() {
    let mut bytes = Vec::new();
    Encoder::new(7).and_then(|encoder| encoder.encode(&letter(), &mut bytes)).expect("encodes");
    let decoded =
        reader(TopicKind::Event, Ok(DigestDlq::AVSC)).decode(Some(&bytes)).expect("registry answers");
    let Decoded::Avro(value) = decoded else { panic!("{decoded:?}") };
    let text = serde_json::to_string(&value).expect("serializes");
    assert!(text.starts_with(r#"{"tenant_id":"acme","group_id":"qa","digest_id":null,"#), "{text}");
    assert!(text.contains(r#""error":"ошибка""#) && text.contains(r#""key":"acme/qa""#), "{text}");
    assert!(text.ends_with(r#""headers":[{"key":"h","value":null}],"value":{"hex":"00ff"}}"#), "{text}");
}

#[test]
fn times_are_read_by_people_and_stay_numbers_for_programs() {
    let schema = r#"{"type":"record","name":"r","fields":[
        {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}]},
        {"name":"far","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"n","type":"long"}]}"#;
    let millis = |ms| Value::TimestampMillis(ms);
    let fields = vec![
        ("at".to_owned(), Value::Union(1, Box::new(millis(1_542_895_468_000)))),
        ("far".to_owned(), millis(i64::MAX)),
        ("n".to_owned(), Value::Long(3)),
    ];
    let mut bytes = vec![0, 0, 0, 0, 7];
    let parsed = Schema::parse_str(schema).expect("parses");
    let writer = GenericDatumWriter::builder(&parsed).build().expect("a writer");
    bytes.extend(writer.write_value_to_vec(Value::Record(fields)).expect("encodes"));
    let decoded = reader(TopicKind::Event, Ok(schema)).decode(Some(&bytes)).expect("registry answers");
    let Decoded::Avro(value) = decoded else { panic!("{decoded:?}") };
    let text = |shown: &dyn Fn() -> serde_json::Result<String>| shown().expect("serializes");
    let programs = text(&|| serde_json::to_string(&value));
    let people = text(&|| serde_json::to_string(&WithTimes(&value)));
    assert_eq!(programs, format!(r#"{{"at":1542895468000,"far":{},"n":3}}"#, i64::MAX));
    assert_eq!(people, format!(r#"{{"at":"2018-11-22T14:04:28.000Z","far":{},"n":3}}"#, i64::MAX));
}

#[test]
fn what_is_undecodable_says_why_and_keeps_its_bytes() {
    let reason = |bytes: Option<&[u8]>| match reader(TopicKind::Event, Ok(r#""int""#))
        .decode(bytes)
        .expect("registry answers")
    {
        Decoded::Undecodable { reason, bytes: kept, .. } => (reason, kept == bytes.map(<[u8]>::to_vec)),
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(None), ("no_value", true));
    assert_eq!(reason(Some(b"ab")), ("too_short", true));
    assert_eq!(reason(Some(b"abcdef")), ("wrong_magic", true));
    assert_eq!(reason(Some(&[0, 0, 0, 0, 9, 2])), ("unknown_schema", true));
    assert_eq!(reason(Some(&[0, 0, 0, 0, 7])), ("undecodable", true));
    assert_eq!(reason(Some(&[0, 0, 0, 0, 7, 2, 2])), ("trailing_bytes", true));
}

#[test]
fn numbers_in_bytes_are_no_text() {
    assert_eq!(text("да\n".as_bytes()), Some("да\n"));
    assert_eq!(text(&9_i64.to_be_bytes()), None);
    assert_eq!(text(&[255]), None);
}

#[test]
fn a_registry_that_is_away_is_no_fault_of_the_record() {
    let away = SchemaSourceError::Unavailable("refused".to_owned());
    let decode = |answer| reader(TopicKind::Event, Err(answer)).decode(Some(&[0, 0, 0, 0, 7, 2]));
    let why = decode(away).expect_err("away");
    assert!(why.to_string().contains("refused") && why.is_away(), "{why}");
    let denied = decode(SchemaSourceError::Denied("no entry; check".to_owned())).expect_err("denied");
    assert_eq!((denied.to_string().as_str(), denied.is_away()), ("no entry; check", false));
}

#[test]
fn what_is_not_framed_is_shown_as_it_is() {
    let decode = |kind, value| reader(kind, Ok("")).decode(value).expect("asks nobody");
    assert_eq!(decode(TopicKind::Positions, Some(b"{}")), Decoded::Text("{}".to_owned()));
    assert_eq!(decode(TopicKind::Snapshots, Some(&[1])), Decoded::Bytes(vec![1]));
    assert_eq!(decode(TopicKind::Positions, None), Decoded::Tombstone);
}
