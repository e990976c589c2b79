//! Messages of MTProto → the Bot API's shape.
//!
//! Invariant: pure and total. What both ways tell has the same names here as there.

use super::content;
use crate::peer::Place;
use grammers_tl_types::{enums, types};
use ingest::telegram::{Chat, Message, Origin, Replied, User};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// Who and what an answer speaks of.
#[derive(Debug, Default)]
pub(super) struct Names {
    users: BTreeMap<i64, User>,
    chats: BTreeMap<i64, Chat>,
    hashes: BTreeMap<i64, i64>,
}

/// The id that bots see; none for a private chat.
pub(super) fn chat_id(peer: &enums::Peer) -> Option<i64> {
    match peer {
        enums::Peer::User(_) => None,
        enums::Peer::Chat(chat) => Some(-chat.chat_id),
        enums::Peer::Channel(channel) => Some(Place::channel(channel.channel_id)),
    }
}

impl Names {
    pub(super) fn of(users: &[enums::User], chats: &[enums::Chat]) -> Self {
        let mut names = Self::default();
        for user in users {
            if let enums::User::User(user) = user {
                names.users.insert(user.id, person(user));
            }
        }
        for chat in chats {
            let (id, kind, title, hash) = match chat {
                enums::Chat::Chat(chat) => (-chat.id, "group", &chat.title, 0),
                enums::Chat::Channel(channel) => {
                    let kind = if channel.broadcast { "channel" } else { "supergroup" };
                    let id = Place::channel(channel.id);
                    (id, kind, &channel.title, channel.access_hash.unwrap_or(0))
                }
                _ => continue,
            };
            names.chats.insert(id, Chat { id, kind: kind.to_owned(), title: title.clone() });
            names.hashes.insert(id, hash);
        }
        names
    }

    /// What proves that the account knows a chat.
    pub(super) fn hash(&self, chat: i64) -> i64 {
        self.hashes.get(&chat).copied().unwrap_or(0)
    }

    pub(super) fn chat(&self, id: i64) -> Chat {
        let is_basic = !Place { chat: id, hash: 0 }.is_channel();
        let kind = if is_basic { "group" } else { "supergroup" };
        let unknown = || Chat { id, kind: kind.to_owned(), title: String::new() };
        self.chats.get(&id).cloned().unwrap_or_else(unknown)
    }

    fn user(&self, id: i64) -> User {
        self.users.get(&id).cloned().unwrap_or(User { id, ..User::default() })
    }

    /// False where a message is told without who wrote it: it has to be asked for.
    pub(super) fn knows_author(&self, message: &enums::Message) -> bool {
        let enums::Message::Message(message) = message else { return true };
        match &message.from_id {
            Some(enums::Peer::User(user)) => self.users.contains_key(&user.user_id),
            Some(peer) => chat_id(peer).is_some_and(|id| self.chats.contains_key(&id)),
            None => chat_id(&message.peer_id).is_none_or(|id| self.chats.contains_key(&id)),
        }
    }

    /// A message; one that is nothing has no content.
    pub(super) fn message(&self, message: enums::Message) -> Message {
        match message {
            enums::Message::Message(message) => self.written(message),
            enums::Message::Service(message) => self.service(&message),
            enums::Message::Empty(empty) => Message {
                message_id: i64::from(empty.id),
                chat: self.chat(empty.peer_id.as_ref().and_then(chat_id).unwrap_or(0)),
                ..Message::default()
            },
        }
    }

    fn service(&self, message: &types::MessageService) -> Message {
        let is_topic = matches!(message.action, enums::MessageAction::TopicCreate(_));
        let migrated = match &message.action {
            enums::MessageAction::ChatMigrateTo(action) => Some(Place::channel(action.channel_id)),
            _ => None,
        };
        Message {
            message_id: i64::from(message.id),
            chat: self.chat(chat_id(&message.peer_id).unwrap_or(0)),
            date: i64::from(message.date),
            forum_topic_created: is_topic.then_some(IgnoredAny),
            migrate_to_chat_id: migrated,
            ..Message::default()
        }
    }

    fn written(&self, message: types::Message) -> Message {
        let chat = self.chat(chat_id(&message.peer_id).unwrap_or(0));
        let (from, sender_chat) = match &message.from_id {
            Some(enums::Peer::User(user)) => (Some(self.user(user.user_id)), None),
            Some(peer) => (None, chat_id(peer).map(|id| self.chat(id))),
            // Posts of a channel, and those of administrators without a name.
            None => (None, Some(chat.clone())),
        };
        // An edit that shows nothing, as of reactions, is none.
        let edit_date = message.edit_date.filter(|_| !message.edit_hide).map(i64::from);
        let mut told = Message {
            message_id: i64::from(message.id),
            chat,
            from,
            sender_chat,
            date: i64::from(message.date),
            edit_date,
            forward_origin: message.fwd_from.as_ref().and_then(|header| self.origin(header)),
            ..Message::default()
        };
        reply(&mut told, message.reply_to.as_ref());
        let is_media = message.media.is_some_and(|media| content::attach(&mut told, media));
        let entities = content::entities(message.entities.unwrap_or_default());
        let text = Some(message.message).filter(|text| !text.is_empty());
        if is_media {
            (told.caption, told.caption_entities) = (text, entities);
        } else {
            (told.text, told.entities) = (text, entities);
        }
        told
    }

    fn origin(&self, header: &enums::MessageFwdHeader) -> Option<Origin> {
        let enums::MessageFwdHeader::Header(header) = header;
        if header.imported {
            return None;
        }
        let origin = Origin { sender_user_name: header.from_name.clone(), ..Origin::default() };
        Some(match &header.from_id {
            Some(enums::Peer::User(user)) => Origin { sender_user: Some(self.user(user.user_id)), ..origin },
            Some(peer) => Origin { chat: chat_id(peer).map(|id| self.chat(id)), ..origin },
            None => origin,
        })
    }
}

/// What a message answers, and the topic that it is in.
fn reply(told: &mut Message, header: Option<&enums::MessageReplyHeader>) {
    let Some(enums::MessageReplyHeader::Header(header)) = header else { return };
    let replied = header.reply_to_msg_id.map(i64::from);
    if header.forum_topic {
        told.is_topic_message = true;
        told.message_thread_id = header.reply_to_top_id.map(i64::from).or(replied);
    }
    // An answer to a message of another chat is no answer in this one.
    if header.reply_to_peer_id.is_none() {
        told.reply_to_message = replied.map(|message_id| Replied { message_id, forum_topic_created: None });
    }
}

fn person(user: &types::User) -> User {
    User {
        id: user.id,
        is_bot: user.bot,
        first_name: user.first_name.clone().unwrap_or_default(),
        last_name: user.last_name.clone().unwrap_or_default(),
        language_code: None,
    }
}

#[cfg(test)]
mod tests;
