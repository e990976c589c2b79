//! What each digest stage finds, as carried in `digest.stage.completed`.

use serde::{Deserialize, Serialize};

/// Artifact of `thread_builder`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Threads {
    /// Links; a message without one starts a thread.
    pub links: Vec<ReplyLink>,
    /// Conversations, by first message.
    pub threads: Vec<Thread>,
}

/// A message and the one it continues.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReplyLink {
    /// Message id.
    pub id: i64,
    /// Id of the message continued.
    pub parent: i64,
    /// Confidence in [0, 1].
    pub score: f64,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Id of its first message.
    pub thread_id: i64,
    /// Ids, by time.
    pub message_ids: Vec<i64>,
}

/// Artifact of `segmenter`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Segments {
    /// Segments, by first message.
    pub segments: Vec<Segment>,
}

/// A stretch of a conversation about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Thread it belongs to.
    pub thread_id: i64,
    /// Ids, by time.
    pub message_ids: Vec<i64>,
}

/// Artifact of `emotion`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Emotions {
    /// Share of positive messages.
    pub positive: f64,
    /// Share of negative messages.
    pub negative: f64,
    /// Share of neutral messages.
    pub neutral: f64,
    /// Overall label.
    pub label: String,
    /// Messages that are not neutral.
    pub messages: Vec<MessageEmotion>,
}

/// Tone of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageEmotion {
    /// Message id.
    pub id: i64,
    /// `positive`, `negative` or `neutral`.
    pub label: String,
    /// Strength in [-1, 1].
    pub score: f64,
}

/// Artifact of `roles`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Roles {
    /// People, most active first.
    pub participants: Vec<ParticipantRole>,
}

/// Role of a participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParticipantRole {
    /// Author id.
    pub author_id: String,
    /// Display name.
    pub name: String,
    /// `initiator`, `helper`, `asker`, `decider`, `contributor`, `observer` or `bot`.
    pub role: String,
    /// Messages.
    pub message_count: i32,
    /// Messages that answer this person.
    pub replies_received: i32,
    /// `PageRank` in the reply graph.
    pub centrality: f64,
    /// Ids that show the role.
    pub message_ids: Vec<i64>,
}

/// Artifact of `topic`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Topics {
    /// Subjects, largest first.
    pub topics: Vec<Topic>,
}

/// A subject of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// From 0, largest first.
    pub topic_id: i32,
    /// Short label.
    pub label: String,
    /// Terms, best first.
    pub keywords: Vec<String>,
    /// Indices into [`Segments::segments`].
    pub segment_ids: Vec<i32>,
    /// Threads.
    pub thread_ids: Vec<i64>,
    /// Ids, by time.
    pub message_ids: Vec<i64>,
}
