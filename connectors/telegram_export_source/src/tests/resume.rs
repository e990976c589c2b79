//! From every position the rest of the records is the same, in one process and over restarts.

use super::support::{drain, export, file, message, options};
use crate::{FileSource, Meter};
use proptest::prelude::*;
use runtime::Source as _;
use serde_json::{Value, json};

/// A kind of element, its length, and how often it comes in a row.
fn stretch() -> impl Strategy<Value = (u8, usize, usize)> {
    prop_oneof![
        8 => (Just(0), 0_usize..200, 1_usize..90),
        1 => (Just(0), Just(100_000), 1_usize..6),
        2 => (1_u8..3, Just(0), 1_usize..90),
    ]
}

fn elements() -> impl Strategy<Value = Vec<Value>> {
    let element = |(index, (kind, length)): (usize, (u8, usize))| {
        let id = index as i64 + 1;
        match kind {
            0 => message(id, &json!({"text": "я".repeat(length), "reply_to_message_id": id / 2})),
            1 => json!({"id": id, "type": "service", "action": "topic_created"}),
            _ => json!({"id": id, "type": "unsupported"}),
        }
    };
    prop::collection::vec(stretch(), 1..60).prop_map(move |stretches| {
        let each = |(kind, length, times)| std::iter::repeat_n((kind, length), times);
        let elements = stretches.into_iter().flat_map(each).enumerate().map(element);
        elements.chain([message(1_000_000, &json!({}))]).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_rest_is_the_same_from_every_position(elements in elements()) {
        let folder = file("result.json", &export(&elements));
        let options = options(&folder.path().join("result.json"));
        let open = || FileSource::open(&options, Meter::default()).expect("importable");
        let mut source = open();
        let whole = drain(&mut source, None);
        let read: usize = whole.iter().flat_map(|(_, records)| records).map(|record| record.messages.len()).sum();
        prop_assert_eq!(read, elements.iter().filter(|element| element["type"] == "message").count());
        for (index, (position, _)) in whole.iter().enumerate() {
            let rest = &whole[index + 1..];
            prop_assert_eq!(&drain(&mut open(), Some(position.clone())), rest, "restarted");
            prop_assert_eq!(&drain(&mut source, Some(position.clone())), rest, "gone back");
        }
        for record in whole.iter().flat_map(|(_, records)| records) {
            let bytes: usize = record.messages.iter().map(|message| message.text.len()).sum();
            prop_assert!(record.messages.len() <= 50 && (bytes <= 256 * 1024 || record.messages.len() == 1));
        }
    }
}

#[test]
fn a_file_that_changed_after_its_check_is_refused() {
    let elements: Vec<Value> = (1..2500).map(|id| message(id, &json!({}))).collect();
    let folder = file("result.json", &export(&elements));
    let path = folder.path().join("result.json");
    let mut source = FileSource::open(&options(&path), Meter::default()).expect("importable");
    let position = drain(&mut source, None).into_iter().next().map(|(position, _)| position);
    std::fs::write(&path, export(&elements[..10])).expect("written");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let error = runtime.block_on(source.next(position.as_ref())).expect_err("refused");
    assert!(error.to_string().contains("changed while it was read"), "{error}");
}

#[test]
fn a_position_of_another_version_is_refused() {
    let folder = file("result.json", &export(&[message(1, &json!({}))]));
    let mut source =
        FileSource::open(&options(&folder.path().join("result.json")), Meter::default()).expect("importable");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for text in ["", "7", r#"{"version":2,"elements":1,"bytes":1,"is_ended":false}"#] {
        let error =
            runtime.block_on(source.next(Some(&runtime::Position(text.to_owned())))).expect_err("refused");
        assert!(error.to_string().starts_with("could not read position"), "{error}");
    }
}
