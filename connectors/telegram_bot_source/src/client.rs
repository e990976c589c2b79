//! The calls of the Bot API that the source makes.
//!
//! Invariant: each way in which a call gives nothing has a name.

use crate::webhook;
use bot_api::{Bounds, Client, Connections, Envelope};
use reqwest::StatusCode;
use runtime::{HostError, config::Telegram};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

/// Longest wait for an answer, beyond the time that a poll may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer that is read: a hundred messages with all that they answer.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A bot, as the Bot API knows it.
#[derive(Debug, Clone)]
pub struct Bot {
    client: Client,
    id: u64,
    webhook: Option<webhook::Settings>,
}

/// What `getWebhookInfo` gives, as far as it is read.
#[derive(Debug, Deserialize)]
pub(crate) struct WebhookInfo {
    /// Empty: updates are polled.
    #[serde(default)]
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) pending_update_count: u64,
    #[serde(default)]
    pub(crate) last_error_message: String,
}

/// What somebody is in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    /// An administrator, or the owner.
    Administrator,
    /// A member.
    Member,
    /// Nobody there.
    Outside,
    /// Telegram does not tell.
    Unseen,
}

/// Who a bot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    /// It is shown all messages of its groups; otherwise commands alone (privacy mode).
    pub(crate) sees_all: bool,
    /// Its name, without the `@`.
    pub(crate) name: Option<String>,
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    #[error("could not reach Telegram: {0}")]
    Away(String),
    #[error("Telegram answers {0} with something that is not the Bot API's")]
    Nonsense(StatusCode),
    #[error("Telegram asks to wait for {}s", .0.as_secs())]
    TooMany(Duration),
    #[error("the bot's token in telegram.token is refused: {0}; give the one that @BotFather tells")]
    BadToken(String),
    #[error("another program reads this bot's updates: {0}; end it, or give this pipeline a bot of its own")]
    OtherPoller(String),
    #[error("a webhook gets this bot's updates: {0}")]
    Webhook(String),
    #[error("could not listen on {0} for updates: {1}; choose another telegram.webhook_listen")]
    Deaf(SocketAddr, String),
    #[error("Telegram refuses: {0}")]
    Refused(String),
}

impl Bot {
    /// A bot with the settings' token; touches no network.
    ///
    /// # Errors
    /// There is no token, it is none, there is no way to speak TLS, or a webhook has no secret.
    pub fn new(settings: &Telegram) -> Result<Self, HostError> {
        let client = Client::new(settings, Connections::Kept)?;
        Ok(Self { id: client.id()?, client, webhook: webhook::Settings::of(settings)? })
    }

    /// The bot's own id, which its token begins with and keeps when it is replaced.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Where its updates are brought; none where they are polled.
    pub(crate) fn webhook(&self) -> Option<&webhook::Settings> {
        self.webhook.as_ref()
    }

    /// Lets Telegram bring updates from now on; nothing is polled then.
    pub(crate) async fn set_webhook(&self, webhook: &webhook::Settings) -> Result<(), CallError> {
        let body = json!({
            "url": webhook.url,
            "secret_token": webhook.secret.expose_secret(),
            "allowed_updates": crate::convert::KINDS,
            "max_connections": webhook::WAITING_MAX,
        });
        self.call("setWebhook", &body, Duration::ZERO).await.map(drop)
    }

    /// Lets Telegram bring updates no more: they are polled from then on, those that wait included.
    pub(crate) async fn delete_webhook(&self) -> Result<(), CallError> {
        self.call("deleteWebhook", &json!({ "drop_pending_updates": false }), Duration::ZERO).await.map(drop)
    }

    /// Where Telegram brings the bot's updates, and how that goes.
    pub(crate) async fn webhook_info(&self) -> Result<WebhookInfo, CallError> {
        let info = self.call("getWebhookInfo", &json!({}), Duration::ZERO).await?;
        serde_json::from_value(info).map_err(|_| CallError::Nonsense(StatusCode::OK))
    }

