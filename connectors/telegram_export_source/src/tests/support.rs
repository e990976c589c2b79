//! Files to import, and what comes of them.

use crate::{FileOptions, FileSource, Group, Meter, Summary};
use flate2::{Compression, write::GzEncoder};
use runtime::{Position, Source, SourceBatch};
use schemas::{GroupMessageIngested, Message};
use serde_json::{Value, json};
use std::{io::Write, path::Path};
use tempfile::TempDir;

/// Records of one batch and the position after them.
pub(crate) type Given = (Position, Vec<GroupMessageIngested>);

pub(crate) fn options(path: &Path) -> FileOptions {
    let group = Group::new("acme", "qa").expect("names");
    FileOptions {
        group,
        path: path.to_owned(),
        chat: None,
        time_zone: None,
        date_order: None,
        skip_damaged: false,
    }
}

/// A folder with one file.
pub(crate) fn file(name: &str, content: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), content).expect("written");
    folder
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

/// A single-chat export.
pub(crate) fn export(messages: &[Value]) -> Vec<u8> {
    let document = json!({"name": "Chat", "type": "private_supergroup", "id": 7, "messages": messages});
    serde_json::to_vec_pretty(&document).expect("JSON")
}

/// A message as Telegram Desktop writes it, `fields` on top.
pub(crate) fn message(id: i64, fields: &Value) -> Value {
    let mut message = json!({
        "id": id, "type": "message", "date": "2026-03-02T10:00:00",
        "date_unixtime": (1_772_445_600 + id).to_string(), "from": "Ann", "from_id": "user1", "text": "hello",
    });
    if let (Some(message), Some(fields)) = (message.as_object_mut(), fields.as_object()) {
        message.extend(fields.clone());
    }
    message
}

/// Everything after `position`, batch by batch.
pub(crate) fn drain(source: &mut impl Source, mut position: Option<Position>) -> Vec<Given> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut given = Vec::new();
    loop {
        match runtime.block_on(source.next(position.as_ref())).expect("readable") {
            SourceBatch::Records { emissions, position: after } => {
                let records =
                    emissions.iter().map(|emission| emission.downcast().cloned().expect("its type"));
                given.push((after.clone(), records.collect()));
                position = Some(after);
            }
            SourceBatch::Idle(_) => {}
            SourceBatch::Parts { .. } => panic!("a file is read as one"),
            SourceBatch::End => return given,
        }
    }
}

/// Imports a file: all its records, and the summary.
pub(crate) fn import(name: &str, content: &[u8]) -> (Vec<GroupMessageIngested>, Summary) {
    let folder = file(name, content);
    let meter = Meter::default();
    let mut source =
        FileSource::open(&options(&folder.path().join(name)), meter.clone()).expect("importable");
    let records = drain(&mut source, None).into_iter().flat_map(|(_, records)| records).collect();
    (records, meter.snapshot().summary)
}

pub(crate) fn messages(records: Vec<GroupMessageIngested>) -> Vec<Message> {
    records.into_iter().flat_map(|record| record.messages).collect()
}

/// The only message of an export with this one element.
pub(crate) fn one(fields: &Value) -> Message {
    let (records, summary) = import("result.json", &export(&[message(5, fields)]));
    assert_eq!(summary.read, 1, "{fields}");
    messages(records).remove(0)
}
