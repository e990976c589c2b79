//! What is known of a message: how reports of one revision add up, and to which forum topic it belongs.
//!
//! Invariant: at an equal revision what is known is never erased by what is absent, and of two different known values
//! the later one holds, but for an author who is known by name only. What two reports make known together is what either makes known.

use crate::{Author, Forward, Media, Message, MessageKind};
use std::ops::{BitAnd, BitOr, BitOrAssign};

/// How ids begin that are made of a name: of a display name, of a telephone number.
const BY_NAME: [&str; 2] = ["name:", "phone:"];

/// Which parts of a message are known, of those that a source may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known(u8);

impl Known {
    /// Nothing beside id, revision and send time.
    pub const NOTHING: Self = Self(0);
    /// The author's name.
    pub const NAME: Self = Self(1);
    /// The text.
    pub const TEXT: Self = Self(1 << 1);
    /// The message that it answers.
    pub const REPLY: Self = Self(1 << 2);
    /// Its forum topic.
    pub const TOPIC: Self = Self(1 << 3);
    /// Marked spans of the text.
    pub const ENTITIES: Self = Self(1 << 4);
    /// An attachment.
    pub const MEDIA: Self = Self(1 << 5);
    /// Where it was forwarded from.
    pub const FORWARD: Self = Self(1 << 6);
    /// Reactions.
    pub const REACTIONS: Self = Self(1 << 7);
    /// Where the message belongs, which no edit changes: the message that it answers, and its topic.
    pub const PLACE: Self = Self::REPLY.with(Self::TOPIC);

    /// As a number below 256.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// What [`Self::bits`] gave.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// True when all of `part` is known.
    pub fn has(self, part: Self) -> bool {
        self.0 & part.0 == part.0
    }

    /// `part` too.
    #[must_use]
    pub const fn with(self, part: Self) -> Self {
        Self(self.0 | part.0)
    }

    /// All but `part`.
    #[must_use]
    pub fn without(self, part: Self) -> Self {
        Self(self.0 & !part.0)
    }

    /// What is known of the message once it is settled: see [`Message::settle`].
    #[must_use]
    pub fn settled(self, home: Home) -> Self {
        match home {
            Home::Unknown => self,
            Home::Told | Home::Answered(_) => self | Self::TOPIC,
            Home::Created(_) => self.without(Self::REPLY) | Self::TOPIC,
        }
    }

    fn when(self, is_known: bool) -> Self {
        if is_known { self } else { Self::NOTHING }
    }
}

impl BitAnd for Known {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Known {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitOrAssign for Known {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.with(other);
    }
}

/// Where a message belongs in a group with forum topics, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// To a topic that the source names, or that was known of the message before.
    Told,
    /// To this topic, whose creation it answers: it is written in the topic and answers nobody.
    Created(i64),
    /// To the topic of this message, which it answers.
    Answered(i64),
    /// Not known, now.
    Unknown,
}

impl Author {
    /// True when the source tells a name: neither none at all, as of a deleted account, nor the id in its place.
    pub fn has_name(&self) -> bool {
        !self.name.is_empty() && self.name != self.id
    }

    /// True when the source tells no id: what stands in its place is made of a name, which others call otherwise.
    pub fn is_by_name(&self) -> bool {
        BY_NAME.iter().any(|prefix| self.id.starts_with(prefix))
    }

    fn recall(&mut self, earlier: &Self) {
        if self.is_by_name() && self.id != earlier.id {
            let name = std::mem::take(&mut self.name);
            *self = earlier.clone();
            if !self.has_name() {
                self.name = name;
            }
        }
        if self.id == earlier.id && !self.has_name() && earlier.has_name() {
            self.name.clone_from(&earlier.name);
            // Exports tell automated accounts by their names.
            self.is_bot |= earlier.is_bot;
        }
    }
}

impl Message {
    /// True for a state that says that the message is gone.
    pub fn is_deletion(&self) -> bool {
        self.kind == MessageKind::Deleted.as_str()
    }

