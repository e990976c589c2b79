//! Slips one by one, and that nothing else changes.

use super::{LOOKAHEAD, RepairReader, repaired};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    io::{self, Read},
};

fn becomes(input: &str, output: &str, slips: &[(&'static str, u64)]) {
    let (out, counts) = repaired(input.as_bytes());
    assert_eq!(String::from_utf8(out).expect("text"), output);
    assert_eq!(counts, slips.iter().copied().collect());
}

#[test]
fn each_slip_is_undone_and_named() {
    becomes(r#"{"a": "x\x0cy\x1Fz"}"#, r#"{"a": "xyz"}"#, &[("hex_escape", 2)]);
    becomes(r#"["\x0a\x09\x22\xe9"]"#, r#"["\n\t\u0022\u00e9"]"#, &[("hex_escape", 4)]);
    becomes("[\"a\u{1}b\nc\td\"]", r#"["ab\nc\td"]"#, &[("control_character", 3)]);
    becomes(r#"["a\u0000b", "c"]"#, r#"["ab", "c"]"#, &[("nul", 1)]);
    becomes("[\"a\0b\"]", r#"["ab"]"#, &[("nul", 1)]);
    becomes(
        r#"["\ud83d", "\uDE00x", "\ud83dx"]"#,
        r#"["\ufffd", "\ufffdx", "\ufffdx"]"#,
        &[("half_surrogate", 3)],
    );
    becomes(r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#, &[("half_surrogate", 1)]);
    assert_eq!(repaired(b"[\"\xed\xa0\xbd.\"]").0, "[\"\u{fffd}.\"]".as_bytes());
}

#[test]
fn a_bare_path_gets_its_quotation_marks() {
    let table = [
        ("{\"a\": video_files/sticker (2).webm}", "{\"a\": \"video_files/sticker (2).webm\"}"),
        ("{\"a\": stickers/x.tgs,\n \"b\": 1}", "{\"a\": \"stickers/x.tgs\",\n \"b\": 1}"),
        ("{\"a\":dir\\x.tgs , \"b\": 1}", "{\"a\":\"dir\\\\x.tgs\" , \"b\": 1}"),
        (
            "{\"a\": (File unavailable, please try again later)\n}",
            "{\"a\": \"(File unavailable, please try again later)\"\n}",
        ),
    ];
    for (input, output) in table {
        becomes(input, output, &[("bare_path", 1)]);
    }
}

#[test]
fn what_is_no_known_slip_passes() {
    let long = format!("{{\"a\": {}/x}}", "p".repeat(LOOKAHEAD));
    let table = [
        r#"{"a": null, "b": true, "c": -1.5e3, "d": [1], "e": {"f": "g"}, "h:i": "j\u00e9\\\"\ud83d\ude00"}"#,
        r#"{"a": undefined, "b": "he said "no" twice"}"#,
        r#"{"a": nul.l"x"}"#,
        r#"["\v", "\u12", "\x", "\x1"]"#,
        r#"{"a": tru"#,
        "{\"a\":\t\n 1,\r\n\"b\"\n:\n2}",
        &long,
    ];
    for input in table {
        becomes(input, input, &[]);
    }
}

#[test]
fn a_place_in_the_output_leads_back_to_the_input() {
    let input = b"[\"a\nb\nc\", \"\\x0c\", x";
    let mut reader = RepairReader::whole(input);
    let mut out = Vec::new();
    reader.read_to_end(&mut out).expect("readable");
    let repairs = reader.repairs();
    let place = |byte| {
        let given = out.iter().position(|found| *found == byte).expect("there") as u64;
        let (taken, lines) = repairs.place(given);
        (char::from(input[taken as usize]), lines)
    };
    assert_eq!([place(b'a'), place(b'c'), place(b'x')], [('a', 0), ('c', 2), ('x', 2)]);
    repairs.take(6);
    assert_eq!(place(b'x'), ('x', 2));
}

/// Gives a few bytes at a time.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[ a-zа-я{}\\[\\]:,\"\\\\\n0-9.]{0,12}".prop_map(String::into_bytes),
        1 => Just(br#"": dir/a, b.webm, ""#.to_vec()),
        1 => Just(br"\x0c\u0000\ud83d".to_vec()),
        1 => Just(br"\ud83d\ude00".to_vec()),
        1 => Just(b"\xed\xa0\x80\x01\0".to_vec()),
        1 => Just(vec![b'x'; 70_000]),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn how_the_input_is_cut_changes_nothing(input in damaged(), few in 1_usize..5_000) {
        let (expected, counts) = repaired(&input);
        let mut reader = RepairReader::stream(Box::new(Dribble(&input, few)));
        let mut out = Vec::new();
        reader.read_to_end(&mut out).expect("readable");
        prop_assert_eq!(out, expected);
        prop_assert_eq!(reader.repairs().take(u64::MAX), counts);
    }

    #[test]
    fn json_passes_byte_for_byte(text in "\\PC{0,40}", number in any::<f64>(), deep in 0_usize..4) {
        let mut value = serde_json::json!({"text": text, "number": number, "path:": "a/b.c", "none": null});
        for _ in 0..deep {
            value = serde_json::json!([value, {"inner": value}]);
        }
        for written in [serde_json::to_vec(&value), serde_json::to_vec_pretty(&value)] {
            let written = written.expect("JSON");
            let (out, counts) = repaired(&written);
            prop_assert_eq!(out, written);
            prop_assert_eq!(counts, BTreeMap::new());
        }
    }
}
