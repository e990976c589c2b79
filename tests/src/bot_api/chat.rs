//! Chats and people, as the server knows them.

use super::Answer;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The topic of a forum that always exists; messages to it name no topic.
const GENERAL: i64 = 1;

/// Somebody who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `id`.
    pub id: i64,
    /// `first_name`.
    pub name: String,
}

impl Person {
    /// A person who is no bot.
    pub fn new(id: i64, name: &str) -> Self {
        Self { id, name: name.to_owned() }
    }

    pub(crate) fn user(&self) -> Value {
        json!({ "id": self.id, "is_bot": false, "first_name": self.name })
    }
}

/// What kind of chat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With one person.
    Private,
    /// A basic group.
    Group,
    /// A group whose id begins with -100.
    Supergroup,
    /// A supergroup with topics.
    Forum,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup | Self::Forum => "supergroup",
        }
    }
}

/// What the bot is in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// A member.
    Member,
    /// An administrator.
    Administrator,
    /// It has left, or has never been there.
    Left,
    /// It was thrown out, or the person has blocked it.
    Kicked,
}

/// A chat.
#[derive(Debug, Clone)]
pub struct Chat {
    pub(crate) id: i64,
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) username: Option<String>,
    /// Name and whether it is closed, by thread id.
    pub(crate) topics: BTreeMap<i64, (String, bool)>,
    pub(crate) bot: Membership,
    /// People who run it.
    pub(crate) administrators: BTreeSet<i64>,
    /// People who have left it.
    pub(crate) gone: BTreeSet<i64>,
    pub(crate) migrated_to: Option<i64>,
    pub(crate) messages: BTreeMap<i64, Stored>,
    pub(crate) last_message: i64,
}

/// A message of a chat.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) message: Value,
    pub(crate) is_own: bool,
    /// It is too old, or of a kind that cannot be edited.
    pub(crate) is_frozen: bool,
}

impl Chat {
    /// A chat of which the bot is a member.
    pub fn new(id: i64, kind: Kind, title: &str) -> Self {
        Self {
            id,
            kind,
            title: title.to_owned(),
            username: None,
            topics: BTreeMap::new(),
            bot: Membership::Member,
            administrators: BTreeSet::new(),
            gone: BTreeSet::new(),
            migrated_to: None,
            messages: BTreeMap::new(),
            last_message: 0,
        }
    }

    /// The same under a public name, without `@`.
    #[must_use]
    pub fn named(self, username: &str) -> Self {
        Self { username: Some(username.to_owned()), ..self }
    }

    /// The same with a topic more.
    #[must_use]
    pub fn topic(mut self, thread: i64, name: &str) -> Self {
        self.topics.insert(thread, (name.to_owned(), false));
        self
    }

    /// The same; whoever it is with has blocked the bot.
    #[must_use]
    pub fn blocked(self) -> Self {
        Self { bot: Membership::Kicked, ..self }
    }

    /// The same, run by this person too.
    #[must_use]
    pub fn administrator(mut self, person: i64) -> Self {
        self.administrators.insert(person);
        self
    }

    /// The same, with messages from before: the next one's id is greater than this.
    #[must_use]
    pub fn after(self, last_message: i64) -> Self {
        Self { last_message, ..self }
    }

    /// As in a message.
    pub(crate) fn brief(&self) -> Value {
        let mut chat = json!({ "id": self.id, "type": self.kind.name() });
        chat[if self.kind == Kind::Private { "first_name" } else { "title" }] = self.title.clone().into();
        if let Some(username) = &self.username {
            chat["username"] = username.clone().into();
        }
        if self.kind == Kind::Forum {
            chat["is_forum"] = true.into();
        }
        chat
    }

    pub(crate) fn next_message(&mut self) -> i64 {
        self.last_message += 1;
        self.last_message
    }

    /// Whether the bot may write there.
    pub(crate) fn may_write(&self) -> Result<(), Answer> {
        if let Some(chat) = self.migrated_to {
            return Err(Answer::migrated(chat));
        }
        let name = format!("the {} chat", self.kind.name());
        let what = match (self.bot, self.kind) {
            (Membership::Member | Membership::Administrator, _) => return Ok(()),
            (Membership::Kicked, Kind::Private) => "bot was blocked by the user".to_owned(),
            (Membership::Kicked, _) => format!("bot was kicked from {name}"),
            (Membership::Left, Kind::Private) => "bot can't initiate conversation with a user".to_owned(),
            (Membership::Left, _) => format!("bot is not a member of {name}"),
        };
        Err(Answer::refused(403, format!("Forbidden: {what}")))
    }

    /// Whether a topic can be written to. The general one is named by naming none.
    pub(crate) fn check_topic(&self, thread: &Value) -> Result<(), Answer> {
        let Some(thread) = thread.as_i64().filter(|thread| *thread != 0) else { return Ok(()) };
        match self.topics.get(&thread) {
            Some((_, false)) if thread != GENERAL => Ok(()),
            Some((_, true)) => Err(Answer::bad_request("TOPIC_CLOSED")),
            _ => Err(Answer::bad_request("message thread not found")),
        }
    }
}
