//! The Bot API's types, as far as they are read. Unknown fields are left alone, and so are kinds of updates that are not
//! known yet. Who reads Telegram otherwise than by the Bot API makes these, so that a message is the same from both.

#![expect(missing_docs, reason = "the Bot API's own names, which its pages explain")]

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

/// A chat, or a channel in the place of a sender.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Chat {
    pub id: i64,
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default)]
    pub title: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct User {
    pub id: i64,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    pub language_code: Option<String>,
}

/// A marked place, in UTF-16 units.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    pub offset: i32,
    pub length: i32,
    pub url: Option<String>,
    pub user: Option<User>,
}

/// What a message answers.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Replied {
    pub message_id: i64,
    pub forum_topic_created: Option<IgnoredAny>,
}

/// A file of any kind.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct File {
    pub file_name: Option<String>,
    pub mime_type: Option<String>,
    pub file_size: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct PollOption {
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub text_entities: Vec<Entity>,
    pub voter_count: Option<i32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Poll {
    #[serde(default)]
    pub question: String,
    #[serde(default)]
    pub question_entities: Vec<Entity>,
    #[serde(default)]
    pub options: Vec<PollOption>,
    pub total_voter_count: Option<i32>,
    #[serde(default)]
    pub is_closed: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Task {
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub text_entities: Vec<Entity>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Checklist {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub title_entities: Vec<Entity>,
    #[serde(default)]
    pub tasks: Vec<Task>,
}

/// Where a message was forwarded from: one of these is there.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Origin {
    pub sender_user: Option<User>,
    pub sender_user_name: Option<String>,
    pub sender_chat: Option<Chat>,
    pub chat: Option<Chat>,
}

/// A message, a post, or what a service tells.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Message {
    pub message_id: i64,
    pub chat: Chat,
    pub from: Option<User>,
    pub sender_chat: Option<Chat>,
    #[serde(default)]
    pub date: i64,
    pub edit_date: Option<i64>,
    pub text: Option<String>,
    #[serde(default)]
    pub entities: Vec<Entity>,
    pub caption: Option<String>,
    #[serde(default)]
    pub caption_entities: Vec<Entity>,
    pub reply_to_message: Option<Replied>,
    pub message_thread_id: Option<i64>,
    #[serde(default)]
    pub is_topic_message: bool,
    pub forward_origin: Option<Origin>,
    #[serde(default)]
    pub photo: Vec<File>,
    pub animation: Option<File>,
    pub audio: Option<File>,
    pub document: Option<File>,
    pub sticker: Option<File>,
    pub video: Option<File>,
    pub video_note: Option<File>,
    pub voice: Option<File>,
    pub poll: Option<Poll>,
    pub checklist: Option<Checklist>,
    pub migrate_to_chat_id: Option<i64>,
    pub forum_topic_created: Option<IgnoredAny>,
    /// Every other field.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
