//! What an element of an export is, whoever made it.

use ingest::{RichText, TEXT_BYTES_MAX, date::Zone};
use schemas::{Author, Media, Message, MessageKind, Reaction};

/// Reactions of one message that are kept.
pub(crate) const REACTIONS_MAX: usize = 100;

/// A message as its maker tells it; the text is not masked yet.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Everything but text and entities.
    pub message: Message,
    /// The text with its marked places.
    pub text: RichText,
    /// Where the zone of its send time comes from.
    pub zone: Zone,
}

/// An element of an export.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A message state.
    Message(Box<Sent>),
    /// A forum topic was created by the message with this id.
    Topic(i64),
    /// Nothing for this pipeline, and why.
    Skipped(&'static str),
}

/// A message that is being put together.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) id: i64,
    pub(crate) sent_at: i64,
    /// ms of the last edit.
    pub(crate) edited_at: Option<i64>,
    pub(crate) author: Option<Author>,
    pub(crate) text: RichText,
    pub(crate) reply_to: Option<i64>,
    pub(crate) topic_id: Option<i64>,
    pub(crate) media: Option<Media>,
    pub(crate) forward: Option<schemas::Forward>,
    pub(crate) reactions: Vec<Reaction>,
}

impl Parts {
    /// True when there is nothing to read in it.
    pub(crate) fn is_silent(&self) -> bool {
        self.media.is_none() && self.text.is_empty()
    }

    /// The message, unless it is a command to a bot (`command`) or says too much (`too_large`).
    pub(crate) fn entry(mut self, zone: Zone) -> Entry {
        if self.media.is_none() && self.text.is_command() {
            return Entry::Skipped("command");
        }
        ingest::append(&mut self.text, self.media.as_ref());
        if self.text.bytes() > TEXT_BYTES_MAX {
            return Entry::Skipped("too_large");
        }
        let kind = if self.edited_at.is_some() { MessageKind::Edited } else { MessageKind::New };
        self.reactions.truncate(REACTIONS_MAX);
        let message = Message {
            id: self.id,
            revision: self.edited_at.unwrap_or(0),
            kind: kind.as_str().to_owned(),
            author: self.author,
            sent_at: self.sent_at,
            text: String::new(),
            entities: Vec::new(),
            reply_to: self.reply_to,
            topic_id: self.topic_id,
            media: self.media,
            forward: self.forward,
            reactions: self.reactions,
        };
        Entry::Message(Box::new(Sent { message, text: self.text, zone }))
    }
}

/// An entry that says a message is gone. `revision` is when, in ms.
pub(crate) fn deleted(id: i64, sent_at: i64, revision: i64) -> Entry {
    let message = Message {
        revision,
        kind: MessageKind::Deleted.as_str().to_owned(),
        ..Message::plain(id, sent_at, "")
    };
    Entry::Message(Box::new(Sent { message, text: RichText::default(), zone: Zone::Told }))
}

/// A media of a kind with nothing but a name, if any.
pub(crate) fn media(kind: &str, file_name: Option<String>) -> Media {
    let file_name = file_name.map(|name| text::pii::mask(&name.replace('\0', "")).into_owned());
    Media { kind: kind.to_owned(), file_name, ..Media::default() }
}