    /// Which parts are known. Nothing is known of a deleted message.
    pub fn known(&self) -> Known {
        if self.is_deletion() {
            return Known::NOTHING;
        }
        Known::NAME.when(self.author.as_ref().is_some_and(Author::has_name))
            | Known::TEXT.when(!self.text.is_empty())
            | Known::REPLY.when(self.reply_to.is_some())
            | Known::TOPIC.when(self.topic_id.is_some())
            | Known::ENTITIES.when(!self.entities.is_empty())
            | Known::MEDIA.when(self.media.is_some())
            | Known::FORWARD.when(self.forward.is_some())
            | Known::REACTIONS.when(!self.reactions.is_empty())
    }

    /// Adds what an `earlier` report of the same revision told and this one does not. A deletion neither gives nor
    /// takes: nothing is left of a deleted message.
    pub fn recall(&mut self, earlier: &Self) {
        if self.is_deletion() || earlier.is_deletion() {
            return;
        }
        // Named one by one, so that a new field cannot be forgotten here. What every report has is the later one's.
        let Self {
            id: _,
            revision: _,
            kind: _,
            author,
            sent_at: _,
            text,
            entities,
            reply_to,
            topic_id,
            media,
            forward,
            reactions,
        } = self;
        match (author.as_mut(), &earlier.author) {
            (Some(author), Some(earlier)) => author.recall(earlier),
            (None, earlier) => author.clone_from(earlier),
            (Some(_), None) => {}
        }
        if text.is_empty() {
            text.clone_from(&earlier.text);
        }
        // Spans of another text would mark the wrong words.
        if entities.is_empty() && *text == earlier.text {
            entities.clone_from(&earlier.entities);
        }
        *topic_id = topic_id.or(earlier.topic_id);
        *reply_to = reply_to.filter(|to| Some(*to) != *topic_id).or(earlier.reply_to);
        *reply_to = reply_to.filter(|to| Some(*to) != *topic_id);
        match (media.as_mut(), &earlier.media) {
            (Some(media), Some(earlier)) => recall_media(media, earlier),
            (None, earlier) => media.clone_from(earlier),
            (Some(_), None) => {}
        }
        match (forward.as_mut(), &earlier.forward) {
            (Some(forward), Some(earlier)) => recall_forward(forward, earlier),
            (None, earlier) => forward.clone_from(earlier),
            (Some(_), None) => {}
        }
        if reactions.is_empty() {
            reactions.clone_from(&earlier.reactions);
        }
    }

    /// Where the message belongs. `is_topic` tells whether a message with this id created a topic, `is_placed` whether
    /// the topic of the message with this id is known.
    pub fn home(&self, is_topic: impl Fn(i64) -> bool, is_placed: impl Fn(i64) -> bool) -> Home {
        match self.reply_to {
            _ if self.is_deletion() => Home::Unknown,
            Some(to) if is_topic(to) || self.topic_id == Some(to) => Home::Created(to),
            _ if self.topic_id.is_some() || is_placed(self.id) => Home::Told,
            Some(to) if is_placed(to) => Home::Answered(to),
            _ => Home::Unknown,
        }
    }

    /// Puts the message into `topic`, unless the source names another; to answer the message that created a topic
    /// answers nobody.
    pub fn settle(&mut self, home: Home, topic: Option<i64>) {
        if let Home::Created(topic) = home {
            self.topic_id.get_or_insert(topic);
            self.reply_to = None;
        }
        self.topic_id = self.topic_id.or(topic);
    }
}

fn recall_media(media: &mut Media, earlier: &Media) {
    if media.kind != earlier.kind {
        return;
    }
    let Media { kind: _, file_name, mime_type, size_bytes, poll, checklist } = media;
    if file_name.is_none() {
        file_name.clone_from(&earlier.file_name);
    }
    if mime_type.is_none() {
        mime_type.clone_from(&earlier.mime_type);
    }
    *size_bytes = size_bytes.or(earlier.size_bytes);
    // Options and votes belong together, and so do items and their marks: of these the later report holds whole.
    if poll.is_none() {
        poll.clone_from(&earlier.poll);
    }
    if checklist.is_none() {
        checklist.clone_from(&earlier.checklist);
    }
}

fn recall_forward(forward: &mut Forward, earlier: &Forward) {
    let Forward { from, sent_at } = forward;
    if *from == earlier.from {
        *sent_at = sent_at.or(earlier.sent_at);
    }
}

#[cfg(test)]
mod tests;
