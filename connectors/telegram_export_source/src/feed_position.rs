//! How much of a feed is committed, and what its marks of completeness need to know.

use crate::{error::Error, input, lines::Line};
use runtime::{Position, SourceError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const POSITION_VERSION: u32 = 1;
/// A mark is due this often while the group talks, in ms.
const MARK_EVERY_MS: i64 = 60 * 1000;
/// Marks go on until one lies this long after the last message, in ms: the longest day has 25 hours, and an hour more is
/// for clocks that are ahead. By then every window that the message can be in is closed.
const MARKED_FOR_MS: i64 = 26 * 60 * 60 * 1000;

/// State of a feed after some of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedPosition {
    version: u32,
    /// Lines before the position.
    pub(crate) lines: u64,
    /// Chained hash of them, by which a feed that starts again is known.
    pub(crate) digest: String,
    /// Newest send time in ms.
    pub(crate) newest: i64,
    /// When a message was read last, by the source's clock in ms.
    pub(crate) traffic_at: Option<i64>,
    /// When the lane was last said to be complete, by the source's clock in ms.
    pub(crate) marked_at: i64,
    /// The feed has said itself how far it is complete, so the clock no longer does.
    pub(crate) feed_marks: bool,
    /// The end of the lane is committed too.
    pub(crate) is_ended: bool,
}

impl Default for FeedPosition {
    fn default() -> Self {
        Self {
            version: POSITION_VERSION,
            lines: 0,
            digest: String::new(),
            newest: 0,
            traffic_at: None,
            marked_at: 0,
            feed_marks: false,
            is_ended: false,
        }
    }
}

impl FeedPosition {
    pub(crate) fn parse(position: Option<&Position>) -> Result<Self, Error> {
        let Some(Position(text)) = position else { return Ok(Self::default()) };
        let parsed =
            serde_json::from_str(text).ok().filter(|position: &Self| position.version == POSITION_VERSION);
        parsed.ok_or_else(|| Error::Position { position: text.clone() })
    }

    pub(crate) fn position(&self) -> Result<Position, SourceError> {
        serde_json::to_string(self).map(Position).map_err(|error| SourceError::Fatal(error.to_string()))
    }

    /// Takes a line in.
    pub(crate) fn pass(&mut self, line: &Line) {
        let mut hasher = Sha256::new();
        hasher.update(self.digest.as_bytes());
        hasher.update(&line.bytes);
        self.digest = input::hex(&hasher.finalize()[..16]);
        self.lines += 1;
    }

    /// Notes a message that was read at `now`; marks begin a minute after the first.
    pub(crate) fn heard(&mut self, now: i64) {
        if self.traffic_at.is_none() {
            self.marked_at = now;
        }
        self.traffic_at = Some(now);
    }

    /// True when the lane is to be said complete at `now`, nothing being on its way. A minute has to have
    /// passed since the last time, and `since` the silence before a process's first one began.
    pub(crate) fn is_mark_due(&self, now: i64, since: i64) -> bool {
        let has_open_windows = self.traffic_at.is_some_and(|at| self.marked_at < at + MARKED_FOR_MS);
        has_open_windows && !self.feed_marks && now - self.marked_at.max(since) >= MARK_EVERY_MS
    }
}
