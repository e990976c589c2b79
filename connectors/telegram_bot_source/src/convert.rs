//! An update → what it is for this pipeline.
//!
//! Invariant: pure, and total over any JSON. A message that an export tells too becomes the same bytes.

use crate::{command::Written, wish::Tap};
use ingest::{
    Draft,
    telegram::{self, Message},
};
use serde_json::Value;

/// Kinds that are read, so that nothing else is asked for.
pub(crate) const KINDS: [&str; 6] =
    ["message", "edited_message", "channel_post", "edited_channel_post", "my_chat_member", TAP];
const TAP: &str = "callback_query";

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

fn of_message(message: Message, is_edit: bool) -> Told {
    let chat = message.chat.id;
    match telegram::told(message) {
        telegram::Told::Message(draft) => Told::Message { chat, draft },
        telegram::Told::Command(message) => of_command(&message, is_edit),
        telegram::Told::Topic(id) => Told::Topic { chat, id },
        telegram::Told::Migrated(to) => Told::Migrated { from: chat, to },
        telegram::Told::Skipped(reason) => Told::Skipped(reason),
    }
}

/// What is edited into a command, or passed on, asks for nothing; nor do other bots.
fn of_command(message: &Message, is_edit: bool) -> Told {
    let is_of_bot = message.from.as_ref().is_some_and(|from| from.is_bot) && message.sender_chat.is_none();
    if is_edit || message.forward_origin.is_some() || is_of_bot {
        return Told::Skipped("command");
    }
    let author = telegram::author(message.sender_chat.as_ref(), message.from.as_ref());
    Told::Command(Box::new(Written::of(message, author.map(|author| author.id))))
}

#[cfg(test)]
mod tests;
