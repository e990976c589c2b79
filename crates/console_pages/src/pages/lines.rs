//! What many pages list: digests and their versions, on a line each.

use serde::{Deserialize, Serialize};

/// A digest in a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DigestLine {
    /// Id of the digest.
    pub digest_id: String,
    /// Group.
    pub group_id: String,
    /// Id of the window.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Window size in hours; 0 where somebody asked for it.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start_ms: i64,
    /// End in ms, exclusive.
    pub window_end_ms: i64,
    /// `ru` or `en`.
    pub language: String,
    /// One line; empty where the digest was withdrawn.
    pub headline: String,
    /// Messages in the window.
    pub message_count: i32,
    /// People in the window.
    pub participant_count: i32,
    /// Score in [0, 1].
    pub quality_score: f64,
}

/// A version of a window's digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionLine {
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// When it was stored, in ms.
    pub stored_at_ms: i64,
}
