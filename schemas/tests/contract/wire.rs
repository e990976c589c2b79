//! Bytes that nobody should have sent: each is an error with a name, none is a panic, none takes the memory it asks for.

use crate::fixtures::{Registry, each_record, encoded, examples};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use schemas::{
    DecodeError, Decoder, DigestBlocked, DigestDelivered, DigestDlq, GroupMessageIngested, RECORD_TYPES,
    Record, SchemaSource, SchemaSourceError, frame_schema_id,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

fn decoder<R: Record>() -> Decoder<R> {
    Decoder::new(Registry::with(&[(1, R::AVSC)]))
}

fn delivered() -> DigestDelivered {
    examples().remove(0).value
}

fn reason(result: Result<impl Sized, DecodeError>) -> &'static str {
    result.err().expect("is not a record").reason()
}

#[test]
fn every_error_has_its_reason() {
    let good = encoded(1, &delivered());
    let blocked = encoded(2, &examples::<DigestBlocked>().remove(0).value);
    let registry =
        Registry::with(&[(1, DigestDelivered::AVSC), (2, DigestBlocked::AVSC), (3, "{"), (4, "\"long\"")]);
    let mut decoder = Decoder::<DigestDelivered>::new(registry);
    let framed = |id: u8| [&[0, 0, 0, 0, id], &good[5..]].concat();
    assert_eq!(reason(decoder.decode(None)), "no_value");
    assert_eq!(reason(decoder.decode(Some(&[]))), "too_short");
    assert_eq!(reason(decoder.decode(Some(&good[..4]))), "too_short");
    assert_eq!(reason(decoder.decode(Some(b"{\"a\": 1}"))), "wrong_magic");
    assert_eq!(reason(decoder.decode(Some(&framed(9)))), "unknown_schema");
    assert_eq!(reason(decoder.decode(Some(&blocked))), "wrong_schema");
    assert_eq!(reason(decoder.decode(Some(&framed(3)))), "wrong_schema");
    assert_eq!(reason(decoder.decode(Some(&framed(4)))), "wrong_schema");
    assert_eq!(reason(decoder.decode(Some(&good[..good.len() - 1]))), "undecodable");
    assert_eq!(reason(decoder.decode(Some(&good[..5]))), "undecodable");
    assert_eq!(reason(decoder.decode(Some(&[&good[..], &[0]].concat()))), "trailing_bytes");
    assert_eq!(decoder.decode(Some(&good)).expect("errors leave the decoder as it was"), delivered());
}

/// Away for the first two questions, empty for the third, there from the fourth on.
struct Flapping(AtomicU32);

impl SchemaSource for Flapping {
    fn schema_by_id(&self, id: u32) -> Result<Arc<str>, SchemaSourceError> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Err(SchemaSourceError::Unavailable("connection refused".to_owned())),
            2 => Err(SchemaSourceError::NotFound(id)),
            _ => Ok(DigestDelivered::AVSC.into()),
        }
    }
}

#[test]
fn a_registry_that_is_away_is_asked_again() {
    let source = Arc::new(Flapping(AtomicU32::new(0)));
    let mut decoder = Decoder::<DigestDelivered>::new(source.clone());
    let good = encoded(1, &delivered());
    for _ in 0..2 {
        let error = decoder.decode(Some(&good)).expect_err("away");
        assert!(error.is_transient());
        assert_eq!(error.reason(), "registry_unavailable");
    }
    let error = decoder.decode(Some(&good)).expect_err("unknown");
    assert!(!error.is_transient());
    assert_eq!(decoder.decode(Some(&good)).expect("there"), delivered());
    assert_eq!(decoder.decode(Some(&good)).expect("remembered"), delivered());
    assert_eq!(source.0.load(Ordering::SeqCst), 4);
}

