//! Messages that one member of a group alone sees: `ephemeral_message_parameters` of a new message, and
//! `editEphemeralMessageText`. Whether the member is there when it comes, nobody is told.

use super::{
    Answer, BotApi, Deed, Kind,
    methods::Done,
    send::set_content,
    text::Content,
    world::{World, bot},
};
use serde_json::{Value, json};

impl BotApi {
    /// Whether messages for one person are taken; a server from before them shows them to all. Not at first.
    pub fn take_ephemeral(&self, is_ephemeral: bool) {
        self.shared.world().is_ephemeral = is_ephemeral;
    }

    /// What one person alone sees in a chat.
    pub fn whispers(&self, chat: i64, person: i64) -> Vec<Value> {
        let world = self.shared.world();
        let is_seen = |it: &&Value| it["chat"]["id"] == chat && it["receiver_user_id"] == person;
        world.whispers.iter().filter(is_seen).cloned().collect()
    }
}

impl World {
    /// The person whom a call is for alone, where the server knows such calls.
    pub(crate) fn receiver(&self, body: &Value) -> Option<i64> {
        body["ephemeral_message_parameters"]["receiver_user_id"].as_i64().filter(|_| self.is_ephemeral)
    }

    /// Posts a message for one person.
    pub(crate) fn whisper(&mut self, body: &Value, receiver: i64, content: &Content) -> Result<Done, Answer> {
        let date = self.clock.unix();
        let chat = self.chat(body)?;
        if !matches!(chat.kind, Kind::Group | Kind::Supergroup | Kind::Forum) {
            return Err(Answer::bad_request("ephemeral messages can be sent only to groups"));
        }
        let (id, brief) = (chat.id, chat.brief());
        self.take(id)?;
        let message_id = i64::try_from(self.whispers.len()).unwrap_or(i64::MAX) + 1;
        let mut message = json!({
            "message_id": 0,
            "ephemeral_message_id": message_id,
            "receiver_user_id": receiver,
            "from": bot(),
            "chat": brief,
            "date": date,
        });
        set_content(&mut message, content, body);
        self.whispers.push(message.clone());
        Ok((Answer::Ok(message), Deed::Whispered { chat: id, person: receiver }))
    }

    pub(crate) fn edit_ephemeral(&mut self, body: &Value) -> Result<Done, Answer> {
        let id = self.writable(body)?;
        let content = Content::of_text(body)?;
        let (receiver, message_id) = (&body["receiver_user_id"], &body["ephemeral_message_id"]);
        let is_meant = |it: &&mut Value| {
            it["receiver_user_id"] == *receiver && it["ephemeral_message_id"] == *message_id
        };
        let found = self.whispers.iter_mut().filter(|it| it["chat"]["id"] == id).find(is_meant);
        let message = found.ok_or_else(|| Answer::bad_request("message to edit not found"))?;
        set_content(message, &content, body);
        Ok((Answer::Ok(true.into()), Deed::Nothing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot_api::{Chat, clock::Clock};

    const CHAT: i64 = -1001;

    fn world(is_ephemeral: bool) -> World {
        let mut world = World::new(Clock::stepped());
        world.is_ephemeral = is_ephemeral;
        world.chats.insert(CHAT, Chat::new(CHAT, Kind::Supergroup, "Garden"));
        world.chats.insert(7, Chat::new(7, Kind::Private, "Ann"));
        world
    }

    fn send(world: &mut World, chat: i64) -> Done {
        let only_for = json!({ "receiver_user_id": 7 });
        let body = json!({ "chat_id": chat, "text": "a", "ephemeral_message_parameters": only_for });
        world.carry_out("sendMessage", &body)
    }

    #[test]
    fn a_message_for_one_person_is_no_message_of_the_chat_and_can_be_edited() {
        let mut world = world(true);
        let (answer, deed) = send(&mut world, CHAT);
        assert_eq!(deed, Deed::Whispered { chat: CHAT, person: 7 });
        assert_eq!(answer.body()["result"]["ephemeral_message_id"], 1);
        assert!(world.posts(CHAT).is_empty());
        let edit = |id: i64| json!({ "chat_id": CHAT, "receiver_user_id": 7, "ephemeral_message_id": id, "text": "b" });
        let status =
            |world: &mut World, body: &Value| world.carry_out("editEphemeralMessageText", body).0.status();
        assert_eq!([status(&mut world, &edit(1)), status(&mut world, &edit(2))], [200, 400]);
        assert_eq!(world.whispers[0]["text"], "b");
        assert_eq!(send(&mut world, 7).0.status(), 400, "a private chat has one reader anyway");
    }

    #[test]
    fn a_server_from_before_them_shows_all_what_is_for_one() {
        let mut world = world(false);
        assert_eq!(send(&mut world, CHAT).1, Deed::Sent { chat: CHAT, message: 1 });
        assert_eq!(world.carry_out("editEphemeralMessageText", &json!({})).0.status(), 404);
        world.is_ephemeral = true;
        assert_eq!(world.carry_out("editEphemeralMessageText", &json!({})).0.status(), 400);
    }
}
