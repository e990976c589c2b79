//! Calls of the Bot API, no faster than it takes them.
//!
//! Invariant: a call is made once; one of which nobody knows whether it was done says so.

use crate::{
    answer::{Answer, answer, is_not_done},
    keyboard::Keyboard,
    only_for::OnlyFor,
    post::Entity,
    target::{ChatId, Target},
};
use bot_api::{Bounds, CallError, Client, Connections, Reply};
use delivery::{Breaker, Limit, Limiter};
use reqwest::StatusCode;
use runtime::{HostError, config::Telegram};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};
use tracing::{info, warn};

const BOUNDS: Bounds = Bounds { timeout: Duration::from_secs(20), bytes_max: 1 << 20 };
/// Longest wait for the right to a call; what has to wait longer is tried again later.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// What is said while the server is left alone.
const LEFT_ALONE: &str = "Telegram failed five times in a row: it is asked once in a while until it answers";

const SECOND: Duration = Duration::from_secs(1);
/// Messages to all chats together, as Telegram documents it.
const ALL: Limit = (30, SECOND);
/// To one chat, and to a group or channel.
const CHAT: [Limit; 2] = [(1, SECOND), (20, Duration::from_mins(1))];

/// A client of the Bot API.
#[derive(Debug, Clone)]
pub struct BotApi {
    client: Client,
    // Of all copies of this client, as what follows.
    limiter: Arc<Mutex<Limiter>>,
    breaker: Arc<Mutex<Breaker>>,
    pub(crate) unknown: runtime::config::Unknown,
    /// Whether the server takes rich messages, once it has told.
    takes_rich: Arc<OnceLock<bool>>,
    /// Whether it takes messages that one person alone sees.
    takes_ephemeral: Arc<OnceLock<bool>>,
}

/// What is asked for, under the Bot API's own names.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) chat_id: &'a ChatId,
    /// Message to be edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_thread_id: Option<i64>,
    #[serde(flatten)]
    pub(crate) content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_parameters: Option<ReplyParameters>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) only_for: Option<OnlyFor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_markup: Option<&'a Keyboard>,
}

/// What a message says: text with entities, or blocks.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Content<'a> {
    /// Text.
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        entities: &'a [Entity],
        link_preview_options: LinkPreviewOptions,
    },
    /// Blocks.
    Rich { rich_message: &'a Value },
}

impl<'a> Content<'a> {
    pub(crate) fn text(text: &'a str, entities: &'a [Entity]) -> Self {
        Self::Text { text, entities, link_preview_options: LinkPreviewOptions { is_disabled: true } }
    }
}

/// Whether Telegram shows what an address leads to.
#[derive(Debug, Serialize)]
pub(crate) struct LinkPreviewOptions {
    pub(crate) is_disabled: bool,
}

/// What a message answers.
#[derive(Debug, Serialize)]
pub(crate) struct ReplyParameters {
    pub(crate) message_id: i64,
    pub(crate) allow_sending_without_reply: bool,
}

impl BotApi {
    /// A client with the settings' token; touches no network.
    ///
    /// # Errors
    /// There is no token, or no way to speak TLS.
    pub fn new(settings: &Telegram) -> Result<Self, HostError> {
        let client = Client::new(settings, Connections::Fresh)?;
        let takes_rich = OnceLock::new();
        if !settings.rich_messages {
            takes_rich.get_or_init(|| false);
        }
        let limiter = Arc::new(Mutex::new(Limiter::new(ALL)));
        let breaker = Arc::new(Mutex::new(Breaker::default()));
        let (takes_rich, takes_ephemeral) = (Arc::new(takes_rich), Arc::default());
        let unknown = settings.unknown;
        Ok(Self { client, limiter, breaker, unknown, takes_rich, takes_ephemeral })
    }

    /// Whether the server takes rich messages. False while it has not told.
    pub(crate) async fn takes_rich(&self) -> bool {
        self.knows("sendRichMessage", &self.takes_rich).await
    }

    /// Whether the server takes messages that one person alone sees. One that does not would show them to all, so it is
    /// asked for a method that came with them. False while it has not told.
    pub(crate) async fn takes_ephemeral(&self) -> bool {
        self.knows("editEphemeralMessageText", &self.takes_ephemeral).await
    }

    /// Whether the server knows a method. It is asked once, by a call that says nothing: a server that knows it refuses the
    /// call, one that does not answers 404.
    async fn knows(&self, method: &str, told_once: &OnceLock<bool>) -> bool {
        if let Some(known) = told_once.get() {
            return *known;
        }
        if self.breaker().is_open(Instant::now()) {
            return false;
        }
        let nothing = BTreeMap::<&str, &str>::new();
        let told = match self.client.call(method, &nothing, BOUNDS).await {
            Ok(reply) if reply.status == StatusCode::BAD_REQUEST => true,
            Ok(reply) if reply.status == StatusCode::NOT_FOUND => false,
            Ok(reply) if !reply.status.is_server_error() => return false,
            Ok(_) | Err(_) => {
                self.failed();
                return false;
            }
        };
        *told_once.get_or_init(|| told)
    }

