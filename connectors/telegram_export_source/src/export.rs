//! Telegram Desktop's `result.json`, read as a stream.
//!
//! Invariant: of the file no more than one message, and of that no more than its limits, is in memory; beside it
//! only the map of forum topics grows, by 16 bytes a message inside a topic.

mod chats;
mod convert;
mod json;
mod lists;
mod raw;
mod text;
mod topics;

pub(crate) use chats::{Chat, open_chat, survey};
pub(crate) use json::{Fault, Json};

use crate::draft::Item;
use topics::Topics;

/// The messages of one chat, in the order of the file.
pub(crate) struct ExportReader {
    json: Json,
    topics: Topics,
}

impl ExportReader {
    /// Reads on from the start of an array of messages.
    pub(crate) fn new(json: Json) -> Self {
        Self { json, topics: Topics::default() }
    }

    /// The next element; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Fault> {
        use struson::reader::JsonReader;
        if !self.json.has_next()? {
            return Ok(None);
        }
        json::read_item(&mut self.json, &mut self.topics).map(Some)
    }

    /// Decompressed bytes read.
    pub(crate) fn bytes(&self) -> u64 {
        json::position(&self.json)
    }

    /// Forum topics met.
    pub(crate) fn topics(&self) -> u64 {
        self.topics.count()
    }
}
