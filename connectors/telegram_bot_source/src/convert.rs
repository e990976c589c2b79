//! An update → what it is for this pipeline.
//!
//! Invariant: pure, and total over any JSON. A message that an export tells too becomes the same bytes.

use crate::{
    command::Written,
    media::media,
    texts::rich,
    wire::{Chat, Message, Origin, User},
    wish::Tap,
};
use ingest::{Draft, TEXT_BYTES_MAX};
use schemas::{Author, MessageKind};
use serde_json::Value;

/// Kinds that are read, so that nothing else is asked for.
pub(crate) const KINDS: [&str; 6] =
    ["message", "edited_message", "channel_post", "edited_channel_post", "my_chat_member", TAP];
const TAP: &str = "callback_query";
/// Ids of messages of basic groups, which count for each account apart, are moved below those of the supergroup that
/// such a group may become; exports move them by the same distance.
const BASIC_GROUP_SHIFT: i64 = -1_000_000_000;
/// Supergroups and channels have bare ids in exports and these before them for bots.
const CHANNEL_ID: &str = "-100";
/// End of the year 9999, in seconds.
const LATEST: i64 = 253_402_300_799;

/// What an update tells.
#[derive(Debug)]
pub(crate) enum Told {
    /// A message state.
    Message {
        /// The chat, as bots name it.
        chat: i64,
        /// The state.
        draft: Box<Draft>,
    },
    /// A command, to whichever bot.
    Command(Box<Written>),
    /// A forum topic was created by the message with this id.
    Topic { chat: i64, id: i64 },
    /// A basic group goes on as a supergroup.
    Migrated { from: i64, to: i64 },
    /// A button was tapped.
    Tapped(Box<Tap>),
    /// The bot came into a chat or out of it.
    Membership { chat: i64, status: String },
    /// Nothing for this pipeline, and why.
    Skipped(&'static str),
}

/// Reads an update.
pub(crate) fn told(mut update: Value) -> Told {
    let Some((kind, payload)) = KINDS.iter().find_map(|kind| Some((*kind, update.get_mut(kind)?.take())))
    else {
        return Told::Skipped("unknown_update");
    };
    if kind == "my_chat_member" {
        return membership(&payload);
    }
    if kind == TAP {
        return Tap::of(&payload).map_or(Told::Skipped("bad_shape"), |tap| Told::Tapped(Box::new(tap)));
    }
    match serde_json::from_value::<Message>(payload) {
        Ok(message) => of_message(message, kind.starts_with("edited")),
        Err(_) => Told::Skipped("bad_shape"),
    }
}

fn membership(payload: &Value) -> Told {
    let status = payload["new_chat_member"]["status"].as_str().unwrap_or("unknown").to_owned();
    match payload["chat"]["id"].as_i64() {
        Some(chat) => Told::Membership { chat, status },
        None => Told::Skipped("bad_shape"),
    }
}

fn of_message(mut message: Message, is_edit: bool) -> Told {
    let chat = message.chat.id;
    if let Some(to) = message.migrate_to_chat_id {
        return Told::Migrated { from: chat, to };
    }
    if message.forum_topic_created.is_some() {
        return Told::Topic { chat, id: message.message_id };
    }
    let attached = media(&mut message);
    let is_empty = message.text.is_none() && message.caption.is_none() && attached.is_none();
    if is_empty {
        return Told::Skipped("service");
    }
    if !(1..=LATEST).contains(&message.date) {
        return Told::Skipped("no_date");
    }
    if attached.is_none() && is_command(&message) {
        return of_command(&message, is_edit);
    }
    let draft = draft(message, attached);
    if draft.text.bytes() > TEXT_BYTES_MAX {
        return Told::Skipped("too_large");
    }
    Told::Message { chat, draft: Box::new(draft) }
}

fn is_command(message: &Message) -> bool {
    message.entities.iter().any(|entity| entity.kind == "bot_command" && entity.offset == 0)
        && message.text.as_deref().is_some_and(commands::is_command)
}

/// What is edited into a command, or passed on, asks for nothing; nor do other bots.
fn of_command(message: &Message, is_edit: bool) -> Told {
    let is_of_bot = message.from.as_ref().is_some_and(|from| from.is_bot) && message.sender_chat.is_none();
    if is_edit || message.forward_origin.is_some() || is_of_bot {
        return Told::Skipped("command");
    }
    let author = author(message.sender_chat.as_ref(), message.from.as_ref());
    Told::Command(Box::new(Written::of(message, author.map(|author| author.id))))
}

fn draft(message: Message, media: Option<schemas::Media>) -> Draft {
    let shift = if message.chat.kind == "group" { BASIC_GROUP_SHIFT } else { 0 };
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
    let mut text = rich(text, &entities);
    ingest::append(&mut text, media.as_ref());
    let message = schemas::Message {
        revision: revision.unwrap_or(0),
        kind: kind.as_str().to_owned(),
        author: author(message.sender_chat.as_ref(), message.from.as_ref()),
        reply_to: replied.map(|replied| replied.message_id + shift),
        topic_id,
        media,
        forward: ingest::forward(message.forward_origin.as_ref().and_then(origin_name)),
        ..schemas::Message::plain(message.message_id + shift, message.date * 1000, "")
    };
    Draft { message, text }
}

/// Who signs a message: the chat that it was written in the name of, else the person.
fn author(chat: Option<&Chat>, user: Option<&User>) -> Option<Author> {
    if let Some(chat) = chat {
        let id = chat.id.to_string();
        let id = match id.strip_prefix(CHANNEL_ID) {
            Some(bare) => format!("channel{bare}"),
            None => format!("chat{}", id.trim_start_matches('-')),
        };
        return ingest::author(Some(without_nul(&chat.title)), Some(id));
    }
    let user = user?;
    let author = ingest::author(Some(name(user)), Some(format!("user{}", user.id)))?;
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

#[cfg(test)]
mod tests;