    /// Takes the right to one call to a chat, and waits for it where that does not take long.
    ///
    /// # Errors
    /// Why there is none for now: the same words each time, since the log tells a reason once.
    pub(crate) async fn admit(&self, target: &Target) -> Result<(), &'static str> {
        if self.breaker().is_open(Instant::now()) {
            return Err(LEFT_ALONE);
        }
        let limits = if target.is_group() { &CHAT[..] } else { &CHAT[..1] };
        loop {
            let taken = self.limiter().take(&target.chat_name(), limits, Instant::now());
            match taken {
                Err(wait) if wait > WAIT_MAX => return Err("the chat takes no further message for now"),
                Err(wait) => tokio::time::sleep(wait).await,
                Ok(()) => return self.breaker().take(Instant::now()).map_err(|_| LEFT_ALONE),
            }
        }
    }

    /// Leaves a chat alone for as long as it asks for.
    pub(crate) fn hold(&self, target: &Target, wait: Duration) {
        self.limiter().hold(&target.chat_name(), Instant::now() + wait);
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        // Counting cannot leave it half-changed.
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True while the server is left alone, until it answers again.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.breaker().has_tripped()
    }

    fn failed(&self) {
        if self.breaker().failed(Instant::now()) {
            warn!("{LEFT_ALONE}");
        }
    }

    /// Makes a call that changes nothing, unless the server is left alone.
    pub(crate) async fn ask(&self, method: &str, body: &Value) -> Result<Reply, String> {
        self.breaker().take(Instant::now()).map_err(|_| LEFT_ALONE.to_owned())?;
        self.client.call(method, body, BOUNDS).await.map_err(|error| error.to_string())
    }

    /// Posts a message, or edits it where it names one.
    pub(crate) async fn put(&self, message: &Request<'_>) -> Answer {
        let answer = self.put_once(message).await;
        if matches!(answer, Answer::Later(_) | Answer::Lost(_)) {
            self.failed();
        } else if self.breaker().answered() {
            info!("Telegram answers again");
        }
        answer
    }

    async fn put_once(&self, message: &Request<'_>) -> Answer {
        let method = match (message.message_id, &message.content) {
            (Some(_), _) => "editMessageText",
            (None, Content::Text { .. }) => "sendMessage",
            (None, Content::Rich { .. }) => "sendRichMessage",
        };
        let reply = match self.client.call(method, message, BOUNDS).await {
            Ok(reply) => reply,
            Err(CallError::NotSent(why)) => return Answer::Later(why),
            Err(CallError::Lost(why)) => return Answer::Lost(why),
        };
        let status = reply.status;
        match reply.body {
            Ok(body) => answer(status, &body),
            Err(_) if status.is_client_error() || is_not_done(status) => {
                Answer::Later(format!("it answers {status}"))
            }
            Err(why) => Answer::Lost(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_asks_for_nothing_that_is_not_wanted() {
        let chat_id = ChatId::Number(-5);
        let mut message = Request {
            chat_id: &chat_id,
            message_id: None,
            message_thread_id: None,
            content: Content::text("a", &[]),
            reply_parameters: None,
            only_for: None,
            reply_markup: None,
        };
        let json = |message: &Request<'_>| serde_json::to_string(message).expect("JSON");
        assert_eq!(
            json(&message),
            r#"{"chat_id":-5,"text":"a","link_preview_options":{"is_disabled":true}}"#
        );
        message.only_for = Some(OnlyFor::person(7));
        assert!(
            json(&message)
                .ends_with(r#","ephemeral_message_parameters":{"receiver_user_id":7},"receiver_user_id":7}"#)
        );
        message.message_thread_id = Some(3);
        message.reply_parameters = Some(ReplyParameters { message_id: 9, allow_sending_without_reply: true });
        assert!(json(&message).contains(r#""message_thread_id":3"#));
        assert!(
            json(&message)
                .contains(r#""reply_parameters":{"message_id":9,"allow_sending_without_reply":true}"#)
        );
    }

    #[tokio::test]
    async fn no_error_and_no_debug_output_tells_the_token() {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let token = "123456:AAhidden";
        // Nobody listens at port 1; the other two are no addresses.
        for api in ["http://127.0.0.1:1", "nonsense", "http://"] {
            let settings = Telegram { token: Some(token.into()), api: api.to_owned(), ..Telegram::default() };
            let api = BotApi::new(&settings).expect("a client");
            let chat_id = ChatId::Number(1);
            let message = Request {
                chat_id: &chat_id,
                message_id: None,
                message_thread_id: None,
                content: Content::text("a", &[]),
                reply_parameters: None,
                only_for: None,
                reply_markup: None,
            };
            let answer = api.put(&message).await;
            assert!(matches!(answer, Answer::Later(_)), "{answer:?}");
            let shown = format!("{answer:?} {api:?} {settings:?}");
            assert!(!shown.contains("hidden") && !shown.contains("123456"), "{shown}");
        }
    }
}
