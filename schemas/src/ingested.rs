//! `group.message.ingested`: message states of a group in the order of their source, with control in that order.

use crate::{
    command::Command,
    identity,
    poll::{Checklist, Poll},
    record::record,
};
use serde::{Deserialize, Serialize};

/// Lane of messages as they happen; every other lane is an import's id.
pub const LIVE_LANE: &str = "live";
/// How the lane of an import begins whose digests go to all of the group's channels, as those of [`LIVE_LANE`] do.
const DELIVERED_LANES: &str = "delivered:";
/// `complete_until` that ends a lane: every open window of it closes.
pub const END_OF_LANE: i64 = i64::MAX;

/// The lane of an import whose digests go to all of the group's channels, by the lane that it would have else.
pub fn delivered_lane(lane: &str) -> String {
    format!("{DELIVERED_LANES}{lane}")
}

/// Whether digests of a lane go to all of the group's channels; those of other imports are for files.
pub fn is_delivered_lane(lane: &str) -> bool {
    lane == LIVE_LANE || lane.starts_with(DELIVERED_LANES)
}

/// Messages of a group in the order of their source, and control in the same order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GroupMessageIngested {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// [`LIVE_LANE`], or the id of an import, or [`delivered_lane`] of it.
    pub lane: String,
    /// The source's clock in ms; for an import, the newest send time read so far.
    pub observed_at: i64,
    /// Message states, oldest first; empty in control records.
    pub messages: Vec<Message>,
    /// Trace id of this record: 32 hex digits.
    pub ingest_trace_id: String,
    /// Event time in ms up to which this lane is complete; [`END_OF_LANE`] ends the lane.
    pub complete_until: Option<i64>,
    /// New settings of the group.
    pub settings: Option<GroupSettings>,
    /// Forum topics that the source saw created: ids of the messages that created them.
    pub topics: Vec<i64>,
    /// Event time in ms to which the lane's clock is set back where it ran ahead.
    pub set_back_to: Option<i64>,
    /// A command, which is no message of the chat. Absent from the first revisions.
    #[serde(default)]
    pub command: Option<Command>,
}

impl GroupMessageIngested {
    /// False for a record that only sets something: neither messages, nor topics, nor a promise.
    pub fn tells_of_its_lane(&self) -> bool {
        !self.messages.is_empty() || !self.topics.is_empty() || self.complete_until.is_some()
    }
}

record!(GroupMessageIngested, "group.message.ingested.v1", "group.message.ingested.v1",
    identity: |r| match r.messages.first() {
        Some(first) => format!("{}/{}/{}/{}", r.tenant_id, r.group_id, first.id, first.revision),
        None => r.ingest_trace_id.clone(),
    },
    time: |r| r.messages.iter().map(|m| m.sent_at).max().unwrap_or(r.observed_at),
    trace: |r| r.ingest_trace_id.clone(), check: crate::check::ingested);

/// Sizes that windows can have, in hours; 1 is for benchmarks.
pub const WINDOW_HOURS: [i32; 6] = [1, 2, 4, 6, 12, 24];
/// Minutes of a day.
pub const DAY_MINUTES: i32 = 24 * 60;
/// Languages that a digest can be wished in.
pub const LANGUAGES: [&str; 3] = ["auto", "en", "ru"];
/// Channels that a sink of this version delivers to. On the wire the set is open, and sinks leave other channels alone: a
/// mistaken name would mean digests that nobody gets, so that who sets a group's channels is held to these.
pub const CHANNELS: [&str; 4] = ["file", "telegram", "webhook", "email"];

/// Settings of a group, effective for windows opened after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSettings {
    /// Window sizes in hours, ascending: any of [`WINDOW_HOURS`].
    pub window_hours: Vec<i32>,
    /// IANA time zone in which windows are aligned.
    pub time_zone: String,
    /// Language of digests: `ru`, `en`, or `auto` (decided per window).
    pub language: String,
    /// Scopes granted to the group's digests.
    pub scopes: Vec<String>,
    /// Delivery channels, such as `file`.
    pub channels: Vec<String>,
    /// Delivery target in the channel's own terms.
    pub chat: Option<String>,
    /// Minutes after local midnight at which days begin, and with them windows. Absent from the first revisions.
    #[serde(default)]
    pub day_start_minutes: i32,
}

