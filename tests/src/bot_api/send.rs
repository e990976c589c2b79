//! `sendMessage` and `sendRichMessage`.

use super::{
    Answer, Deed,
    chat::{Chat, Stored},
    methods::Done,
    text::Content,
    world::{World, bot},
};
use serde_json::{Value, json};

impl World {
    /// Posts what `read` finds in a call.
    pub(crate) fn send_message(
        &mut self,
        body: &Value,
        read: fn(&Value) -> Result<Content, Answer>,
    ) -> Result<Done, Answer> {
        let date = self.clock.unix();
        let id = self.writable(body)?;
        let content = read(body)?;
        check_buttons(&body["reply_markup"])?;
        if let Some(receiver) = self.receiver(body) {
            return self.whisper(body, receiver, &content);
        }
        let chat = self.chat(body)?;
        chat.check_topic(&body["message_thread_id"])?;
        let replied = replied(chat, &body["reply_parameters"])?;
        self.take(id)?;
        let chat = self.chat(body)?;
        let message_id = chat.next_message();
        let mut message = json!({
            "message_id": message_id,
            "from": bot(),
            "chat": chat.brief(),
            "date": date,
        });
        set_content(&mut message, &content, body);
        if let Some(thread) = body["message_thread_id"].as_i64() {
            message["message_thread_id"] = thread.into();
            message["is_topic_message"] = true.into();
        }
        if let Some(replied) = replied {
            message["reply_to_message"] = replied;
        }
        let stored = Stored { message: message.clone(), is_own: true, is_frozen: false };
        chat.messages.insert(message_id, stored);
        Ok((Answer::Ok(message), Deed::Sent { chat: id, message: message_id }))
    }

    /// The chat of a call, if the bot may write there.
    pub(crate) fn writable(&mut self, body: &Value) -> Result<i64, Answer> {
        let chat = self.chat(body)?;
        chat.may_write()?;
        Ok(chat.id)
    }

    /// Counts a message against the limits.
    pub(crate) fn take(&mut self, chat: i64) -> Result<(), Answer> {
        let now = self.clock.now();
        self.limits.take(chat, now).map_err(Answer::too_many)
    }
}

/// Puts what it says into a message, and what else is seen of a call.
pub(crate) fn set_content(message: &mut Value, content: &Content, body: &Value) {
    let (text, entities, rich) = match content {
        Content::Text(text) => (text.text.clone().into(), text.entities.clone().into(), Value::Null),
        Content::Rich(rich) => (Value::Null, Value::Null, rich.clone()),
    };
    for (name, value) in [
        ("text", text),
        ("entities", entities),
        ("rich_message", rich),
        ("link_preview_options", body["link_preview_options"].clone()),
        ("reply_markup", body["reply_markup"].clone()),
    ] {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if let Some(fields) = message.as_object_mut() {
            if is_empty {
                fields.remove(name);
            } else {
                fields.insert(name.to_owned(), value);
            }
        }
    }
}

/// Buttons have a text, and of what they tell at most 64 bytes.
fn check_buttons(markup: &Value) -> Result<(), Answer> {
    let rows = markup["inline_keyboard"].as_array().into_iter().flatten();
    for button in rows.flat_map(|row| row.as_array().into_iter().flatten()) {
        if button["text"].as_str().is_none_or(str::is_empty) {
            return Err(Answer::bad_request(
                "can't parse inline keyboard button: Field \"text\" must be non-empty",
            ));
        }
        if !(1..=64).contains(&button["callback_data"].as_str().map_or(1, str::len)) {
            return Err(Answer::bad_request("BUTTON_DATA_INVALID"));
        }
    }
    Ok(())
}

