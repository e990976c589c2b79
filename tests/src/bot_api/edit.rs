//! `editMessageText`, `editMessageReplyMarkup` and `deleteMessage`.

use super::{Answer, Deed, chat::Chat, methods::Done, send::set_content, text::Content, world::World};
use serde_json::Value;

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the same \
                            as a current content and reply markup of the message";

impl World {
    pub(crate) fn edit_message_text(&mut self, body: &Value) -> Result<Done, Answer> {
        let now = self.clock.unix();
        let id = self.writable(body)?;
        let content = Content::of_edit(body, self.is_rich)?;
        let message_id = message_id(body)?;
        let edited = edited(self.chat(body)?, message_id, &content, body)?;
        self.take(id)?;
        let chat = self.chat(body)?;
        let Some(stored) = chat.messages.get_mut(&message_id) else { return Err(not_found("edit")) };
        stored.message = edited;
        stored.message["edit_date"] = now.into();
        let message = stored.message.clone();
        Ok((Answer::Ok(message), Deed::Edited { chat: id, message: message_id }))
    }

    pub(crate) fn edit_message_reply_markup(&mut self, body: &Value) -> Result<Done, Answer> {
        let id = self.writable(body)?;
        let message_id = message_id(body)?;
        let chat = self.chat(body)?;
        let stored = chat.messages.get_mut(&message_id).ok_or_else(|| not_found("edit"))?;
        if !stored.is_own || stored.is_frozen {
            return Err(Answer::bad_request("message can't be edited"));
        }
        if stored.message["reply_markup"] == body["reply_markup"] {
            return Err(Answer::bad_request(NOT_MODIFIED));
        }
        if let Some(fields) = stored.message.as_object_mut() {
            fields.remove("reply_markup");
            if !body["reply_markup"].is_null() {
                fields.insert("reply_markup".to_owned(), body["reply_markup"].clone());
            }
        }
        let message = stored.message.clone();
        Ok((Answer::Ok(message), Deed::Edited { chat: id, message: message_id }))
    }

    pub(crate) fn delete_message(&mut self, body: &Value) -> Result<Done, Answer> {
        let id = self.writable(body)?;
        let message_id = message_id(body)?;
        let chat = self.chat(body)?;
        let stored = chat.messages.get(&message_id).ok_or_else(|| not_found("delete"))?;
        if !stored.is_own || stored.is_frozen {
            return Err(Answer::bad_request("message can't be deleted"));
        }
        chat.messages.remove(&message_id);
        Ok((Answer::Ok(true.into()), Deed::Deleted { chat: id, message: message_id }))
    }
}

fn message_id(body: &Value) -> Result<i64, Answer> {
    body["message_id"].as_i64().ok_or_else(|| Answer::bad_request("message identifier is not specified"))
}

fn not_found(purpose: &str) -> Answer {
    Answer::bad_request(&format!("message to {purpose} not found"))
}

/// What a message would become.
fn edited(chat: &Chat, message_id: i64, content: &Content, body: &Value) -> Result<Value, Answer> {
    let stored = chat.messages.get(&message_id).ok_or_else(|| not_found("edit"))?;
    if !stored.is_own || stored.is_frozen {
        return Err(Answer::bad_request("message can't be edited"));
    }
    let mut message = stored.message.clone();
    set_content(&mut message, content, body);
    let same = |name: &str| message[name] == stored.message[name];
    if ["text", "entities", "rich_message", "reply_markup"].into_iter().all(same) {
        return Err(Answer::bad_request(NOT_MODIFIED));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot_api::{Kind, Person, clock::Clock};
    use serde_json::json;

    const CHAT: i64 = -1001;

    fn world() -> World {
        let mut world = World::new(Clock::stepped());
        world.chats.insert(CHAT, Chat::new(CHAT, Kind::Supergroup, "Garden"));
        world
    }

    #[test]
    fn buttons_are_taken_from_a_message_once() {
        let mut world = world();
        let markup = json!({ "inline_keyboard": [[{ "text": "Leave", "callback_data": "x" }]] });
        world.carry_out("sendMessage", &json!({ "chat_id": CHAT, "text": "hi", "reply_markup": markup }));
        let without = json!({ "chat_id": CHAT, "message_id": 1 });
        let (first, _) = world.carry_out("editMessageReplyMarkup", &without);
        assert_eq!((first.status(), &first.body()["result"]["reply_markup"]), (200, &Value::Null));
        let (again, _) = world.carry_out("editMessageReplyMarkup", &without);
        assert_eq!(
            (again.status(), &again.body()["description"]),
            (400, &json!(format!("Bad Request: {NOT_MODIFIED}")))
        );
    }

    fn edit(world: &mut World, message_id: i64, text: &str) -> (u16, Value) {
        let body = json!({ "chat_id": CHAT, "message_id": message_id, "text": text });
        let (answer, _) = world.carry_out("editMessageText", &body);
        (answer.status(), answer.body()["description"].clone())
    }

    #[test]
    fn an_edit_changes_the_message_once() {
        let mut world = world();
        world.carry_out("sendMessage", &json!({ "chat_id": CHAT, "text": "one" }));
        assert_eq!(edit(&mut world, 1, "two"), (200, Value::Null));
        assert_eq!(edit(&mut world, 1, "two "), (400, format!("Bad Request: {NOT_MODIFIED}").into()));
        let posts = world.posts(CHAT);
        assert_eq!((posts.len(), &posts[0]["text"]), (1, &json!("two")));
        assert_eq!(posts[0]["edit_date"], 1_790_000_000);
    }

    #[test]
    fn what_cannot_be_edited_is_refused_in_telegrams_words() {
        let mut world = world();
        let of_ann = world.write(CHAT, &Person::new(7, "Ann"), json!({ "text": "hi" }));
        assert_eq!(edit(&mut world, 9, "a").1, "Bad Request: message to edit not found");
        assert_eq!(edit(&mut world, of_ann, "a").1, "Bad Request: message can't be edited");
        world.carry_out("sendMessage", &json!({ "chat_id": CHAT, "text": "one" }));
        world.freeze(CHAT, 2);
        assert_eq!(edit(&mut world, 2, "a").1, "Bad Request: message can't be edited");
        assert_eq!(world.posts(CHAT)[0]["text"], "one");
    }

    #[test]
    fn a_message_is_deleted_once() {
        let mut world = world();
        world.carry_out("sendMessage", &json!({ "chat_id": CHAT, "text": "one" }));
        let body = json!({ "chat_id": CHAT, "message_id": 1 });
        let done = world.carry_out("deleteMessage", &body);
        assert_eq!(done, (Answer::Ok(true.into()), Deed::Deleted { chat: CHAT, message: 1 }));
        let (again, _) = world.carry_out("deleteMessage", &body);
        assert_eq!(again, Answer::bad_request("message to delete not found"));
    }
}
