//! Everything that the server remembers, and who is found where.

use super::{Answer, Call, Chat, clock::Clock, fault::Faults, limits::Limiter, updates::Updates};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The bot's own id: the number before the colon of its token.
pub(crate) const BOT_ID: i64 = 4_242_424_242;

/// The bot, as a user.
pub(crate) fn bot() -> Value {
    json!({ "id": BOT_ID, "is_bot": true, "first_name": "Gist", "username": "gist_loopback_bot" })
}

#[expect(clippy::struct_excessive_bools, reason = "each is something that a test sets alone")]
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) chats: BTreeMap<i64, Chat>,
    pub(crate) updates: Updates,
    pub(crate) limits: Limiter,
    pub(crate) faults: Faults,
    pub(crate) calls: Vec<Call>,
    /// Address that `setWebhook` was told; empty: none.
    pub(crate) webhook: String,
    pub(crate) webhook_secret: String,
    /// What was wrong with the webhook's last answer; empty: nothing.
    pub(crate) webhook_error: String,
    /// Callback queries that were not answered yet.
    pub(crate) queries: Vec<String>,
    pub(crate) is_revoked: bool,
    /// Rich messages are taken.
    pub(crate) is_rich: bool,
    /// Messages for one person are taken.
    pub(crate) is_ephemeral: bool,
    /// Messages that one person alone sees.
    pub(crate) whispers: Vec<Value>,
    /// The bot gets commands and replies to it alone.
    pub(crate) has_privacy: bool,
    /// The poll that waits; one that finds another number here was ended by a later one.
    pub(crate) poll: u64,
}

impl World {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            chats: BTreeMap::new(),
            updates: Updates::default(),
            limits: Limiter::default(),
            faults: Faults::default(),
            calls: Vec::new(),
            webhook: String::new(),
            webhook_secret: String::new(),
            webhook_error: String::new(),
            queries: Vec::new(),
            is_revoked: false,
            is_rich: false,
            is_ephemeral: false,
            whispers: Vec::new(),
            has_privacy: false,
            poll: 0,
        }
    }

    /// Id of the chat that a call names by number or by `@name`.
    pub(crate) fn chat_of(&self, body: &Value) -> Result<i64, Answer> {
        let not_found = || Answer::bad_request("chat not found");
        let by_name = |name: &str| {
            let is_named = |chat: &&Chat| {
                chat.username.as_deref().is_some_and(|username| username.eq_ignore_ascii_case(name))
            };
            self.chats.values().find(is_named).map(|chat| chat.id)
        };
        let found = match &body["chat_id"] {
            Value::Null => return Err(Answer::bad_request("chat_id is empty")),
            Value::Number(number) => number.as_i64(),
            Value::String(text) => match text.strip_prefix('@') {
                Some(name) => by_name(name),
                None => text.parse().ok(),
            },
            _ => None,
        };
        found.filter(|id| self.chats.contains_key(id)).ok_or_else(not_found)
    }

    /// The chat that a call names.
    pub(crate) fn chat(&mut self, body: &Value) -> Result<&mut Chat, Answer> {
        let id = self.chat_of(body)?;
        self.chats.get_mut(&id).ok_or_else(|| Answer::bad_request("chat not found"))
    }

    /// The bot's messages in a chat.
    pub(crate) fn posts(&self, chat: i64) -> Vec<Value> {
        let own = |chat: &Chat| {
            let messages = chat.messages.values().filter(|stored| stored.is_own);
            messages.map(|stored| stored.message.clone()).collect()
        };
        self.chats.get(&chat).map(own).unwrap_or_default()
    }
}