/// The message that a call replies to, without what that one replies to.
fn replied(chat: &Chat, parameters: &Value) -> Result<Option<Value>, Answer> {
    let Some(id) = parameters["message_id"].as_i64() else { return Ok(None) };
    match chat.messages.get(&id) {
        Some(stored) => {
            let mut message = stored.message.clone();
            if let Some(fields) = message.as_object_mut() {
                fields.remove("reply_to_message");
            }
            Ok(Some(message))
        }
        None if parameters["allow_sending_without_reply"] == true => Ok(None),
        None => Err(Answer::bad_request("message to be replied not found")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot_api::{Kind, Limits, Membership, Person, clock::Clock};
    use std::time::Duration;

    const CHAT: i64 = -100_500;

    fn world() -> World {
        let mut world = World::new(Clock::stepped());
        let chat = Chat::new(CHAT, Kind::Forum, "Garden").named("garden_chat").topic(3, "Seeds").after(10);
        world.chats.insert(CHAT, chat);
        world
    }

    fn send(world: &mut World, body: &Value) -> Done {
        world.carry_out("sendMessage", body)
    }

    fn refusal(world: &mut World, body: &Value) -> (u16, String) {
        match send(world, body) {
            (Answer::Refused { code, description, .. }, Deed::Nothing) => (code, description),
            done => panic!("not refused: {done:?}"),
        }
    }

    #[test]
    fn a_message_stands_in_its_chat_and_topic_and_says_what_it_answers() {
        let mut world = world();
        let asked = world.write(CHAT, &Person::new(7, "Ann"), json!({ "text": "When?" }));
        let (answer, deed) = send(
            &mut world,
            &json!({
                "chat_id": "@Garden_Chat",
                "text": "At nine",
                "message_thread_id": 3,
                "entities": [{ "type": "bold", "offset": 3, "length": 4 }],
                "link_preview_options": { "is_disabled": true },
                "reply_parameters": { "message_id": asked },
            }),
        );
        assert_eq!((asked, deed), (11, Deed::Sent { chat: CHAT, message: 12 }));
        let Answer::Ok(message) = answer else { panic!("{answer:?}") };
        assert_eq!(message["reply_to_message"]["text"], "When?");
        assert_eq!((&message["message_thread_id"], &message["date"]), (&json!(3), &json!(1_790_000_000)));
        assert_eq!(message["entities"], json!([{ "type": "bold", "offset": 3, "length": 4 }]));
        assert_eq!(world.posts(CHAT), [message]);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_in_telegrams_words() {
        let mut world = world();
        for (body, what) in [
            (json!({ "text": "a" }), "chat_id is empty"),
            (json!({ "chat_id": -5, "text": "a" }), "chat not found"),
            (json!({ "chat_id": "@nobody", "text": "a" }), "chat not found"),
            (json!({ "chat_id": CHAT }), "message text is empty"),
            (json!({ "chat_id": CHAT, "text": "a", "message_thread_id": 4 }), "message thread not found"),
            (json!({ "chat_id": CHAT, "text": "a", "message_thread_id": 1 }), "message thread not found"),
            (
                json!({ "chat_id": CHAT, "text": "a", "reply_parameters": { "message_id": 99 } }),
                "message to be replied not found",
            ),
        ] {
            assert_eq!(refusal(&mut world, &body), (400, format!("Bad Request: {what}")));
        }
        let body = json!({ "message_id": 99, "allow_sending_without_reply": true });
        let (answer, _) =
            send(&mut world, &json!({ "chat_id": CHAT, "text": "a", "reply_parameters": body }));
        assert_eq!(answer.status(), 200);
    }

    #[test]
    fn a_bot_that_is_out_is_told_so_and_a_chat_that_moved_says_where() {
        let mut world = world();
        let body = json!({ "chat_id": CHAT, "text": "a" });
        for (bot, what) in [
            (Membership::Kicked, "Forbidden: bot was kicked from the supergroup chat"),
            (Membership::Left, "Forbidden: bot is not a member of the supergroup chat"),
        ] {
            world.chat(&body).expect("the chat").bot = bot;
            assert_eq!(refusal(&mut world, &body), (403, what.to_owned()));
        }
        world.chats.insert(7, Chat::new(7, Kind::Private, "Ann"));
        let private = json!({ "chat_id": 7, "text": "a" });
        world.chat(&private).expect("the chat").bot = Membership::Kicked;
        assert_eq!(refusal(&mut world, &private), (403, "Forbidden: bot was blocked by the user".to_owned()));
        world.chats.insert(-5, Chat::new(-5, Kind::Group, "Garden"));
        assert_eq!(world.migrate(-5), -1_000_000_000_005);
        let (answer, _) = send(&mut world, &json!({ "chat_id": -5, "text": "a" }));
        assert_eq!(answer, Answer::migrated(-1_000_000_000_005));
    }

    #[test]
    fn limits_are_told_as_a_time_to_wait_and_nothing_is_sent() {
        let mut world = world();
        world.limits.set(Some(Limits::default()));
        let body = json!({ "chat_id": CHAT, "text": "a" });
        assert_eq!(send(&mut world, &body).0.status(), 200);
        assert_eq!(refusal(&mut world, &body), (429, "Too Many Requests: retry after 1".to_owned()));
        world.clock.pass(Duration::from_secs(1));
        assert_eq!(send(&mut world, &body).0.status(), 200);
        assert_eq!(world.posts(CHAT).len(), 2);
    }
}
