//! A message of the Bot API's shape → what it is for this pipeline.
//!
//! Invariant: pure, and total. A message that an export tells too becomes the same bytes, whichever way it came.

mod media;
mod texts;
mod wire;

pub use wire::{Chat, Checklist, Entity, File, Message, Origin, Poll, PollOption, Replied, Task, User};

use crate::{Draft, TEXT_BYTES_MAX};
use schemas::{Author, MessageKind};

/// Ids of messages of basic groups, which count for each account apart, are moved below those of the supergroup that
/// such a group may become; exports move them by the same distance.
pub const BASIC_GROUP_SHIFT: i64 = -1_000_000_000;
/// Supergroups and channels have bare ids in exports and these before them for bots.
const CHANNEL_ID: &str = "-100";
/// End of the year 9999, in seconds.
const LATEST: i64 = 253_402_300_799;

/// What a message is.
#[derive(Debug)]
pub enum Told {
    /// A message state.
    Message(Box<Draft>),
    /// A command, to whichever bot.
    Command(Box<Message>),
    /// A forum topic was created by the message with this id.
    Topic(i64),
    /// A basic group goes on as the supergroup with this id.
    Migrated(i64),
    /// Nothing for this pipeline, and why.
    Skipped(&'static str),
}

/// Reads a message.
pub fn told(mut message: Message) -> Told {
    if let Some(to) = message.migrate_to_chat_id {
        return Told::Migrated(to);
    }
    if message.forum_topic_created.is_some() {
        return Told::Topic(message.message_id);
    }
    let attached = media::media(&mut message);
    let is_empty = message.text.is_none() && message.caption.is_none() && attached.is_none();
    if is_empty {
        return Told::Skipped("service");
    }
    if !(1..=LATEST).contains(&message.date) {
        return Told::Skipped("no_date");
    }
    if attached.is_none() && is_command(&message) {
        return Told::Command(Box::new(message));
    }
    let draft = draft(message, attached);
    if draft.text.bytes() > TEXT_BYTES_MAX {
        return Told::Skipped("too_large");
    }
    Told::Message(Box::new(draft))
}

fn is_command(message: &Message) -> bool {
    message.entities.iter().any(|entity| entity.kind == "bot_command" && entity.offset == 0)
        && message.text.as_deref().is_some_and(commands::is_command)
}

/// How far ids of messages of this chat are moved.
pub fn shift(chat: &Chat) -> i64 {
    if chat.kind == "group" { BASIC_GROUP_SHIFT } else { 0 }
}

fn draft(message: Message, media: Option<schemas::Media>) -> Draft {
    let shift = shift(&message.chat);
    let topic_id = message.message_thread_id.filter(|_| message.is_topic_message);
    let revision = message.edit_date.filter(|date| (1..=LATEST).contains(date)).map(|date| date * 1000);
    let kind = if revision.is_some() { MessageKind::Edited } else { MessageKind::New };
    // To answer the message that created a topic is to write in the topic, not to answer anybody.
    let replied = message
        .reply_to_message
        .filter(|replied| replied.forum_topic_created.is_none() && Some(replied.message_id) != topic_id);
    let (text, entities) = match message.text {
        Some(text) => (text, message.entities),
        None => (message.caption.unwrap_or_default(), message.caption_entities),
    };
    let mut text = texts::rich(text, &entities);
    crate::append(&mut text, media.as_ref());
    let message = schemas::Message {
        revision: revision.unwrap_or(0),
        kind: kind.as_str().to_owned(),
        author: author(message.sender_chat.as_ref(), message.from.as_ref()),
        reply_to: replied.map(|replied| replied.message_id + shift),
        topic_id,
        media,
        forward: crate::forward(message.forward_origin.as_ref().and_then(origin_name)),
        ..schemas::Message::plain(message.message_id + shift, message.date * 1000, "")
    };
    Draft { message, text }
}

/// Who signs a message: the chat that it was written in the name of, else the person.
pub fn author(chat: Option<&Chat>, user: Option<&User>) -> Option<Author> {
    if let Some(chat) = chat {
        let id = chat.id.to_string();
        let id = match id.strip_prefix(CHANNEL_ID) {
            Some(bare) => format!("channel{bare}"),
            None => format!("chat{}", id.trim_start_matches('-')),
        };
        return crate::author(Some(without_nul(&chat.title)), Some(id));
    }
    let user = user?;
    let author = crate::author(Some(name(user)), Some(format!("user{}", user.id)))?;
    // An export has to guess it.
    Some(Author { is_bot: author.is_bot || user.is_bot, ..author })
}

fn name(user: &User) -> String {
    without_nul(format!("{} {}", user.first_name, user.last_name).trim())
}

fn origin_name(origin: &Origin) -> Option<String> {
    let of_chat = |chat: &Chat| without_nul(&chat.title);
    let told = origin.sender_user_name.as_deref().map(without_nul);
    told.or_else(|| origin.sender_user.as_ref().map(name))
        .or_else(|| origin.sender_chat.as_ref().or(origin.chat.as_ref()).map(of_chat))
}

/// Postgres cannot store it.
fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
