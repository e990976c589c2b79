//! A message before its text is masked.

use crate::rich_text::RichText;
use schemas::{Checklist, Message, Poll};

/// Bytes of text and link targets above which a message is skipped: a whole book is not a message, and a record
/// has to stay below the topic's limit with room to spare.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// What a message weighs beside its text, in bytes.
const MESSAGE_BYTES: usize = 256;

/// A message whose text is not masked yet, so that skipping it costs nothing.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Everything but text and entities.
    pub message: Message,
    /// The text with its marked places.
    pub text: RichText,
}

impl Draft {
    /// What it adds to a record, in bytes; a function of the input alone.
    pub fn bytes(&self) -> usize {
        let media = self.message.media.as_ref();
        let polled = media.and_then(|media| media.poll.as_ref()).into_iter().flat_map(Poll::texts);
        let listed = media.and_then(|media| media.checklist.as_ref()).into_iter().flat_map(Checklist::texts);
        self.text.bytes() + polled.chain(listed).map(str::len).sum::<usize>() + MESSAGE_BYTES
    }

    /// The message with its text masked.
    pub fn finish(self) -> Message {
        let (text, entities) = self.text.finish();
        Message { text, entities, ..self.message }
    }
}