    /// Who the bot is.
    pub(crate) async fn me(&self) -> Result<Me, CallError> {
        let me = self.call("getMe", &json!({}), Duration::ZERO).await?;
        let name = me["username"].as_str().map(str::to_owned);
        Ok(Me { sees_all: me["can_read_all_group_messages"] != false, name })
    }

    /// What somebody is in a chat.
    pub(crate) async fn standing(&self, chat: i64, person: i64) -> Result<Membership, CallError> {
        let body = json!({ "chat_id": chat, "user_id": person });
        match self.call("getChatMember", &body, Duration::ZERO).await {
            Ok(member) => Ok(match member["status"].as_str() {
                Some("creator" | "administrator") => Membership::Administrator,
                Some("member") => Membership::Member,
                Some("restricted") if member["is_member"] == true => Membership::Member,
                _ => Membership::Outside,
            }),
            Err(CallError::Refused(_)) => Ok(Membership::Unseen),
            Err(error) => Err(error),
        }
    }

    /// Whether the bot may write to a person: it shows that it is typing, which leaves nothing behind.
    pub(crate) async fn can_write(&self, person: i64) -> Result<bool, CallError> {
        let body = json!({ "chat_id": person, "action": "typing" });
        match self.call("sendChatAction", &body, Duration::ZERO).await {
            Ok(_) => Ok(true),
            Err(CallError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Answers the tap of a button, if it still waits for that.
    pub(crate) async fn answer_query(&self, query: &str, text: &str) -> Result<(), CallError> {
        let body = json!({ "callback_query_id": query, "text": text });
        match self.call("answerCallbackQuery", &body, Duration::ZERO).await {
            Ok(_) | Err(CallError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes the buttons from below a message, if it can still be edited.
    pub(crate) async fn take_buttons(&self, (chat, message): (i64, i64)) -> Result<(), CallError> {
        let body = json!({ "chat_id": chat, "message_id": message });
        match self.call("editMessageReplyMarkup", &body, Duration::ZERO).await {
            Ok(_) | Err(CallError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Updates from an offset on, which confirms those before it; waits for one if there is none.
    pub(crate) async fn updates(
        &self,
        offset: Option<i64>,
        limit: usize,
        wait: Duration,
    ) -> Result<Vec<Value>, CallError> {
        let kinds = crate::convert::KINDS;
        let mut body = json!({ "limit": limit, "timeout": wait.as_secs(), "allowed_updates": kinds });
        if let Some(offset) = offset {
            body["offset"] = offset.into();
        }
        match self.call("getUpdates", &body, wait).await? {
            Value::Array(updates) => Ok(updates),
            _ => Err(CallError::Nonsense(StatusCode::OK)),
        }
    }

    async fn call(&self, method: &str, body: &Value, wait: Duration) -> Result<Value, CallError> {
        let bounds = Bounds { timeout: TIMEOUT + wait, bytes_max: ANSWER_BYTES_MAX };
        let away = |error: bot_api::CallError| CallError::Away(error.to_string());
        let reply = self.client.call(method, body, bounds).await.map_err(away)?;
        answer(reply.status, &reply.body.map_err(CallError::Away)?)
    }
}

fn answer(status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
    let Ok(envelope) = serde_json::from_slice::<Envelope<Value>>(body) else {
        return Err(CallError::Nonsense(status));
    };
    if envelope.ok {
        return Ok(envelope.result.unwrap_or_default());
    }
    let why = envelope.description;
    Err(match status.as_u16() {
        401 | 404 => CallError::BadToken(why),
        409 if why.contains("webhook") => CallError::Webhook(why),
        409 => CallError::OtherPoller(why),
        429 => {
            let seconds = envelope.parameters.and_then(|parameters| parameters.retry_after);
            CallError::TooMany(Duration::from_secs(seconds.unwrap_or(1)))
        }
        _ => CallError::Refused(why),
    })
}

#[cfg(test)]
mod tests;
