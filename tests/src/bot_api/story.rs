//! What happens in the chats: people write and edit, the bot is thrown out, a group becomes a supergroup.

use super::{BotApi, Chat, Kind, Membership, Person, chat::Stored, world::World};
use serde_json::{Value, json};

/// Added to a basic group's id by the server of the tests to get that of its supergroup.
const SUPERGROUP: i64 = -1_000_000_000_000;

impl BotApi {
    /// Adds a chat, or puts it in the place of the one with its id.
    pub fn add_chat(&self, chat: Chat) {
        self.shared.world().chats.insert(chat.id, chat);
    }

    /// Someone writes: `fields` are those of the message beside id, sender, chat and date, or instead of them. With
    /// `reply_to_message_id` the message replied to is put in. Gives the message's id.
    pub fn write(&self, chat: i64, person: &Person, fields: Value) -> i64 {
        self.changed(|world| world.write(chat, person, fields))
    }

    /// Someone edits: `fields` replace those of the message.
    pub fn rewrite(&self, chat: i64, message: i64, fields: Value) {
        self.changed(|world| world.rewrite(chat, message, fields));
    }

    /// Any other update; gives its id, or `None` where nobody asked for its kind.
    pub fn update(&self, kind: &str, payload: Value) -> Option<i64> {
        self.changed(|world| world.push(kind, payload))
    }

    /// What the bot is in a chat, from now on; it gets an update about it.
    pub fn set_membership(&self, chat: i64, bot: Membership) {
        self.changed(|world| {
            if let Some(chat) = world.chats.get_mut(&chat) {
                chat.bot = bot;
                let update = json!({ "chat": chat.brief(), "date": 0 });
                world.push("my_chat_member", update);
            }
        });
    }

    /// A person leaves a chat; the bot hears nothing of it.
    pub fn leave(&self, chat: i64, person: i64) {
        if let Some(chat) = self.shared.world().chats.get_mut(&chat) {
            chat.gone.insert(person);
        }
    }

    /// A basic group becomes a supergroup; gives its id. Two service messages tell of it.
    pub fn migrate(&self, chat: i64) -> i64 {
        self.changed(|world| world.migrate(chat))
    }

    /// A message of the bot can be edited and deleted no more.
    pub fn freeze(&self, chat: i64, message: i64) {
        self.shared.world().freeze(chat, message);
    }

    /// An administrator deletes a message; the bot hears nothing of it.
    pub fn remove(&self, chat: i64, message: i64) {
        if let Some(chat) = self.shared.world().chats.get_mut(&chat) {
            chat.messages.remove(&message);
        }
    }

    /// A topic is closed, or opened again.
    pub fn close_topic(&self, chat: i64, thread: i64, is_closed: bool) {
        let mut world = self.shared.world();
        if let Some(topic) = world.chats.get_mut(&chat).and_then(|chat| chat.topics.get_mut(&thread)) {
            topic.1 = is_closed;
        }
    }

    /// Privacy mode: the bot gets commands alone.
    pub fn set_privacy(&self, has_privacy: bool) {
        self.shared.world().has_privacy = has_privacy;
    }

    /// A button of the bot's message is tapped; gives the query's id.
    pub fn tap(&self, chat: i64, message: i64, person: &Person, data: &str) -> String {
        self.changed(|world| world.tap((chat, message), person, data))
    }

    fn changed<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let changed = change(&mut self.shared.world());
        self.shared.wake();
        changed
    }
}

impl World {
    pub(crate) fn write(&mut self, chat: i64, person: &Person, fields: Value) -> i64 {
        let date = self.clock.unix();
        let Some(chat) = self.chats.get_mut(&chat) else { return 0 };
        let mut message = json!({
            "message_id": chat.next_message(),
            "from": person.user(),
            "chat": chat.brief(),
            "date": date,
        });
        merge(&mut message, fields);
        if let Some(replied) = message.as_object_mut().and_then(|it| it.remove("reply_to_message_id"))
            && let Some(stored) = replied.as_i64().and_then(|id| chat.messages.get(&id))
        {
            message["reply_to_message"] = stored.message.clone();
        }
        let id = message["message_id"].as_i64().unwrap_or_default();
        chat.last_message = chat.last_message.max(id);
        let stored = Stored { message: message.clone(), is_own: false, is_frozen: false };
        chat.messages.insert(id, stored);
        let is_command = message["text"].as_str().is_some_and(|text| text.starts_with('/'));
        if !self.has_privacy || is_command {
            self.push("message", message);
        }
        id
    }

    pub(crate) fn rewrite(&mut self, chat: i64, message: i64, fields: Value) {
        let date = self.clock.unix();
        let Some(stored) = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&message)) else {
            return;
        };
        stored.message["edit_date"] = date.into();
        merge(&mut stored.message, fields);
        let edited = stored.message.clone();
        self.push("edited_message", edited);
    }

    pub(crate) fn push(&mut self, kind: &str, payload: Value) -> Option<i64> {
        let now = self.clock.now();
        self.updates.push(kind, payload, now)
    }

    pub(crate) fn migrate(&mut self, chat: i64) -> i64 {
        let migrated_to = SUPERGROUP + chat;
        let Some(old) = self.chats.get_mut(&chat) else { return migrated_to };
        old.migrated_to = Some(migrated_to);
        let title = old.title.clone();
        self.chats.insert(migrated_to, Chat::new(migrated_to, Kind::Supergroup, &title));
        let owner = Person::new(1, "Owner");
        self.write(chat, &owner, json!({ "migrate_to_chat_id": migrated_to }));
        self.write(migrated_to, &owner, json!({ "migrate_from_chat_id": chat }));
        migrated_to
    }

    pub(crate) fn freeze(&mut self, chat: i64, message: i64) {
        if let Some(stored) = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&message)) {
            stored.is_frozen = true;
        }
    }

    fn tap(&mut self, (chat, message): (i64, i64), person: &Person, data: &str) -> String {
        let id = format!("query-{}-{chat}-{message}", self.clock.now().as_nanos());
        let tapped = self.chats.get(&chat).and_then(|chat| chat.messages.get(&message));
        let message = tapped.map(|stored| stored.message.clone());
        let query = json!({ "id": id, "from": person.user(), "message": message, "chat_instance": "1", "data": data });
        self.push("callback_query", query);
        self.queries.push(id.clone());
        id
    }
}

fn merge(message: &mut Value, fields: Value) {
    if let (Some(message), Value::Object(fields)) = (message.as_object_mut(), fields) {
        message.extend(fields);
    }
}
