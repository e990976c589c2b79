//! Telegram Desktop's `result.json`, read as a stream.
//!
//! Invariant: of the file no more than one message, and of that no more than its limits, is in memory; beside it
//! only the map of forum topics grows, by 16 bytes a message inside a topic. A damaged file is read through a window
//! of bounded size.

mod chat;
mod chats;
mod context;
mod convert;
mod fault;
mod item;
mod json;
mod lists;
mod raw;
mod resync;
mod salvage;
mod text;
mod window;

pub(crate) use chat::Chat;
pub(crate) use chats::{survey, survey_damaged};
pub(crate) use fault::{Fault, FaultKind};

use crate::{
    draft::Item,
    repair::{Counts, Repairs},
};
use context::Context;
use jiff::tz::TimeZone;
use json::Json;
use salvage::{Found, Salvage};
use std::io::Read;
use struson::reader::JsonReader;

/// The messages of one chat, in the order of the file.
pub(crate) enum ExportReader {
    /// Of a document that is whole.
    Whole(Box<Whole>),
    /// Of one that is damaged.
    Damaged(Box<Damaged>),
}

pub(crate) struct Whole {
    json: Json<'static>,
    repairs: Repairs,
    context: Context,
}

pub(crate) struct Damaged {
    salvage: Salvage,
    topics: u64,
    /// The messages were all given.
    is_past: bool,
}

impl ExportReader {
    /// At the start of the messages of the chat with this ordinal, `None` when there is none; `zone` is that of local
    /// times.
    pub(crate) fn open(
        input: Box<dyn Read + Send>,
        ordinal: usize,
        zone: TimeZone,
    ) -> Result<Option<Self>, Fault> {
        let Some((json, repairs)) = chats::open_chat(input, ordinal)? else { return Ok(None) };
        repairs.take(json::position(&json));
        Ok(Some(Self::Whole(Box::new(Whole { json, repairs, context: Context::new(zone) }))))
    }

    /// The same in a damaged document.
    pub(crate) fn open_damaged(
        input: Box<dyn Read + Send>,
        ordinal: usize,
        zone: TimeZone,
    ) -> Result<Option<Self>, Fault> {
        let mut salvage = Salvage::new(input, zone);
        while let Some(found) = salvage.next()? {
            if matches!(found, Found::Messages(found) if found == ordinal) {
                let reader = Damaged { salvage, topics: 0, is_past: false };
                return Ok(Some(Self::Damaged(Box::new(reader))));
            }
        }
        Ok(None)
    }

    /// The next element and the slips in it; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(Item, Counts)>, Fault> {
        match self {
            Self::Whole(reader) => reader.next(),
            Self::Damaged(reader) => reader.next(),
        }
    }

    /// Decompressed bytes read.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Whole(reader) => reader.repairs.place(json::position(&reader.json)).0,
            Self::Damaged(reader) => reader.salvage.bytes(),
        }
    }

    /// Forum topics met.
    pub(crate) fn topics(&self) -> u64 {
        match self {
            Self::Whole(reader) => reader.context.topics.count(),
            Self::Damaged(reader) => reader.topics,
        }
    }
}

impl Whole {
    fn next(&mut self) -> Result<Option<(Item, Counts)>, Fault> {
        if !self.json.has_next()? {
            return Ok(None);
        }
        let item = item::read(&mut self.json, &mut self.context)?;
        Ok(Some((item, self.repairs.take(json::position(&self.json)))))
    }
}

impl Damaged {
    fn next(&mut self) -> Result<Option<(Item, Counts)>, Fault> {
        while let Some(found) = self.salvage.next()? {
            match found {
                Found::Item(item, slips) if !self.is_past => {
                    self.topics = self.salvage.topics();
                    return Ok(Some((item, slips)));
                }
                Found::MessagesEnd => self.is_past = true,
                Found::Trailing(damage) => return Ok(Some((Item::Damaged(damage), Counts::new()))),
                Found::Item(..) | Found::Messages(_) | Found::Chat(..) => {}
            }
        }
        Ok(None)
    }
}
