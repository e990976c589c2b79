//! The Bot API's types, as far as they are read. Unknown fields are left alone, and so are kinds of updates that are not
//! known yet.

#![expect(clippy::struct_field_names, reason = "the Bot API's own names")]

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

/// A chat, or a channel in the place of a sender.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Chat {
    pub(crate) id: i64,
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) title: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct User {
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) is_bot: bool,
    #[serde(default)]
    pub(crate) first_name: String,
    #[serde(default)]
    pub(crate) last_name: String,
    pub(crate) language_code: Option<String>,
}

/// A marked place, in UTF-16 units.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Entity {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) offset: i32,
    pub(crate) length: i32,
    pub(crate) url: Option<String>,
    pub(crate) user: Option<User>,
}

/// What a message answers.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Replied {
    pub(crate) message_id: i64,
    pub(crate) forum_topic_created: Option<IgnoredAny>,
}

/// A file of any kind.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct File {
    pub(crate) file_name: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) file_size: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct PollOption {
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) text_entities: Vec<Entity>,
    pub(crate) voter_count: Option<i32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Poll {
    #[serde(default)]
    pub(crate) question: String,
    #[serde(default)]
    pub(crate) question_entities: Vec<Entity>,
    #[serde(default)]
    pub(crate) options: Vec<PollOption>,
    pub(crate) total_voter_count: Option<i32>,
    #[serde(default)]
    pub(crate) is_closed: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Task {
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) text_entities: Vec<Entity>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Checklist {
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) title_entities: Vec<Entity>,
    #[serde(default)]
    pub(crate) tasks: Vec<Task>,
}

/// Where a message was forwarded from: one of these is there.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Origin {
    pub(crate) sender_user: Option<User>,
    pub(crate) sender_user_name: Option<String>,
    pub(crate) sender_chat: Option<Chat>,
    pub(crate) chat: Option<Chat>,
}

/// A message, a post, or what a service tells.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Message {
    pub(crate) message_id: i64,
    pub(crate) chat: Chat,
    pub(crate) from: Option<User>,
    pub(crate) sender_chat: Option<Chat>,
    #[serde(default)]
    pub(crate) date: i64,
    pub(crate) edit_date: Option<i64>,
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) entities: Vec<Entity>,
    pub(crate) caption: Option<String>,
    #[serde(default)]
    pub(crate) caption_entities: Vec<Entity>,
    pub(crate) reply_to_message: Option<Replied>,
    pub(crate) message_thread_id: Option<i64>,
    #[serde(default)]
    pub(crate) is_topic_message: bool,
    pub(crate) forward_origin: Option<Origin>,
    #[serde(default)]
    pub(crate) photo: Vec<File>,
    pub(crate) animation: Option<File>,
    pub(crate) audio: Option<File>,
    pub(crate) document: Option<File>,
    pub(crate) sticker: Option<File>,
    pub(crate) video: Option<File>,
    pub(crate) video_note: Option<File>,
    pub(crate) voice: Option<File>,
    pub(crate) poll: Option<Poll>,
    pub(crate) checklist: Option<Checklist>,
    pub(crate) migrate_to_chat_id: Option<i64>,
    pub(crate) forum_topic_created: Option<IgnoredAny>,
    /// Every other field.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}
