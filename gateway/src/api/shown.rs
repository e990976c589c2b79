//! Messages as programs read them.

use crate::times;
use schemas::Message;
use serde::Serialize;
use utoipa::ToSchema;

/// A message in its newest state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct ShownMessage {
    /// Its id in the group.
    id: i64,
    /// Grows with each edit; 0 for one that was never edited.
    revision: i64,
    /// When it was sent first.
    #[schema(format = DateTime)]
    sent_at: String,
    /// Who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<ShownAuthor>,
    /// What it says, with personal data masked.
    text: String,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<i64>,
    /// The topic of a forum that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_id: Option<i64>,
    /// Entities, media, forward and reactions, as in `group.message.ingested.v1`; absent where there are none.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    more: serde_json::Map<String, serde_json::Value>,
}

/// Who sent a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Author)]
pub(crate) struct ShownAuthor {
    /// Id.
    id: String,
    /// Name at the time.
    name: String,
    /// Whether it is a bot.
    is_bot: bool,
}

impl From<Message> for ShownMessage {
    fn from(message: Message) -> Self {
        let mut more = serde_json::Map::new();
        let mut add = |name: &str, is_there: bool, value: serde_json::Result<serde_json::Value>| {
            if let (true, Ok(value)) = (is_there, value) {
                more.insert(name.to_owned(), value);
            }
        };
        add("entities", !message.entities.is_empty(), serde_json::to_value(&message.entities));
        add("media", message.media.is_some(), serde_json::to_value(&message.media));
        add("forward", message.forward.is_some(), serde_json::to_value(&message.forward));
        add("reactions", !message.reactions.is_empty(), serde_json::to_value(&message.reactions));
        Self {
            id: message.id,
            revision: message.revision,
            sent_at: times::told(message.sent_at),
            author: message.author.map(|author| ShownAuthor {
                id: author.id,
                name: author.name,
                is_bot: author.is_bot,
            }),
            text: message.text,
            reply_to: message.reply_to,
            topic_id: message.topic_id,
            more,
        }
    }
}
