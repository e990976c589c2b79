//! Exports as files, and what is read of them.

use crate::{Choice, DateOrder, Entry, Error, Export, find};
use ingest::{Draft, date::Zone};
use jiff::tz::TimeZone;
use schemas::Message;
use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    path::Path,
};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// What was read of an export.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) messages: Vec<Message>,
    pub(super) skipped: BTreeMap<&'static str, u64>,
    pub(super) topics: Vec<i64>,
    pub(super) zones: Vec<Zone>,
    pub(super) export: Export,
}

impl Read {
    /// `name: text` of each message.
    pub(super) fn lines(&self) -> Vec<String> {
        let name = |message: &Message| message.author.as_ref().map_or("?", |author| &author.name).to_owned();
        self.messages.iter().map(|message| format!("{}: {}", name(message), message.text)).collect()
    }

    /// Send times, as RFC 3339.
    pub(super) fn times(&self) -> Vec<String> {
        let time = |ms| jiff::Timestamp::from_millisecond(ms).expect("a time").to_string();
        self.messages.iter().map(|message| time(message.sent_at)).collect()
    }

    pub(super) fn ids(&self) -> Vec<i64> {
        self.messages.iter().map(|message| message.id).collect()
    }

    pub(super) fn skipped(&self, reason: &str) -> u64 {
        self.skipped.get(reason).copied().unwrap_or_default()
    }
}

/// A folder with these files.
pub(super) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    folder
}

/// A zip of these files.
pub(super) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in files {
        writer.start_file(*name, options).expect("begun");
        writer.write_all(content).expect("written");
    }
    writer.finish().expect("written").into_inner()
}

/// Reads what lies at a path, in UTC.
pub(super) fn read_at(path: &Path, choice: &Choice, zone: &str) -> Result<Read, Error> {
    let found = find(path)?.expect("an export");
    let mut seen = 0_u64;
    let export = found.survey(choice, &mut |_| seen += 1, &mut |_, _| {})?;
    let mut stream = export.open(&TimeZone::get(zone).expect("a zone"))?;
    let mut read = Read {
        messages: Vec::new(),
        skipped: BTreeMap::new(),
        topics: Vec::new(),
        zones: Vec::new(),
        export,
    };
    let mut elements = 0;
    while let Some(entry) = stream.next_entry()? {
        elements += 1;
        match entry {
            Entry::Message(sent) => {
                read.zones.push(sent.zone);
                read.messages.push(Draft { message: sent.message, text: sent.text }.finish());
            }
            Entry::Topic(id) => read.topics.push(id),
            Entry::Skipped(reason) => *read.skipped.entry(reason).or_default() += 1,
        }
    }
    assert_eq!(seen, elements, "both readings give the same");
    Ok(read)
}

/// Reads one file.
pub(super) fn read(name: &str, content: &[u8]) -> Result<Read, Error> {
    let folder = folder(&[(name, content)]);
    read_at(&folder.path().join(name), &Choice::default(), "UTC")
}

/// Reads a chat of WhatsApp that is whole.
pub(super) fn chat(text: &str) -> Read {
    read("_chat.txt", text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(super) fn ordered(order: DateOrder) -> Choice {
    Choice { date_order: Some(order), ..Choice::default() }
}

/// Why a file is refused, its path as FILE.
pub(super) fn refusal(name: &str, content: &[u8]) -> String {
    let folder = folder(&[(name, content)]);
    let path = folder.path().join(name);
    let error = read_at(&path, &Choice::default(), "UTC").expect_err(name);
    error.to_string().replace(&path.display().to_string(), "FILE")
}
