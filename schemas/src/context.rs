//! `digest.generate.requested` and `digest.context.prepared`: a digest is wanted, and what it is made of.

use crate::{Checklist, Poll, Version, WindowRef, identity, record::record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A digest of a window is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestGenerateRequested {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`; see [`crate::Version`].
    pub version: String,
    /// Trace id of this digest: 32 hex digits.
    pub trace_id: String,
    /// Channels wanted, comma separated, in order of preference.
    pub delivery_channel: String,
    /// `schedule`, or who asked.
    pub requested_by: String,
    /// The window.
    pub window: WindowRef,
}

record!(DigestGenerateRequested, "digest.generate.requested.v1", "digest.generate.requested.v1",
    identity: |r| format!("{}/{}", r.window_id, r.version),
    time: |r| r.window.window_end,
    trace: |r| r.trace_id.clone());

/// Version of a digest that somebody asked for: the window is read once, and digested once.
const ASKED: Version = Version { revision: 1, attempt: 1 };

impl DigestGenerateRequested {
    /// The request for a digest of `window`, which is one that `requested_by` asks for.
    pub fn asked(tenant_id: &str, group_id: &str, window: WindowRef, requested_by: &str) -> Self {
        let (window_id, version) = (window.id(tenant_id, group_id), ASKED.to_string());
        let trace_id = identity::trace_id(&format!("{window_id}/{version}"));
        Self {
            tenant_id: tenant_id.to_owned(),
            group_id: group_id.to_owned(),
            window_id,
            version,
            trace_id,
            delivery_channel: window.settings.channels.join(","),
            requested_by: requested_by.to_owned(),
            window,
        }
    }

    /// Id of the digest that comes of it.
    pub fn digest_id(&self) -> String {
        identity::digest_id(&self.window_id, &self.version)
    }
}

/// Everything a digest is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestContextPrepared {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`; see [`crate::Version`].
    pub version: String,
    /// Trace id of this digest: 32 hex digits.
    pub trace_id: String,
    /// The window.
    pub window: WindowRef,
    /// As requested.
    pub delivery_channel: String,
    /// Language of the digest: `ru` or `en`.
    pub language: String,
    /// Messages in the window.
    pub message_total: i32,
    /// Messages that repeat an earlier one.
    pub duplicates_removed: i32,
    /// Ids of the highest ranked messages, best first.
    pub top_ranked: Vec<i64>,
    /// Counts by name.
    pub stats: BTreeMap<String, i64>,
    /// All messages of the window, by (`sent_at`, id).
    pub messages: Vec<ContextMessage>,
    /// `ok`, `unavailable`, or `off` where no index is set; see [`history`].
    pub history: String,
    /// Best matches first.
    pub history_matches: Vec<HistoryMatch>,
}

record!(DigestContextPrepared, "digest.context.prepared.v1", "digest.context.prepared.v1",
    identity: |r| format!("{}/{}", r.window_id, r.version),
    time: |r| r.window.window_end,
    trace: |r| r.trace_id.clone());

/// A message as the stages see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextMessage {
    /// Message id.
    pub id: i64,
    /// Revision read.
    pub revision: i64,
    /// Author id; empty when unknown.
    pub author_id: String,
    /// Author's display name, the last one known; `Deleted account` where none ever was.
    pub author_name: String,
    /// True for automated accounts.
    pub is_bot: bool,
    /// Original send time in ms.
    pub sent_at: i64,
    /// Redacted text.
    pub text: String,
    /// Id of the message answered.
    pub reply_to: Option<i64>,
    /// Forum topic.
    pub topic_id: Option<i64>,
    /// URLs in the message.
    pub links: Vec<String>,
    /// Kind of attachment.
    pub media_kind: Option<String>,
    /// True when forwarded.
    pub forwarded: bool,
    /// Sum of reactions.
    pub reactions: i32,
    /// Importance in [0, 1].
    pub rank: f64,
    /// True when the message fits the token budget of prompts.
    pub in_budget: bool,
    /// Id of the earlier message that this one repeats.
    pub duplicate_of: Option<i64>,
    /// The poll that it is; `text` says the same in words.
    pub poll: Option<Poll>,
    /// The checklist that it is; `text` says the same in words.
    pub checklist: Option<Checklist>,
}

impl ContextMessage {
    /// A message with nothing but text, within the budget; the author's name is also its id. `sent_at` in ms.
    pub fn plain(id: i64, sent_at: i64, author: &str, text: &str) -> Self {
        Self {
            id,
            revision: 0,
            author_id: author.to_owned(),
            author_name: author.to_owned(),
            is_bot: false,
            sent_at,
            text: text.to_owned(),
            reply_to: None,
            topic_id: None,
            links: Vec::new(),
            media_kind: None,
            forwarded: false,
            reactions: 0,
            rank: 0.0,
            in_budget: true,
            duplicate_of: None,
            poll: None,
            checklist: None,
        }
    }
}

/// What is known of the time before a window, by name on the wire; the set is open.
pub mod history {
    /// It was searched.
    pub const OK: &str = "ok";
    /// The index did not answer, or was behind.
    pub const UNAVAILABLE: &str = "unavailable";
    /// No index is set.
    pub const OFF: &str = "off";
}

/// An earlier item that resembles a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryMatch {
    /// Id of the earlier item.
    pub item_id: String,
    /// Its time in ms.
    pub sent_at: i64,
    /// Similarity in [0, 1].
    pub score: f64,
    /// Redacted excerpt; empty in this version, which keeps no words of earlier messages.
    pub text: String,
    /// Id of the message of this window that it resembles; 0 in payloads of earlier revisions.
    #[serde(default)]
    pub message_id: i64,
}
