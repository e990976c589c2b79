//! A message before its text is masked, and what else an element of an input can be.

use crate::{
    date::{self, Zone},
    meter::{Damage, Summary},
};
use ingest::RichText;
use schemas::{Message, MessageKind};

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
    /// The message alone.
    pub(crate) fn undated(self) -> ingest::Draft {
        ingest::Draft { message: self.message, text: self.text }
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
