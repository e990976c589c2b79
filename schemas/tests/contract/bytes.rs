//! Bytes of released revisions, kept for ever: today's types read them, and write the newest revision the same way.

use crate::fixtures::{Registry, each_record, encoded, examples, files, released, root, stem};
use schemas::{Decoder, Record};
use std::{fmt::Write, fs, path::Path};

/// Any id will do: the kept bytes are framed with this one.
const ID: u32 = 1;

/// Bytes of a revision, counted from 1. A compatible change adds one and keeps the folder and the schema of the one
/// before.
fn folder<R: Record>(revision: usize) -> std::path::PathBuf {
    root().join("avro/fixtures/bytes").join(format!("{}.r{revision}", R::TYPE))
}

fn to_hex(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for line in bytes.chunks(48) {
        for byte in line {
            write!(hex, "{byte:02x}").expect("written");
        }
        hex.push('\n');
    }
    hex
}

fn from_hex(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

fn writes_the_same<R: Record>() {
    let folder = folder::<R>(released(R::TYPE, R::AVSC).len());
    let mut written = Vec::new();
    for example in examples::<R>() {
        let path = folder.join(format!("{}.hex", example.name));
        if path.exists() {
            assert_eq!(to_hex(&encoded(ID, &example.value)), to_hex(&from_hex(&path)), "{}", path.display());
            continue;
        }
        fs::create_dir_all(&folder).expect("created");
        fs::write(&path, to_hex(&encoded(ID, &example.value))).expect("written");
        written.push(path);
    }
    assert!(
        written.is_empty(),
        "bytes of new examples were written: look at them and keep them: {written:?}"
    );
}

#[test]
fn todays_types_write_the_kept_bytes() {
    each_record!(writes_the_same);
}

fn reads_the_kept<R: Record>() {
    for (avsc, revision) in released(R::TYPE, R::AVSC).iter().zip(1..) {
        let mut decoder = Decoder::<R>::new(Registry::with(&[(ID, avsc)]));
        let kept = files(&folder::<R>(revision), "hex");
        assert!(kept.len() >= 2, "{} r{revision}", R::TYPE);
        for path in kept {
            let value = decoder.decode(Some(&from_hex(&path))).expect("released bytes decode for ever");
            let example = examples::<R>().into_iter().find(|example| example.name == stem(&path));
            assert_eq!(value, example.expect("is an example").value, "{}", path.display());
        }
    }
}

#[test]
fn kept_bytes_decode() {
    each_record!(reads_the_kept);
}
