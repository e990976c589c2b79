//! What a call does: one place that knows the names of the methods.

use super::{
    Answer, Deed, Membership,
    text::Content,
    world::{BOT_ID, World, bot},
};
use serde_json::{Value, json};

/// A call's answer and what it did.
pub(crate) type Done = (Answer, Deed);

impl World {
    /// Carries out a method. `getUpdates` waits, so it has a place of its own.
    pub(crate) fn carry_out(&mut self, method: &str, body: &Value) -> Done {
        let done = match method.to_ascii_lowercase().as_str() {
            "getme" => Ok(nothing(self.me())),
            "sendmessage" => self.send_message(body, Content::of_text),
            "sendrichmessage" if self.is_rich => self.send_message(body, Content::of_rich),
            "editephemeralmessagetext" if self.is_ephemeral => self.edit_ephemeral(body),
            "editmessagetext" => self.edit_message_text(body),
            "editmessagereplymarkup" => self.edit_message_reply_markup(body),
            "deletemessage" => self.delete_message(body),
            "sendchataction" => self.send_chat_action(body).map(nothing),
            "getchat" => self.get_chat(body).map(nothing),
            "getchatmember" => self.get_chat_member(body).map(nothing),
            "answercallbackquery" => self.answer_callback_query(body).map(nothing),
            "setwebhook" => Ok(nothing(self.set_webhook(body))),
            "deletewebhook" => Ok(nothing(self.delete_webhook(body))),
            "getwebhookinfo" => Ok(nothing(self.webhook_info())),
            _ => Err(Answer::refused(404, "Not Found")),
        };
        done.unwrap_or_else(|refused| (refused, Deed::Nothing))
    }

    fn me(&self) -> Value {
        let mut me = bot();
        me["can_join_groups"] = true.into();
        me["can_read_all_group_messages"] = (!self.has_privacy).into();
        me["supports_inline_queries"] = false.into();
        me
    }

    fn send_chat_action(&mut self, body: &Value) -> Result<Value, Answer> {
        self.writable(body)?;
        if body["action"].as_str().is_none_or(str::is_empty) {
            return Err(Answer::bad_request("wrong parameter action in request"));
        }
        Ok(true.into())
    }

    fn get_chat(&mut self, body: &Value) -> Result<Value, Answer> {
        let chat = self.chat(body)?;
        chat.may_write()?;
        let mut full = chat.brief();
        full["accent_color_id"] = 0.into();
        full["max_reaction_count"] = 11.into();
        Ok(full)
    }

    fn get_chat_member(&mut self, body: &Value) -> Result<Value, Answer> {
        let chat = self.chat(body)?;
        let user =
            body["user_id"].as_i64().ok_or_else(|| Answer::bad_request("invalid user_id specified"))?;
        if user == BOT_ID {
            let status = match chat.bot {
                Membership::Member => "member",
                Membership::Administrator => "administrator",
                Membership::Left => "left",
                Membership::Kicked => "kicked",
            };
            return Ok(json!({ "status": status, "user": bot() }));
        }
        chat.may_write()?;
        if chat.gone.contains(&user) {
            return Ok(
                json!({ "status": "left", "user": { "id": user, "is_bot": false, "first_name": "" } }),
            );
        }
        let wrote =
            chat.messages.values().map(|stored| &stored.message["from"]).find(|from| from["id"] == user);
        let status = if chat.administrators.contains(&user) { "administrator" } else { "member" };
        let member = wrote.map(|from| json!({ "status": status, "user": from }));
        member.ok_or_else(|| Answer::bad_request("member not found"))
    }

    fn answer_callback_query(&mut self, body: &Value) -> Result<Value, Answer> {
        let id = body["callback_query_id"].as_str().unwrap_or_default();
        let index = self.queries.iter().position(|query| query == id).ok_or_else(|| {
            Answer::bad_request("query is too old and response timeout expired or query ID is invalid")
        })?;
        self.queries.remove(index);
        Ok(true.into())
    }

    fn set_webhook(&mut self, body: &Value) -> Value {
        self.updates.allow(&body["allowed_updates"]);
        body["url"].as_str().unwrap_or_default().clone_into(&mut self.webhook);
        body["secret_token"].as_str().unwrap_or_default().clone_into(&mut self.webhook_secret);
        self.drop_pending(body)
    }

    fn delete_webhook(&mut self, body: &Value) -> Value {
        self.webhook.clear();
        self.drop_pending(body)
    }

    fn drop_pending(&mut self, body: &Value) -> Value {
        if body["drop_pending_updates"] == true {
            self.updates.clear();
        }
        true.into()
    }

    fn webhook_info(&self) -> Value {
        let mut info = json!({
            "url": self.webhook,
            "has_custom_certificate": false,
            "pending_update_count": self.updates.pending().len(),
        });
        if !self.updates.allowed().is_empty() {
            info["allowed_updates"] = self.updates.allowed().into();
        }
        if !self.webhook_error.is_empty() {
            info["last_error_date"] = self.clock.unix().into();
            info["last_error_message"] = self.webhook_error.as_str().into();
        }
        info
    }
}

fn nothing(result: Value) -> Done {
    (Answer::Ok(result), Deed::Nothing)
}