impl Default for GroupSettings {
    /// One digest a day in UTC, written to a file: useful at once, and sends nothing to anybody.
    fn default() -> Self {
        Self {
            window_hours: vec![24],
            time_zone: "UTC".to_owned(),
            language: "auto".to_owned(),
            scopes: vec!["DIGEST_READ".to_owned()],
            channels: vec!["file".to_owned()],
            chat: None,
            day_start_minutes: 0,
        }
    }
}

/// What a message state says about its message. Carried as a string, so that the set stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// First state of the message.
    New,
    /// Changed text.
    Edited,
    /// The message is gone.
    Deleted,
}

impl MessageKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
        }
    }

    /// The kind of a wire name; `None` for one this version does not know.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::New, Self::Edited, Self::Deleted].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One state of one chat message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Message id, unique in the group.
    pub id: i64,
    /// Edit time in ms since the epoch; 0 for the original.
    pub revision: i64,
    /// `new`, `edited` or `deleted`; see [`MessageKind`].
    pub kind: String,
    /// Null when the source does not tell.
    pub author: Option<Author>,
    /// Original send time in ms since the epoch.
    pub sent_at: i64,
    /// Text with personal data masked.
    pub text: String,
    /// Marked spans of the text.
    pub entities: Vec<Entity>,
    /// Id of the message answered.
    pub reply_to: Option<i64>,
    /// Forum topic: id of the message that created it.
    pub topic_id: Option<i64>,
    /// Attachment.
    pub media: Option<Media>,
    /// Origin of a forwarded message.
    pub forward: Option<Forward>,
    /// Reactions at the time of the record.
    pub reactions: Vec<Reaction>,
}

impl Message {
    /// An original message with nothing but text, whose author is not told. `sent_at` in ms.
    pub fn plain(id: i64, sent_at: i64, text: &str) -> Self {
        Self {
            id,
            revision: 0,
            kind: "new".to_owned(),
            author: None,
            sent_at,
            text: text.to_owned(),
            entities: Vec::new(),
            reply_to: None,
            topic_id: None,
            media: None,
            forward: None,
            reactions: Vec::new(),
        }
    }
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Stable id of the author.
    pub id: String,
    /// Display name; empty when the account is deleted, the id where the source tells no name.
    pub name: String,
    /// True for automated accounts.
    pub is_bot: bool,
}

/// A marked span of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// `link`, `mention`, `code`, `bold`, ...
    pub kind: String,
    /// Start in UTF-16 units.
    pub offset: i32,
    /// Length in UTF-16 units.
    pub length: i32,
    /// Target of a text link.
    pub url: Option<String>,
}

/// An attachment; its bytes are not carried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Media {
    /// `photo`, `video_file`, `voice_message`, `sticker`, `file`, `poll`, `checklist`, ...
    pub kind: String,
    /// Name as sent.
    pub file_name: Option<String>,
    /// Media type.
    pub mime_type: Option<String>,
    /// Size in bytes.
    pub size_bytes: Option<i64>,
    /// Set where `kind` is `poll`.
    pub poll: Option<Poll>,
    /// Set where `kind` is `checklist`.
    pub checklist: Option<Checklist>,
}

/// Origin of a forwarded message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Name of the original author or channel.
    pub from: String,
    /// Original send time in ms since the epoch.
    pub sent_at: Option<i64>,
}

/// Count of one reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji; `custom_emoji` or `paid` where there is none to show.
    pub emoji: String,
    /// How many.
    pub count: i32,
}

impl GroupMessageIngested {
    /// Trace id of a record that starts at `position` of a source.
    pub fn trace(source_identity: &str, position: &str) -> String {
        identity::trace_id(&format!("{source_identity}@{position}"))
    }
}
