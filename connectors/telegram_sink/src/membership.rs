//! Whether somebody is in a chat.
//!
//! Invariant: who is said to be outside is; of whom Telegram does not tell nothing is changed.

use crate::api::BotApi;
use bot_api::Envelope;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Member {
    status: String,
    #[serde(default)]
    is_member: bool,
}

impl BotApi {
    /// False for who has left a chat or was thrown out; true also where Telegram does not tell.
    ///
    /// # Errors
    /// It cannot be asked now.
    pub(crate) async fn is_in_chat(&self, chat_id: i64, user_id: i64) -> Result<bool, String> {
        let body = json!({ "chat_id": chat_id, "user_id": user_id });
        let reply = self.ask("getChatMember", &body).await?;
        if reply.status.is_server_error() || reply.status.as_u16() == 429 {
            return Err(format!("Telegram answers {} to who is in the chat", reply.status));
        }
        let body = reply.body?;
        let member = serde_json::from_slice::<Envelope<Member>>(&body).ok().and_then(|it| it.result);
        Ok(member.is_none_or(|member| match &*member.status {
            "left" | "kicked" => false,
            "restricted" => member.is_member,
            _ => true,
        }))
    }
}
