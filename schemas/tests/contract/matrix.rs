//! Every revision of a schema reads every other, both ways; a change that does not is refused.

use crate::fixtures::{Registry, encoded, examples, revisions};
use apache_avro::{
    Schema, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter,
};
use schemas::{
    Decoder, DigestDelivered, GroupMessageIngested, Incompatibility, RECORD_TYPES, Record,
    check_mutually_readable,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[test]
fn all_revisions_read_each_other() {
    let mut pairs = 0;
    for record in RECORD_TYPES {
        let revisions = revisions(record.name);
        assert_eq!(revisions[0].0, record.name);
        for (left_name, left) in &revisions {
            for (right_name, right) in &revisions {
                check_mutually_readable(left, right)
                    .unwrap_or_else(|error| panic!("{left_name} and {right_name}: {error}"));
                pairs += 1;
            }
        }
    }
    let expected = 4 + 2 * 4 + 2 * 9 + 16 + 2 * 25 + 36;
    assert_eq!(
        pairs, expected,
        "four types with one revision, two with two, two with three, one with four, two with five, one with six: \
         a new type adds one, a new revision of a type with n of them 2n + 1"
    );
}

/// The shipped schema of a type after a change to its fields.
fn changed<R: Record>(change: impl FnOnce(&mut Vec<serde_json::Value>)) -> String {
    let mut schema: serde_json::Value = serde_json::from_str(R::AVSC).expect("json");
    change(schema["fields"].as_array_mut().expect("a record"));
    schema.to_string()
}

#[test]
fn breaking_changes_are_refused() {
    let removed = changed::<DigestDelivered>(|fields| fields.retain(|field| field["name"] != "status"));
    let retyped = changed::<DigestDelivered>(|fields| {
        let field = fields.iter_mut().find(|field| field["name"] == "delivered_at").expect("is a field");
        field["type"] = json!("string");
    });
    let required =
        changed::<DigestDelivered>(|fields| fields.push(json!({"name": "attempts", "type": "int"})));
    let narrowed = changed::<DigestDelivered>(|fields| {
        let field = fields.iter_mut().find(|field| field["name"] == "error").expect("is a field");
        field["type"] = json!("string");
        field["default"] = json!("");
    });
    for schema in [removed, retyped, required, narrowed] {
        let refused = check_mutually_readable(DigestDelivered::AVSC, &schema);
        assert!(matches!(refused, Err(Incompatibility::Unresolvable(_))), "{refused:?} for {schema}");
    }
}

#[test]
fn other_records_and_other_texts_are_told_apart() {
    let other = check_mutually_readable(DigestDelivered::AVSC, GroupMessageIngested::AVSC);
    assert!(matches!(other, Err(Incompatibility::OtherRecord(_, _))));
    let unreadable = check_mutually_readable(DigestDelivered::AVSC, "{");
    assert!(matches!(unreadable, Err(Incompatibility::Unreadable(_))));
}

/// `digest.delivered` as a later version of this program might declare it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "DigestDelivered")]
struct DigestDeliveredR2 {
    tenant_id: String,
    group_id: String,
    digest_id: String,
    window_id: String,
    version: String,
    status: String,
    channel: String,
    delivered_at: i64,
    error: Option<String>,
    withdrawn_by: Option<String>,
    attempts: i32,
    message_link: Option<String>,
}

impl Record for DigestDeliveredR2 {
    const TYPE: &'static str = DigestDelivered::TYPE;
    const AVSC: &'static str = include_str!("../../avro/fixtures/later/digest.delivered.v1.avsc");
    fn tenant_id(&self) -> &str {
        &self.tenant_id
    }
    fn group_id(&self) -> &str {
        &self.group_id
    }
    fn identity(&self) -> String {
        self.digest_id.clone()
    }
    fn event_time_ms(&self) -> i64 {
        self.delivered_at
    }
    fn trace_id(&self) -> String {
        schemas::trace_id(&self.identity())
    }
}

fn later(r1: &DigestDelivered) -> DigestDeliveredR2 {
    let mut json = serde_json::to_value(r1).expect("json");
    json["attempts"] = json!(1);
    json["message_link"] = json!(null);
    serde_json::from_value(json).expect("is r2")
}

#[test]
fn a_program_of_one_revision_reads_bytes_of_the_other() {
    let registry = Registry::with(&[(1, DigestDelivered::AVSC), (2, DigestDeliveredR2::AVSC)]);
    let mut r1 = Decoder::<DigestDelivered>::new(registry.clone());
    let mut r2 = Decoder::<DigestDeliveredR2>::new(registry);
    for example in examples::<DigestDelivered>() {
        let old = example.value;
        let new =
            DigestDeliveredR2 { attempts: 3, message_link: Some("t.me/c/1/2".to_owned()), ..later(&old) };
        assert_eq!(r1.decode(Some(&encoded(2, &new))).expect("r1 reads r2"), old);
        assert_eq!(r2.decode(Some(&encoded(1, &old))).expect("r2 reads r1"), later(&old));
        assert_eq!(r2.decode(Some(&encoded(2, &new))).expect("r2 reads r2"), new);
    }
}

/// Bytes of a value under another revision of its schema, by Avro's own rules.
pub(crate) fn rewritten(bytes: &[u8], from: &Schema, to: &Schema) -> Vec<u8> {
    let reader = GenericDatumReader::builder(from).reader_schema(to).build().expect("a reader");
    let value: Value = reader.read_value(&mut &bytes[5..]).expect("resolves");
    let mut written = vec![0, 0, 0, 0, 2];
    let writer = GenericDatumWriter::builder(to).build().expect("a writer");
    writer.write_value(&mut written, value).expect("writes");
    written
}

#[test]
fn an_addition_deep_inside_is_read_too() {
    let text = changed::<GroupMessageIngested>(|fields| {
        let messages = fields.iter_mut().find(|field| field["name"] == "messages").expect("is a field");
        let inner = messages["type"]["items"]["fields"].as_array_mut().expect("messages are records");
        let via_bot = json!({"name": "via_bot", "type": ["null", "string"], "default": null});
        inner.insert(inner.len() - 1, via_bot);
    });
    let (ours, later) = (Schema::parse_str(GroupMessageIngested::AVSC), Schema::parse_str(&text));
    let (ours, later) = (ours.expect("fine"), later.expect("fine"));
    let registry = Registry::with(&[(1, GroupMessageIngested::AVSC), (2, &text)]);
    let mut decoder = Decoder::<GroupMessageIngested>::new(registry);
    for example in examples::<GroupMessageIngested>() {
        let bytes = rewritten(&encoded(1, &example.value), &ours, &later);
        assert_eq!(
            decoder.decode(Some(&bytes)).expect("ours reads the later one"),
            example.value,
            "{}",
            example.name
        );
        let back = rewritten(&bytes, &later, &ours);
        assert_eq!(back[5..], encoded(1, &example.value)[5..], "the later one read by ours is ours again");
    }
}
