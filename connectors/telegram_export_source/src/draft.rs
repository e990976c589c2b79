//! A message before its text is masked, and what else an element of an input can be.

use crate::{
    date::{self, Zone},
    meter::{Damage, Summary},
    rich_text::RichText,
};
use schemas::{Checklist, Message, MessageKind, Poll};

/// Bytes of text and link targets above which a message is skipped: a whole book is not a message, and a record
/// has to stay below the topic's limit with room to spare.
pub(crate) const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// What a message weighs beside its text, in bytes.
const MESSAGE_BYTES: usize = 256;

/// A message whose text is not masked yet, so that skipping it costs nothing.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// Everything but text and entities.
    pub(crate) message: Message,
    pub(crate) text: RichText,
    /// Where the zone of its send time comes from.
    pub(crate) zone: Zone,
}

impl Draft {
    /// What it adds to a record, in bytes; a function of the input alone.
    pub(crate) fn bytes(&self) -> usize {
        let media = self.message.media.as_ref();
        let polled = media.and_then(|media| media.poll.as_ref()).into_iter().flat_map(Poll::texts);
        let listed = media.and_then(|media| media.checklist.as_ref()).into_iter().flat_map(Checklist::texts);
        self.text.bytes() + polled.chain(listed).map(str::len).sum::<usize>() + MESSAGE_BYTES
    }

    /// The message with its text masked.
    pub(crate) fn finish(self) -> Message {
        let (text, entities) = self.text.finish();
        Message { text, entities, ..self.message }
    }
}

/// What an element of an input is.
#[derive(Debug)]
pub(crate) enum Item {
    /// A message state.
    Message(Box<Draft>),
    /// The lane is complete up to this event time.
    CompleteUntil(i64),
    /// A forum topic was created by the message with this id.
    Topic(i64),
    /// Nothing for this pipeline, and why.
    Skipped(&'static str),
    /// Not to be read.
    Damaged(Damage),
}

impl Summary {
    /// Counts an element.
    pub(crate) fn count(&mut self, item: &Item) {
        match item {
            Item::CompleteUntil(_) => {}
            Item::Topic(_) => self.skip("service"),
            Item::Skipped(reason) => self.skip(reason),
            Item::Damaged(damage) => self.damage(damage),
            Item::Message(draft) => {
                let message = &draft.message;
                let sent_at = message.sent_at;
                self.read += 1;
                self.edited += u64::from(message.kind == MessageKind::Edited.as_str());
                self.deleted += u64::from(message.kind == MessageKind::Deleted.as_str());
                self.zone_assumed += u64::from(draft.zone != Zone::Told);
                self.zone_twice += u64::from(draft.zone == Zone::Twice);
                if sent_at >= date::FUTURE_FROM_MS {
                    self.future_date += 1;
                    return;
                }
                self.first_sent_at = Some(self.first_sent_at.map_or(sent_at, |first| first.min(sent_at)));
                self.last_sent_at = Some(self.last_sent_at.map_or(sent_at, |last| last.max(sent_at)));
            }
        }
    }
}
