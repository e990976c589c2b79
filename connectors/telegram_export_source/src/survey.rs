//! The first pass over a file: what it is, that all of it can be read, its hash and its chats.
//!
//! Invariant: after a survey without error the second pass meets no fault, so an import is all or nothing.

use crate::{
    draft::Item,
    error::Error,
    export::{self, Chat, Fault},
    input::{self, Input, Probe},
    line,
    lines::Line,
    meter::{Meter, Phase, Summary},
};
use std::{
    io::{BufReader, Read},
    path::Path,
};

const TICK_LINES: u64 = 1000;

/// What a file holds.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    /// Of the decompressed content, in hex.
    pub(crate) sha256: String,
    /// Decompressed.
    pub(crate) bytes: u64,
    pub(crate) content: Content,
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
}

/// Reads all of a file; `chat` chooses one in a full export.
pub(crate) fn survey(path: &Path, chat: Option<&str>, meter: &Meter) -> Result<Survey, Error> {
    let name = path.display().to_string();
    let input = input::open(path, true)?;
    let total = path.metadata().map(|metadata| metadata.len()).ok();
    meter.update(|snapshot| {
        snapshot.phase = Phase::Checking;
        snapshot.bytes_total = total;
    });
    let probe = input.probe.clone();
    let mut tick = {
        let (probe, meter) = (probe.clone(), meter.clone());
        move |_: u64| meter.update(|snapshot| snapshot.bytes_done = probe.file_bytes())
    };
    let (content, summary) = match kind(&input.head, &name)? {
        Kind::Lines => (Content::Lines, lines(input, &mut tick)?),
        Kind::Document => document(input, chat, &name, &mut tick)?,
    };
    if summary.read == 0 {
        return Err(Error::NoMessages { path: name, skipped: summary.skipped_text() });
    }
    Ok(Survey { sha256: probe.sha256(), bytes: probe.content_bytes(), content })
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
        Some(b'<') if start.to_ascii_lowercase().windows(5).any(|window| window == b"<html") => {
            return Err(Error::Html { path });
        }
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
    let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(first);
    object.is_ok_and(|object| {
        (object.contains_key("id") || object.contains_key("complete_until"))
            && !object.contains_key("messages")
            && !object.contains_key("chats")
    })
}

fn lines(input: Input, tick: &mut dyn FnMut(u64)) -> Result<Summary, Error> {
    let mut reader = LineReader::new(input.reader, input.probe.clone());
    let mut summary = Summary::default();
    while let Some(item) = reader.next()? {
        summary.count(&item);
        if reader.number.is_multiple_of(TICK_LINES) {
            tick(reader.bytes);
        }
    }
    Ok(summary)
}

fn document(
    input: Input,
    chat: Option<&str>,
    name: &str,
    tick: &mut dyn FnMut(u64),
) -> Result<(Content, Summary), Error> {
    let path = name.to_owned();
    let probe = input.probe;
    let found = export::survey(input.reader, tick).map_err(|fault| probe.error(&fault))?;
    let Some(document) = found.filter(|document| !document.chats.is_empty()) else {
        return Err(Error::NotAnExport { path, found: "JSON without messages or chats" });
    };
    let chosen = choose(&document.chats, chat, name)?;
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
            _ => Err(Error::ChooseChat { path, count: chats.len(), list: list(chats) }),
        };
    };
    let by = |field: fn(&Chat) -> Option<&String>| {
        let mut found = chats.iter().filter(|chat| field(chat).is_some_and(|value| value == wanted));
        found.next().filter(|_| found.next().is_none())
    };
    by(|chat| chat.id.as_ref()).or_else(|| by(|chat| chat.name.as_ref())).ok_or_else(|| Error::NoSuchChat {
        path,
        wanted: wanted.to_owned(),
        list: list(chats),
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

/// The items of a file of lines.
pub(crate) struct LineReader {
    input: BufReader<Box<dyn Read + Send>>,
    probe: Probe,
    /// Lines read.
    pub(crate) number: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
}

impl LineReader {
    pub(crate) fn new(input: Box<dyn Read + Send>, probe: Probe) -> Self {
        Self { input: BufReader::new(input), probe, number: 0, bytes: 0 }
    }

    /// The next item; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Error> {
        loop {
            let mut line = Line::default();
            let is_ended = line.read(&mut self.input).map_err(|_| self.probe.error(&Fault::Truncated))?;
            if !is_ended && line.taken == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.bytes += line.taken;
            if let Some(item) = line::parse(&line).map_err(|bad| self.bad_line(bad.0))? {
                return Ok(Some(item));
            }
        }
    }

    fn bad_line(&self, what: String) -> Error {
        Error::BadLine {
            path: self.probe.path(),
            line: self.number,
            what,
            consequence: "nothing was imported",
        }
    }
}
