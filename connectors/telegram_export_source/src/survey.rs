//! The first pass over a file: what it is, that all of it can be read, its hash and its chats.
//!
//! Invariant: after a survey without error the second pass meets no fault, so an import is all or nothing; what is
//! left out of a damaged file is a function of its bytes.

use crate::{
    error::Error,
    export::{self, Chat},
    input::{self, Input},
    line_reader::LineReader,
    meter::{Meter, Phase, Summary},
    options::FileOptions,
    repair::repaired,
};
use std::{path::Path, sync::Arc};

const TICK_LINES: u64 = 1000;

/// What a file holds.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    /// Of the decompressed content, in hex.
    pub(crate) sha256: String,
    /// Decompressed.
    pub(crate) bytes: u64,
    pub(crate) content: Content,
    /// Messages dated by local times.
    pub(crate) zone_assumed: u64,
    /// Damaged elements are passed over. Never set for an export that is whole.
    pub(crate) skips_damaged: bool,
}

/// Where the messages are.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// One message state per line.
    Lines,
    /// The only chat of an export.
    Export,
    /// One chat of a full export.
    Chat {
        /// Which `messages` of the file.
        ordinal: usize,
    },
    /// An export of another maker.
    Foreign(Arc<exports::Export>),
}

impl Survey {
    /// What was found out about an export, for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        if let Content::Foreign(export) = &self.content { export.notes() } else { Vec::new() }
    }
}

/// Reads all of a file; again when it is damaged and what is not is to be imported.
pub(crate) fn survey(path: &Path, options: &FileOptions, meter: &Meter) -> Result<Survey, Error> {
    match pass(path, options, false, meter) {
        Err(error) if options.skip_damaged && error.is_damage() => {
            pass(path, options, true, meter).map_err(Error::beyond_skipping)
        }
        surveyed => surveyed,
    }
}

fn pass(path: &Path, options: &FileOptions, is_damaged: bool, meter: &Meter) -> Result<Survey, Error> {
    let name = path.display().to_string();
    let input = input::open(path, true)?;
    let total = path.metadata().map(|metadata| metadata.len()).ok().filter(|_| !input.is_archive);
    meter.update(|snapshot| {
        snapshot.phase = Phase::Checking;
        snapshot.bytes_total = total;
    });
    let probe = input.probe.clone();
    let mut tick = {
        let (probe, meter) = (probe.clone(), meter.clone());
        move || meter.update(|snapshot| snapshot.bytes_done = probe.file_bytes())
    };
    let is_lines = matches!(kind(&input.head, &name)?, Kind::Lines);
    let (content, summary) = if is_lines {
        (Content::Lines, lines(input, options.skip_damaged, &mut tick)?)
    } else {
        document(input, options.chat.as_deref(), is_damaged, &mut tick)?
    };
    if summary.read == 0 {
        return Err(Error::NoMessages { path: name, skipped: summary.skipped_text() });
    }
    let skips_damaged = if is_lines { options.skip_damaged } else { is_damaged };
    let (sha256, bytes, zone_assumed) = (probe.sha256(), probe.content_bytes(), summary.zone_assumed);
    Ok(Survey { sha256, bytes, content, zone_assumed, skips_damaged })
}

enum Kind {
    Lines,
    Document,
}

/// Tells by the first bytes; the name decides only about lines whose first one is too long to be seen whole.
fn kind(head: &[u8], name: &str) -> Result<Kind, Error> {
    let path = name.to_owned();
    let start = head.trim_ascii_start();
    match start.first() {
        None => return Err(Error::Empty { path }),
        Some(b'{') => {}
        Some(b'[') => return Err(Error::NotAnExport { path, found: "a JSON array" }),
        Some(_) => return Err(Error::NotAnExport { path, found: "no JSON object at its start" }),
    }
    let lower = name.to_lowercase();
    let extension = lower.trim_end_matches(".gz").rsplit('.').next();
    if matches!(extension, Some("jsonl" | "ndjson")) || is_line(start) {
        return Ok(Kind::Lines);
    }
    Ok(Kind::Document)
}

/// True when the first line is a whole object of the documented shape.
fn is_line(start: &[u8]) -> bool {
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
    let (first, _) = repaired(first);
    let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&first);
    object.is_ok_and(|object| {
        (object.contains_key("id") || object.contains_key("complete_until"))
            && !object.contains_key("messages")
            && !object.contains_key("chats")
    })
}

fn lines(input: Input, skips_bad: bool, tick: &mut dyn FnMut()) -> Result<Summary, Error> {
    let mut reader = LineReader::new(input, skips_bad);
    let mut summary = Summary::default();
    while let Some((item, slips)) = reader.next()? {
        summary.count(&item);
        summary.repair(&slips);
        if reader.number.is_multiple_of(TICK_LINES) {
            tick();
        }
    }
    Ok(summary)
}

fn document(
    input: Input,
    chat: Option<&str>,
    is_damaged: bool,
    tick: &mut dyn FnMut(),
) -> Result<(Content, Summary), Error> {
    let Input { reader, probe, .. } = input;
    let name = probe.path();
    let read = if is_damaged { export::survey_damaged } else { export::survey };
    let found = read(reader, tick).map_err(|fault| probe.error(&fault))?;
    let Some(document) = found.filter(|document| !document.chats.is_empty()) else {
        return Err(Error::NotAnExport { path: name, found: "JSON without messages or chats" });
    };
    let chosen = choose(&document.chats, chat, &name)?;
    let is_alone = document.is_single && document.chats.len() == 1;
    let content = if is_alone { Content::Export } else { Content::Chat { ordinal: chosen.ordinal } };
    Ok((content, chosen.summary.clone()))
}

/// The chat with this id or name; without a choice the only one.
fn choose<'c>(chats: &'c [Chat], wanted: Option<&str>, name: &str) -> Result<&'c Chat, Error> {
    let path = name.to_owned();
    let Some(wanted) = wanted else {
        return match chats {
            [only] => Ok(only),
            _ => Err(exports::Error::ChooseChat { path, count: chats.len(), list: list(chats) }.into()),
        };
    };
    let by = |field: fn(&Chat) -> Option<&String>| {
        let mut found = chats.iter().filter(|chat| field(chat).is_some_and(|value| value == wanted));
        found.next().filter(|_| found.next().is_none())
    };
    let found = by(|chat| chat.id.as_ref()).or_else(|| by(|chat| chat.name.as_ref()));
    found.ok_or_else(|| {
        exports::Error::NoSuchChat { path, wanted: wanted.to_owned(), list: list(chats) }.into()
    })
}

fn list(chats: &[Chat]) -> String {
    let line = |chat: &Chat| {
        let id = chat.id.as_deref().unwrap_or("(no id)");
        let name = chat.name.as_deref().unwrap_or("(no name)");
        let kind = chat.kind.as_deref().unwrap_or("chat");
        format!("  {id}  {name} ({kind}, {} messages)", chat.summary.read)
    };
    chats.iter().map(line).collect::<Vec<_>>().join("\n")
}