/// Avro's zigzag variable-length integer.
fn varint(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

#[test]
fn length_bombs_are_refused() {
    let frame = [0_u8, 0, 0, 0, 1];
    let empty = varint(0);
    for length in [i64::MAX, i64::MIN, -1, 1 << 31, 1 << 40, (64 << 20) + 1] {
        let bomb = varint(length);
        // The first field of every record is a string.
        let string = [&frame[..], &bomb, b"x"].concat();
        assert_eq!(
            reason(decoder::<GroupMessageIngested>().decode(Some(&string))),
            "undecodable",
            "{length}"
        );
        // tenant_id, group_id, lane and observed_at, then the block count of `messages`.
        let array = [&frame[..], &empty, &empty, &empty, &empty, &bomb, b"x"].concat();
        assert_eq!(reason(decoder::<GroupMessageIngested>().decode(Some(&array))), "undecodable", "{length}");
        // A negative block count comes with the size of the block in bytes.
        let sized = [&frame[..], &empty, &empty, &empty, &empty, &varint(-3), &bomb, b"x"].concat();
        assert_eq!(reason(decoder::<GroupMessageIngested>().decode(Some(&sized))), "undecodable", "{length}");
        // Three strings, then the union's branch of a nullable string.
        let branch = [&frame[..], &empty, &empty, &bomb, b"x"].concat();
        assert_eq!(reason(decoder::<DigestDlq>().decode(Some(&branch))), "undecodable", "{length}");
    }
    let overlong = [&frame[..], &[0xff; 40]].concat();
    assert_eq!(reason(decoder::<DigestDlq>().decode(Some(&overlong))), "undecodable");
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let mut bytes = encoded(1, &delivered());
    bytes[6] = 0xff;
    assert_eq!(reason(decoder::<DigestDelivered>().decode(Some(&bytes))), "undecodable");
}

/// A registry that knows all types, so that any of the first ids leads into some schema.
fn all_types() -> Arc<dyn SchemaSource> {
    let schemas: Vec<_> = (1..).zip(RECORD_TYPES.map(|record| record.avsc)).collect();
    Registry::with(&schemas)
}

fn check(runner: &mut TestRunner, strategy: &impl Strategy<Value = Vec<u8>>, decode: impl Fn(&[u8])) {
    let result = runner.run(strategy, |bytes| {
        decode(&bytes);
        Ok(())
    });
    result.expect("no bytes panic");
}

fn survives_anything<R: Record>() {
    let mut runner = TestRunner::new(Config { cases: 256, failure_persistence: None, ..Config::default() });
    let decode = |bytes: &[u8]| drop(Decoder::<R>::new(all_types()).decode(Some(bytes)));
    check(&mut runner, &prop::collection::vec(any::<u8>(), 0..64), decode);
    let framed = (0_u8..13, prop::collection::vec(any::<u8>(), 0..512))
        .prop_map(|(id, datum)| [&[0, 0, 0, 0, id], &datum[..]].concat());
    check(&mut runner, &framed, decode);
}

#[test]
fn random_bytes_never_panic() {
    each_record!(survives_anything);
}

fn survives_damage<R: Record>() {
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    for example in examples::<R>() {
        let good = encoded(1, &example.value);
        let decoder = std::cell::RefCell::new(decoder::<R>());
        let damage = (any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()).prop_map({
            let good = good.clone();
            move |(at, byte, end)| {
                let mut bytes = good.clone();
                let at = at.index(bytes.len());
                bytes[at] = byte;
                bytes.truncate(bytes.len().min(end.index(2 * bytes.len())));
                bytes
            }
        });
        check(&mut runner, &damage, |bytes| drop(decoder.borrow_mut().decode(Some(bytes))));
        assert_eq!(decoder.borrow_mut().decode(Some(&good)).expect("still decodes"), example.value);
    }
}

#[test]
fn damaged_records_never_panic() {
    each_record!(survives_damage);
}

proptest! {
    #[test]
    fn frames_carry_their_id(id: u32, datum: Vec<u8>) {
        let bytes = [&[0], &id.to_be_bytes()[..], &datum].concat();
        prop_assert_eq!(frame_schema_id(&bytes).expect("framed"), id);
    }
}
